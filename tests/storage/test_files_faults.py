"""The files engine on a disk that fails."""

import asyncio
import errno
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from quire.storage.append import append_until_definite
from quire.storage.files import FilesStore
from quire.storage.protocol import HeaderExists, OutcomeUnknown, StoreUnavailable
from tests.storage.engines import fill, header, incompressible, record, whole_log
from tests.storage.faulty_files import FaultyFiles, after_bytes, error

LOG = "alice/n1"
FULL = error(errno.ENOSPC)
BROKEN = error(errno.EIO)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> FaultyFiles:
    return FaultyFiles(monkeypatch)


@pytest.fixture
async def store(disk: FaultyFiles, tmp_path: Path) -> AsyncIterator[FilesStore]:
    store = await FilesStore.open(tmp_path / "files")
    await fill(store, LOG, 1)
    yield store
    await store.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "files" / "logs" / "alice%2fn1.jsonl"


async def revisions(store: FilesStore, log_id: str = LOG) -> list[int]:
    return [one.revision for one in await whole_log(store, log_id)]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
async def test_W2_a_disk_that_takes_nothing_is_definite_and_heals(
    store: FilesStore, disk: FaultyFiles, file: Path, code: int
) -> None:
    before = file.read_bytes()
    with disk.failing(write_at=error(code)):
        for _ in range(3):
            with pytest.raises(StoreUnavailable, match=r"disk is (full: make room|read-only)"):
                await store.append(LOG, record(2))
        with pytest.raises(StoreUnavailable, match=r"disk is (full: make room|read-only)"):
            await store.check()
        with pytest.raises(StoreUnavailable):
            await store.create_header(header())
        assert await revisions(store) == [1]
    assert file.read_bytes() == before
    await store.check()
    await store.append(LOG, record(2))
    assert await revisions(store) == [1, 2]
    assert await store.get_header("alice", "n1") is None


@pytest.mark.parametrize("taken", [1, 20, 60, 400])
@pytest.mark.parametrize("heals_to_cut", [True, False])
async def test_W2_a_short_write_leaves_no_broken_line(
    store: FilesStore, disk: FaultyFiles, file: Path, taken: int, *, heals_to_cut: bool
) -> None:
    faults = {"write_at": after_bytes(taken, errno.ENOSPC)} | ({} if heals_to_cut else {"truncate": BROKEN})
    with disk.failing(**faults), pytest.raises(StoreUnavailable, match="the disk is full"):
        await store.append(LOG, record(2, body=incompressible(500)))
    assert await revisions(store) == [1]
    two, three = record(2, body=b"{shorter}"), record(3)
    await store.append(LOG, two)
    await store.append(LOG, three)
    assert [one.revision for one in await whole_log(store, LOG)] == [1, 2, 3]
    assert file.read_bytes().count(b"\n") == 3
    await store.close()
    again = await FilesStore.open(file.parent.parent)
    assert (await whole_log(again, LOG))[1:] == [two, three]
    await again.close()


async def test_W2_a_write_in_several_parts_is_one_line(store: FilesStore, disk: FaultyFiles) -> None:
    two = record(2, body=incompressible(5000))

    with disk.failing(write_at=lambda real, descriptor, data, offset: real(descriptor, data[:100], offset)):
        await store.append(LOG, two)
    assert disk.met.count("write_at") > 50
    assert await store.read_one(LOG, 2) == two


async def test_W2_a_failed_sync_is_unknown_until_sent_again(store: FilesStore, disk: FaultyFiles) -> None:
    two = record(2)
    with disk.failing(sync_data=BROKEN):
        with pytest.raises(OutcomeUnknown, match="the disk reports an error"):
            await store.append(LOG, two)
        with pytest.raises((OutcomeUnknown, StoreUnavailable)):
            await store.append(LOG, two)
        assert await revisions(store) == [1]
    assert (await append_until_definite(store, LOG, two)).accepted
    assert await revisions(store) == [1, 2]


async def test_W2_a_line_that_was_not_synced_is_taken_back_before_anything_is_written(
    store: FilesStore, disk: FaultyFiles, file: Path
) -> None:
    # The system may have forgotten to write it: found in its memory, it would look as if it were durable.
    before = file.read_bytes()
    with disk.failing(sync_data=BROKEN), pytest.raises(OutcomeUnknown):
        await store.append(LOG, record(2, commit_id="lost"))
    assert file.read_bytes() == before
    other = record(2, commit_id="other")
    with disk.failing(sync_data=BROKEN, truncate=BROKEN):
        with pytest.raises(StoreUnavailable):  # the cut is not synced either
            await store.append(LOG, other)
        assert file.read_bytes() == before
    await store.append(LOG, other)
    assert await store.read_one(LOG, 2) == other
    result = await append_until_definite(store, LOG, record(2, commit_id="lost"))
    assert not result.accepted
    assert result.stored == other


async def test_W2_a_doubtful_log_is_not_forgotten_when_many_others_are_used(disk: FaultyFiles, tmp_path: Path) -> None:
    store = await FilesStore.open(tmp_path / "few", open_logs_max=2)
    await fill(store, LOG, 1)
    with disk.failing(sync_data=BROKEN, truncate=BROKEN), pytest.raises(OutcomeUnknown):
        await store.append(LOG, record(2, commit_id="lost"))
    for number in range(10):
        await fill(store, f"alice/other-{number}", 1)
    assert await revisions(store) == [1]
    await store.append(LOG, record(2, commit_id="kept"))
    found = await store.read_one(LOG, 2)
    assert found is not None
    assert found.commit_id == "kept"
    await store.close()


