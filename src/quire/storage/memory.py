"""The memory engine: the plain model that the other engines are checked against. Nothing outlives the process."""

from collections.abc import AsyncIterator, Iterator
from itertools import islice

import msgspec

from quire.storage.cursors import decode_cursor, encode_cursor, list_limit
from quire.storage.items import Item, pack_record, page_of, take_page, unpack_item
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


class MemoryStore:
    """A NotebookStore in dictionaries.

    No method gives way to another task between its check and its write: each is one transaction (W1).
    """

    engine: Engine = "memory"

    def __init__(self) -> None:
        self._logs: dict[str, list[Item]] = {}  # revision r at index r - 1
        self._headers: dict[tuple[str, str], Header] = {}
        self._closed = False

    @property
    def description(self) -> str:
        return "memory (nothing is kept when the server stops)"

    async def append(self, log_id: str, record: Record) -> None:
        self._check_open()
        item = pack_record(log_id, record)
        log = self._logs.get(log_id, [])
        if record.revision != len(log) + 1:
            raise KeyExists(record.revision, await self.read_one(log_id, record.revision))
        self._logs.setdefault(log_id, []).append(item)

    async def read_newest(self, log_id: str, limit: int = PAGE_RECORDS_MAX) -> Page:
        self._check_open()
        items, more = take_page(reversed(self._logs.get(log_id, [])), limit)
        return page_of(log_id, items[::-1], more=more)

    async def read_after(self, log_id: str, revision: int, limit: int = PAGE_RECORDS_MAX) -> Page:
        self._check_open()
        items, more = take_page(islice(self._logs.get(log_id, []), max(revision, 0), None), limit)
        return page_of(log_id, items, more=more)

    async def read_one(self, log_id: str, revision: int) -> Record | None:
        self._check_open()
        log = self._logs.get(log_id, [])
        return unpack_item(log_id, log[revision - 1]) if 1 <= revision <= len(log) else None

    async def create_header(self, header: Header) -> None:
        self._check_open()
        stored = self._headers.get((header.user_id, header.notebook_id))
        if stored is not None:
            raise HeaderExists(stored)
        self._put(header)

    async def get_header(self, user_id: str, notebook_id: str) -> Header | None:
        self._check_open()
        return self._headers.get((user_id, notebook_id))

    async def find_headers(self, notebook_id: str) -> tuple[Header, ...]:
        self._check_open()
        return tuple(header for header in self._sorted() if header.notebook_id == notebook_id)

    async def list_headers(
        self, user_id: str, *, limit: int = 100, cursor: str | None = None, trash: bool = False
    ) -> HeaderPage:
        self._check_open()
        after = decode_cursor(user_id, cursor, trash=trash)
        found = [
            header
            for header in self._sorted()
            if header.user_id == user_id and header.notebook_id > after and (header.deleted_at > 0) == trash
        ]
        page = tuple(found[: list_limit(limit)])
        more = len(found) > len(page)
        return HeaderPage(page, encode_cursor(user_id, page[-1].notebook_id, trash=trash) if more else None)

    async def refresh_header(
        self, user_id: str, notebook_id: str, *, name: str, revision: int, updated_at: int
    ) -> bool:
        self._check_open()
        header = self._headers.get((user_id, notebook_id))
        if header is None or header.revision >= revision:
            return False
        self._put(msgspec.structs.replace(header, name=name, revision=revision, updated_at=updated_at))
        return True

    async def trash_header(self, user_id: str, notebook_id: str, *, deleted_at: int, ttl: int = 0) -> bool:
        self._check_open()
        header = self._headers.get((user_id, notebook_id))
        if header is None:
            return False
        self._put(msgspec.structs.replace(header, deleted_at=deleted_at, ttl=ttl))
        return True

    async def set_connection(self, user_id: str, notebook_id: str, *, db_conn_string: bytes) -> bool:
        self._check_open()
        header = self._headers.get((user_id, notebook_id))
        if header is None:
            return False
        self._put(msgspec.structs.replace(header, db_conn_string=db_conn_string))
        return True

    async def delete_header(self, user_id: str, notebook_id: str) -> None:
        self._check_open()
        self._headers.pop((user_id, notebook_id), None)

    async def delete_log(self, log_id: str) -> None:
        self._check_open()
        self._logs.pop(log_id, None)

    async def scan_headers(self) -> AsyncIterator[Header]:
        self._check_open()
        for header in list(self._sorted()):
            yield header

    async def check(self) -> None:
        self._check_open()

    async def close(self) -> None:
        self._closed = True

    def _put(self, header: Header) -> None:
        self._headers[header.user_id, header.notebook_id] = header

    def _sorted(self) -> Iterator[Header]:
        return (self._headers[key] for key in sorted(self._headers))

    def _check_open(self) -> None:
        if self._closed:
            raise StoreUnavailable("the store is closed")
