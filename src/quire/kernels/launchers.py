"""How the kernels of this server are started: as copies where that works, else each from nothing."""

import asyncio

import structlog

from quire.kernels.channels import Connection
from quire.kernels.environment import KernelFolder
from quire.kernels.launching import Spawner
from quire.kernels.process import KernelProcess
from quire.kernels.protocol import KernelUnavailable
from quire.kernels.settings import KernelSettings
from quire.kernels.zygote import SUPPORTED, Zygote

log = structlog.get_logger(__name__)


class Launchers:
    """A `Launcher` that has a zygote, if it can, and starts another one when it is gone."""

    def __init__(self, settings: KernelSettings) -> None:
        self._settings = settings
        self._spawner = Spawner(settings)
        self._zygote: asyncio.Task[Zygote] | None = None

    async def launch(self, folder: KernelFolder, connection: Connection) -> KernelProcess:
        if self._settings.forked and SUPPORTED:
            try:
                zygote = await self._current()
                return await zygote.launch(folder, connection)
            except KernelUnavailable as error:
                # The kernel that is started from nothing works, or says in its own words why it does not.
                log.warning("kernel_not_copied", reason=str(error))
                await asyncio.to_thread(folder.connection_file.unlink, missing_ok=True)
        return await self._spawner.launch(folder, connection)

    async def _current(self) -> Zygote:
        known = self._zygote
        if known is not None and known.done() and (known.cancelled() or known.exception() or not known.result().alive):
            await self._end(known)
            if self._zygote is known:
                self._zygote = None
        if self._zygote is None:
            self._zygote = asyncio.create_task(Zygote.start(self._settings), name="zygote")
        return await asyncio.shield(self._zygote)

    async def close(self) -> None:
        """To be called when its kernels have ended: the zygote says how they did."""
        if self._zygote is not None:
            await self._end(self._zygote)

    async def _end(self, zygote: "asyncio.Task[Zygote]") -> None:
        for outcome in await asyncio.gather(zygote, return_exceptions=True):
            if isinstance(outcome, Zygote):
                await outcome.close()
