"""How many requests to the store common actions take: each is a round trip, and is billed."""

import asyncio
from dataclasses import dataclass, field

from quire.sessions.registry import Registry
from quire.storage.memory import MemoryStore
from quire.storage.protocol import PAGE_RECORDS_MAX, Header, Page, Record
from tests.sessions.worlds import World


@dataclass
class AskedStore(MemoryStore):
    """Notes what it is asked, but for refreshes of headers, which sessions make at times of their own."""

    asked: list[str] = field(default_factory=list)
    header_asked: asyncio.Event = field(default_factory=asyncio.Event)
    log_waits: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    async def append(self, log_id: str, record: Record) -> None:
        self.asked.append("append")
        await super().append(log_id, record)

    async def read_newest(self, log_id: str, limit: int = PAGE_RECORDS_MAX) -> Page:
        self.asked.append("read_newest")
        if self.log_waits:
            await self.header_asked.wait()
        return await super().read_newest(log_id, limit)

    async def read_after(self, log_id: str, revision: int, limit: int = PAGE_RECORDS_MAX) -> Page:
        self.asked.append("read_after")
        return await super().read_after(log_id, revision, limit)

    async def create_header(self, header: Header) -> None:
        self.asked.append("create_header")
        await super().create_header(header)

    async def get_header(self, user_id: str, notebook_id: str) -> Header | None:
        self.asked.append("get_header")
        self.header_asked.set()
        return await super().get_header(user_id, notebook_id)

    async def trash_header(self, user_id: str, notebook_id: str, *, deleted_at: int, ttl: int = 0) -> bool:
        self.asked.append("trash_header")
        return await super().trash_header(user_id, notebook_id, deleted_at=deleted_at, ttl=ttl)


async def created(world: World) -> tuple[AskedStore, Registry, str]:
    """A notebook in a store that notes what it is asked."""
    store = world.store = AskedStore()
    registry = world.instance()
    receipt = await registry.create("ada", world.origin(), name="Test")
    store.asked.clear()
    store.header_asked.clear()
    return store, registry, str(receipt.answer["notebook_id"])


async def test_C2_a_load_asks_for_the_header_while_the_log_is_read_and_for_nothing_else(world: World) -> None:
    store, registry, notebook_id = await created(world)
    store.log_waits = True
    async with asyncio.timeout(60):
        await registry.open("ada", notebook_id)
    assert sorted(store.asked) == ["get_header", "read_newest"]


async def test_H3_a_delete_is_two_requests_and_so_is_an_undelete(world: World) -> None:
    store, registry, notebook_id = await created(world)
    await registry.open("ada", notebook_id)
    store.asked.clear()
    await registry.delete("ada", notebook_id, world.origin())
    assert store.asked == ["append", "trash_header"]
    header = await MemoryStore.get_header(store, "ada", notebook_id)
    assert header is not None
    assert header.deleted_at
    store.asked.clear()
    await registry.undelete("ada", notebook_id, world.origin())
    assert store.asked == ["append", "trash_header"]


async def test_H2_a_delete_makes_the_header_that_is_missing(world: World) -> None:
    store, registry, notebook_id = await created(world)
    await registry.open("ada", notebook_id)
    await store.delete_header("ada", notebook_id)
    await registry.delete("ada", notebook_id, world.origin())
    header = await store.get_header("ada", notebook_id)
    assert header is not None
    assert header.deleted_at
