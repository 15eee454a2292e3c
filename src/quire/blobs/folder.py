"""Blobs in a local folder, durable when `put` returns (B1).

A log's blobs are files in a folder of their own, ``ROOT/ab/cdef../``, after the SHA-256 of the log's id: two ids never
share one, whatever characters they have and whether or not the file system tells capitals apart. A blob's file is
named by its own SHA-256.
"""

import asyncio
import contextlib
import errno
import fcntl
import hashlib
import os
import re
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BufferedReader
from pathlib import Path
from typing import TypeVar

from quire.blobs.protocol import (
    REFRESH_AFTER_MS,
    STREAM_BYTES,
    BlobInfo,
    BlobMissing,
    BlobStream,
    BlobsUnavailable,
    sha256_of,
    verified,
)

THREADS_MAX = 4

TEMPORARY_AGE_MAX_MS = 24 * 3600 * 1000
"""Temporary files older than this were left by a crash; listing a log removes them."""

_TEMPORARY_PREFIX = ".new-"
_NAME = re.compile(r"[0-9a-f]{64}")

T = TypeVar("T")


class FolderBlobs:
    """A BlobStore in the folder `root`, which is made (0700) when the first blob is put.

    Any number of processes may use one folder. Puts and deletes of one log exclude each other by a lock (flock) on
    its folder, so that a delete cannot take a blob which a put has just found or refreshed (B2).
    """

    def __init__(self, root: str | Path) -> None:
        self._root = Path(root).absolute()
        self._durable: set[Path] = set()
        """Folders that this process knows to be durable in their parents."""
        self._closed = False
        self._threads = ThreadPoolExecutor(THREADS_MAX, thread_name_prefix="quire-blobs")

    @property
    def description(self) -> str:
        return f"folder {self._root}"

    async def put(self, log_id: str, data: bytes) -> str:
        return await self._run(lambda: self._put(self._folder(log_id), data))

    async def get(self, log_id: str, sha256: str) -> bytes:
        if not _NAME.fullmatch(sha256):
            raise BlobMissing(f"{sha256!r} is not a SHA-256 in lower-case hex")
        return await self._run(lambda: _get(self._folder(log_id) / sha256))

    async def stream(self, log_id: str, sha256: str) -> BlobStream:
        if not _NAME.fullmatch(sha256):
            raise BlobMissing(f"{sha256!r} is not a SHA-256 in lower-case hex")
        path = self._folder(log_id) / sha256
        size = await self._run(lambda: _size(path))
        return BlobStream(size, verified(self._parts(path), sha256))

    async def _parts(self, path: Path) -> AsyncGenerator[bytes, None]:
        file = await self._run(lambda: _open(path))
        try:
            while part := await self._run(lambda: file.read(STREAM_BYTES)):
                yield part
        finally:
            file.close()

    async def list(self, log_id: str) -> AsyncIterator[BlobInfo]:
        for blob in await self._run(lambda: _list(self._folder(log_id))):
            yield blob

    async def delete(self, log_id: str, sha256: str, *, not_after: int) -> bool:
        if not _NAME.fullmatch(sha256):
            return False
        return await self._run(lambda: _delete(self._folder(log_id), sha256, not_after))

    async def close(self) -> None:
        self._closed = True
        # The threads are idle or about to be; a thread of the loop's own waits for them.
        await asyncio.to_thread(self._threads.shutdown)

    async def _run(self, work: Callable[[], T]) -> T:
        """`work`, done in a thread; an error of the file system becomes BlobsUnavailable."""
        if self._closed:
            raise BlobsUnavailable("the blob store is closed")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except OSError as error:
            raise BlobsUnavailable(f"blob folder {self._root}: {_reason(error)}") from error

    def _folder(self, log_id: str) -> Path:
        name = hashlib.sha256(log_id.encode()).hexdigest()
        return self._root / name[:2] / name[2:]

    def _put(self, folder: Path, data: bytes) -> str:
        sha256 = sha256_of(data)
        self._make_folder(folder)
        with _locked(folder, fcntl.LOCK_SH) as descriptor:
            if not _is_good(folder / sha256, len(data)):
                _write(folder, sha256, data)
            # Also if it was there: whoever wrote it may not have come as far as this yet.
            _sync(descriptor)
        return sha256

    def _make_folder(self, folder: Path) -> None:
        """Make a log's folder and those above it, durable.

        One that is there is synced too, once: whoever made it may not have come as far as that yet.
        """
        if folder in self._durable and folder.is_dir():
            return
        above = [self._root, folder.parent, folder]
        above[:0] = [parent for parent in self._root.parents if not parent.is_dir()][::-1]
        for made in above:
            made.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(made.parent, os.O_RDONLY)
            try:
                _sync(descriptor)
            finally:
                os.close(descriptor)
        self._durable.add(folder)


@contextlib.contextmanager
def _locked(folder: Path, operation: int) -> Iterator[int]:
    """Hold the lock of a log's folder, and give a descriptor of the folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, operation)
        yield descriptor
    finally:
        os.close(descriptor)  # unlocks


def _is_good(path: Path, size: int) -> bool:
    """Whether the blob is there whole, and young enough that gc will not take it before it is referred to."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return False
    return status.st_size == size and _age_ms(status) <= REFRESH_AFTER_MS


def _write(folder: Path, sha256: str, data: bytes) -> None:
    """Put the file in place by a rename: nobody sees a part of it, and one that is there is replaced by itself."""
    temporary = folder / f"{_TEMPORARY_PREFIX}{secrets.token_hex(8)}"
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            _sync(file.fileno())
        temporary.replace(folder / sha256)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _get(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise BlobMissing(f"no blob {path.name}") from None
    if sha256_of(data) != path.name:
        raise BlobMissing(f"the file of blob {path.name} is damaged: it has {len(data):,} bytes of another hash")
    return data


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        raise BlobMissing(f"no blob {path.name}") from None


def _open(path: Path) -> BufferedReader:
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise BlobMissing(f"no blob {path.name}") from None


def _list(folder: Path) -> list[BlobInfo]:
    blobs = []
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):  # deleted, or renamed into place, since it was listed
                status = entry.stat(follow_symlinks=False)
                if _NAME.fullmatch(entry.name):
                    blobs.append(BlobInfo(entry.name, status.st_size, _modified_at(status)))
                elif entry.name.startswith(_TEMPORARY_PREFIX) and _age_ms(status) > TEMPORARY_AGE_MAX_MS:
                    (folder / entry.name).unlink()
    return sorted(blobs, key=lambda blob: blob.sha256)


def _delete(folder: Path, sha256: str, not_after: int) -> bool:
    """Judge and delete under the lock: a put is either seen here, or begins after the file has gone."""
    try:
        with _locked(folder, fcntl.LOCK_EX):
            if _modified_at((folder / sha256).stat()) > not_after:
                return False
            (folder / sha256).unlink()
    except FileNotFoundError:
        return False
    return True


def _modified_at(status: os.stat_result) -> int:
    return status.st_mtime_ns // 1_000_000


def _age_ms(status: os.stat_result) -> int:
    return time.time_ns() // 1_000_000 - _modified_at(status)


def _sync(descriptor: int) -> None:
    os.fsync(descriptor)


def _reason(error: OSError) -> str:
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return f"the disk is full: make room on it ({error})"
        case errno.EROFS | errno.EACCES | errno.EPERM:
            return f"it may not be written or read: check its permissions ({error})"
        case _:
            return str(error)
