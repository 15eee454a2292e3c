"""What every blob store does. A title names the rule that the test proves."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from quire.blobs.memory import MemoryBlobs
from quire.blobs.protocol import BlobInfo, BlobMissing, BlobStore, BlobsUnavailable, sha256_of
from quire.blobs.urls import open_blobs

LOG = "alice/n1"
ODD_LOG = "%7C%21!$&'()*+,-.:;=@_~/A|~" + "x" * 512
LATER = 2**60


@pytest.fixture(params=["memory", "folder", "s3"])
async def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[BlobStore]:
    urls = {"memory": "memory:", "folder": str(tmp_path / "blobs")}
    url = request.getfixturevalue("bucket_url") if request.param == "s3" else urls[request.param]
    store = await open_blobs(url)
    yield store
    await store.close()


async def listed(blobs: BlobStore, log_id: str) -> list[BlobInfo]:
    return [blob async for blob in blobs.list(log_id)]


@pytest.mark.parametrize("data", [b"", b"\0", b"PNG\r\n\x1a", bytes(range(256)) * 20_000])
async def test_W6_a_blob_comes_back_by_its_hash(blobs: BlobStore, data: bytes) -> None:
    name = await blobs.put(LOG, data)
    assert name == sha256_of(data)
    assert await blobs.get(LOG, name) == data


async def test_W6_storing_again_is_no_error(blobs: BlobStore) -> None:
    names = await asyncio.gather(*(blobs.put(LOG, b"same") for _ in range(20)))
    assert set(names) == {sha256_of(b"same")}
    assert len(await listed(blobs, LOG)) == 1


async def test_W6_logs_do_not_share_blobs(blobs: BlobStore) -> None:
    name = await blobs.put(LOG, b"mine")
    for other in ("alice/N1", "Alice/n1", "alice/n", "bob/n1", ODD_LOG):
        with pytest.raises(BlobMissing):
            await blobs.get(other, name)
        assert await listed(blobs, other) == []
        assert not await blobs.delete(other, name, not_after=LATER)
    assert await blobs.get(LOG, name) == b"mine"


async def test_W6_ids_of_any_characters(blobs: BlobStore) -> None:
    for log_id in (ODD_LOG, "../../etc/x", "a/../b", "/", "", "\U0001f9ea", "a\0b"):
        name = await blobs.put(log_id, log_id.encode())
        assert await blobs.get(log_id, name) == log_id.encode()


@pytest.mark.parametrize(
    "name", ["", "x", "../../../etc/passwd", "a" * 63, "A" * 64, "a" * 64 + "\n", "g" * 64, "é" * 64]
)
async def test_a_name_that_is_no_hash_names_no_blob(blobs: BlobStore, name: str) -> None:
    with pytest.raises(BlobMissing):
        await blobs.get(LOG, name)
    assert not await blobs.delete(LOG, name, not_after=LATER)


async def test_a_blob_that_was_never_stored_is_missing(blobs: BlobStore) -> None:
    await blobs.put(LOG, b"other")
    with pytest.raises(BlobMissing):
        await blobs.get(LOG, sha256_of(b"never"))


async def test_B2_a_list_tells_size_and_age(blobs: BlobStore) -> None:
    before = time.time_ns() // 1_000_000
    names = {await blobs.put(LOG, b"x" * size): size for size in (0, 5, 1000)}
    after = time.time_ns() // 1_000_000
    found = await listed(blobs, LOG)
    assert {blob.sha256: blob.size for blob in found} == names
    # A file system may stamp with a clock that ticks every few milliseconds; S3 does with whole seconds.
    assert all(before - 1000 <= blob.modified_at <= after for blob in found)


async def test_B2_a_delete_takes_only_what_is_old_enough(blobs: BlobStore) -> None:
    name = await blobs.put(LOG, b"young")
    modified_at = (await listed(blobs, LOG))[0].modified_at
    assert not await blobs.delete(LOG, name, not_after=modified_at - 1)
    assert await blobs.get(LOG, name) == b"young"
    assert await blobs.delete(LOG, name, not_after=modified_at)
    assert not await blobs.delete(LOG, name, not_after=LATER)
    with pytest.raises(BlobMissing):
        await blobs.get(LOG, name)
    await blobs.put(LOG, b"young")
    assert await blobs.get(LOG, name) == b"young"


async def test_a_closed_store_refuses(blobs: BlobStore) -> None:
    await blobs.close()
    with pytest.raises(BlobsUnavailable):
        await blobs.put(LOG, b"x")
    with pytest.raises(BlobsUnavailable):
        await blobs.get(LOG, sha256_of(b"x"))


async def test_B2_memory_writes_an_old_blob_again() -> None:
    now = [1_000_000_000]
    blobs = MemoryBlobs(now_ms=lambda: now[0])
    name = await blobs.put(LOG, b"x")
    now[0] += 12 * 3600 * 1000
    await blobs.put(LOG, b"x")
    assert (await listed(blobs, LOG))[0].modified_at == 1_000_000_000
    now[0] += 1
    await blobs.put(LOG, b"x")
    assert (await listed(blobs, LOG)) == [BlobInfo(sha256=name, size=1, modified_at=now[0])]
