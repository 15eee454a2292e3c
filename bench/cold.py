"""What opening, listing and deleting notebooks asks of DynamoDB: requests, read and write units, time."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from bench.instances import USER, Instance, coded, dynamo_store, dynamodb_url, instance, origin
from bench.notebooks import cell_name, chain, prose
from bench.samples import WARM_UP, Effort, Samples, stopwatch
from bench.serving import data_folder
from bench.tables import Table, Value
from quire.notebook.changes import CellRan
from quire.notebook.model import Output, code_hash_of
from quire.sessions.cell_intents import InsertCell
from quire.sessions.notebook_intents import Record
from quire.sessions.session import Session
from quire.storage.dynamodb.store import DynamoStore
from quire.storage.protocol import Header
from tests.emulators.environment import nobodys_aws
from tests.emulators.processes import EmulatorMissing

SIZES = (10, 200, 1000)
OUTPUTS = 200
OUTPUT_BYTES = 25_000
"""As text that compresses, this is kept in the log; 200 of them are 5 MB."""
LISTED = 1000
LIST_USER = "bob"
DELETED = 10

NOTE = (
    "Sessions and stores without HTTP on DynamoDB Local; an instance that has not seen the notebook loads it, with its "
    "connection open. The cells were inserted one by one, a commit each. Requests and units are counted by the client "
    "from the answers; *requests* names the operations."
)
DELETE_NOTE = (
    "A delete is the fence in the log and the mark on the header. The session refreshes the header's revision up to "
    "2 s later, as after any commit."
)
UNITS = ("requests", "read units", "write units")


def measure(effort: Effort) -> list[Table]:
    with nobodys_aws(), data_folder() as folder:
        try:
            return asyncio.run(_measure(dynamodb_url(), folder, effort.rounds))
        except EmulatorMissing as missing:
            return [Table("Cold loads on DynamoDB", ("",), note=f"Not measured: {missing}")]


async def _measure(url: str, folder: Path, rounds: int) -> list[Table]:
    async with dynamo_store(url) as store:
        loads = Table("Cold load on DynamoDB", ("notebook", *UNITS, "blobs read", "ms"), note=NOTE)
        async with instance(store, folder) as maker:
            made = {f"{size:,} cells": (await _inserted(maker, size)).state.notebook_id for size in SIZES}
            name = f"{OUTPUTS} cells, {OUTPUTS * OUTPUT_BYTES / 1e6:.0f} MB of outputs"
            made[name] = (await _with_outputs(maker)).state.notebook_id
        for name, notebook_id in made.items():
            loads.add(name, *await _load(store, folder, notebook_id, rounds))
        others = Table("List and delete on DynamoDB", ("", *UNITS, "ms"), note=DELETE_NOTE)
        await _add_lists(others, store, rounds)
        await _add_deletes(others, store, folder)
    return [loads, others]


async def _inserted(maker: Instance, cells: int) -> Session:
    session = await maker.create([])
    for number, code in enumerate(chain(cells)):
        await session.submit(InsertCell(origin(), "python", code, last=True, cell_id=cell_name(number)))
    return session


async def _with_outputs(maker: Instance) -> Session:
    session = await maker.create(chain(OUTPUTS))
    texts = prose(1, OUTPUT_BYTES)
    for number, code in enumerate(chain(OUTPUTS)):
        asked = origin()
        ran = CellRan(
            author=asked.author,
            at=asked.at,
            cell_id=cell_name(number),
            run_id="run",
            epoch=0,
            code_hash=code_hash_of("python", code),
            base_revision=1,
            status="success",
            outputs=(Output("text/plain", coded(texts[0], random.randrange(10**8))),),
        )
        await session.submit(Record(asked, (ran,)))
    return session


@dataclass(frozen=True, slots=True)
class _Counted:
    """What was asked of DynamoDB from one moment to another."""

    requests: Counter[str]
    units: Counter[str]

    def values(self, share: int = 1) -> list[Value]:
        """Requests with their names, read units, write units; divided by `share`."""
        names = ", ".join(f"{name} {count / share:g}" for name, count in self.requests.items())
        reads = sum(units for name, units in self.units.items() if name in _READS)
        writes = sum(units for name, units in self.units.items() if name not in _READS)
        return [f"{self.requests.total() / share:g} ({names})", reads / share, writes / share]


_READS = frozenset({"read_newest", "read_after", "read_one", "get_header", "list_headers", "prove_head"})


async def _counted(store: DynamoStore, action: Callable[[], Awaitable[object]]) -> _Counted:
    requests, units = store.capacity.requests.copy(), store.capacity.units.copy()
    await action()
    return _Counted(store.capacity.requests - requests, store.capacity.units - units)


async def _load(store: DynamoStore, folder: Path, notebook_id: str, rounds: int) -> list[Value]:
    taken: list[float] = []
    counted = _Counted(Counter(), Counter())
    blobs = 0
    for _ in range(WARM_UP + rounds):
        async with instance(store, folder) as cold:
            elapsed = stopwatch()
            counted = await _counted(store, lambda cold=cold: cold.open(notebook_id))  # type: ignore[misc]  # bound now
            taken.append(elapsed())
            blobs = cold.blobs.requests["get"]
    return [*counted.values(), blobs, Samples(tuple(taken[WARM_UP:]))]


async def _add_lists(table: Table, store: DynamoStore, rounds: int) -> None:
    for number in range(LISTED):
        await store.create_header(Header(LIST_USER, f"n{number:04d}", f"Notebook {number}", 1, 1, 1))

    async def pages(limit: int, *, first_only: bool = False) -> int:
        cursor, found = None, 0
        while True:
            page = await store.list_headers(LIST_USER, limit=limit, cursor=cursor)
            found += len(page.headers)
            cursor = page.next_cursor
            if cursor is None or first_only:
                return found

    if await pages(100) != LISTED:
        raise RuntimeError("the list is not complete")
    for name, action in (
        ("first 100 of 1,000 notebooks", lambda: pages(100, first_only=True)),
        ("all 1,000, in pages of 100", lambda: pages(100)),
        ("all 1,000, in one page", lambda: pages(LISTED)),
    ):
        taken: list[float] = []
        for _ in range(WARM_UP + rounds):
            elapsed = stopwatch()
            counted = await _counted(store, action)
            taken.append(elapsed())
        table.add(name, *counted.values(), Samples(tuple(taken[WARM_UP:])))


async def _add_deletes(table: Table, store: DynamoStore, folder: Path) -> None:
    async with instance(store, folder) as one:
        notebooks = [(await one.create(chain(10))).state.notebook_id for _ in range(DELETED)]
        taken: list[float] = []

        async def delete_all() -> None:
            for notebook_id in notebooks:
                elapsed = stopwatch()
                await one.registry.delete(USER, notebook_id, origin())
                taken.append(elapsed())

        counted = await _counted(store, delete_all)
    table.add("delete (to the trash), notebook open", *counted.values(DELETED), Samples(tuple(taken)))
