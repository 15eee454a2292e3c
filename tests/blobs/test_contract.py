"""Every blob store keeps the contract."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from quire.blobs.contract import LOG, BlobContract, listed
from quire.blobs.memory import MemoryBlobs
from quire.blobs.protocol import BlobInfo, BlobStore
from quire.blobs.urls import open_blobs


@pytest.fixture(params=["memory", "folder", "s3"])
async def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[BlobStore]:
    urls = {"memory": "memory:", "folder": str(tmp_path / "blobs")}
    url = request.getfixturevalue("bucket_url") if request.param == "s3" else urls[request.param]
    store = await open_blobs(url)
    yield store
    await store.close()


class TestBlobs(BlobContract):
    """On each of them."""


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
