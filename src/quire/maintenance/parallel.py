"""Work on many notebooks, a few at a time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from quire.storage.protocol import Header


async def in_parallel(headers: AsyncIterator[Header], work: Callable[[Header], Awaitable[None]], at_once: int) -> None:
    """Do `work` on each header as it comes, on at most `at_once` of them at the same time. An error ends all."""
    slots = asyncio.Semaphore(at_once)

    async def run(header: Header) -> None:
        try:
            await work(header)
        finally:
            slots.release()

    async with asyncio.TaskGroup() as group:
        async for header in headers:
            await slots.acquire()
            group.create_task(run(header))
