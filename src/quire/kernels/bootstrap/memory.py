"""How much memory a kernel may use."""

import resource
from collections.abc import Callable
from functools import partial

RESERVE_BYTES = 64 * 1024 * 1024
"""For our own work: when a cell has used up all there is, there must be room to say so."""
_NOTHING: Callable[[], object] = partial(bool)


class MemoryLimit:
    """Limits the process's data, not its address space: libraries reserve far more than they use.

    A cell runs with `limit` bytes; between cells there is a reserve on top of it. Once a cell has failed for lack of
    memory, the next ones get half of the reserve: enough for `del big`.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        whole = limit + RESERVE_BYTES
        self.leave_cell: Callable[[], object] = _setting(whole, whole) if limit else _NOTHING
        """Not a method: where this is needed, there may be no memory for the frame of a Python function."""
        self.enter_cell: Callable[[], object] = _setting(limit, whole) if limit else _NOTHING
        self._when_short = _setting(limit + RESERVE_BYTES // 2, whole) if limit else _NOTHING
        self.leave_cell()

    def note_shortage(self) -> None:
        """A cell has failed for lack of memory."""
        self.enter_cell = self._when_short


def _setting(soft: int, hard: int) -> Callable[[], object]:
    return partial(resource.setrlimit, resource.RLIMIT_DATA, (soft, hard))
