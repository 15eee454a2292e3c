"""W1 between processes on one file, and with processes that are killed."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from quire.storage.protocol import Record
from quire.storage.sqlite import SqliteStore
from tests.storage.engines import whole_log

SCRIPT = Path(__file__).with_name("appending_process.py")
LOG = "alice/n1"


Start = Callable[..., Awaitable[Process]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts a writer: file, log, name, how many records (0: until it is killed)."""
    started: list[Process] = []

    async def start(path: Path, log_id: str, writer: str, records: int = 0) -> Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(SCRIPT), f"sqlite://{path}", log_id, writer, str(records), stdout=PIPE, stderr=PIPE
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
            await process.wait()


def acknowledged_in(output: bytes) -> dict[int, str]:
    """Revision to edit; a last line that was cut off by a kill does not count."""
    lines = output.decode().split("\n")[:-1]
    return {int(revision): edit for revision, edit in (line.split() for line in lines)}


def check_holds(records: list[Record], acknowledged: dict[int, str]) -> None:
    assert [one.revision for one in records] == list(range(1, len(records) + 1)), "a gap"
    edits = {one.revision: one.body.decode().rstrip(".") for one in records}
    assert {revision: edits.get(revision) for revision in acknowledged} == acknowledged, "lost"
    assert len(set(edits.values())) == len(edits), "doubled"


async def finish(process: Process) -> dict[int, str]:
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return acknowledged_in(output)


async def test_W1_processes_race_for_one_log(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "new" / "quire.db"  # which they make together
    processes = [await start(path, LOG, f"p{number}", 60) for number in range(3)]
    acknowledged = await asyncio.gather(*(finish(process) for process in processes))
    store = await SqliteStore.open(path)
    records = await whole_log(store, LOG)
    await store.close()
    assert len(records) == 180
    for one in acknowledged:
        assert len(one) == 60
        check_holds(records, one)
    assert sum(len(one) for one in acknowledged) == len({revision for one in acknowledged for revision in one})


async def test_W1_processes_write_logs_of_their_own_side_by_side(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "quire.db"
    processes = [await start(path, f"alice/{number}", f"p{number}", 200) for number in range(4)]
    acknowledged = await asyncio.gather(*(finish(process) for process in processes))
    store = await SqliteStore.open(path)
    for number, one in enumerate(acknowledged):
        records = await whole_log(store, f"alice/{number}")
        assert len(records) == len(one) == 200
        check_holds(records, one)
    await store.close()


async def test_W2_what_a_killed_process_was_told_is_there(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "quire.db"
    acknowledged: dict[int, str] = {}
    for round_ in range(3):
        victim = await start(path, LOG, f"victim{round_}")
        survivor = await start(path, "alice/other", f"survivor{round_}", 30)
        assert victim.stdout is not None
        output = b"".join([await victim.stdout.readline() for _ in range(150)])
        victim.kill()
        output += await victim.stdout.read()
        await victim.communicate()
        assert len(await finish(survivor)) == 30
        told = acknowledged_in(output)
        assert len(told) >= 150
        acknowledged |= told
        store = await SqliteStore.open(path)
        check_holds(await whole_log(store, LOG), acknowledged)
        assert len(await whole_log(store, "alice/other")) == 30 * (round_ + 1)
        await store.close()
