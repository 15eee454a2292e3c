"""A store between a writer and its engine that fails as networks and servers do, driven by a seed."""

import asyncio
import random
from collections.abc import Coroutine
from typing import Any

from quire.storage.protocol import (
    KeyExists,
    NotebookStore,
    OutcomeUnknown,
    Page,
    Record,
    StorageError,
    StoreUnavailable,
)


class FaultyStore:
    """Appends and reads through `store`, with faults by `dice`; `calm` ends them.

    An append may fail before anything is written, lose its answer afterwards, or be a zombie: answered as unknown
    now, and carried out at some later time. A refusal may come without the stored record.
    """

    def __init__(self, store: NotebookStore, dice: random.Random) -> None:
        self._store = store
        self._dice = dice
        self._zombies: set[asyncio.Task[None]] = set()
        self.calm = False
        self.faults: dict[str, int] = {}

    async def append(self, log_id: str, record: Record) -> None:
        await self._delay()
        fault = self._pick(("none", "lost request", "lost answer", "zombie", "refused access"), (50, 12, 18, 12, 8))
        if fault == "lost request":
            raise OutcomeUnknown("the connection was reset")
        if fault == "refused access":
            raise StoreUnavailable("the credentials have expired")
        if fault == "zombie":
            self._raise_zombie(self._late(log_id, record))
            raise OutcomeUnknown("timed out")
        try:
            await self._store.append(log_id, record)
        except KeyExists as error:
            if fault == "lost answer":
                raise OutcomeUnknown("timed out") from error
            raise KeyExists(error.revision, self._dice.choice((error.stored, None))) from None
        await self._delay()
        if fault == "lost answer":
            raise OutcomeUnknown("timed out")

    async def read_one(self, log_id: str, revision: int) -> Record | None:
        await self._read()
        return await self._store.read_one(log_id, revision)

    async def read_newest(self, log_id: str, limit: int = 64) -> Page:
        await self._read()
        return await self._store.read_newest(log_id, limit)

    async def settle(self) -> None:
        """Until no zombie is left."""
        while self._zombies:
            await asyncio.gather(*self._zombies)

    async def _read(self) -> None:
        await self._delay()
        if self._pick(("none", "read failed"), (85, 15)) == "read failed":
            raise StoreUnavailable("the connection was reset")

    async def _late(self, log_id: str, record: Record) -> None:
        # Half of them overtake the writer's next attempt, however slow the engine is.
        for _ in range(self._dice.choice((0, self._dice.randrange(1, 60)))):
            await asyncio.sleep(0)
        try:
            await self._store.append(log_id, record)
        except StorageError:
            self._count("zombie refused")
        else:
            self._count("zombie wrote")

    def _raise_zombie(self, walking: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(walking)
        self._zombies.add(task)
        task.add_done_callback(self._zombies.discard)

    def _pick(self, kinds: tuple[str, ...], weights: tuple[int, ...]) -> str:
        kind = "none" if self.calm else self._dice.choices(kinds, weights)[0]
        self._count(kind)
        return kind

    def _count(self, kind: str) -> None:
        self.faults[kind] = self.faults.get(kind, 0) + 1

    async def _delay(self) -> None:
        for _ in range(0 if self.calm else self._dice.randrange(4)):
            await asyncio.sleep(0)
