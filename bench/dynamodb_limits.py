"""Large notebooks on DynamoDB, and two writers of one notebook: Quire and the plain design."""

import asyncio
import time
from pathlib import Path

from bench.instances import Instance, coded, dynamo_store, instance, new_table, origin, write_units
from bench.notebooks import cell_name, prose
from bench.plain_worker import PlainWorker, plain_worker
from bench.samples import WARM_UP, Samples, stopwatch
from bench.tables import Table
from quire.sessions.cell_intents import EditCell
from quire.sessions.session import Session
from quire.storage.dynamodb.store import DynamoStore

EDIT_BYTES = 3000
EDITS = 640
"""Two checkpoints of a large notebook: one is due whenever its log has grown by 1 MB."""

SIZES = {
    "200 KB, 100 cells": (100, 2000),
    "2 MB, 1,000 cells": (1000, 2000),
    "20 MB, 2,000 cells": (2000, 10_000),
    "2 MB, 10,000 cells": (10_000, 200),
}
COLD_LOADS = 5

GROWN_BY_BYTES = 10_000

RACING_EDITS = 50
RACING_BYTES = 1000

SIZES_NOTE = (
    f"A session's edits of {EDIT_BYTES:,} bytes, {EDITS} of them, one after the other. Checkpoints are in all figures: "
    "in the CPU time, which is that of the whole process with its threads; in write units where they are in the log, "
    "as blobs put where they are large. *Cold load*: by another instance, which must find every cell and the last edit."
)
RACE_NOTE = (
    f"Each of two writers makes {RACING_EDITS} edits, no two of the same cell, one after the other; *lost* are "
    "acknowledged edits that the notebook does not hold in the end. The plain design's writers are two processes that "
    "load the notebook before each put. Quire's are two instances with a store each, in one process."
)


async def measure(url: str, folder: Path) -> list[Table]:
    """Raises NotInstallable."""
    async with plain_worker(url, new_table()) as plain:
        await plain.call("create_table")
        refused = await plain.call("largest", step=GROWN_BY_BYTES)
    return [await _sizes(url, folder, refused), await _race(url, folder)]


async def _sizes(url: str, folder: Path, refused: dict[str, object]) -> Table:
    table = Table(
        "Large notebooks on DynamoDB",
        ("notebook", "write units", "ms p50", "ms p99", "CPU ms", "blobs put", "cold load, ms"),
        note=f"{SIZES_NOTE} The plain design was grown by {GROWN_BY_BYTES:,} bytes at a time: with more than "
        f"{refused['bytes']:,} bytes of code it is refused (*{refused['refusal']}*).",
    )
    for name, (cells, cell_bytes) in SIZES.items():
        async with dynamo_store(url) as store:
            table.add(name, *await _size(store, folder, prose(cells, cell_bytes)))
    return table


async def _size(store: DynamoStore, folder: Path, codes: list[str]) -> list[float]:
    edit = prose(1, EDIT_BYTES)[0]
    async with instance(store, folder) as one:
        session = await one.create(codes)
        units, puts, worked = write_units(store), one.blobs.requests["put"], time.process_time()
        taken = [await _edit(session, coded(edit, number)) for number in range(WARM_UP + EDITS)]
        per_edit = [(write_units(store) - units) / len(taken), 1000 * (time.process_time() - worked) / len(taken)]
        put = one.blobs.requests["put"] - puts
        notebook_id = session.state.notebook_id
    wanted = [coded(edit, WARM_UP + EDITS - 1), *codes[1:]]
    loaded = Samples(tuple([await _cold_load(store, folder, notebook_id, wanted) for _ in range(COLD_LOADS)]))
    samples = Samples(tuple(taken[WARM_UP:]))
    return [per_edit[0], samples.median, samples.p99, per_edit[1], put, loaded.median]


async def _edit(session: Session, code: str) -> float:
    elapsed = stopwatch()
    await session.submit(EditCell(origin(), cell_name(0), code))
    return elapsed()


async def _cold_load(store: DynamoStore, folder: Path, notebook_id: str, codes: list[str]) -> float:
    """The milliseconds until an instance that has not seen the notebook has all of it."""
    async with instance(store, folder) as other:
        elapsed = stopwatch()
        session = await other.open(notebook_id)
        taken = elapsed()
    if [cell.code for cell in session.state.cells.values()] != codes:
        raise RuntimeError("the notebook is not what was acknowledged")
    return taken


async def _race(url: str, folder: Path) -> Table:
    table = Table("Two writers of one notebook on DynamoDB", ("", "edits acknowledged", "lost"), note=RACE_NOTE)
    codes = prose(2 * RACING_EDITS, RACING_BYTES)
    edits = [(number, coded(code, number)) for number, code in enumerate(codes)]
    halves = edits[::2], edits[1::2]
    name = new_table()
    async with plain_worker(url, name) as first, plain_worker(url, name) as second:
        await first.call("create_table")
        await first.call("create", notebook_id="raced", codes=codes)
        table.add("plain design", len(edits), await _raced_plainly(first, second, halves))
    async with dynamo_store(url, name := new_table()) as store, instance(store, folder) as one:
        notebook_id = (await one.create(codes)).state.notebook_id
        async with dynamo_store(url, name) as another, instance(another, folder) as two:
            await asyncio.gather(*(_submit_all(one, notebook_id, halves[0]), _submit_all(two, notebook_id, halves[1])))
        async with dynamo_store(url, name) as third, instance(third, folder) as reader:
            session = await reader.open(notebook_id)
            kept = [cell.code for cell in session.state.cells.values()]
    table.add("Quire", len(edits), sum(kept[cell] != code for cell, code in edits))
    return table


Edits = list[tuple[int, str]]


async def _raced_plainly(first: PlainWorker, second: PlainWorker, halves: tuple[Edits, Edits]) -> int:
    workers = (first, second)
    await asyncio.gather(
        *(
            worker.call("edit_each", notebook_id="raced", edits=edits)
            for worker, edits in zip(workers, halves, strict=True)
        )
    )
    kept: list[str] = (await first.call("codes", notebook_id="raced"))["codes"]
    return sum(kept[cell] != code for edits in halves for cell, code in edits)


async def _submit_all(one: Instance, notebook_id: str, edits: Edits) -> None:
    session = await one.open(notebook_id)
    for cell, code in edits:
        await session.submit(EditCell(origin(), cell_name(cell), code))
