"""What a blob store does."""

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

import msgspec

REFRESH_AFTER_MS = 12 * 3600 * 1000
"""A blob that is put again is written again if it is older: gc may take those of 24 h (B2)."""


STREAM_BYTES = 256 * 1024
"""About what one part of a stream holds. Hashing so much takes less time than handing it to a thread."""


class BlobInfo(msgspec.Struct, frozen=True):
    """A stored blob. `modified_at`: milliseconds since the epoch."""

    sha256: str
    size: int
    modified_at: int


@dataclass(frozen=True, slots=True)
class BlobStream:
    """A blob that is read part by part; `size` in bytes.

    The last part comes only after all bytes were found to hash to the blob's name, so that whoever has `size` bytes has
    the blob. Otherwise BlobMissing comes in its place.
    """

    size: int
    parts: AsyncGenerator[bytes, None]


class BlobError(Exception):
    """Base of what a blob store raises."""


class BlobMissing(BlobError):
    """No blob of that name, or one whose bytes do not have that hash (a torn or damaged file)."""


class BlobsUnavailable(BlobError):
    """The store cannot be read or written now; the message says why."""


class InvalidBlobsUrl(ValueError):
    """A URL of a blob store that this version cannot open; the message says which ones it can."""


class BlobStore(Protocol):
    """Blobs live under a `log_id`, are named by their SHA-256, and never change (W6)."""

    @property
    def description(self) -> str:
        """For the start-up line, without secrets."""
        ...

    async def put(self, log_id: str, data: bytes) -> str:
        """Store `data` durably and return its SHA-256 in hex. Storing it again is no error.

        One that exists but is older than 12 h is written again, so that gc cannot take it just now (B2).
        """
        ...

    async def get(self, log_id: str, sha256: str) -> bytes:
        """The bytes, verified against their name. Raises BlobMissing."""
        ...

    async def stream(self, log_id: str, sha256: str) -> BlobStream:
        """The bytes, part by part. Raises BlobMissing here or, with BlobsUnavailable, while the parts are read."""
        ...

    def list(self, log_id: str) -> AsyncIterator[BlobInfo]:
        """All blobs of a log (gc)."""
        ...

    async def delete(self, log_id: str, sha256: str, *, not_after: int) -> bool:
        """Delete the blob if it was last modified at or before `not_after` (ms), checked again at the delete (B2)."""
        ...

    async def close(self) -> None: ...


def sha256_of(data: bytes) -> str:
    """The name of a blob."""
    return hashlib.sha256(data).hexdigest()


async def verified(parts: AsyncGenerator[bytes, None], sha256: str) -> AsyncGenerator[bytes, None]:
    """`parts`, the last of them held back until all are known to hash to `sha256`. Raises BlobMissing."""
    digest = hashlib.sha256()
    held = b""
    async with aclosing(parts):
        async for part in parts:
            digest.update(part)
            if held:
                yield held
            held = part
    if digest.hexdigest() != sha256:
        raise BlobMissing(f"blob {sha256} is damaged: its bytes have another hash")
    if held:
        yield held
