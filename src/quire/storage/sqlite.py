"""The SQLite engine: one database file, any number of processes on one machine."""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Self

import apsw
import msgspec

from quire.storage.cursors import decode_cursor, encode_cursor, list_limit
from quire.storage.items import Item, item_bytes, pack_record, page_of, raw_bytes, take_page, unpack_item
from quire.storage.protocol import (
    PAGE_RECORDS_MAX,
    Engine,
    Header,
    HeaderExists,
    HeaderPage,
    KeyExists,
    Page,
    Record,
    StoreUnavailable,
)
from quire.storage.sqlite_connection import BUSY_SECONDS_MAX, FileIdentity, explain
from quire.storage.sqlite_readers import SqliteReaders
from quire.storage.sqlite_schema import REVISION_BITS, open_database
from quire.storage.sqlite_writer import SqliteWriter

_PACK_INLINE_BYTES = 16 * 1024
"""Up to here packing a record takes less time than handing it to a thread."""

_DELETE_RECORDS = 256
"""Records erased in one transaction: writers wait for it."""

_SCAN_HEADERS = 500

_REVISION_MASK = (1 << REVISION_BITS) - 1

_ITEMS = f"""
    SELECT position & {_REVISION_MASK}, commit_id, body, checkpoint_revision, checkpoint
    FROM logs JOIN commits
    ON position > (number << {REVISION_BITS}) + ?2 AND position < (number + 1) << {REVISION_BITS}
    WHERE log_id = ?1
"""  # noqa: S608 - a constant of ours; one statement, so that the log cannot change between two
_HEADERS = """
    SELECT user_id, notebook_id, name, revision, created_at, updated_at, deleted_at, db_conn_string, ttl FROM headers
"""


class SqliteStore:
    """A NotebookStore in a SQLite database; made by `open`."""

    engine: Engine = "sqlite"

    def __init__(self, path: Path, readers: SqliteReaders, writer: SqliteWriter) -> None:
        self._path = path
        self._readers = readers
        self._writer = writer

    @classmethod
    async def open(cls, path: str | Path, *, busy_seconds: float = BUSY_SECONDS_MAX, vfs: str | None = None) -> Self:
        """The store in the database file at `path`; the file and its folder are made if missing.

        `busy_seconds`: how long a write waits for other processes. `vfs`: SQLite's, for tests of faults.

        Raises:
            StoreUnavailable: it cannot be opened, or is not ours; the message says what to do.
        """
        path = await asyncio.to_thread(Path(path).absolute)
        try:
            connection = await asyncio.to_thread(open_database, path, vfs=vfs)
            identity = FileIdentity(path)
        except apsw.Error as error:
            raise StoreUnavailable(explain(error, path)) from error
        except OSError as error:
            raise StoreUnavailable(f"database {path}: {error}") from error
        writer = SqliteWriter(connection, identity, vfs=vfs, busy_seconds=busy_seconds)
        return cls(path, SqliteReaders(identity, vfs=vfs), writer)

    @property
    def description(self) -> str:
        return f"SQLite database {self._path}"

    async def append(self, log_id: str, record: Record) -> None:
        if raw_bytes(record) <= _PACK_INLINE_BYTES:
            item = pack_record(log_id, record)
        else:
            item = await self._readers.run(lambda: pack_record(log_id, record))
        await self._writer.submit(lambda connection: _append(connection, log_id, item), size=item.size)

    async def read_newest(self, log_id: str, limit: int = PAGE_RECORDS_MAX) -> Page:
        def query(connection: apsw.Connection) -> Page:
            with _items(connection, log_id, 0, newest_first=True) as items:
                taken, more = take_page(items, limit)
            return page_of(log_id, taken[::-1], more=more)

        return await self._readers.read(query)

    async def read_after(self, log_id: str, revision: int, limit: int = PAGE_RECORDS_MAX) -> Page:
        def query(connection: apsw.Connection) -> Page:
            with _items(connection, log_id, max(revision, 0)) as items:
                taken, more = take_page(items, limit)
            return page_of(log_id, taken, more=more)

        return await self._readers.read(query)

    async def read_one(self, log_id: str, revision: int) -> Record | None:
        return await self._readers.read(lambda connection: _read_one(connection, log_id, revision))

    async def create_header(self, header: Header) -> None:
        def write(connection: apsw.Connection) -> None:
            stored = _get_header(connection, header.user_id, header.notebook_id)
            if stored is not None:
                raise HeaderExists(stored)
            connection.execute(
                """INSERT INTO headers VALUES (:user_id, :notebook_id, :name, :revision, :created_at, :updated_at,
                :deleted_at, :db_conn_string, :ttl)""",
                msgspec.structs.asdict(header),
            )

        await self._writer.submit(write)

    async def get_header(self, user_id: str, notebook_id: str) -> Header | None:
        return await self._readers.read(lambda connection: _get_header(connection, user_id, notebook_id))

    async def find_headers(self, notebook_id: str) -> tuple[Header, ...]:
        sql = _HEADERS + "WHERE notebook_id = ? ORDER BY user_id"
        return await self._readers.read(lambda connection: _headers(connection, sql, (notebook_id,)))

    async def list_headers(
        self, user_id: str, *, limit: int = 100, cursor: str | None = None, trash: bool = False
    ) -> HeaderPage:
        after = decode_cursor(user_id, cursor, trash=trash)
        limit = list_limit(limit)
        sql = _HEADERS + "WHERE user_id = ? AND notebook_id > ? AND (deleted_at > 0) = ? ORDER BY notebook_id LIMIT ?"
        values = (user_id, after, trash, limit + 1)
        found = await self._readers.read(lambda connection: _headers(connection, sql, values))
        page = found[:limit]
        more = len(found) > limit
        return HeaderPage(page, encode_cursor(user_id, page[-1].notebook_id, trash=trash) if more else None)

    async def refresh_header(
        self, user_id: str, notebook_id: str, *, name: str, revision: int, updated_at: int
    ) -> bool:
        return await self._update(
            """UPDATE headers SET name = ?, revision = ?, updated_at = ?
            WHERE user_id = ? AND notebook_id = ? AND revision < ?""",
            (name, revision, updated_at, user_id, notebook_id, revision),
        )

    async def trash_header(self, user_id: str, notebook_id: str, *, deleted_at: int, ttl: int = 0) -> bool:
        return await self._update(
            "UPDATE headers SET deleted_at = ?, ttl = ? WHERE user_id = ? AND notebook_id = ?",
            (deleted_at, ttl, user_id, notebook_id),
        )

    async def set_connection(self, user_id: str, notebook_id: str, *, db_conn_string: bytes) -> bool:
        return await self._update(
            "UPDATE headers SET db_conn_string = ? WHERE user_id = ? AND notebook_id = ?",
            (db_conn_string, user_id, notebook_id),
        )

    async def delete_header(self, user_id: str, notebook_id: str) -> None:
        await self._update("DELETE FROM headers WHERE user_id = ? AND notebook_id = ?", (user_id, notebook_id))

    async def delete_log(self, log_id: str) -> None:
        while await self._writer.submit(lambda connection: _delete_oldest(connection, log_id)):
            pass  # a part at a time: other writers go in between

    async def scan_headers(self) -> AsyncIterator[Header]:
        sql = _HEADERS + "WHERE (user_id, notebook_id) > (?, ?) ORDER BY user_id, notebook_id LIMIT ?"
        user_id = notebook_id = ""
        while True:
            values = (user_id, notebook_id, _SCAN_HEADERS)
            headers = await self._readers.read(functools.partial(_headers, sql=sql, values=values))
            if not headers:
                return
            for header in headers:
                yield header
            user_id, notebook_id = headers[-1].user_id, headers[-1].notebook_id

    async def check(self) -> None:
        await self._update("INSERT INTO probe VALUES (1, 1) ON CONFLICT DO UPDATE SET checks = checks + 1", ())

    async def close(self) -> None:
        self._readers.refuse()
        await self._writer.close(self._readers.end)

    async def _update(self, sql: str, values: tuple[Any, ...]) -> bool:
        """Whether the statement changed a row."""

        def write(connection: apsw.Connection) -> bool:
            connection.execute(sql, values)
            return connection.changes() > 0

        return await self._writer.submit(write)


