"""What an append costs above the least that durability can cost: one write and one sync of the same bytes."""

import asyncio
import os
import random
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop

from bench import dynamodb_floor
from bench.samples import WARM_UP, Effort, Samples, stopwatch
from bench.serving import data_folder
from bench.tables import Table
from quire.storage.protocol import Record
from quire.storage.sqlite import SqliteStore

BODY_BYTES = 300
"""About what the edit of a small cell takes."""
APPENDS_PER_ROUND = 20
FIRST_ROUND = 1000
"""Commits, of a page each, after which SQLite begins its write-ahead log anew (`wal_autocheckpoint`)."""
KEPT_BYTES = 4 * 1024 * 1024

NOTE = (
    f"{BODY_BYTES} bytes each; in both runs the three take turns. *Over old bytes* is what a log file that is reused "
    "does: the file's size stays, so that there is less to sync. SQLite's write-ahead log grows for its first "
    f"{FIRST_ROUND:,} commits, and is such a file from then on: a new store and one in use are measured apart."
)


def measure(effort: Effort) -> list[Table]:
    table = Table("The floor: ms until bytes are durable", ("", "time"), note=NOTE)
    # On uvloop, as the server runs it.
    with data_folder() as folder, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for name, samples in runner.run(_measure(folder, effort.rounds * APPENDS_PER_ROUND)).items():
            table.add(name, samples)
    return [table, dynamodb_floor.measure(effort.rounds * APPENDS_PER_ROUND)]


async def _measure(folder: Path, appends: int) -> dict[str, Samples]:
    growing = os.open(folder / "growing", os.O_WRONLY | os.O_CREAT)
    kept = os.open(folder / "kept", os.O_WRONLY | os.O_CREAT)
    os.write(kept, random.randbytes(KEPT_BYTES))
    os.lseek(kept, 0, os.SEEK_SET)
    os.fsync(kept)
    store = await SqliteStore.open(folder / "floor.db")
    body = random.randbytes(BODY_BYTES)

    async def append(number: int) -> None:
        await store.append("user/floor", Record(number + 1, str(uuid.uuid4()), body, checkpoint_revision=1))

    def writes(file: int) -> Callable[[int], Awaitable[None]]:
        async def write(_number: int) -> None:
            os.write(file, body)
            os.fdatasync(file)

        return write

    def actions(state: str, first: int) -> dict[str, Callable[[int], Awaitable[None]]]:
        return {
            f"write + fdatasync, file grows{state}": writes(growing),
            f"write + fdatasync, over old bytes{state}": writes(kept),
            f"append to the SQLite store{state}": lambda number: append(first + number),
        }

    try:
        new = await _in_turn(actions("; new store", 0), appends)
        used = WARM_UP + appends
        while used < 2 * FIRST_ROUND:
            await append(used)
            used += 1
        return new | await _in_turn(actions("; store in use", used), appends)
    finally:
        await store.close()
        os.close(growing)
        os.close(kept)


async def _in_turn(actions: dict[str, Callable[[int], Awaitable[None]]], appends: int) -> dict[str, Samples]:
    taken: dict[str, list[float]] = {name: [] for name in actions}
    for number in range(WARM_UP + appends):
        for name, action in actions.items():
            elapsed = stopwatch()
            await action(number)
            taken[name].append(elapsed())
    return {name: Samples(tuple(values[WARM_UP:])) for name, values in taken.items()}
