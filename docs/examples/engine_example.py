"""A storage engine in one file: every write is a line of a journal, and what the lines say is kept in memory.

To be read beside docs/engines.md; it passes the contract. It keeps all data in memory and reads the whole journal at
the start, so it suits small stores only.
"""

# ruff: noqa: INP001 - an example, of no package

import asyncio
import contextlib
import errno
import fcntl
import os
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from io import FileIO
from itertools import islice
from pathlib import Path
from typing import Self, TypeVar

import msgspec

from quire.storage.cursors import decode_cursor, encode_cursor, list_limit
from quire.storage.items import Item, pack_record, page_of, take_page, unpack_item
from quire.storage.protocol import (
    PAGE_RECORDS_MAX,
    Header,
    HeaderExists,
    HeaderPage,
    KeyExists,
    OutcomeUnknown,
    Page,
    Record,
    StoreUnavailable,
)

T = TypeVar("T")


class Line(msgspec.Struct, omit_defaults=True):
    """One write. Bytes become base64 in JSON."""

    log_id: str = ""
    item: Item | None = None  # none: the log was erased
    key: tuple[str, str] | None = None
    header: Header | None = None  # none: the header was erased


class JournalStore:
    """A NotebookStore in one file of one process. One thread does everything, a call at a time: so each method is one
    transaction (W1), the event loop never waits for the disk, and a caller that is cancelled leaves nothing half done.
    """

    engine = "journal"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1)
        self._closed = False
        self._logs: dict[str, list[Item]] = {}  # revision r at index r - 1
        self._headers: dict[tuple[str, str], Header] = {}

    @classmethod
    async def open(cls, path: Path) -> Self:
        store = cls(path)
        try:
            await store._run(store._load)
        except BaseException:
            await store.close()
            raise
        return store

    @property
    def description(self) -> str:
        return f"journal {self._path}"

    # -- logs

    async def append(self, log_id: str, record: Record) -> None:
        def work() -> None:
            item = pack_record(log_id, record)  # refuses what is too large (W7)
            if record.revision != len(self._logs.get(log_id, [])) + 1:
                raise KeyExists(record.revision, self._one(log_id, record.revision))
            self._write(Line(log_id=log_id, item=item))

        await self._run(work)

    async def read_newest(self, log_id: str, limit: int = PAGE_RECORDS_MAX) -> Page:
        def work() -> Page:
            items, more = take_page(reversed(self._logs.get(log_id, [])), limit)
            return page_of(log_id, items[::-1], more=more)

        return await self._run(work)

    async def read_after(self, log_id: str, revision: int, limit: int = PAGE_RECORDS_MAX) -> Page:
        def work() -> Page:
            items, more = take_page(islice(self._logs.get(log_id, []), max(revision, 0), None), limit)
            return page_of(log_id, items, more=more)

        return await self._run(work)

    async def read_one(self, log_id: str, revision: int) -> Record | None:
        return await self._run(lambda: self._one(log_id, revision))

    async def delete_log(self, log_id: str) -> None:
        await self._run(lambda: self._write(Line(log_id=log_id)))

    # -- headers

    async def create_header(self, header: Header) -> None:
        def work() -> None:
            if stored := self._headers.get((header.user_id, header.notebook_id)):
                raise HeaderExists(stored)
            self._put(header)

        await self._run(work)

    async def get_header(self, user_id: str, notebook_id: str) -> Header | None:
        return await self._run(lambda: self._headers.get((user_id, notebook_id)))

    async def find_headers(self, notebook_id: str) -> tuple[Header, ...]:
        return await self._run(lambda: tuple(one for one in self._sorted() if one.notebook_id == notebook_id))

    async def list_headers(
        self, user_id: str, *, limit: int = 100, cursor: str | None = None, trash: bool = False
    ) -> HeaderPage:
        after = decode_cursor(user_id, cursor, trash=trash)

        def work() -> HeaderPage:
            wanted = (one for one in self._sorted() if one.user_id == user_id and (one.deleted_at > 0) == trash)
            found = [one for one in wanted if one.notebook_id > after]
            page = tuple(found[: list_limit(limit)])
            more = len(found) > len(page)
            return HeaderPage(page, encode_cursor(user_id, page[-1].notebook_id, trash=trash) if more else None)

        return await self._run(work)

    async def refresh_header(
        self, user_id: str, notebook_id: str, *, name: str, revision: int, updated_at: int
    ) -> bool:
        fields = {"name": name, "revision": revision, "updated_at": updated_at}
        return await self._run(lambda: self._change(user_id, notebook_id, fields, newer_than=revision))

    async def trash_header(self, user_id: str, notebook_id: str, *, deleted_at: int, ttl: int = 0) -> bool:
        return await self._run(lambda: self._change(user_id, notebook_id, {"deleted_at": deleted_at, "ttl": ttl}))

    async def set_connection(self, user_id: str, notebook_id: str, *, db_conn_string: bytes) -> bool:
        return await self._run(lambda: self._change(user_id, notebook_id, {"db_conn_string": db_conn_string}))

    async def delete_header(self, user_id: str, notebook_id: str) -> None:
        await self._run(lambda: self._write(Line(key=(user_id, notebook_id))))

    async def scan_headers(self) -> AsyncIterator[Header]:
        for header in await self._run(self._sorted):
            yield header

    # -- the whole store

    async def check(self) -> None:
        await self._run(lambda: os.fsync(self._file.fileno()))

    async def close(self) -> None:
        self._closed = True
        await asyncio.to_thread(self._thread.shutdown)
        with contextlib.suppress(AttributeError):  # it was never opened
            self._file.close()

    async def _run(self, work: Callable[[], T]) -> T:
        if self._closed:
            raise StoreUnavailable("the store is closed")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except OSError as error:
            raise StoreUnavailable(f"{self.description}: {error.strerror}") from error

    # -- in the thread

    def _load(self) -> None:
        self._file = self._path.open("ab+", buffering=0)
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # a second process would not see what this one writes
        self._file.seek(0)
        lines = self._file.readall().splitlines(keepends=True)
        torn = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""  # its writer was never answered
        for line in lines:
            self._apply(msgspec.json.decode(line, type=Line))
        self._size = sum(map(len, lines))
        if torn:
            self._file.truncate(self._size)

    def _write(self, line: Line) -> None:
        """Durable first, then seen by readers, then answered."""
        data = msgspec.json.encode(line) + b"\n"
        try:
            _add(self._file, data)
        except OSError as error:
            self._take_back(error)
            raise  # nothing was written: StoreUnavailable
        self._size += len(data)
        self._apply(line)

    def _take_back(self, error: OSError) -> None:
        try:
            self._file.truncate(self._size)
            os.fsync(self._file.fileno())
        except OSError:
            self._closed = True  # until it is opened again, and reads what the disk holds
            raise OutcomeUnknown(f"{self.description}: {error.strerror}, and it cannot be undone") from error

    def _apply(self, line: Line) -> None:
        if line.item is not None:
            self._logs.setdefault(line.log_id, []).append(line.item)
        elif line.header is not None:
            self._headers[line.header.user_id, line.header.notebook_id] = line.header
        elif line.key is not None:
            self._headers.pop(line.key, None)
        else:
            self._logs.pop(line.log_id, None)

    def _one(self, log_id: str, revision: int) -> Record | None:
        log = self._logs.get(log_id, [])
        return unpack_item(log_id, log[revision - 1]) if 1 <= revision <= len(log) else None

    def _put(self, header: Header) -> None:
        self._write(Line(header=header))

    def _change(self, user_id: str, notebook_id: str, fields: dict[str, object], *, newer_than: int = 0) -> bool:
        """Never an upsert, and a refresh never goes backwards (H1)."""
        header = self._headers.get((user_id, notebook_id))
        if header is None or (newer_than and header.revision >= newer_than):
            return False
        self._put(msgspec.structs.replace(header, **fields))
        return True

    def _sorted(self) -> list[Header]:
        return [self._headers[key] for key in sorted(self._headers)]


def _add(file: FileIO, data: bytes) -> None:
    if file.write(data) != len(data):
        raise OSError(errno.ENOSPC, "the disk is full")
    os.fsync(file.fileno())
