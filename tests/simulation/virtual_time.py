"""An event loop whose clock jumps to the next timer when nothing else is left to do.

For code that waits for timers and other tasks alone, as with the memory engine: a thread or a socket would be waited
for without end in sight, and is refused as a deadlock.
"""

import asyncio
import selectors
from collections.abc import Mapping
from typing import Any


class Deadlock(RuntimeError):
    """Every task waits, and no timer is set: nothing would ever happen again."""


class _NoWaiting(selectors.DefaultSelector):
    """Tells the clock to go on instead of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:
            raise Deadlock
        self.now += max(timeout, 0.0)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """`time()` starts at 0. The order of what happens depends on nothing outside of the program."""

    def __init__(self) -> None:
        self._clock = _NoWaiting()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> "asyncio.Future[Any]":  # type: ignore[override]  # any function
        """At once, in this thread: the order stays that of the program."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the caller's
            future.set_exception(error)
        return future

    def call_exception_handler(self, context: Mapping[str, Any]) -> None:
        """What nobody waits for any more, as after a crash, is no news."""
