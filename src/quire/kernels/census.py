"""Counts the processes below each kernel: cells may start some, and must not take the machine over."""

import asyncio
from collections.abc import Collection
from pathlib import Path
from typing import Protocol
from weakref import WeakSet

import structlog

from quire.kernels.process import children_by_parent, descendants_of

log = structlog.get_logger(__name__)

LOOK_S = 0.1
"""How often the number of all processes is looked at: a short file that is in memory."""
COUNT_S = 5.0
"""How often they are counted in any case."""
_LOAD = Path("/proc/loadavg")


class Watched(Protocol):
    """A kernel, to be ended if it has too many processes."""

    @property
    def pid(self) -> int: ...
    @property
    def alive(self) -> bool: ...
    async def kill(self, reason: str) -> None: ...


class Census:
    """Ends kernels that have more than `processes_max` processes; 0: no limit, as where there is no /proc."""

    def __init__(self, processes_max: int) -> None:
        self._max = processes_max if _LOAD.exists() else 0
        self._kernels: WeakSet[Watched] = WeakSet()
        self._task: asyncio.Task[None] | None = None

    def watch(self, kernel: Watched) -> None:
        """From now on, for as long as it lives."""
        self._kernels.add(kernel)
        if self._max and self._task is None:
            self._task = asyncio.create_task(self._look(), name="kernel census")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        known, counted_at = _everybody(), loop.time()
        while True:
            await asyncio.sleep(LOOK_S)
            now = _everybody()
            if now - known > self._max // 2 or loop.time() - counted_at > COUNT_S:
                await self._count()
                known, counted_at = _everybody(), loop.time()
            known = min(known, now)

    async def _count(self) -> None:
        alive = {kernel.pid: kernel for kernel in self._kernels if kernel.alive}
        for pid, count in (await asyncio.to_thread(_below, list(alive))).items():
            if count > self._max:
                log.warning("kernel_ended", reason="too many processes", count=count, limit=self._max)
                await alive[pid].kill(
                    f"The kernel was ended: its cells had started {count:,} processes, and {self._max:,} is the limit. "
                    "The operator of the server can change it (QUIRE_KERNEL_PROCESSES)."
                )


def _everybody() -> int:
    """How many threads the machine runs."""
    return int(_LOAD.read_text().split()[3].partition("/")[2])


def _below(pids: Collection[int]) -> dict[int, int]:
    """How many processes each of these has started, those that these started among them. Blocking."""
    children = children_by_parent()
    return {pid: len(descendants_of(pid, children)) for pid in pids}
