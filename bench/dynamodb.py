"""Edits on DynamoDB: what they cost and take, beside the plain design of one item a notebook, in one run."""

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path

from bench import dynamodb_limits
from bench.foreign import NotInstallable
from bench.instances import USER, coded, dynamo_store, dynamodb_url, instance, new_table, origin
from bench.notebooks import cell_name, prose
from bench.plain_worker import plain_worker
from bench.samples import WARM_UP, Effort, Samples, stopwatch
from bench.serving import data_folder
from bench.tables import Table
from quire.notebook import codec
from quire.notebook.changes import CellEdited, Commit
from quire.notebook.ids import new_commit_id
from quire.sessions.cell_intents import EditCell
from quire.storage.dynamodb.store import DynamoStore
from quire.storage.protocol import Record
from tests.emulators.environment import nobodys_aws
from tests.emulators.processes import EmulatorMissing

CELL_BYTES = 2000
CELLS = 100
EDIT_BYTES = 3000
EDITS_PER_ROUND = 25
"""Of the default 11 rounds: 275 edits, so that four checkpoints fall due."""
LOADS_EVERY = 5
"""The slowest of the four does a fifth of the edits."""
TURN = 25
"""Edits in a row of each: not one by one, or what the emulator has to clear away after a put of 400 units would be
counted as the next one's time."""
EMULATOR_WARM_UP = 1500
"""Puts until Java has compiled what it will, seen as the 99th percentile that no longer falls."""

NOTE = (
    f"One notebook of {CELLS} cells of {CELL_BYTES:,} bytes; every edit gives one cell {EDIT_BYTES:,} new bytes. "
    f"The four take turns of {TURN} edits on one DynamoDB Local, warmed up with {EMULATOR_WARM_UP:,} puts, whose "
    "figures of consumed capacity these are, the index included. "
    "*submit*: a session's, without HTTP, with its checkpoints and with the refreshes of the header (one every 2 s "
    "while edits go on, so that an edit which comes alone costs one unit more). *append*: the store's alone, one "
    f"record with that edit. *load and put*: every {LOADS_EVERY}th edit. CPU is that of the client's process."
)


def measure(effort: Effort) -> list[Table]:
    with nobodys_aws(), data_folder() as folder:
        try:
            return asyncio.run(_measure(dynamodb_url(), folder, effort.rounds * EDITS_PER_ROUND))
        except (EmulatorMissing, NotInstallable) as missing:
            return [Table("Edits on DynamoDB", ("",), note=f"Not measured: {missing}")]


async def _measure(url: str, folder: Path, edits: int) -> list[Table]:
    return [await _edits(url, folder, edits), *await dynamodb_limits.measure(url, folder)]


@dataclass(slots=True)
class _Taken:
    """What edits of one kind took."""

    units: list[float] = field(default_factory=list)
    ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)

    def add(self, units: float, ms: float, cpu_ms: float) -> None:
        self.units.append(units)
        self.ms.append(ms)
        self.cpu_ms.append(cpu_ms)

    def row(self) -> list[float]:
        units, ms, cpu_ms = (values[WARM_UP:] for values in (self.units, self.ms, self.cpu_ms))
        samples = Samples(tuple(ms))
        return [sum(units) / len(units), samples.median, samples.p99, sum(cpu_ms) / len(cpu_ms)]


async def _edits(url: str, folder: Path, edits: int) -> Table:
    table = Table(
        f"Edit of {EDIT_BYTES // 1000} KB in a notebook of {CELLS * CELL_BYTES // 1000} KB on DynamoDB",
        ("", "write units", "ms p50", "ms p99", "CPU ms"),
        note=NOTE,
    )
    codes, code = prose(CELLS, CELL_BYTES), prose(1, EDIT_BYTES)[0]
    put, load_and_put, submit, append = _Taken(), _Taken(), _Taken(), _Taken()
    async with plain_worker(url, new_table()) as plain, dynamo_store(url) as store, instance(store, folder) as ours:
        await plain.call("create_table")
        await plain.call("create", notebook_id="n", codes=codes)
        session = await ours.create(codes)
        for number in range(EMULATOR_WARM_UP):
            await _append(store, number + 1, coded(code, number))
        refreshed = store.capacity.units["refresh_header"]
        for start in range(0, WARM_UP + edits, TURN):
            turn = [(number, coded(code, number)) for number in range(start, start + TURN)]
            for number, edited in turn:
                if number % LOADS_EVERY == 0:
                    arguments = {"notebook_id": "n", "cell": 1, "code": edited}
                    load_and_put.add(**await plain.call("load_and_save", **arguments))
            for _number, edited in turn:
                put.add(**await plain.call("save", cell=0, code=edited))
            for _number, edited in turn:
                await _add(store, session.submit(EditCell(origin(), cell_name(0), edited)), submit)
            for number, edited in turn:
                await _add(store, _append(store, EMULATOR_WARM_UP + number + 1, edited), append)
        refreshed = store.capacity.units["refresh_header"] - refreshed
    table.add("plain design, put", *put.row())
    table.add("plain design, load and put", *load_and_put.row())
    units, *times = submit.row()
    table.add("Quire, submit", units + refreshed / edits, *times)
    table.add("Quire, append", *append.row())
    return table


async def _append(store: DynamoStore, revision: int, code: str) -> None:
    asked, commit_id = origin(), new_commit_id()
    change = CellEdited(author=asked.author, at=asked.at, cell_id=cell_name(0), code=code, type="python")
    body = codec.encode_commit(Commit(revision, commit_id, (change,)))
    await store.append(f"{USER}/appended", Record(revision, commit_id, body, 1))


async def _add(store: DynamoStore, edit: Awaitable[object], taken: _Taken) -> None:
    before, elapsed, worked = store.capacity.units["append"], stopwatch(), time.process_time()
    await edit
    taken.add(store.capacity.units["append"] - before, elapsed(), 1000 * (time.process_time() - worked))
