import importlib.util
from pathlib import Path

import pytest

from quire.blobs.folder import FolderBlobs
from quire.blobs.memory import MemoryBlobs
from quire.blobs.protocol import InvalidBlobsUrl
from quire.blobs.s3 import S3Blobs
from quire.blobs.urls import open_blobs


async def test_memory() -> None:
    assert isinstance(await open_blobs("memory:"), MemoryBlobs)


async def test_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for url in (str(tmp_path / "blobs"), "~/blobs"):
        blobs = await open_blobs(url)
        assert isinstance(blobs, FolderBlobs)
        assert blobs.description == f"folder {tmp_path}/blobs"
        await blobs.close()


async def test_s3(bucket_url: str) -> None:
    assert isinstance(await open_blobs(bucket_url), S3Blobs)


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("", "names no blob store"),
        ("memory:x", "names no blob store"),
        ("gs://bucket", "no blob store is called 'gs'"),
        ("s3://", "s3://bucket/prefix"),
    ],
)
async def test_other_urls_are_refused_with_a_hint(url: str, hint: str) -> None:
    with pytest.raises(InvalidBlobsUrl, match=hint):
        await open_blobs(url)


async def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "obstore" else object())
    with pytest.raises(InvalidBlobsUrl, match=r"S3 needs obstore: install Quire with its extra, quire\[aws\]"):
        await open_blobs("s3://bucket/prefix")
