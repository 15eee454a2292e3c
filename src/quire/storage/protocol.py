"""What a storage engine does: the store protocol, its values and its errors.

Rule IDs are those of SPEC.md. The contract suite in quire.storage.contract holds every engine to them.
"""

from collections.abc import AsyncIterator
from typing import Literal, Protocol, runtime_checkable

import msgspec

ITEM_BYTES_MAX = 350 * 1024
"""Largest record, keys and checkpoint included, as stored: DynamoDB stops at 400 KB (W7)."""

PAGE_RECORDS_MAX = 64
PAGE_BYTES_MAX = 1024 * 1024
"""What one page of records holds at most: DynamoDB's own limit of a query (C2)."""


Engine = Literal["memory", "sqlite", "files", "dynamodb"]


class Record(msgspec.Struct, frozen=True):
    """One position of a log."""

    revision: int
    commit_id: str
    body: bytes
    checkpoint_revision: int
    """The newest record, this one included, that carries a checkpoint (C1)."""
    checkpoint: bytes | None = None


class Page(msgspec.Struct, frozen=True):
    """Some records of a log, revisions ascending, and whether the range holds more."""

    records: tuple[Record, ...]
    more: bool


class Header(msgspec.Struct, frozen=True):
    """The row used to list and to own. Times are milliseconds since the epoch; 0: not set."""

    user_id: str
    notebook_id: str
    name: str
    revision: int
    created_at: int
    updated_at: int
    deleted_at: int = 0
    db_conn_string: bytes = b""
    """Encrypted; empty: none."""
    ttl: int = 0
    """Seconds since the epoch; set only on tombstones that may vanish (H4)."""


class HeaderPage(msgspec.Struct, frozen=True):
    """Some headers of one user, and where the next page starts; no cursor: that was the last."""

    headers: tuple[Header, ...]
    next_cursor: str | None


class StorageError(Exception):
    """Base of what a store raises. The message says what failed and what to do; it never holds credentials."""


class KeyExists(StorageError):
    """The log has a record at that revision, or does not end just before it (W1). Nothing was written.

    `stored` is the record at that revision where the engine knows it; None where it must be read.
    """

    def __init__(self, revision: int, stored: Record | None) -> None:
        super().__init__(f"revision {revision} exists or does not follow the head")
        self.revision = revision
        self.stored = stored


class HeaderExists(StorageError):
    """`create_header` found a header with that key. `stored` is it."""

    def __init__(self, stored: Header) -> None:
        super().__init__(f"notebook {stored.notebook_id} exists")
        self.stored = stored


class OutcomeUnknown(StorageError):
    """The write may or may not have happened: send the same bytes again until the answer is definite (W2)."""


class StoreUnavailable(StorageError):
    """Nothing was written, and a retry now will not help: full or read-only disk, no permission, no table."""


class ItemTooLarge(StorageError):
    """A record above the limit; nothing was written (W7)."""

    def __init__(self, size: int) -> None:
        super().__init__(f"a record of {size:,} bytes is above the limit of {ITEM_BYTES_MAX:,} bytes")
        self.size = size


class DamagedRecord(StorageError):
    """What is stored at one revision cannot be unpacked: the disk or somebody altered it."""


class InvalidCursor(StorageError):
    """A cursor that this store did not give, or gave to another user."""


