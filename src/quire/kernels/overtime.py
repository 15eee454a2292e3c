"""Holds cells to the time they may run, if there is a limit: first by an interrupt, then by ending the kernel."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from quire.kernels.protocol import CellEnded, CellStarted, KernelEvent
from quire.notebook.model import CellError

GRACE_S = 10.0
"""How long a cell may take to end after the interrupt."""


class Overtime:
    """Watches the cells of one plan. `seconds_max` 0: there is no limit."""

    def __init__(
        self, seconds_max: float, interrupt: Callable[[], None], kill: Callable[[str], Awaitable[None]]
    ) -> None:
        self._seconds_max = seconds_max
        self._interrupt = interrupt
        self._kill = kill
        self._running: asyncio.Task[None] | None = None
        self._stopped: str = ""
        """The cell that was interrupted for it."""

    def check(self, events: Sequence[KernelEvent]) -> Sequence[KernelEvent]:
        """Note which cell runs now; the events, with the reason where a cell was stopped."""
        if not self._seconds_max:
            return events
        checked: list[KernelEvent] = []
        for event in events:
            match event:
                case CellStarted():
                    self.close()
                    self._running = asyncio.create_task(self._wait(event.cell_id), name="cell overtime")
                case CellEnded():
                    self.close()
                    checked.append(self._ended(event))
                    continue
                case _:
                    pass
            checked.append(event)
        return checked

    def _ended(self, event: CellEnded) -> CellEnded:
        if event.cell_id != self._stopped or event.status != "error":
            return event
        return msgspec.structs.replace(event, error=CellError("TimeLimit", self._words))

    def close(self) -> None:
        """The running cell has ended, or its plan."""
        if self._running is not None:
            self._running.cancel()
            self._running = None

    @property
    def _words(self) -> str:
        return (
            f"The cell was stopped after {self._seconds_max:g} s, which is how long a cell may run here. "
            "The operator of the server can change this limit (QUIRE_CELL_SECONDS)."
        )

    async def _wait(self, cell_id: str) -> None:
        await asyncio.sleep(self._seconds_max)
        self._stopped = cell_id
        self._interrupt()
        await asyncio.sleep(GRACE_S)
        await self._kill(f"{self._words} It did not end when it was interrupted, so the kernel was ended with it.")
