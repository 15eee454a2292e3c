"""What a kernel does: runs plans, and tells what happened cell by cell."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Literal, Protocol

import msgspec

from quire.kernels.bootstrap.overwriting import collapsed
from quire.notebook.model import CellError, Output

OUTPUT_BYTES_MAX = 8 * 1024 * 1024
"""Largest output kept; a larger one becomes a text that says so."""
STREAM_BYTES_MAX = 1024 * 1024
"""How much of a cell's stdout, and of its stderr, is kept; the rest is counted and said."""
OUTPUTS_MAX = 1000
"""Most outputs kept of one cell."""


def without_overwritten(text: str) -> str:
    """What a terminal would still show of a stream: progress bars write over their lines with carriage returns."""
    return collapsed(text, from_start=True)


class Step(msgspec.Struct, frozen=True):
    """One cell of a plan."""

    cell_id: str
    code: str
    writes: tuple[str, ...] = ()
    """Global names that the cell defines, by analysis: removed before it runs again."""
    parents: tuple[str, ...] = ()
    """Cells of the same plan that this one depends on directly: if one fails, this one is blocked."""


class Plan(msgspec.Struct, frozen=True):
    """Cells to run, in order. Before the first one runs, the names that any of them defined earlier are removed."""

    run_id: str
    steps: tuple[Step, ...]
    forget: tuple[str, ...] = ()
    """Deleted cells whose names must go."""


class CellStarted(msgspec.Struct, frozen=True, tag="started"):
    cell_id: str
    at: int


class StreamText(msgspec.Struct, frozen=True, tag="stream"):
    cell_id: str
    name: Literal["stdout", "stderr"]
    text: str


class OutputShown(msgspec.Struct, frozen=True, tag="output"):
    cell_id: str
    output: Output


class OutputReplaced(msgspec.Struct, frozen=True, tag="replace"):
    """`update_display`: every output of the cell with this `display_id` becomes `output`."""

    cell_id: str
    output: Output


class OutputsCleared(msgspec.Struct, frozen=True, tag="clear"):
    cell_id: str


class CellEnded(msgspec.Struct, frozen=True, tag="ended"):
    """`blocked`: a parent failed (`error.caused_by`); `skipped`: an interrupt ended the plan before this cell."""

    cell_id: str
    status: Literal["success", "error", "blocked", "skipped"]
    at: int
    duration_ms: int = 0
    error: CellError | None = None


KernelEvent = CellStarted | StreamText | OutputShown | OutputReplaced | OutputsCleared | CellEnded


class KernelDied(Exception):
    """The kernel process is gone. The message says how (exit status, signal), for the cell's author."""


class KernelBusy(Exception):
    """A question was not answered: a plan runs, or the answer took too long. The message says which."""


class QuestionRefused(Exception):
    """The kernel has no answer to this question; the message says why, in words for the notebook's author."""


class KernelUnavailable(Exception):
    """No kernel could be started; the message says why."""


class Kernel(Protocol):
    """One running kernel, for one notebook."""

    def run(self, plan: Plan) -> AsyncIterator[Sequence[KernelEvent]]:
        """Run `plan`; yields batches of events in order, and ends after the last cell's CellEnded.

        Every step gets exactly one CellEnded, unless KernelDied is raised. One plan at a time.

        Raises:
            KernelDied: at once when the process ends, whatever was running.
        """
        ...

    async def ask(self, kind: str, arguments: Mapping[str, object], *, seconds_max: float) -> bytes:
        """Ask about the values that the kernel holds; the answer as JSON. Changes nothing. What takes longer than
        `seconds_max`, or is under way when a plan is to run, is interrupted.

        Raises:
            KernelBusy: a plan runs, or the answer did not come in time.
            QuestionRefused: there is no answer.
            KernelDied.
        """
        ...

    async def interrupt(self) -> None:
        """Stop the running cell (KeyboardInterrupt) and the rest of the plan."""
        ...

    async def kill(self, reason: str) -> None:
        """End the process at once; `reason` is what `wait_died` and KernelDied say of it."""
        ...

    async def wait_died(self) -> str:
        """Return, when the process ends, a sentence on how it ended."""
        ...

    async def close(self) -> None:
        """End the process and all that it started."""
        ...


class KernelSource(Protocol):
    """Gives kernels: a pool, usually."""

    async def acquire(self) -> Kernel:
        """A fresh kernel that nobody else uses. Raises KernelUnavailable."""
        ...

    async def close(self) -> None: ...