class NotebookStore(Protocol):
    """One storage engine. All methods may raise StoreUnavailable; writes may raise OutcomeUnknown.

    Reads are strongly consistent: they see every write that was answered before they began.
    """

    @property
    def engine(self) -> str:
        """What kind of store it is: one word in lower case."""
        ...

    @property
    def description(self) -> str:
        """For the start-up line: the engine and where its data is, without secrets."""
        ...

    async def append(self, log_id: str, record: Record) -> None:
        """Put `record` at `(log_id, record.revision)` if nothing is there and the log ends just before it (W1).

        Durable when it returns.

        Raises:
            KeyExists, ItemTooLarge: nothing was written. OutcomeUnknown: see W2.
        """
        ...

    async def read_newest(self, log_id: str, limit: int = PAGE_RECORDS_MAX) -> Page:
        """The newest records, at most `limit`, PAGE_RECORDS_MAX and PAGE_BYTES_MAX (but at least one), ascending.

        An unknown log gives an empty page.
        """
        ...

    async def read_after(self, log_id: str, revision: int, limit: int = PAGE_RECORDS_MAX) -> Page:
        """The records from `revision + 1` on, bounded as in `read_newest`; `more` if the log goes on."""
        ...

    async def read_one(self, log_id: str, revision: int) -> Record | None:
        """The record at `revision`, if there is one."""
        ...

    async def create_header(self, header: Header) -> None:
        """Put `header` if there is none with its key. Raises HeaderExists."""
        ...

    async def get_header(self, user_id: str, notebook_id: str) -> Header | None:
        """The header, trashed or not."""
        ...

    async def find_headers(self, notebook_id: str) -> tuple[Header, ...]:
        """The headers with that id, of whichever users: for operators' commands, not for users' requests."""
        ...

    async def list_headers(
        self, user_id: str, *, limit: int = 100, cursor: str | None = None, trash: bool = False
    ) -> HeaderPage:
        """A page of the user's headers, those in the trash or the others, in `notebook_id` order.

        Following `next_cursor` visits every header that exists throughout exactly once.

        Raises:
            InvalidCursor: not a cursor of this user and list.
        """
        ...

    async def refresh_header(
        self, user_id: str, notebook_id: str, *, name: str, revision: int, updated_at: int
    ) -> bool:
        """Set the three together, only if the header exists and its revision is lower; never an upsert (H1).

        Returns whether it was set.
        """
        ...

    async def trash_header(self, user_id: str, notebook_id: str, *, deleted_at: int, ttl: int = 0) -> bool:
        """Set `deleted_at` (0: out of the trash) and `ttl`, only if the header exists (H3)."""
        ...

    async def set_connection(self, user_id: str, notebook_id: str, *, db_conn_string: bytes) -> bool:
        """Set the encrypted connection string, only if the header exists."""
        ...

    async def delete_header(self, user_id: str, notebook_id: str) -> None:
        """Erase the header (gc only, after the log)."""
        ...

    async def delete_log(self, log_id: str) -> None:
        """Erase all records of a log (gc only, a day after its purging commit: W9)."""
        ...

    def scan_headers(self) -> AsyncIterator[Header]:
        """Every header of every user, in no particular order: gc, migrate and doctor only (H4)."""
        ...

    async def check(self) -> None:
        """Raise StoreUnavailable, with the reason, if the store cannot be written now."""
        ...

    async def close(self) -> None:
        """Let go of files, threads and sockets. Further calls are an error."""
        ...


class OlderNotebook(msgspec.Struct, frozen=True):
    """A notebook as an older server keeps it: as a whole."""

    document: bytes
    """A JSON object, without its connection string where the header keeps that."""
    revision: int
    """As the older server counts; 0: it does not."""
    first_revision: int
    """Where the log that takes it over begins."""


@runtime_checkable
class OlderLayout(Protocol):
    """What an engine does as well if notebooks in an older layout may lie where it keeps its own.

    Its lists and `get_header` show them, with another `created_at` than that of a log, until they are taken over: by
    beginning a log, creating the header, and retiring the older form, in this order.
    """

    async def read_older(self, user_id: str, notebook_id: str) -> OlderNotebook | None:
        """The user's notebook in the older layout; None: there is none, or it was retired."""
        ...

    async def begin_log(self, log_id: str, record: Record) -> None:
        """As `append`, but to an empty log only, and at its `first_revision`. Raises as `append` does."""
        ...

    async def retire_older(
        self, user_id: str, notebook_id: str, older: OlderNotebook, *, name: str, revision: int, updated_at: int
    ) -> bool:
        """End the older form, if it still is `older`, as `read_older` gave it; whether it was.

        The header stays, and says those three from then on. Where the older form counts in the header itself, this is
        one write with the end of that form: the revision may become lower in it, and only in it (H1).
        """
        ...
