"""The operating system's view of a kernel: a process, its group, and how it ends."""

import asyncio
import os
import re
import select
import signal
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from quire.kernels.environment import KernelFolder

_HINTS = {
    signal.SIGKILL: ", often a sign of too little memory",
    signal.SIGABRT: ": compiled code gave up, often for lack of memory",
    signal.SIGSEGV: ": a fault in compiled code",
    signal.SIGBUS: ": a fault in compiled code",
    signal.SIGFPE: ": a fault in compiled code",
    signal.SIGILL: ": compiled code that this machine cannot run",
}
_CRASHED_AT = re.compile(r'File "<cell ([^>"]+)>", line (\d+)')


class Child(Protocol):
    """A process that somebody has started, and can take note of when it has ended."""

    @property
    def pid(self) -> int:
        """Belongs to nobody else until the child is reaped."""
        ...

    async def reap(self) -> int | None:
        """The exit status of an ended process, negative for a signal; None: nobody knows any more."""
        ...


class SpawnedChild:
    """A child of this process."""

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self.pid = popen.pid
        self._popen = popen

    async def reap(self) -> int | None:
        return self._popen.wait()


class KernelProcess:
    """A running process, leader of its own session and group. To be created in the event loop.

    Args:
        child: a process that has not been reaped.
        lifeline: a descriptor, closed when the process has ended.
        folder: where the process says its last words.
    """

    def __init__(self, child: Child, lifeline: int, folder: KernelFolder) -> None:
        self.pid = child.pid
        self._child = child
        self._lifeline = lifeline
        self._folder = folder
        self._pidfd = os.pidfd_open(child.pid) if hasattr(os, "pidfd_open") else None
        self._poll = select.poll()  # Not `select`, which takes only the first 1,024 descriptors.
        if self._pidfd is not None:
            self._poll.register(self._pidfd, select.POLLIN)
        self._reaping: asyncio.Task[None] | None = None
        self._stopping = "The kernel was stopped."
        self._stopped = False
        self._loop = asyncio.get_running_loop()
        self.died: asyncio.Future[str] = self._loop.create_future()
        """Gets, when the process has ended, a sentence on how."""
        self._watch()

    @property
    def alive(self) -> bool:
        if self._reaping is not None:
            return False
        if self._pidfd is not None:
            return not self._poll.poll(0)
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def interrupt(self) -> None:
        """SIGINT to the kernel and to what it runs in the foreground: `os.system` waits for its child's end."""
        if self.alive:
            _signal_group(self.pid, signal.SIGINT)

    async def stop(self, reason: str = "The kernel was stopped.") -> None:
        """Kill the process and all that it started; returns when it is gone. `reason`: what `died` will say."""
        self._stopped, self._stopping = True, reason
        if self.alive:
            # Nothing may be started while we look. Children with a session of their own are not in the group.
            _signal_group(self.pid, signal.SIGSTOP)
            for child in await asyncio.to_thread(_everything_below, self.pid):
                _kill(child)
        if self.alive:
            _signal_group(self.pid, signal.SIGKILL)
        await asyncio.shield(self.died)

    def _watch(self) -> None:
        if self._pidfd is not None:
            self._loop.add_reader(self._pidfd, self._ended)
        else:
            threading.Thread(target=self._wait, name="quire-kernel-wait", daemon=True).start()

    def _wait(self) -> None:
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        self._loop.call_soon_threadsafe(self._ended)

    def _ended(self) -> None:
        if self.alive or self._reaping is not None:
            return  # A wake-up for nothing must not end a healthy kernel.
        if self._pidfd is not None:
            self._loop.remove_reader(self._pidfd)
        self._reaping = self._loop.create_task(self._reap())

    async def _reap(self) -> None:
        # Not reaped yet: until then the number of the group cannot belong to anyone else.
        _signal_group(self.pid, signal.SIGKILL)
        status = await self._child.reap()
        os.close(self._lifeline)
        if self._pidfd is not None:
            os.close(self._pidfd)
        if not self.died.done():
            self.died.set_result(self._sentence(status))

    def _sentence(self, status: int | None) -> str:
        if self._stopped:
            return self._stopping
        if status is None:
            return "The kernel ended; nobody knows how, since the process that had started it was killed as well."
        if status >= 0:
            return f"The kernel ended with exit status {status}."
        try:
            number = signal.Signals(-status)
        except ValueError:
            # A real-time signal has no name.
            return f"The kernel was killed by signal {-status}."
        hint = _HINTS.get(number, "")
        return f"The kernel was killed by signal {-status} ({number.name}){hint}{self._place_of_crash()}."

    def _place_of_crash(self) -> str:
        """Where faulthandler says the cell was; a short read, of a file that is in memory."""
        place = _CRASHED_AT.search(self._folder.last_words())
        return f", while line {place[2]} of cell {place[1]} ran" if place else ""


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        # Nobody left: macOS says EPERM of a group that has only zombies.
        return


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _everything_below(pid: int) -> list[int]:
    return descendants_of(pid, children_by_parent())


def descendants_of(pid: int, children: Mapping[int, list[int]]) -> list[int]:
    """Every process below `pid`, near or far."""
    found: list[int] = []
    pending = [pid]
    while pending:
        below = children.get(pending.pop(), [])
        found += below
        pending += below
    return found


def children_by_parent() -> dict[int, list[int]]:
    """Of all processes, where the system has /proc. Blocking."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text(errors="replace")
        except OSError:
            continue
        # `pid (name) state parent ...`: the name may hold anything, parentheses included.
        children.setdefault(int(text.rpartition(")")[2].split()[1]), []).append(int(stat.parent.name))
    return children
