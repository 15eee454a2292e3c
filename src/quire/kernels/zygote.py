"""Kernels as copies of one process that has imported everything: there in tens of milliseconds, sharing memory."""

import asyncio
import os
import socket
import subprocess
from contextlib import ExitStack
from typing import Any, cast

import msgspec
import structlog

from quire.kernels.channels import Connection
from quire.kernels.environment import KernelFolder, environment_for
from quire.kernels.launching import BOOTSTRAP, prepare
from quire.kernels.process import KernelProcess
from quire.kernels.protocol import KernelUnavailable
from quire.kernels.settings import KernelSettings

log = structlog.get_logger(__name__)

SUPPORTED = hasattr(os, "pidfd_open") and hasattr(socket, "SOCK_SEQPACKET")
"""The end of a process that is not our child can be watched, and messages keep their bounds: on Linux."""
MESSAGE_BYTES_MAX = 160 * 1024
LISTENING_S = 5.0
"""How long a zygote that is alive may take to answer."""


class Zygote:
    """One such process. Made by `start`."""

    def __init__(
        self, settings: KernelSettings, popen: "subprocess.Popen[bytes]", channel: socket.socket, folder: KernelFolder
    ) -> None:
        self._settings = settings
        self._popen = popen
        self._channel = channel
        self._folder = folder
        self._loop = asyncio.get_running_loop()
        self._number = 0
        self._waiting: dict[tuple[str, int], asyncio.Future[dict[str, Any]]] = {}
        self._ready: asyncio.Future[dict[str, Any]] = self._expect("ready", 0)
        self._gone = False
        self._loop.add_reader(channel, self._receive)

    @classmethod
    async def start(cls, settings: KernelSettings) -> "Zygote":
        """Start the process, and wait until it has imported everything.

        Raises:
            KernelUnavailable: it did not start; says why.
        """
        folder = await asyncio.to_thread(KernelFolder)
        try:
            popen, channel = await asyncio.to_thread(_spawn, settings, folder)
        except OSError as error:
            await asyncio.to_thread(folder.remove)
            raise KernelUnavailable(f"{settings.command[0]} could not be started: {error}") from error
        zygote = cls(settings, popen, channel, folder)
        try:
            async with asyncio.timeout(settings.start_seconds_max):
                ready = await zygote._ready
        except BaseException as error:
            words = await asyncio.to_thread(folder.last_words)
            await zygote.close()
            if isinstance(error, TimeoutError | KernelUnavailable):
                reason = words.splitlines()[-1] if words else f"it took more than {settings.start_seconds_max:g} s"
                raise KernelUnavailable(
                    f"A kernel could not be started with {settings.command[0]}: {reason}"
                ) from error
            raise
        for name, reason in ready["failed"].items():
            log.warning("kernel_preload_failed", module=name, reason=reason)
        return zygote

    @property
    def alive(self) -> bool:
        return not self._gone and self._popen.poll() is None

    async def launch(self, folder: KernelFolder, connection: Connection) -> KernelProcess:
        """A copy that will serve `connection`. Raises KernelUnavailable."""
        self._number += 1
        forked = self._expect("forked", self._number)
        with ExitStack() as closing:
            launch = await asyncio.to_thread(prepare, folder, connection, self._settings, closing)
            request = {
                "kind": "fork",
                "number": self._number,
                "options": launch.options,
                "environment": launch.environment,
                "folder": str(folder.path),
                "work": str(folder.work),
            }
            try:
                self._send(request, [launch.lifeline_reader, launch.errors])
                pid = (await asyncio.wait_for(forked, LISTENING_S))["pid"]
                # Its number is still its own: it is reaped only when we say so, unless the zygote is killed.
                return KernelProcess(_Copy(pid, self), launch.lifeline, folder)
            except (OSError, TimeoutError) as error:
                # A copy that comes too late finds its lifeline cut.
                os.close(launch.lifeline)
                raise KernelUnavailable(f"The process that kernels are copied from failed: {error!r}") from error
            except KernelUnavailable:
                os.close(launch.lifeline)
                raise

    async def reap(self, pid: int) -> int | None:
        """The exit status of a copy that has ended; None if the zygote was killed meanwhile."""
        reaped = self._expect("reaped", pid)
        try:
            self._send({"kind": "reap", "pid": pid})
            return cast("int", (await asyncio.wait_for(reaped, LISTENING_S))["status"])
        except (OSError, TimeoutError, KernelUnavailable):
            return None

    async def close(self) -> None:
        """End the process. Its copies go on, but nobody will know how they ended."""
        if not self._folder.path.exists():
            return
        self._lose("the server is shutting down")
        self._popen.kill()
        await asyncio.to_thread(self._popen.wait)
        await asyncio.to_thread(self._folder.remove)

    def _expect(self, kind: str, number: int) -> "asyncio.Future[dict[str, Any]]":
        future: asyncio.Future[dict[str, Any]] = self._loop.create_future()
        self._waiting[kind, number] = future
        future.add_done_callback(lambda _: self._waiting.pop((kind, number), None))
        return future

    def _send(self, message: dict[str, Any], descriptors: list[int] | None = None) -> None:
        if self._gone:
            raise KernelUnavailable("The process that kernels are copied from is gone.")
        socket.send_fds(self._channel, [msgspec.json.encode(message)], descriptors or [])

    def _receive(self) -> None:
        try:
            data = self._channel.recv(MESSAGE_BYTES_MAX)
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(str(error))
            return
        if not data:
            self._lose("it ended")
            return
        message = msgspec.json.decode(data, type=dict[str, Any])
        match message:
            case {"kind": "failed", "number": int(number), "reason": str(reason)}:
                future = self._waiting.get(("forked", number))
                if future is not None and not future.done():
                    future.set_exception(KernelUnavailable(f"A kernel could not be started: {reason}"))
            case {"kind": str(kind)}:
                number = message.get("number", message.get("pid", 0))
                future = self._waiting.get((kind, number))
                if future is not None and not future.done():
                    future.set_result(message)

    def _lose(self, reason: str) -> None:
        """No more answers will come."""
        if self._gone:
            return
        self._gone = True
        self._loop.remove_reader(self._channel)
        self._channel.close()
        for future in list(self._waiting.values()):
            if not future.done():
                future.set_exception(KernelUnavailable(f"The process that kernels are copied from is gone: {reason}."))


class _Copy:
    """As `Child`."""

    def __init__(self, pid: int, zygote: Zygote) -> None:
        self.pid = pid
        self._zygote = zygote

    async def reap(self) -> int | None:
        return await self._zygote.reap(self.pid)


def _spawn(settings: KernelSettings, folder: KernelFolder) -> tuple["subprocess.Popen[bytes]", socket.socket]:
    """The process, and the socket to it. Blocking."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    options = {"zygote": {"descriptor": theirs.fileno(), "preload": settings.preload}}
    with theirs, folder.error_file.open("wb") as errors:
        try:
            popen = subprocess.Popen(  # noqa: S603 - the operator's interpreter and our own file
                [*settings.command, str(BOOTSTRAP / "launch.py"), msgspec.json.encode(options).decode()],
                cwd=folder.work,
                env=environment_for(folder, settings, os.environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        except BaseException:
            ours.close()
            raise
    ours.settimeout(0)
    return popen, ours
