"""W2 on a failing disk: what was surely not written says so, what may have been is unknown, and all of it heals."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import apsw
import pytest

from quire.storage.append import append_until_definite
from quire.storage.protocol import OutcomeUnknown, StorageError, StoreUnavailable
from quire.storage.sqlite import SqliteStore
from tests.storage.engines import fill, header, incompressible, record, whole_log
from tests.storage.faulty_disk import FaultyDisk

LOG = "alice/n1"


def disk_full() -> apsw.Error:
    return apsw.FullError("no room")


def disk_error() -> apsw.Error:
    return apsw.IOError("bad sector")


def read_only() -> apsw.Error:
    return apsw.ReadOnlyError("read-only file system")


def cannot_open() -> apsw.Error:
    return apsw.CantOpenError("permission denied")


@pytest.fixture
def disk() -> Iterator[FaultyDisk]:
    disk = FaultyDisk()
    yield disk
    disk.unregister()


@pytest.fixture
async def store(disk: FaultyDisk, tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = await SqliteStore.open(tmp_path / "quire.db", vfs=disk.name)
    await fill(store, LOG, 1)
    yield store
    await store.close()


async def revisions(store: SqliteStore) -> list[int]:
    return [one.revision for one in await whole_log(store, LOG)]


@pytest.mark.parametrize("size", [10, 100_000])
async def test_W2_a_full_disk_is_definite_and_heals(store: SqliteStore, disk: FaultyDisk, size: int) -> None:
    two = record(2, body=incompressible(size))
    with disk.failing("write", "-wal", disk_full):
        for _ in range(3):
            with pytest.raises(StoreUnavailable, match="the disk is full"):
                await store.append(LOG, two)
        with pytest.raises(StoreUnavailable, match="the disk is full"):
            await store.check()
        assert await revisions(store) == [1]
    assert len(disk.met) >= 4
    await store.check()
    await store.append(LOG, two)
    assert await revisions(store) == [1, 2]


async def test_W2_a_full_disk_fails_each_of_those_that_share_a_commit(store: SqliteStore, disk: FaultyDisk) -> None:
    with disk.failing("write", "-wal", disk_full):
        answers = await asyncio.gather(
            *(store.append(f"alice/{number}", record(1)) for number in range(20)), return_exceptions=True
        )
    assert all(isinstance(answer, StoreUnavailable) for answer in answers)
    assert len({id(answer) for answer in answers}) == 20
    await asyncio.gather(*(store.append(f"alice/{number}", record(1)) for number in range(20)))


async def test_W2_a_failed_sync_is_unknown_until_sent_again(store: SqliteStore, disk: FaultyDisk) -> None:
    two = record(2)
    with disk.failing("sync", "-wal", disk_error):
        with pytest.raises(OutcomeUnknown, match="the disk reports an error"):
            await store.append(LOG, two)
        with pytest.raises((OutcomeUnknown, StoreUnavailable)):
            await store.append(LOG, two)
    assert (await append_until_definite(store, LOG, two)).accepted
    assert await revisions(store) == [1, 2]


async def test_W2_after_a_failed_sync_nothing_is_answered_before_the_commit_lies_elsewhere(
    store: SqliteStore, disk: FaultyDisk
) -> None:
    # The next sync of the write-ahead log would succeed without writing what the failed one should have written.
    two = record(2)
    with disk.failing("sync", "-wal", disk_error), pytest.raises(OutcomeUnknown):
        await store.append(LOG, two)
    with disk.failing("sync", "quire.db", disk_error):
        for one in (two, record(2, commit_id="other"), record(3)):
            with pytest.raises(StoreUnavailable):
                await store.append(LOG, one)
    synced = disk.done["sync", ".db"]
    assert (await append_until_definite(store, LOG, two)).accepted
    assert disk.done["sync", ".db"] > synced


async def test_W4_writes_that_wait_together_share_a_sync(store: SqliteStore, disk: FaultyDisk) -> None:
    before = disk.done["sync", "-wal"]
    await asyncio.gather(*(store.append(f"alice/{number}", record(1)) for number in range(200)))
    assert 1 <= disk.done["sync", "-wal"] - before <= 20


async def test_W1_an_append_is_answered_after_its_sync_and_writes_little(store: SqliteStore, disk: FaultyDisk) -> None:
    for revision in range(2, 50):
        before = disk.done.copy()
        await store.append(LOG, record(revision, body=incompressible(200)))
        assert disk.done["sync", "-wal"] == before["sync", "-wal"] + 1
        assert disk.done["write", "-wal"] - before["write", "-wal"] <= 2 * 6  # a header and a page each


async def test_W2_after_a_failed_sync_and_a_crash_the_same_bytes_settle_it(
    store: SqliteStore, disk: FaultyDisk, tmp_path: Path
) -> None:
    two = record(2, commit_id="mine")
    with disk.failing("sync", "-wal", disk_error), pytest.raises(OutcomeUnknown):
        await store.append(LOG, two)
    # The files as a crash would leave them: the commit's frames are in the write-ahead log.
    for file in tmp_path.glob("quire.db*"):
        if not file.name.endswith("-shm"):
            shutil.copy(file, tmp_path / file.name.replace("quire", "crashed"))
    crashed = await SqliteStore.open(tmp_path / "crashed.db")
    assert (await append_until_definite(crashed, LOG, two)).accepted
    assert await revisions(crashed) == [1, 2]
    await crashed.close()


async def test_W2_a_refusal_beside_a_failed_commit_is_unknown_too(store: SqliteStore, disk: FaultyDisk) -> None:
    rivals = [record(2, commit_id=f"rival-{number}") for number in range(10)]
    with disk.failing("sync", "-wal", disk_error):
        answers = await asyncio.gather(*(store.append(LOG, one) for one in rivals), return_exceptions=True)
    # Had one been told "taken" by a rival whose commit then vanished, its edit would be rebased onto nothing.
    assert all(isinstance(answer, OutcomeUnknown) for answer in answers)
    settled = [await append_until_definite(store, LOG, one) for one in rivals]
    assert [one.accepted for one in settled].count(True) == 1


async def test_W1_a_write_that_breaks_its_transaction_harms_no_other(store: SqliteStore) -> None:
    answers = await asyncio.gather(
        *(store.append(f"alice/{number}", record(1)) for number in range(10)),
        store.create_header(header(name="lone surrogate \ud800")),
        *(store.append(f"bob/{number}", record(1)) for number in range(10)),
        return_exceptions=True,
    )
    assert isinstance(answers[10], UnicodeEncodeError)
    assert [answer for answer in answers if answer is not None] == [answers[10]]
    for number in range(10):
        assert len(await whole_log(store, f"bob/{number}")) == 1


async def test_permissions_that_are_lost_are_named_and_heal(store: SqliteStore, disk: FaultyDisk) -> None:
    with disk.failing("write", "-wal", read_only), pytest.raises(StorageError, match="read-only"):
        await store.append(LOG, record(2))
    with disk.failing("open", "quire.db", cannot_open), pytest.raises(StoreUnavailable, match="cannot be opened"):
        await store.append(LOG, record(2))
    assert (await append_until_definite(store, LOG, record(2))).accepted


async def test_a_read_error_is_named_and_heals(store: SqliteStore, disk: FaultyDisk) -> None:
    await fill(store, LOG, 40, size=100_000, after=1)
    with (
        disk.failing("read", "quire.db", disk_error),
        disk.failing("read", "-wal", disk_error),
        pytest.raises(StoreUnavailable, match="the disk reports an error"),
    ):
        await whole_log(store, LOG)
    assert await revisions(store) == list(range(1, 42))


async def test_W2_a_disk_that_fails_now_and_then_loses_nothing(store: SqliteStore, disk: FaultyDisk) -> None:
    async def write(log_id: str) -> None:
        for revision in range(1, 11):
            assert (
                await append_until_definite(store, log_id, record(revision, commit_id=f"{log_id}-{revision}"))
            ).accepted

    writing = [asyncio.create_task(write(f"alice/log-{number}")) for number in range(5)]
    while not all(task.done() for task in writing):
        with disk.failing("sync", "-wal", disk_error):
            await asyncio.wait(writing, timeout=0.005)
        await asyncio.wait(writing, timeout=0.02)
    await asyncio.gather(*writing)
    assert "sync" in disk.met
    for number in range(5):
        log_id = f"alice/log-{number}"
        assert [one.commit_id for one in await whole_log(store, log_id)] == [f"{log_id}-{r}" for r in range(1, 11)]


async def test_a_failing_checkpoint_does_not_fail_writes(store: SqliteStore, disk: FaultyDisk) -> None:
    with disk.failing("write", "quire.db", disk_full):
        await fill(store, LOG, 60, size=100_000, after=1)
        assert disk.met
    assert await revisions(store) == list(range(1, 62))
