"""What only the folder has: files that must reach the disk, and that others may tear."""

import asyncio
import errno
import fcntl
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from quire.blobs import folder as folder_module
from quire.blobs.folder import FolderBlobs
from quire.blobs.protocol import REFRESH_AFTER_MS, STREAM_BYTES, BlobMissing, BlobsUnavailable, sha256_of

LOG = "alice/n1"
DATA = b"a figure"
NAME = sha256_of(DATA)
HOUR = 3600


@pytest.fixture
async def blobs(tmp_path: Path) -> AsyncIterator[FolderBlobs]:
    store = FolderBlobs(tmp_path / "a" / "blobs")
    yield store
    await store.close()


def the_file(blobs: FolderBlobs) -> Path:
    return blobs._folder(LOG) / NAME


def age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


class Recorder:
    """Notes which files and folders are synced, and when names change."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.events: list[tuple[str, Path]] = []
        real_sync, real_replace, real_mkdir = os.fsync, Path.replace, Path.mkdir

        def sync(descriptor: int) -> None:
            self.events.append(("sync", Path(f"/proc/self/fd/{descriptor}").readlink()))
            real_sync(descriptor)

        def replace(path: Path, target: Path) -> Path:
            self.events.append(("rename", path))
            return real_replace(path, target)

        def mkdir(path: Path, *args: Any, **kwargs: Any) -> None:
            if not path.is_dir():
                self.events.append(("mkdir", path))
            real_mkdir(path, *args, **kwargs)

        monkeypatch.setattr(os, "fsync", sync)
        monkeypatch.setattr(Path, "replace", replace)
        monkeypatch.setattr(Path, "mkdir", mkdir)

    def at(self, kind: str, path: Path) -> int:
        return self.events.index((kind, path))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="sees what is synced through /proc")
async def test_B1_the_file_and_every_new_name_are_synced_before_put_returns(
    blobs: FolderBlobs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    recorder = Recorder(monkeypatch)
    await blobs.put(LOG, DATA)
    folder = the_file(blobs).parent
    temporary = next(path for kind, path in recorder.events if kind == "rename")
    assert temporary.parent == folder
    assert recorder.at("sync", temporary) < recorder.at("rename", temporary) < recorder.at("sync", folder)
    made = [folder, folder.parent, tmp_path / "a" / "blobs", tmp_path / "a"]
    for new in made:
        assert recorder.at("mkdir", new) < recorder.at("sync", new.parent)
    assert recorder.events[-1] == ("sync", folder)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="sees what is synced through /proc")
async def test_B1_a_blob_that_another_put_has_just_renamed_is_synced_too(
    blobs: FolderBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    await blobs.put(LOG, DATA)
    other_process = FolderBlobs(blobs._root)
    recorder = Recorder(monkeypatch)
    await other_process.put(LOG, DATA)
    folder = the_file(blobs).parent
    assert [path for kind, path in recorder.events if kind == "rename"] == []
    assert {("sync", folder), ("sync", folder.parent), ("sync", blobs._root)} <= set(recorder.events)
    await other_process.close()


async def test_W6_the_name_of_a_folder_is_safe_on_any_file_system(blobs: FolderBlobs) -> None:
    names = set()
    for log_id in ("alice/n1", "Alice/n1", "alice/N1", "a" * 2000, "../x", "con", "a:b"):
        folder = blobs._folder(log_id)
        first, second = folder.relative_to(blobs._root).parts
        assert len(first) == 2
        assert len(second) == 62
        assert (first + second).isalnum()
        assert (first + second).islower()
        names.add(first + second)
    assert len(names) == 7


async def test_files_are_only_for_their_owner(blobs: FolderBlobs) -> None:
    await blobs.put(LOG, DATA)
    assert blobs._root.stat().st_mode & 0o777 == 0o700
    assert the_file(blobs).stat().st_mode & 0o777 == 0o600


async def test_B2_an_old_blob_is_written_again_and_a_young_one_is_not(blobs: FolderBlobs) -> None:
    await blobs.put(LOG, DATA)
    file = the_file(blobs)
    age(file, REFRESH_AFTER_MS / 1000 - 60)
    young = file.stat()
    await blobs.put(LOG, DATA)
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (young.st_ino, young.st_mtime_ns)
    age(file, REFRESH_AFTER_MS / 1000 + 60)
    await blobs.put(LOG, DATA)
    assert time.time() - file.stat().st_mtime < HOUR


@pytest.mark.parametrize("torn", [b"", b"a fig", b"a figure and more"])
async def test_B1_a_torn_file_is_missing_and_put_again(blobs: FolderBlobs, torn: bytes) -> None:
    await blobs.put(LOG, DATA)
    the_file(blobs).write_bytes(torn)
    with pytest.raises(BlobMissing, match="damaged"):
        await blobs.get(LOG, NAME)
    await blobs.put(LOG, DATA)
    assert await blobs.get(LOG, NAME) == DATA


async def test_W6_an_altered_file_is_missing(blobs: FolderBlobs) -> None:
    await blobs.put(LOG, DATA)
    the_file(blobs).write_bytes(DATA.upper())
    with pytest.raises(BlobMissing, match="damaged"):
        await blobs.get(LOG, NAME)


@pytest.mark.parametrize("damage", [lambda data: b"?" + data[1:], lambda data: data[:-1], lambda data: data + b"?"])
async def test_W6_a_stream_of_an_altered_file_never_gives_all_of_it(
    blobs: FolderBlobs, damage: Callable[[bytes], bytes]
) -> None:
    data = os.urandom(3 * STREAM_BYTES)
    name = await blobs.put(LOG, data)
    path = blobs._folder(LOG) / name
    path.write_bytes(damage(data))
    stream = await blobs.stream(LOG, name)
    seen: list[bytes] = []

    async def read() -> None:
        async for part in stream.parts:
            seen.append(part)  # noqa: PERF401 - what came before the error counts

    with pytest.raises(BlobMissing, match="damaged"):
        await read()
    assert 0 < sum(map(len, seen)) < stream.size


async def test_W6_a_file_that_goes_before_it_is_read_is_missing(blobs: FolderBlobs) -> None:
    stream = await blobs.stream(LOG, await blobs.put(LOG, DATA))
    the_file(blobs).unlink()
    with pytest.raises(BlobMissing):
        await anext(stream.parts)


async def test_B1_leftovers_of_a_crash_are_not_listed_and_go_after_a_day(blobs: FolderBlobs) -> None:
    await blobs.put(LOG, DATA)
    folder = the_file(blobs).parent
    young, old, foreign = folder / ".new-0001", folder / ".new-0002", folder / "README"
    for path in (young, old, foreign):
        path.write_bytes(b"part")
        age(path, 23 * HOUR)
    age(old, 25 * HOUR)
    age(foreign, 1000 * HOUR)
    assert [blob.sha256 async for blob in blobs.list(LOG)] == [NAME]
    assert (young.exists(), old.exists(), foreign.exists()) == (True, False, True)


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk is full"),
        (errno.EROFS, "permissions"),
        (errno.EIO, "blob folder"),
    ],
)
async def test_a_disk_that_fails_is_named_leaves_nothing_and_heals(
    blobs: FolderBlobs, monkeypatch: pytest.MonkeyPatch, code: int, hint: str
) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    await blobs.put(LOG, b"before")
    with monkeypatch.context() as patched:
        patched.setattr(folder_module, "_sync", fail)
        with pytest.raises(BlobsUnavailable, match=hint) as refusal:
            await blobs.put(LOG, DATA)
        assert os.strerror(code) in str(refusal.value)
    with pytest.raises(BlobMissing):
        await blobs.get(LOG, NAME)
    assert len(list(the_file(blobs).parent.iterdir())) == 1
    await blobs.put(LOG, DATA)
    assert await blobs.get(LOG, NAME) == DATA


async def test_a_root_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    blobs = FolderBlobs(tmp_path / "file")
    with pytest.raises(BlobsUnavailable, match="file"):
        await blobs.put(LOG, DATA)
    await blobs.close()


async def test_a_folder_that_was_removed_is_made_again(blobs: FolderBlobs) -> None:
    await blobs.put(LOG, DATA)
    the_file(blobs).unlink()
    the_file(blobs).parent.rmdir()
    await blobs.put(LOG, DATA)
    assert await blobs.get(LOG, NAME) == DATA


@contextmanager
def holding(folder: Path, operation: int) -> Iterator[None]:
    """Hold a log's lock, as another process in the middle of a put (shared) or a delete (exclusive) does."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, operation)
        yield
    finally:
        os.close(descriptor)


