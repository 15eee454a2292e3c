"""Which blob store a URL means."""

import asyncio
import importlib.util
from pathlib import Path

from quire.blobs.folder import FolderBlobs
from quire.blobs.memory import MemoryBlobs
from quire.blobs.protocol import BlobStore, InvalidBlobsUrl

_KNOWN = "a folder, s3://bucket/prefix or memory:"
_S3_NEEDS = ("obstore", "botocore")


async def open_blobs(url: str) -> BlobStore:
    """The blob store at `url`: the path of a folder (``~`` is the home folder), ``s3://bucket/prefix`` or ``memory:``.

    Raises:
        InvalidBlobsUrl: not a URL of a blob store that this version has, or a package that it needs is missing.
        BlobsUnavailable: it cannot be used; the message says what to do.
    """
    if url == "memory:":
        return MemoryBlobs()
    scheme, separator, _ = url.partition("://")
    if not separator:
        if not url or url.startswith("memory:"):
            raise InvalidBlobsUrl(f"{url!r} names no blob store: use {_KNOWN}")
        return _folder(url)
    if scheme != "s3":
        raise InvalidBlobsUrl(f"no blob store is called {scheme!r}: use {_KNOWN}")
    if missing := [name for name in _S3_NEEDS if importlib.util.find_spec(name) is None]:
        raise InvalidBlobsUrl(f"S3 needs {' and '.join(missing)}: install Quire with its extra, quire[aws]")
    # In a thread: what it needs takes a third of a second to import.
    s3 = await asyncio.to_thread(importlib.import_module, "quire.blobs.s3")
    store: BlobStore = await s3.S3Blobs.open(url)
    return store


def _folder(path: str) -> FolderBlobs:
    return FolderBlobs(Path(path).expanduser())
