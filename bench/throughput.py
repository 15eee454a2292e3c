"""How many commits a second one process makes, on each engine, and what one costs it in processor time."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import uvloop

from bench.instances import coded, dynamo_store, dynamodb_url, instance, origin
from bench.notebooks import cell_name, prose
from bench.samples import Effort
from bench.serving import data_folder
from bench.tables import Table, Value
from quire.sessions.cell_intents import EditCell
from quire.sessions.session import Session
from quire.storage.files import FilesStore
from quire.storage.memory import MemoryStore
from quire.storage.protocol import NotebookStore
from quire.storage.sqlite import SqliteStore
from tests.emulators.environment import nobodys_aws
from tests.emulators.processes import EmulatorMissing

NOTEBOOKS = (1, 10, 100)
CELLS = 10
CELL_BYTES = 300
SECONDS = 2.0
WARM_UP_S = 0.3

NOTE = (
    f"Sessions without HTTP on uvloop, as the server runs them; notebooks of {CELLS} cells of {CELL_BYTES} bytes, each "
    f"with one client that sends its next edit when the last is durable, for {SECONDS:g} s. So one notebook shows the "
    "latency of a commit, a hundred what the process can do. CPU is that of the process, threads included; DynamoDB "
    "Local is another process, which competes for the processor."
)


def measure(_effort: Effort) -> list[Table]:
    table = Table(
        "Throughput of one process",
        ("", *(f"{count} {'notebook' if count == 1 else 'notebooks'}, commits/s" for count in NOTEBOOKS), "CPU ms"),
        note=f"{NOTE} CPU is given for {NOTEBOOKS[-1]} notebooks, for each commit.",
    )
    engines = {"memory": _memory, "sqlite": _sqlite, "files": _files, "dynamodb (DynamoDB Local)": _dynamodb}
    with nobodys_aws():
        for name, engine in engines.items():
            with data_folder() as folder, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                try:
                    table.add(name, *runner.run(_engine(engine, folder)))
                except EmulatorMissing as missing:
                    table.note += f" DynamoDB was not measured: {missing}"
    return [table]


@asynccontextmanager
async def _memory(_folder: Path) -> AsyncIterator[NotebookStore]:
    yield MemoryStore()


@asynccontextmanager
async def _sqlite(folder: Path) -> AsyncIterator[NotebookStore]:
    store = await SqliteStore.open(folder / "quire.db")
    yield store
    await store.close()


@asynccontextmanager
async def _files(folder: Path) -> AsyncIterator[NotebookStore]:
    store = await FilesStore.open(folder / "files")
    yield store
    await store.close()


@asynccontextmanager
async def _dynamodb(_folder: Path) -> AsyncIterator[NotebookStore]:
    async with dynamo_store(dynamodb_url()) as store:
        yield store


Engine = Callable[[Path], AbstractAsyncContextManager[NotebookStore]]


async def _engine(engine: Engine, folder: Path) -> list[Value]:
    """Commits a second for each number of notebooks, then CPU ms for each commit of the last."""
    rates: list[Value] = []
    cpu_ms = 0.0
    codes = prose(CELLS, CELL_BYTES)
    async with engine(folder) as store:
        for count in NOTEBOOKS:
            async with instance(store, folder) as one:
                sessions = [await one.create(codes) for _ in range(count)]
                await _commit_for(sessions, codes[0], WARM_UP_S)
                began, worked = time.perf_counter(), time.process_time()
                commits = await _commit_for(sessions, codes[0], SECONDS)
                rates.append(commits / (time.perf_counter() - began))
                cpu_ms = 1000 * (time.process_time() - worked) / commits
    return [*rates, cpu_ms]


async def _commit_for(sessions: list[Session], code: str, seconds: float) -> int:
    """How many commits these notebooks get in that time."""
    end_at = time.perf_counter() + seconds
    before = sum(session.state.revision for session in sessions)

    async def edit(session: Session) -> None:
        number = session.state.revision
        while time.perf_counter() < end_at:
            number += 1
            await session.submit(EditCell(origin(), cell_name(0), coded(code, number)))

    await asyncio.gather(*(edit(session) for session in sessions))
    return sum(session.state.revision for session in sessions) - before
