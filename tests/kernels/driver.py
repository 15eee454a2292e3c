"""Runs cells in real kernels and gathers, per cell, what they did."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from quire.kernels.jupyter import JupyterKernel
from quire.kernels.protocol import (
    CellEnded,
    CellStarted,
    KernelEvent,
    OutputReplaced,
    OutputsCleared,
    OutputShown,
    Plan,
    Step,
    StreamText,
)
from quire.kernels.settings import KernelSettings
from quire.notebook.model import CellError, Output

Start = Callable[[KernelSettings | None], Awaitable["Driver"]]

WAIT_S = 20


def data_of(output: Output) -> str:
    assert isinstance(output.data, str)
    return output.data


@dataclass
class Outcome:
    """What one cell did."""

    cell_id: str
    stdout: str = ""
    stderr: str = ""
    outputs: list[Output] = field(default_factory=list)
    ended: list[CellEnded] = field(default_factory=list)

    @property
    def status(self) -> str:
        assert len(self.ended) == 1, f"{len(self.ended)} ends"
        return self.ended[0].status

    @property
    def error(self) -> CellError:
        error = self.ended[0].error
        assert error is not None, "the cell did not fail"
        return error

    @property
    def data(self) -> list[str]:
        """Of each output."""
        return [data_of(output) for output in self.outputs]

    @property
    def text(self) -> str:
        """The only output, which is plain text."""
        [output] = self.outputs
        assert output.mime_type == "text/plain", output
        return data_of(output)

    def apply(self, event: KernelEvent) -> None:
        match event:
            case StreamText(name="stdout"):
                self.stdout += event.text
            case StreamText():
                self.stderr += event.text
            case OutputShown():
                self.outputs.append(event.output)
            case OutputReplaced():
                new = event.output
                self.outputs = [new if old.display_id == new.display_id else old for old in self.outputs]
            case OutputsCleared():
                self.stdout, self.stderr, self.outputs = "", "", []
            case CellEnded():
                self.ended.append(event)
            case CellStarted():
                assert not self.ended


class Driver:
    """Runs cells in one kernel."""

    _numbers = count()

    def __init__(self, kernel: JupyterKernel) -> None:
        self.kernel = kernel

    async def batches(self, *steps: Step) -> list[list[KernelEvent]]:
        """What a plan sends, as it is sent."""
        async with asyncio.timeout(60), aclosing(self.kernel.run(Plan("r", steps))) as batches:
            return [list(batch) async for batch in batches]

    async def events(self, *steps: Step) -> list[KernelEvent]:
        return [event for batch in await self.batches(*steps) for event in batch]

    async def run(self, *cells: str | Step, forget: tuple[str, ...] = ()) -> list[Outcome]:
        """Run cells as one plan; code without a step gets a fresh cell id."""
        steps = tuple(Step(f"t{next(self._numbers)}", c) if isinstance(c, str) else c for c in cells)
        outcomes = {step.cell_id: Outcome(step.cell_id) for step in steps}
        async with asyncio.timeout(60), aclosing(self.kernel.run(Plan("r", steps, forget))) as batches:
            async for events in batches:
                for event in events:
                    outcomes[event.cell_id].apply(event)
        assert [len(outcome.ended) for outcome in outcomes.values()] == [1] * len(steps)
        return list(outcomes.values())

    async def cell(self, code: str) -> Outcome:
        [outcome] = await self.run(code)
        return outcome

    async def after(self, ready: str, then: Callable[[], Awaitable[None]], *cells: str | Step) -> list[Outcome]:
        """Run cells, and do `then` as soon as one of them prints `ready`."""
        steps = tuple(Step(f"t{next(self._numbers)}", c) if isinstance(c, str) else c for c in cells)
        outcomes = {step.cell_id: Outcome(step.cell_id) for step in steps}
        waiting = True
        async with asyncio.timeout(60), aclosing(self.kernel.run(Plan("r", steps))) as batches:
            async for events in batches:
                for event in events:
                    outcomes[event.cell_id].apply(event)
                if waiting and any(ready in outcome.stdout for outcome in outcomes.values()):
                    waiting = False
                    await then()
        return list(outcomes.values())


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait for a condition that nothing announces."""
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.01)


def is_running(pid: int) -> bool:
    """Whether a process exists: zombies, which only their parent can remove, count if they are ours."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def is_gone(pid: int) -> bool:
    """Whether a process has ended: perhaps nobody has taken note of it yet."""
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True
