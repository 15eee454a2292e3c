"""Blocking work on a few threads: that of one key in the order in which it came, and never two at once."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from quire.storage.protocol import StoreUnavailable

T = TypeVar("T")


class _Job:
    """Some work, and who waits for it."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self.future: Future[Any] = Future()

    def carry_out(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return  # nobody waits, and nothing has begun
        try:
            result = self._work()
        except BaseException as error:  # noqa: BLE001 - whatever it is, it must reach who waits
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


class Strands:
    """Who waits for a slow key takes no thread from others."""

    def __init__(self, threads_max: int, name: str) -> None:
        self._threads = ThreadPoolExecutor(threads_max, thread_name_prefix=name)
        self._waiting: dict[str, deque[_Job]] = {}
        """By key; one that is there, even without jobs, has a thread or is about to have one."""
        self._changed = threading.Condition()
        self._closed = False

    async def run(self, key: str, work: Callable[[], T]) -> T:
        """The result of `work`, done in a thread after all that came before it with the same key.

        Cancelled, it is either not done at all or done to its end.

        Raises:
            StoreUnavailable: the store is closed. And what `work` raises.
        """
        job = _Job(work)
        with self._changed:
            if self._closed:
                raise StoreUnavailable("the store is closed")
            if key in self._waiting:
                self._waiting[key].append(job)
            else:
                self._waiting[key] = deque((job,))
                self._threads.submit(self._advance, key)
        result: T = await asyncio.wrap_future(job.future)
        return result

    def close(self) -> None:
        """Refuse new work, finish what was asked before, end the threads. Not for the event loop."""
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: not self._waiting)
        self._threads.shutdown(wait=True)

    def _advance(self, key: str) -> None:
        with self._changed:
            job = self._waiting[key].popleft()
        job.carry_out()
        with self._changed:
            if self._waiting[key]:
                self._threads.submit(self._advance, key)  # behind other keys
            else:
                del self._waiting[key]
                self._changed.notify_all()
