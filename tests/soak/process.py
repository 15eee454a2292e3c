"""One process of a round: `python -m tests.soak.process PLAN NUMBER`. Its share of the writers, and a reader."""

import asyncio
import os
import random
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import msgspec

from quire.blobs.folder import FolderBlobs
from quire.storage.dynamodb.settings import DynamoSettings
from quire.storage.dynamodb.store import DynamoStore
from quire.storage.protocol import Record
from tests.simulation.clients import Client, Floor
from tests.simulation.servers import Server, note_tasks
from tests.soak.plan import NOTEBOOKS, PROCESSES, REGION, WRITERS, Plan, log_of
from tests.soak.reading import Reader
from tests.storage.dynamodb.faulty_proxy import PATIENCE_SECONDS
from tests.storage.racing import save

PADDING_BYTES = 300
"""Of an edit, in `records`."""

CRASH_SHARE = 0.01
"""How often a server crashes after it saved a change, in `sessions`."""


class SavedIn(msgspec.Struct, frozen=True):
    """An edit of a writer in `records` that was acknowledged."""

    log_id: str
    edit: str
    revision: int


class CountingStore(DynamoStore):
    """The real client, which counts how often it was asked to append."""

    attempts = 0

    async def append(self, log_id: str, record: Record) -> None:
        self.attempts += 1
        await super().append(log_id, record)


def settings_of(plan: Plan) -> DynamoSettings:
    """The tables of the round, behind the proxy."""
    return DynamoSettings(plan.table, f"{plan.table}-commits", REGION, plan.endpoint_url)


def _lines(path: Path, values: Iterable[msgspec.Struct]) -> None:
    path.write_bytes(b"".join(msgspec.json.encode(value) + b"\n" for value in values))


async def _write_records(plan: Plan, store: DynamoStore, writer: int) -> None:
    dice = random.Random(f"{plan.seed} writer {writer}")
    heads = dict.fromkeys(NOTEBOOKS, 0)
    told = []
    for number in range(plan.edits_of(writer)):
        notebook_id = dice.choice(NOTEBOOKS)
        log_id = log_of(notebook_id)
        edit = f"{log_id}-writer-{writer}-edit-{number}"
        saved = await save(store, log_id, edit, heads[notebook_id], padding=PADDING_BYTES)
        heads[notebook_id] = saved.revision
        told.append(SavedIn(log_id, saved.edit, saved.revision))
    _lines(plan.told_by(writer), told)


class _House:
    """The server of this process; another one is there at once when it crashes."""

    def __init__(self, plan: Plan, store: DynamoStore, dice: random.Random, name: str) -> None:
        self._store = store
        self._blobs = FolderBlobs(Path(plan.folder) / "blobs")
        self._dice = dice
        self._name = name
        self.crashes = 0
        self.server = self._start()

    def _start(self) -> Server:
        return Server(self._store, self._blobs, f"{self._name}-{self.crashes}")

    async def perhaps_crash(self) -> None:
        if self._dice.random() < CRASH_SHARE:
            old, self.crashes = self.server, self.crashes + 1
            self.server = self._start()
            await old.crash()

    async def close(self) -> None:
        await self.server.crash()
        await self._blobs.close()


async def _edit(plan: Plan, house: _House, floor: Floor, writer: int) -> None:
    dice = random.Random(f"{plan.seed} client {writer}")
    client = Client(
        f"client-{writer}",
        dice,
        lambda: house.server,
        list(NOTEBOOKS),
        floor,
        lambda: time.time_ns() // 1_000_000,
    )
    saved = 0
    while saved < plan.edits_of(writer):
        saved += not (await client.step()).error
        await house.perhaps_crash()
    _lines(plan.told_by(writer), client.told)
    _lines(Path(f"{plan.told_by(writer)}.seen"), client.seen)


async def _end_with(parent: int) -> None:
    """End this process when the one that started it is gone, however that went."""
    while os.getppid() == parent:
        await asyncio.sleep(1)
    os._exit(1)


async def take_part(plan: Plan, number: int) -> None:
    """All of this process's share of `plan`."""
    watching = asyncio.create_task(_end_with(os.getppid()))
    asyncio.get_running_loop().set_task_factory(note_tasks)
    mine = range(number, WRITERS, PROCESSES)
    store = CountingStore(settings_of(plan), attempt_seconds=PATIENCE_SECONDS)
    reader_store = DynamoStore(settings_of(plan), attempt_seconds=PATIENCE_SECONDS)
    reader = Reader(reader_store, [log_of(notebook_id) for notebook_id in NOTEBOOKS])
    written = asyncio.Event()
    reading = asyncio.create_task(reader.follow(written))
    crashes = 0
    if plan.mode == "records":
        await asyncio.gather(*(_write_records(plan, store, writer) for writer in mine))
    else:
        house = _House(plan, store, random.Random(f"{plan.seed} house {number}"), f"server-{number}")
        floor = Floor()
        await asyncio.gather(*(_edit(plan, house, floor, writer) for writer in mine))
        await house.close()
        crashes = house.crashes
    written.set()
    await reading
    watching.cancel()
    await asyncio.gather(store.close(), reader_store.close())
    _lines(plan.seen_by(number), reader.history)
    plan.counted_by(number).write_bytes(msgspec.json.encode({"attempts": store.attempts, "crashes": crashes}))


if __name__ == "__main__":
    asyncio.run(take_part(msgspec.json.decode(sys.argv[1], type=Plan), int(sys.argv[2])))
