"""`quire gc` as an operator runs it, killed on the way included."""

import asyncio
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from quire.blobs.folder import FolderBlobs
from quire.maintenance.gc import DAY_MS
from quire.notebook.ids import log_id_of
from quire.sessions.clock import now_ms
from quire.sessions.intents import Origin
from quire.sessions.notebook_intents import PurgeNotebook
from quire.sessions.registry import Registry
from quire.sessions.session import Environment
from quire.storage.sqlite import SqliteStore
from tests.sessions.worlds import NoKernels

NOTEBOOKS = 40
KILLS = 4


def command(folder: Path, *arguments: str) -> list[str]:
    where = ("--store", f"sqlite://{folder}/quire.db", "--blobs", f"{folder}/blobs")
    return [sys.executable, "-m", "quire", "gc", *where, *arguments]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(folder, *arguments), capture_output=True, text=True, timeout=120, check=False)


async def fill(folder: Path, *, purging: int, trashed: int = 0, live: int = 0) -> None:
    """Ada's notebooks, made 100 days ago: some marked for erasing 2 days ago, some in the trash for 40 days."""
    store, blobs = await SqliteStore.open(folder / "quire.db"), FolderBlobs(folder / "blobs")
    registry = Registry(Environment(store, blobs, NoKernels(), "test"))
    begin = now_ms() - 100 * DAY_MS
    for number in range(purging + trashed + live):
        receipt = await registry.create("ada", Origin("ada", begin + number), name=f"n{number}")
        notebook_id = str(receipt.answer["notebook_id"])
        await blobs.put(log_id_of("ada", notebook_id), b"large" * number)
        if number < purging + trashed:
            await registry.delete("ada", notebook_id, Origin("ada", begin + 60 * DAY_MS))
        if number < purging:
            session = await registry.open("ada", notebook_id, trashed=True)
            await session.submit(PurgeNotebook(Origin("system", begin + 98 * DAY_MS), begin + 70 * DAY_MS))
    await registry.close()
    await blobs.close()
    await store.close()


async def what_is_left(folder: Path) -> dict[str, int]:
    """Notebook's name -> its head; a header without its log, or blobs without a header, would be a leftover."""
    store = await SqliteStore.open(folder / "quire.db")
    heads = {}
    async for header in store.scan_headers():
        newest = await store.read_newest(log_id_of("ada", header.notebook_id), 1)
        heads[header.name] = newest.records[-1].revision if newest.records else 0
    await store.close()
    return heads


async def test_it_tells_what_it_does_and_first_what_it_would_do(tmp_path: Path) -> None:
    await fill(tmp_path, purging=1, trashed=1, live=2)
    before = await what_is_left(tmp_path)
    dry = run(tmp_path, "--dry-run")
    assert (dry.returncode, dry.stderr) == (0, "")
    assert dry.stdout.count("would be marked for erasing in a day: ada/") == 1
    assert dry.stdout.count("would be erased: ada/") == 1
    assert "4 notebooks: 0 would be moved to the trash, 1 would be marked" in dry.stdout.splitlines()[-1]
    assert await what_is_left(tmp_path) == before
    done = run(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "4 notebooks: 0 moved to the trash, 1 marked for erasing in a day, 1 erased; 1 blobs" in done.stdout
    assert await what_is_left(tmp_path) == {"n1": 3, "n2": 1, "n3": 1}
    idle = run(tmp_path, "--trash-idle-days", "99")
    assert idle.stdout.count("moved to the trash: ada/") == 2
    assert await what_is_left(tmp_path) == {"n1": 3, "n2": 2, "n3": 2}


@pytest.mark.parametrize("days", ["0", "-1", "many"])
def test_a_mistake_in_the_days_is_a_usage_error(days: str, tmp_path: Path) -> None:
    done = run(tmp_path, "--trash-idle-days", days)
    assert done.returncode == 2
    assert "--trash-idle-days" in done.stderr


async def test_killed_again_and_again_it_still_completes(tmp_path: Path) -> None:
    await fill(tmp_path, purging=NOTEBOOKS, live=2)
    dice = random.Random(os.urandom(8))
    for _ in range(KILLS):
        process = await asyncio.create_subprocess_exec(*command(tmp_path), stdout=subprocess.DEVNULL)
        await asyncio.sleep(1 + dice.random())  # most of it is Python starting
        if process.returncode is None:
            process.kill()
        await process.wait()
    done = run(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert await what_is_left(tmp_path) == {f"n{NOTEBOOKS}": 1, f"n{NOTEBOOKS + 1}": 1}
    left = [path for path in (tmp_path / "blobs").rglob("*") if path.is_file() and path.stat().st_size]
    assert len(left) == 2, "young blobs of the notebooks that stay"
