"""A store, its blobs, servers on both, and a clock that tests move."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from quire.blobs.memory import MemoryBlobs
from quire.maintenance.gc import DAY_MS, Policy, Report, collect
from quire.maintenance.migrate import Place
from quire.sessions.cell_intents import InsertCell
from quire.sessions.intents import Origin
from quire.sessions.registry import Registry
from quire.sessions.session import Environment, Session
from quire.storage.protocol import NotebookStore
from tests.sessions.worlds import NoKernels
from tests.storage.engines import ENGINES

BEGIN_MS = 1_800_000_000_000


class Yard:
    """Everything in it goes by `now_ms`."""

    def __init__(self, store: NotebookStore) -> None:
        self.now_ms = BEGIN_MS
        self.store = store
        self.blobs = MemoryBlobs(lambda: self.now_ms)
        self.servers: list[Registry] = []

    @property
    def place(self) -> Place:
        return Place(self.store, self.blobs)

    @property
    def environment(self) -> Environment:
        return Environment(self.store, self.blobs, NoKernels(), "gc")

    @property
    def origin(self) -> Origin:
        self.now_ms += 1
        return Origin("ada", self.now_ms)

    def server(self) -> Registry:
        """One more server process."""
        self.servers.append(Registry(self.environment))
        return self.servers[-1]

    def pass_days(self, days: float) -> None:
        self.now_ms += int(days * DAY_MS)

    async def notebook(self, server: Registry, notebook_id: str | None = None) -> Session:
        """A new one of Ada's, with a cell."""
        receipt = await server.create("ada", self.origin, name="Sales", notebook_id=notebook_id)
        session = await server.open("ada", str(receipt.answer["notebook_id"]))
        await self.edit(session)
        return session

    async def edit(self, session: Session) -> int:
        """Insert a cell; the revision."""
        return (await session.submit(InsertCell(self.origin, "python", "x = 1", last=True))).revision

    async def collect(self, *, dry_run: bool = False, trash_idle_days: int = 0) -> Report:
        return await collect(self.environment, Policy(self.now_ms, dry_run, trash_idle_days))

    async def listed(self, *, trash: bool = False) -> list[str]:
        page = await self.store.list_headers("ada", trash=trash)
        return [header.notebook_id for header in page.headers]


@asynccontextmanager
async def yard(engine: str, folder: Path) -> AsyncIterator[Yard]:
    store = await ENGINES[engine](folder)
    made = Yard(store)
    try:
        yield made
    finally:
        for server in made.servers:
            await server.close()
        await store.close()