def _append(connection: apsw.Connection, log_id: str, item: Item) -> None:
    """W1: only if the log ends just before it."""
    number = connection.execute("SELECT number FROM logs WHERE log_id = ?", (log_id,)).get
    head = 0 if number is None else _head(connection, number)
    if item.revision != head + 1:
        raise KeyExists(item.revision, _read_one(connection, log_id, item.revision))
    if number is None:
        number = connection.execute("INSERT INTO logs(log_id) VALUES (?) RETURNING number", (log_id,)).get
    connection.execute(
        "INSERT INTO commits VALUES (?, ?, ?, ?, ?)",
        (number << REVISION_BITS | item.revision, item.commit_id, item.body, item.checkpoint_revision, item.checkpoint),
    )


def _head(connection: apsw.Connection, number: int) -> int:
    """The newest revision of a log; 0: it has none."""
    position = connection.execute(
        "SELECT position FROM commits WHERE position > ? AND position < ? ORDER BY position DESC LIMIT 1",
        (number << REVISION_BITS, number + 1 << REVISION_BITS),
    ).get
    return 0 if position is None else position & _REVISION_MASK


def _delete_oldest(connection: apsw.Connection, log_id: str) -> bool:
    """Erase some of the oldest records; whether any were left. The head goes last: it keeps stale writers out."""
    number = connection.execute("SELECT number FROM logs WHERE log_id = ?", (log_id,)).get
    if number is None:
        return False
    connection.execute(
        """DELETE FROM commits WHERE position IN (
            SELECT position FROM commits WHERE position > ? AND position < ? ORDER BY position LIMIT ?)""",
        (number << REVISION_BITS, number + 1 << REVISION_BITS, _DELETE_RECORDS),
    )
    if _head(connection, number) > 0:
        return True
    connection.execute("DELETE FROM logs WHERE number = ?", (number,))
    return False


@contextlib.contextmanager
def _items(
    connection: apsw.Connection, log_id: str, after: int, *, newest_first: bool = False
) -> Iterator[Iterator[Item]]:
    """The records of a log behind revision `after`, read as they are taken; leaving ends the read."""
    sql = _ITEMS + ("ORDER BY position DESC" if newest_first else "ORDER BY position")
    cursor = connection.execute(sql, (log_id, after))
    try:
        yield (
            Item(revision, commit_id, body, based, checkpoint, item_bytes(log_id, commit_id, body, checkpoint))
            for revision, commit_id, body, based, checkpoint in cursor
        )
    finally:
        cursor.close()


def _read_one(connection: apsw.Connection, log_id: str, revision: int) -> Record | None:
    with _items(connection, log_id, revision - 1) as items:
        item = next(items, None)
    return unpack_item(log_id, item) if item is not None and item.revision == revision else None


def _headers(connection: apsw.Connection, sql: str, values: tuple[Any, ...]) -> tuple[Header, ...]:
    return tuple(Header(*row) for row in connection.execute(sql, values))


def _get_header(connection: apsw.Connection, user_id: str, notebook_id: str) -> Header | None:
    found = _headers(connection, _HEADERS + "WHERE user_id = ? AND notebook_id = ?", (user_id, notebook_id))
    return found[0] if found else None
