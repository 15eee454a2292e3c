"""A store between a writer and its engine that fails as networks and servers do, driven by a seed."""

import asyncio
import contextvars
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from quire.storage.protocol import (
    PAGE_RECORDS_MAX,
    Header,
    HeaderPage,
    KeyExists,
    NotebookStore,
    OutcomeUnknown,
    Page,
    Record,
    StorageError,
    StoreUnavailable,
)

T = TypeVar("T")

PAUSED = 0.1
"""How often one of the pauses goes by."""


class FaultyStore:
    """A NotebookStore that goes through `store`, with faults by `dice`; `calm` ends them.

    An append may fail before anything is written, lose its answer afterwards, or be a zombie: answered as unknown
    now, and carried out at some later time, also if whoever sent it is gone. A refusal may come without the stored
    record. Writes of headers may be lost, or their answers.

    Args:
        store: the engine.
        dice: the seed's.
        pauses: seconds, one of which goes by before and after some of the calls.
    """

    def __init__(self, store: NotebookStore, dice: random.Random, pauses: tuple[float, ...] = ()) -> None:
        self._store = store
        self._dice = dice
        self._pauses = pauses
        self.engine = store.engine
        self.description = f"faulty {store.description}"
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

    async def read_newest(self, log_id: str, limit: int = PAGE_RECORDS_MAX) -> Page:
        await self._read()
        return await self._store.read_newest(log_id, limit)

    async def read_after(self, log_id: str, revision: int, limit: int = PAGE_RECORDS_MAX) -> Page:
        await self._read()
        return await self._store.read_after(log_id, revision, limit)

    async def get_header(self, user_id: str, notebook_id: str) -> Header | None:
        await self._read()
        return await self._store.get_header(user_id, notebook_id)

    async def find_headers(self, notebook_id: str) -> tuple[Header, ...]:
        await self._read()
        return await self._store.find_headers(notebook_id)

    async def list_headers(
        self, user_id: str, *, limit: int = 100, cursor: str | None = None, trash: bool = False
    ) -> HeaderPage:
        await self._read()
        return await self._store.list_headers(user_id, limit=limit, cursor=cursor, trash=trash)

    async def create_header(self, header: Header) -> None:
        await self._write(lambda: self._store.create_header(header))

    async def refresh_header(
        self, user_id: str, notebook_id: str, *, name: str, revision: int, updated_at: int
    ) -> bool:
        return await self._write(
            lambda: self._store.refresh_header(
                user_id, notebook_id, name=name, revision=revision, updated_at=updated_at
            )
        )

    async def trash_header(self, user_id: str, notebook_id: str, *, deleted_at: int, ttl: int = 0) -> bool:
        return await self._write(lambda: self._store.trash_header(user_id, notebook_id, deleted_at=deleted_at, ttl=ttl))

    async def set_connection(self, user_id: str, notebook_id: str, *, db_conn_string: bytes) -> bool:
        return await self._write(
            lambda: self._store.set_connection(user_id, notebook_id, db_conn_string=db_conn_string)
        )

    async def delete_header(self, user_id: str, notebook_id: str) -> None:
        await self._write(lambda: self._store.delete_header(user_id, notebook_id))

    async def delete_log(self, log_id: str) -> None:
        await self._write(lambda: self._store.delete_log(log_id))

    def scan_headers(self) -> AsyncIterator[Header]:
        return self._store.scan_headers()

    async def check(self) -> None:
        await self._store.check()

    async def close(self) -> None:
        """The engine outlives those that stand before it."""

    async def settle(self) -> None:
        """Until no zombie is left."""
        while self._zombies:
            await asyncio.gather(*self._zombies)

    async def _read(self) -> None:
        await self._delay()
        if self._pick(("none", "read failed"), (85, 15)) == "read failed":
            raise StoreUnavailable("the connection was reset")

    async def _write(self, work: Callable[[], Awaitable[T]]) -> T:
        await self._delay()
        fault = self._pick(("none", "lost request", "lost answer"), (80, 10, 10))
        if fault == "lost request":
            raise OutcomeUnknown("the connection was reset")
        done = await work()
        if fault == "lost answer":
            raise OutcomeUnknown("timed out")
        return done

    async def _late(self, log_id: str, record: Record) -> None:
        # Half of them overtake the writer's next attempt, however slow the engine is.
        for _ in range(self._dice.choice((0, self._dice.randrange(1, 60)))):
            await asyncio.sleep(0)
        await self._pause()
        try:
            await self._store.append(log_id, record)
        except StorageError:
            self._count("zombie refused")
        else:
            self._count("zombie wrote")

    def _raise_zombie(self, walking: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(walking, context=contextvars.Context())  # It belongs to no server any more.
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
        if not self.calm and self._dice.random() < PAUSED:
            await self._pause()

    async def _pause(self) -> None:
        for seconds in self._dice.sample(self._pauses, min(1, len(self._pauses))):
            await asyncio.sleep(seconds)
