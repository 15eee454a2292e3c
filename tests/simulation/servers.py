"""A server that can crash: its registry, and all that it started, end at once and nothing is closed."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from typing import Any, TypeVar

from quire.blobs.protocol import BlobStore
from quire.sessions.registry import Registry
from quire.sessions.session import Environment
from quire.storage.protocol import NotebookStore
from tests.sessions.worlds import NoKernels

T = TypeVar("T")

_running_on: ContextVar["Server | None"] = ContextVar("running_on", default=None)


class ConnectionLost(Exception):
    """The server crashed before it answered: the outcome is unknown to its client."""


def note_tasks(
    loop: asyncio.AbstractEventLoop, coroutine: Any, context: Context | None = None, **options: Any
) -> "asyncio.Task[Any]":
    """A task factory: every task belongs to the server within which it was started."""
    task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, context=context, **options)
    server = _running_on.get() if context is None else context.get(_running_on)
    if server is not None:
        server.note(task)
    return task


class Server:
    """One server process on `store`. The loop's task factory must be `note_tasks`."""

    def __init__(self, store: NotebookStore, blobs: BlobStore, name: str) -> None:
        self.name = name
        self._tasks: dict[asyncio.Task[Any], None] = {}  # In the order of their beginning, which a set would not keep.
        self._context = copy_context()
        self._context.run(_running_on.set, self)
        environment = Environment(store, blobs, NoKernels(), name)
        self.registry = self._context.run(Registry, environment)

    def note(self, task: "asyncio.Task[Any]") -> None:
        self._tasks[task] = None
        task.add_done_callback(self._tasks.pop)

    async def ask(self, work: Callable[[Registry], Coroutine[Any, Any, T]]) -> T:
        """`work`, carried out on this server. Raises ConnectionLost if it crashes meanwhile."""
        task = asyncio.get_running_loop().create_task(work(self.registry), context=self._context.copy())
        await asyncio.wait((task,))
        if task.cancelled():
            raise ConnectionLost(self.name)
        return task.result()

    async def crash(self) -> None:
        """As kill -9 would: what is under way at the store goes on or not, and nobody is answered."""
        while tasks := list(self._tasks):
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def stop(self) -> None:
        """In order: what is pending is written."""
        await self.ask(lambda registry: registry.close())
