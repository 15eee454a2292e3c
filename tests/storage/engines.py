"""The engines that the contract suite runs against: how to open each on fresh ground, and again on the same ground."""

import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

from quire.storage.files import FilesStore
from quire.storage.memory import MemoryStore
from quire.storage.protocol import Header, NotebookStore, Record
from quire.storage.sqlite import SqliteStore
from tests.emulators.processes import EMULATORS
from tests.storage.dynamodb.grounds import open_dynamodb_in

OpenStore = Callable[[Path], Awaitable[NotebookStore]]


async def open_memory(_folder: Path) -> NotebookStore:
    return MemoryStore()


async def open_sqlite(folder: Path) -> NotebookStore:
    return await SqliteStore.open(folder / "quire.db")


async def open_files(folder: Path) -> NotebookStore:
    return await FilesStore.open(folder / "files")


DYNAMODB_ENGINES: dict[str, OpenStore] = {f"dynamodb on {name}": open_dynamodb_in(name) for name in EMULATORS}

ENGINES: dict[str, OpenStore] = {
    "memory": open_memory,
    "sqlite": open_sqlite,
    "files": open_files,
    **DYNAMODB_ENGINES,
}

PERSISTENT_ENGINES = ["sqlite", "files", *DYNAMODB_ENGINES]

SHARED_ENGINES = [engine for engine in PERSISTENT_ENGINES if engine != "files"]
"""Those whose data several stores, or processes, may use at a time."""

ODD_ID = "!$&'()*+,-.0123456789:;=@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz|~"
"""Every character that an id may have."""


def record(
    revision: int, *, commit_id: str | None = None, body: bytes = b"{}", checkpoint: bytes | None = None
) -> Record:
    """A record; its commit id tells its revision unless given."""
    return Record(
        revision=revision,
        commit_id=commit_id or f"commit-{revision}",
        body=body,
        checkpoint_revision=revision if checkpoint is not None else 1,
        checkpoint=checkpoint,
    )


def header(user_id: str = "alice", notebook_id: str = "n1", **fields: object) -> Header:
    """A header with times and a revision that tests need not care for."""
    values = {"name": "Untitled", "revision": 1, "created_at": 1_000, "updated_at": 1_000} | fields
    return Header(user_id=user_id, notebook_id=notebook_id, **values)  # type: ignore[arg-type]  # any field, by name


def incompressible(size: int) -> bytes:
    """Bytes that are stored as they are, so that sizes can be met exactly."""
    return b"{" + os.urandom(size - 1)


async def fill(store: NotebookStore, log_id: str, count: int, *, size: int = 2, after: int = 0) -> None:
    """Append `count` records whose bodies take `size` bytes each."""
    for revision in range(after + 1, after + count + 1):
        await store.append(log_id, record(revision, body=incompressible(size)))


async def whole_log(store: NotebookStore, log_id: str) -> list[Record]:
    """All records, page after page."""
    records: list[Record] = []
    more = True
    while more:
        page = await store.read_after(log_id, records[-1].revision if records else 0)
        records += page.records
        more = page.more
    return records


async def all_headers(store: NotebookStore, user_id: str, *, limit: int, trash: bool = False) -> list[Header]:
    """The whole list, page after page."""
    found: list[Header] = []
    cursor: str | None = None
    while True:
        page = await store.list_headers(user_id, limit=limit, cursor=cursor, trash=trash)
        found += page.headers
        if page.next_cursor is None:
            return found
        cursor = page.next_cursor


class Ground:
    """Somewhere to keep data: opens one engine there, any number of times, and closes what it opened."""

    def __init__(self, engine: str, folder: Path) -> None:
        self.engine = engine
        self.folder = folder
        self._opened = AsyncExitStack()

    async def open(self) -> NotebookStore:
        store = await ENGINES[self.engine](self.folder)
        self._opened.push_async_callback(store.close)
        return store

    async def close(self) -> None:
        await self._opened.aclose()
