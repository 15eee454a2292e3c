"""The files engine: a folder of text files, for one process; to read, copy and keep with ordinary tools."""

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import islice
from pathlib import Path
from typing import Self, TypeVar

import msgspec

from quire.storage.cursors import decode_cursor, encode_cursor, list_limit
from quire.storage.files_folder import FilesFolder
from quire.storage.files_headers import HeaderFiles
from quire.storage.files_legacy import LegacyFiles
from quire.storage.files_log import LogFile
from quire.storage.files_logs import OPEN_LOGS_MAX, OpenLogs
from quire.storage.files_strands import Strands
from quire.storage.protocol import PAGE_RECORDS_MAX, Engine, Header, HeaderPage, OlderNotebook, Page, Record

THREADS_MAX = 8
"""Syncs of different logs go on at the same time: the file system joins them."""

_SCAN_HEADERS = 500

T = TypeVar("T")


class FilesStore:
    """A NotebookStore in a folder; made by `open`. The work on one log, and on one user's headers, is in order."""

    engine: Engine = "files"

    def __init__(self, folder: FilesFolder, *, open_logs_max: int = OPEN_LOGS_MAX) -> None:
        self._folder = folder
        self._logs = OpenLogs(folder.logs, open_max=open_logs_max)
        self._legacy = LegacyFiles(folder.path)
        self._headers = HeaderFiles(folder.headers, self._legacy)
        self._strands = Strands(THREADS_MAX, "quire-files")

    @classmethod
    async def open(cls, path: str | Path, *, open_logs_max: int = OPEN_LOGS_MAX) -> Self:
        """The store in the folder at `path`, which is made if missing, and locked until the store is closed.

        `open_logs_max`: how many logs may hold a descriptor.

        Raises:
            StoreUnavailable: it cannot be used, or another process uses it; the message says what to do.
        """
        folder = await asyncio.to_thread(lambda: FilesFolder.open(Path(path).absolute()))
        return cls(folder, open_logs_max=open_logs_max)

    @property
    def description(self) -> str:
        return f"files in folder {self._folder.path}"

    async def append(self, log_id: str, record: Record) -> None:
        def write(log: LogFile) -> None:
            self._folder.check()
            log.append(record)

        await self._on_log(log_id, write)

    async def read_newest(self, log_id: str, limit: int = PAGE_RECORDS_MAX) -> Page:
        return await self._on_log(log_id, lambda log: log.read_newest(limit))

    async def read_after(self, log_id: str, revision: int, limit: int = PAGE_RECORDS_MAX) -> Page:
        return await self._on_log(log_id, lambda log: log.read_after(revision, limit))

    async def read_one(self, log_id: str, revision: int) -> Record | None:
        return await self._on_log(log_id, lambda log: log.read_one(revision))

    async def create_header(self, header: Header) -> None:
        await self._on_headers(header.user_id, lambda headers: headers.create(header), writes=True)

    async def get_header(self, user_id: str, notebook_id: str) -> Header | None:
        return await self._on_headers(user_id, lambda headers: headers.get(user_id, notebook_id))

    async def find_headers(self, notebook_id: str) -> tuple[Header, ...]:
        return await self._strands.run("find", lambda: self._headers.find(notebook_id))

    async def list_headers(
        self, user_id: str, *, limit: int = 100, cursor: str | None = None, trash: bool = False
    ) -> HeaderPage:
        after = decode_cursor(user_id, cursor, trash=trash)
        limit = list_limit(limit)

        def read(headers: HeaderFiles) -> tuple[Header, ...]:
            listed = (one for one in headers.of_user(user_id, after) if (one.deleted_at > 0) == trash)
            return tuple(islice(listed, limit + 1))

        found = await self._on_headers(user_id, read)
        page = found[:limit]
        more = len(found) > limit
        return HeaderPage(page, encode_cursor(user_id, page[-1].notebook_id, trash=trash) if more else None)

    async def refresh_header(
        self, user_id: str, notebook_id: str, *, name: str, revision: int, updated_at: int
    ) -> bool:
        def change(header: Header) -> Header | None:
            if header.revision >= revision:
                return None
            return msgspec.structs.replace(header, name=name, revision=revision, updated_at=updated_at)

        return await self._update(user_id, notebook_id, change)

    async def trash_header(self, user_id: str, notebook_id: str, *, deleted_at: int, ttl: int = 0) -> bool:
        def change(header: Header) -> Header:
            return msgspec.structs.replace(header, deleted_at=deleted_at, ttl=ttl)

        return await self._update(user_id, notebook_id, change)

    async def set_connection(self, user_id: str, notebook_id: str, *, db_conn_string: bytes) -> bool:
        def change(header: Header) -> Header:
            return msgspec.structs.replace(header, db_conn_string=db_conn_string)

        return await self._update(user_id, notebook_id, change)

    async def delete_header(self, user_id: str, notebook_id: str) -> None:
        def write(headers: HeaderFiles) -> None:
            self._legacy.retire(user_id, notebook_id)  # first: it would be listed again
            headers.delete(user_id, notebook_id)

        await self._on_headers(user_id, write, writes=True)

    async def delete_log(self, log_id: str) -> None:
        def write(log: LogFile) -> None:
            self._folder.check()
            log.delete()

        await self._on_log(log_id, write)

    async def scan_headers(self) -> AsyncIterator[Header]:
        for user_id in await self._strands.run("scan", self._headers.users):
            after = ""
            while headers := await self._some_headers(user_id, after):
                for header in headers:
                    yield header
                after = headers[-1].notebook_id

    async def check(self) -> None:
        await self._strands.run("check", self._folder.probe)

    async def close(self) -> None:
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._strands.close()
        self._logs.close()
        self._folder.close()

    async def read_older(self, user_id: str, notebook_id: str) -> OlderNotebook | None:
        """See OlderLayout: a document ``NOTEBOOK.json`` in the store's folder. Its log begins at revision 1."""

        def read(_: HeaderFiles) -> OlderNotebook | None:
            shown = self._legacy.get(user_id, notebook_id)
            document = None if shown is None else self._legacy.read(user_id, notebook_id)
            return None if shown is None or document is None else OlderNotebook(document, shown.revision, 1)

        return await self._on_headers(user_id, read)

    async def begin_log(self, log_id: str, record: Record) -> None:
        await self.append(log_id, record)

    async def retire_older(
        self, user_id: str, notebook_id: str, older: OlderNotebook, *, name: str, revision: int, updated_at: int
    ) -> bool:
        """See OlderLayout: the document is set aside as ``NOTEBOOK.json.adopted``."""
        retired = await self._on_headers(
            user_id, lambda _: self._legacy.retire(user_id, notebook_id, older.document), writes=True
        )
        if retired:
            await self.refresh_header(user_id, notebook_id, name=name, revision=revision, updated_at=updated_at)
        return retired

    async def _on_log(self, log_id: str, work: Callable[[LogFile], T]) -> T:
        def run() -> T:
            with self._logs.using(log_id) as log:
                return work(log)

        return await self._strands.run(f"log {log_id}", run)

    async def _on_headers(self, user_id: str, work: Callable[[HeaderFiles], T], *, writes: bool = False) -> T:
        def run() -> T:
            if writes:
                self._folder.check()
            self._headers.settle(user_id)
            return work(self._headers)

        return await self._strands.run(f"headers {user_id}", run)

    async def _update(self, user_id: str, notebook_id: str, change: Callable[[Header], Header | None]) -> bool:
        return await self._on_headers(
            user_id, lambda headers: headers.update(user_id, notebook_id, change), writes=True
        )

    async def _some_headers(self, user_id: str, after: str) -> tuple[Header, ...]:
        return await self._on_headers(
            user_id, lambda headers: tuple(islice(headers.of_user(user_id, after), _SCAN_HEADERS))
        )
