"""Blobs in memory: the model that other blob stores are checked against; for tests and simulations."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable

from quire.blobs.protocol import (
    REFRESH_AFTER_MS,
    STREAM_BYTES,
    BlobInfo,
    BlobMissing,
    BlobStream,
    BlobsUnavailable,
    sha256_of,
)


class MemoryBlobs:
    """A BlobStore in a dictionary. `now_ms`: the clock, milliseconds since the epoch."""

    def __init__(self, now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._now_ms = now_ms
        self._logs: dict[str, dict[str, tuple[bytes, int]]] = {}
        self._closed = False

    @property
    def description(self) -> str:
        return "memory (nothing is kept when the server stops)"

    async def put(self, log_id: str, data: bytes) -> str:
        self._check_open()
        sha256 = sha256_of(data)
        blobs = self._logs.setdefault(log_id, {})
        now = self._now_ms()
        if sha256 not in blobs or blobs[sha256][1] < now - REFRESH_AFTER_MS:
            blobs[sha256] = (data, now)
        return sha256

    async def get(self, log_id: str, sha256: str) -> bytes:
        self._check_open()
        try:
            return self._logs[log_id][sha256][0]
        except KeyError:
            raise BlobMissing(f"log {log_id} has no blob {sha256!r}") from None

    async def stream(self, log_id: str, sha256: str) -> BlobStream:
        data = await self.get(log_id, sha256)
        return BlobStream(len(data), _parts(data))

    async def list(self, log_id: str) -> AsyncIterator[BlobInfo]:
        self._check_open()
        for sha256, (data, modified_at) in sorted(self._logs.get(log_id, {}).items()):
            yield BlobInfo(sha256=sha256, size=len(data), modified_at=modified_at)

    async def delete(self, log_id: str, sha256: str, *, not_after: int) -> bool:
        self._check_open()
        blobs = self._logs.get(log_id, {})
        if sha256 not in blobs or blobs[sha256][1] > not_after:
            return False
        del blobs[sha256]
        return True

    async def close(self) -> None:
        self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise BlobsUnavailable("the blob store is closed")


async def _parts(data: bytes) -> AsyncGenerator[bytes, None]:
    for start in range(0, len(data), STREAM_BYTES):
        yield data[start : start + STREAM_BYTES]
