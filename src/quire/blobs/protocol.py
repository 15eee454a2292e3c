"""What a blob store does."""

import hashlib
from collections.abc import AsyncIterator
from typing import Protocol

import msgspec

REFRESH_AFTER_MS = 12 * 3600 * 1000
"""A blob that is put again is written again if it is older: gc may take those of 24 h (B2)."""


class BlobInfo(msgspec.Struct, frozen=True):
    """A stored blob. `modified_at`: milliseconds since the epoch."""

    sha256: str
    size: int
    modified_at: int


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
