"""The process that kernels are copied from: it has imported everything, and never runs a cell.

It has one thread and no sockets but the one to the server, so that a copy begins as a new process would. Requests and
answers are JSON, one each message; a request to fork brings the descriptors that the copy inherits.
"""

import fcntl
import gc
import importlib
import json
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .app import Options

MESSAGE_BYTES_MAX = 160 * 1024
DESCRIPTORS = 2
"""That come with a request to fork: the lifeline, and where standard error goes."""
LAST_MOMENTS_MS = 2000
"""How long kernels that have lost their server may take to end by themselves."""
_LATE_IMPORTS = (
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "code",
    "ipykernel.debugger",
    "pdb",
    "tornado.gen",
    "tornado.platform.asyncio",
    "tornado.queues",
    "unicodedata",
)
"""What a kernel would import while it starts or runs its first cell."""


def serve(descriptor: int, preload: list[str]) -> "Options":
    """Answer requests until the server is gone. Returns in each copy, with what it is to be started with."""
    channel = socket.socket(fileno=descriptor)
    sys.modules["debugpy"] = None  # type: ignore[assignment]  # as in `app.start`
    failed = _import([*_LATE_IMPORTS, *preload])
    del sys.modules["debugpy"]
    # What is there now lives as long as the process: the collector need not look at it, and thereby write to the pages
    # that all copies share.
    gc.collect()
    gc.freeze()
    _send(channel, {"kind": "ready", "failed": failed})
    return _Zygote(channel).serve()


class _Zygote:
    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._folders: dict[int, Path] = {}
        """Of each copy that has not been reaped."""

    def serve(self) -> "Options":
        while True:
            data, descriptors, _flags, _address = socket.recv_fds(self._channel, MESSAGE_BYTES_MAX, DESCRIPTORS)
            if not data:
                self._end()
            request = json.loads(data)
            if request["kind"] == "reap":
                self._reap(request["pid"])
                continue
            options = self._fork(request, descriptors)
            if options is not None:
                return options

    def _fork(self, request: dict[str, Any], descriptors: list[int]) -> "Options | None":
        """The options, in the copy."""
        try:
            pid = _fork_quietly()
        except OSError as error:
            _send(self._channel, {"kind": "failed", "number": request["number"], "reason": str(error)})
        else:
            if pid == 0:
                # The server signals the group of this number as soon as it knows it.
                os.setsid()
                _send(self._channel, {"kind": "forked", "number": request["number"], "pid": os.getpid()})
                self._channel.close()
                return _become(request, *descriptors)
            self._folders[pid] = Path(request["folder"])
        for descriptor in descriptors:
            os.close(descriptor)
        return None

    def _reap(self, pid: int) -> None:
        """Take note of the end of a copy: until then its number belongs to nobody else."""
        _pid, status = os.waitpid(pid, 0)
        self._folders.pop(pid, None)
        _send(self._channel, {"kind": "reaped", "pid": pid, "status": os.waitstatus_to_exitcode(status)})

    def _end(self) -> None:
        """The server is gone. Its kernels notice that themselves, unless a cell keeps the interpreter to itself."""
        for pid, folder in self._folders.items():
            _wait(pid)
            shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)


def _fork_quietly() -> int:
    with warnings.catch_warnings():
        # Libraries that were asked for may have threads; those that are known to survive this.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _become(request: dict[str, Any], lifeline: int, errors: int) -> "Options":
    """Make this copy what a process that was started for one kernel would be."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    fcntl.fcntl(lifeline, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
    os.dup2(errors, 2)
    os.close(errors)
    os.chdir(request["work"])
    os.environ.clear()
    os.environ.update(request["environment"])
    tempfile.tempdir = None  # It is remembered from the first use on.
    if "numpy" in sys.modules:
        # Else all kernels would draw the same numbers.
        sys.modules["numpy"].random.seed()
    options: Options = request["options"]
    options["lifeline"] = lifeline
    return options


def _import(names: Iterable[str]) -> dict[str, str]:
    """Import what is installed; why what is there failed."""
    failed: dict[str, str] = {}
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 - a library may fail in any way; a kernel works without it
            if not (isinstance(error, ModuleNotFoundError) and error.name == name):
                failed[name] = f"{type(error).__name__}: {error}"
    return failed


def _send(channel: socket.socket, message: dict[str, Any]) -> None:
    channel.send(json.dumps(message).encode())


def _wait(pid: int) -> None:
    """Until this kernel has ended, but not for long."""
    descriptor = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    if not poll.poll(LAST_MOMENTS_MS):
        os.killpg(pid, signal.SIGKILL)
