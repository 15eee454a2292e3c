"""The engines that the contract suite runs against: how to open each on fresh ground, and again on the same ground.

The contract's samples can be imported from here as well.
"""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

from quire.storage.contract.samples import ODD_ID, all_headers, fill, header, incompressible, record, whole_log
from quire.storage.files import FilesStore
from quire.storage.memory import MemoryStore
from quire.storage.protocol import NotebookStore
from quire.storage.sqlite import SqliteStore
from tests.emulators.processes import EMULATORS
from tests.storage.dynamodb.grounds import open_dynamodb_in

__all__ = ["ODD_ID", "all_headers", "fill", "header", "incompressible", "record", "whole_log"]

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
