"""SIGINT inside a kernel: it ends the running cell, and never the kernel."""

import asyncio
import signal
import threading
import time
from types import CodeType, FrameType, TracebackType
from typing import Any


class Interrupts:
    """Decides what an interrupt does, by what the main thread is doing.

    - A cell's code: KeyboardInterrupt is raised in it.
    - A cell awaits: its task is cancelled. Raising would end the event loop, and the kernel with it.
    - Our own code on behalf of a cell (`with interrupts:`): raised as soon as that is done, so that no lock and no
      half-recorded output is left behind.
    - Between cells, or before a plan has arrived: nothing is raised; `requested_since` tells.
    """

    def __init__(self) -> None:
        self._main = threading.main_thread().ident
        self._in_cell = False
        self._task: asyncio.Task[Any] | None = None
        self._outermost: CodeType | None = None
        self._depth = 0
        self._deferred = False
        self._requested_at = 0
        self.cancelled = False
        """Whether the cell's task was cancelled by an interrupt, and not by the cell itself."""

    def install(self) -> None:
        """Take SIGINT, also after a cell has taken it for itself."""
        signal.signal(signal.SIGINT, self._handle)

    def requested_since(self, monotonic_ns: int) -> bool:
        return self._requested_at > monotonic_ns

    def note(self) -> None:
        """An interrupt has come."""
        self._requested_at = time.monotonic_ns()

    def enter_cell(self) -> None:
        """From here to `leave_cell`, KeyboardInterrupt can come at any point."""
        self._deferred = False
        self.cancelled = False
        self._in_cell = True

    def leave_cell(self) -> None:
        self._in_cell = False
        self._task = None

    def enter_task(self, task: asyncio.Task[Any], outermost: CodeType) -> None:
        """The cell continues in `task`, inside of a coroutine of ours that catches what the cell raises.

        That coroutine's own frame has nobody around it: a second interrupt, while it deals with the first, must not
        be raised there.
        """
        self._task, self._outermost = task, outermost

    def leave_task(self) -> None:
        self._task = None

    def _handle(self, _signal: int, frame: FrameType | None) -> None:
        self.note()
        if not self._in_cell:
            return
        if self._depth:
            self._deferred = True
            return
        task = self._task
        if task is None:
            raise KeyboardInterrupt
        if asyncio.current_task(task.get_loop()) is task and self._in_coroutine(frame):
            raise KeyboardInterrupt
        self.cancelled = True
        task.get_loop().call_soon_threadsafe(task.cancel)

    def _in_coroutine(self, frame: FrameType | None) -> bool:
        """Whether this is code that the outermost coroutine has called. asyncio calls `call_soon` on behalf of a task,
        after its coroutine has given way: there, nobody would catch what is raised.
        """
        while frame is not None:
            frame = frame.f_back
            if frame is not None and frame.f_code is self._outermost:
                return True
        return False

    def __enter__(self) -> None:
        if threading.get_ident() == self._main:
            self._depth += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if threading.get_ident() != self._main:
            return
        self._depth -= 1
        if self._deferred and not self._depth and self._in_cell:
            self._deferred = False
            raise KeyboardInterrupt
