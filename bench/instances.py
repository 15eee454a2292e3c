"""Server instances without HTTP, inside of this process: stores and sessions, driven directly."""

import uuid
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from quire.app import NoKernels, instance_name
from quire.blobs.folder import FolderBlobs
from quire.notebook.model import Cell
from quire.sessions.clock import now_ms
from quire.sessions.intents import Origin
from quire.sessions.registry import Registry
from quire.sessions.session import Environment, Session
from quire.storage.dynamodb.settings import DynamoSettings
from quire.storage.dynamodb.store import DynamoStore
from quire.storage.protocol import NotebookStore
from tests.emulators.processes import EmulatorMissing, start

USER = "ann"
REGION = "eu-west-1"


class CountedBlobs(FolderBlobs):
    """A folder that counts its requests, as an object store would bill them."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.requests: Counter[str] = Counter()

    async def put(self, log_id: str, data: bytes) -> str:
        self.requests["put"] += 1
        return await super().put(log_id, data)

    async def get(self, log_id: str, sha256: str) -> bytes:
        self.requests["get"] += 1
        return await super().get(log_id, sha256)


@dataclass(frozen=True, slots=True)
class Instance:
    """What one server process has, but for HTTP and kernels."""

    store: NotebookStore
    blobs: CountedBlobs
    registry: Registry

    async def create(self, codes: Sequence[str]) -> Session:
        """A new notebook with these Python cells, `c0` and so on; open."""
        cells = tuple(Cell(f"c{number}", "python", code, code_revision=1) for number, code in enumerate(codes))
        receipt = await self.registry.create(USER, origin(), name=f"{len(codes)} cells", cells=cells)
        return await self.open(str(receipt.answer["notebook_id"]))

    async def open(self, notebook_id: str) -> Session:
        return await self.registry.open(USER, notebook_id)


def origin() -> Origin:
    """Who asks, and when: the user, now."""
    return Origin(USER, now_ms())


@asynccontextmanager
async def instance(store: NotebookStore, folder: Path) -> AsyncIterator[Instance]:
    """An instance on `store`, which stays open; its blobs are in `folder`."""
    blobs = CountedBlobs(folder / "blobs")
    registry = Registry(Environment(store, blobs, NoKernels(), instance_name()))
    try:
        yield Instance(store, blobs, registry)
    finally:
        await registry.close()
        await blobs.close()


def dynamodb_url() -> str:
    """Amazon's DynamoDB Local, in memory. Raises EmulatorMissing, which says what this machine lacks."""
    url = start("dynamodb-local")
    if isinstance(url, EmulatorMissing):
        raise url
    return url


@asynccontextmanager
async def dynamo_store(url: str, table: str = "") -> AsyncIterator[DynamoStore]:
    """A store on tables of its own, or on those of the store that has the same `table`."""
    table = table or new_table()
    store = DynamoStore(DynamoSettings(table, f"{table}-commits", REGION, url))
    try:
        await store.create_tables()
        yield store
    finally:
        await store.close()


def new_table() -> str:
    """A name that no table has yet."""
    return f"bench-{uuid.uuid4()}"


def write_units(store: DynamoStore) -> float:
    """What appends and refreshed headers have consumed so far."""
    return float(store.capacity.units["append"] + store.capacity.units["refresh_header"])


def coded(code: str, number: int) -> str:
    """`code`, made another one of the same size by a number at its end."""
    return f"{code[:-8]}{number:08d}"