async def test_B2_a_delete_judges_the_age_after_a_put_that_is_under_way(blobs: FolderBlobs) -> None:
    await blobs.put(LOG, DATA)
    age(the_file(blobs), 25 * HOUR)
    day_ago = time.time_ns() // 1_000_000 - 24 * HOUR * 1000
    with holding(the_file(blobs).parent, fcntl.LOCK_SH):
        deleting = asyncio.create_task(blobs.delete(LOG, NAME, not_after=day_ago))
        done, _ = await asyncio.wait([deleting], timeout=0.05)
        assert not done
        age(the_file(blobs), 0)
    assert not await deleting
    assert await blobs.get(LOG, NAME) == DATA


async def test_B2_a_put_writes_again_what_a_delete_under_way_takes(blobs: FolderBlobs) -> None:
    await blobs.put(LOG, DATA)
    with holding(the_file(blobs).parent, fcntl.LOCK_EX):
        putting = asyncio.create_task(blobs.put(LOG, DATA))
        done, _ = await asyncio.wait([putting], timeout=0.05)
        assert not done
        the_file(blobs).unlink()
    await putting
    assert await blobs.get(LOG, NAME) == DATA


async def test_closing_leaves_no_thread(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    await asyncio.gather(*(blobs.put(LOG, bytes([number])) for number in range(20)))
    await blobs.close()
    await blobs.close()
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("quire-")] == []
