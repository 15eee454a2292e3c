"""Kernels started ahead of need, so that opening a notebook does not wait for one."""

import asyncio
from collections import deque
from weakref import WeakSet

import structlog

from quire.kernels.census import Census
from quire.kernels.jupyter import JupyterKernel
from quire.kernels.launchers import Launchers
from quire.kernels.protocol import KernelUnavailable
from quire.kernels.settings import KernelSettings

log = structlog.get_logger(__name__)


class KernelPool:
    """A `KernelSource` that keeps `settings.pool_size` kernels ready. To be used in one event loop."""

    def __init__(self, settings: KernelSettings | None = None) -> None:
        self._settings = settings or KernelSettings()
        self._warm: deque[asyncio.Task[JupyterKernel]] = deque()
        """Kernels that nobody has yet: started, or starting."""
        self._given: WeakSet[JupyterKernel] = WeakSet()
        self._watching: set[asyncio.Task[None]] = set()
        self._launchers = Launchers(self._settings)
        self._census = Census(self._settings.processes_max)
        self._closed = False

    def fill(self) -> None:
        """Start what is missing, in the background; `acquire` does it as well."""
        while not self._closed and len(self._warm) < self._settings.pool_size:
            starting = asyncio.create_task(self._start())
            self._warm.append(starting)
            watching = asyncio.create_task(self._watch(starting))
            self._watching.add(watching)
            watching.add_done_callback(self._watching.discard)

    async def acquire(self) -> JupyterKernel:
        """A warm kernel, or the next to be ready.

        Raises:
            KernelUnavailable: none could be started, or the pool is closed.
        """
        kernel = await self._take()
        self.fill()
        self._given.add(kernel)
        self._census.watch(kernel)
        if self._closed:
            await kernel.close()
            raise KernelUnavailable("The server is shutting down.")
        return kernel

    async def _take(self) -> JupyterKernel:
        while self._warm:
            starting = self._warm.popleft()
            try:
                kernel = await asyncio.shield(starting)
            except asyncio.CancelledError:
                # Whoever asked has gone; the kernel is still good.
                self._warm.appendleft(starting)
                raise
            except KernelUnavailable:
                continue  # Logged by its watcher; whether another can be started is found out below.
            if kernel.alive:
                return kernel
            await kernel.close()
        if self._closed:
            raise KernelUnavailable("The server is shutting down.")
        return await self._start()

    async def _start(self) -> JupyterKernel:
        return await JupyterKernel.start(self._settings, self._launchers)

    async def _watch(self, starting: "asyncio.Task[JupyterKernel]") -> None:
        """Replace a warm kernel that dies. One that does not start is tried again at the next `acquire`."""
        await asyncio.wait({starting})
        error = starting.exception()
        if error is not None:
            log.error("kernel.start_failed", reason=str(error))
            if starting in self._warm:
                self._warm.remove(starting)
            return
        kernel = starting.result()
        reason = await kernel.wait_died()
        if starting in self._warm:
            self._warm.remove(starting)
            log.warning("kernel.warm_died", reason=reason)
            await kernel.close()
            self.fill()

    async def close(self) -> None:
        """End all kernels, those in use as well."""
        self._closed = True
        warm = list(self._warm)
        self._warm.clear()
        started = await asyncio.gather(*warm, return_exceptions=True)
        kernels = {kernel for kernel in started if isinstance(kernel, JupyterKernel)} | set(self._given)
        await asyncio.gather(*(kernel.close() for kernel in kernels))
        await asyncio.gather(*self._watching)
        await self._census.close()
        await self._launchers.close()