async def test_W2_after_a_failed_sync_and_a_crash_the_same_bytes_settle_it(
    store: FilesStore, disk: FaultyFiles, tmp_path: Path
) -> None:
    two = record(2, commit_id="mine")
    with disk.failing(sync_data=BROKEN, truncate=BROKEN), pytest.raises(OutcomeUnknown):
        await store.append(LOG, two)
    shutil.copytree(tmp_path / "files", tmp_path / "crashed")
    crashed = await FilesStore.open(tmp_path / "crashed")
    assert await revisions(crashed) == [1, 2]
    assert (await append_until_definite(crashed, LOG, two)).accepted
    assert await revisions(crashed) == [1, 2]
    await crashed.close()


async def test_W2_what_is_found_is_synced_before_it_is_shown(
    store: FilesStore, disk: FaultyFiles, tmp_path: Path
) -> None:
    # A killed process may have written it and not synced it.
    await store.close()
    again = await FilesStore.open(tmp_path / "files")
    with disk.failing(sync_data=BROKEN):
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="the disk reports an error"):
                await again.read_newest(LOG)
        with pytest.raises(StoreUnavailable):
            await again.append(LOG, record(2))
    disk.done.clear()
    assert await revisions(again) == [1]
    # The sync that failed may have made the system forget: the line is written once more before the next.
    assert disk.done["write_at"] == 1
    assert disk.done["sync_data"] == 1
    assert disk.done["sync_folder"] == 1
    await again.close()


async def test_W2_a_torn_tail_on_a_full_disk_does_not_keep_anybody_from_reading(
    store: FilesStore, disk: FaultyFiles, file: Path
) -> None:
    await store.close()
    with file.open("ab") as other:
        other.write(b"torn")
    again = await FilesStore.open(file.parent.parent)
    with disk.failing(write_at=FULL):
        assert await revisions(again) == [1]
        with pytest.raises(StoreUnavailable, match="the disk is full"):
            await again.append(LOG, record(2))
    await again.append(LOG, record(2))
    assert await revisions(again) == [1, 2]
    assert file.with_suffix(".torn").read_bytes() == b"torn"
    await again.close()


async def test_W1_an_append_is_one_write_and_one_sync(store: FilesStore, disk: FaultyFiles) -> None:
    for revision in range(2, 30):
        disk.done.clear()
        await store.append(LOG, record(revision, body=incompressible(2000)))
        assert disk.done == {"write_at": 1, "sync_data": 1}


async def test_W1_the_name_of_a_new_file_is_synced(store: FilesStore, disk: FaultyFiles) -> None:
    with disk.failing(sync_folder=BROKEN):
        with pytest.raises(OutcomeUnknown, match="the disk reports an error"):
            await store.append("alice/new", record(1))
        with pytest.raises(StoreUnavailable):
            await store.append("alice/new", record(1))
    assert (await append_until_definite(store, "alice/new", record(1))).accepted
    assert await revisions(store, "alice/new") == [1]


async def test_W2_a_file_that_cannot_be_made_is_definite(store: FilesStore, disk: FaultyFiles) -> None:
    with disk.failing(open_file=error(errno.EACCES)), pytest.raises(StoreUnavailable, match="permission denied"):
        await store.append("alice/new", record(1))
    await store.append("alice/new", record(1))
    assert await revisions(store, "alice/new") == [1]


async def test_a_read_error_is_named_and_heals(store: FilesStore, disk: FaultyFiles) -> None:
    with disk.failing(read_at=BROKEN), pytest.raises(StoreUnavailable, match="the disk reports an error"):
        await store.read_newest(LOG)
    assert await revisions(store) == [1]


async def test_H2_a_header_whose_folder_was_not_synced_is_unknown_and_settled_before_it_is_shown(
    store: FilesStore, disk: FaultyFiles
) -> None:
    await store.create_header(header(notebook_id="first"))
    with disk.failing(sync_folder=BROKEN):
        with pytest.raises(OutcomeUnknown):
            await store.create_header(header())
        with pytest.raises(StoreUnavailable):
            await store.get_header("alice", "n1")
    with pytest.raises(HeaderExists) as refusal:
        await store.create_header(header())
    assert refusal.value.stored == header()


async def test_H1_a_header_that_could_not_be_replaced_is_as_it_was(store: FilesStore, disk: FaultyFiles) -> None:
    await store.create_header(header())
    for faults in ({"write_at": after_bytes(5, errno.ENOSPC)}, {"sync_data": BROKEN}):
        with disk.failing(**faults), pytest.raises(StoreUnavailable):
            await store.refresh_header("alice", "n1", name="new", revision=2, updated_at=2)
        assert (await store.list_headers("alice")).headers == (header(),)
    assert await store.refresh_header("alice", "n1", name="new", revision=2, updated_at=2)


async def test_W2_a_disk_that_fails_now_and_then_loses_nothing(store: FilesStore, disk: FaultyFiles) -> None:
    async def write(log_id: str) -> None:
        for revision in range(1, 11):
            one = record(revision, commit_id=f"{log_id}-{revision}", body=incompressible(300))
            assert (await append_until_definite(store, log_id, one)).accepted

    writing = [asyncio.create_task(write(f"alice/log-{number}")) for number in range(5)]
    while not all(task.done() for task in writing):
        with disk.failing(sync_data=BROKEN, write_at=after_bytes(700, errno.EIO), truncate=FULL):
            await asyncio.wait(writing, timeout=0.005)
        await asyncio.wait(writing, timeout=0.02)
    await asyncio.gather(*writing)
    assert {"sync_data", "write_at"} <= set(disk.met)
    for number in range(5):
        log_id = f"alice/log-{number}"
        assert [one.commit_id for one in await whole_log(store, log_id)] == [f"{log_id}-{r}" for r in range(1, 11)]
