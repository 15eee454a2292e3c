"""The DynamoDB engine: a table of headers, a table of commits, one client."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Self

from quire.storage.dynamodb.capacity import Capacity
from quire.storage.dynamodb.client import DynamoClient
from quire.storage.dynamodb.commits import CommitsTable
from quire.storage.dynamodb.embedded import EmbeddedCells
from quire.storage.dynamodb.headers import HeadersTable
from quire.storage.dynamodb.settings import DynamoSettings, read_settings
from quire.storage.dynamodb.tables import check_tables, create_tables
from quire.storage.dynamodb.transport import ATTEMPT_SECONDS_MAX
from quire.storage.protocol import PAGE_RECORDS_MAX, Engine, Header, HeaderPage, OlderNotebook, Page, Record


class DynamoStore:
    """A NotebookStore in DynamoDB; one for each process, made inside of its event loop. `check` tells if it works."""

    engine: Engine = "dynamodb"

    def __init__(self, settings: DynamoSettings, *, attempt_seconds: float = ATTEMPT_SECONDS_MAX) -> None:
        self._client = DynamoClient(settings, attempt_seconds=attempt_seconds)
        self._commits = CommitsTable(self._client)
        self._headers = HeadersTable(self._client)
        self._embedded = EmbeddedCells(self._client)

    @classmethod
    async def open(cls, url: str, environ: Mapping[str, str] | None = None) -> Self:
        """The store that `url` and the environment name; asks nothing of DynamoDB yet.

        Raises:
            InvalidSettings: they do not name one.
        """
        return cls(await asyncio.to_thread(read_settings, url, environ))

    @property
    def description(self) -> str:
        return self._client.settings.description

    @property
    def capacity(self) -> Capacity:
        """What this process has consumed so far."""
        return self._client.capacity

    async def append(self, log_id: str, record: Record) -> None:
        await self._commits.append(log_id, record)

    async def read_newest(self, log_id: str, limit: int = PAGE_RECORDS_MAX) -> Page:
        return await self._commits.read_newest(log_id, limit)

    async def read_after(self, log_id: str, revision: int, limit: int = PAGE_RECORDS_MAX) -> Page:
        return await self._commits.read_after(log_id, revision, limit)

    async def read_one(self, log_id: str, revision: int) -> Record | None:
        return await self._commits.read_one(log_id, revision)

    async def create_header(self, header: Header) -> None:
        await self._headers.create(header)

    async def get_header(self, user_id: str, notebook_id: str) -> Header | None:
        return await self._headers.get(user_id, notebook_id)

    async def find_headers(self, notebook_id: str) -> tuple[Header, ...]:
        return await self._headers.find(notebook_id)

    async def list_headers(
        self, user_id: str, *, limit: int = 100, cursor: str | None = None, trash: bool = False
    ) -> HeaderPage:
        return await self._headers.list(user_id, limit=limit, cursor=cursor, trash=trash)

    async def refresh_header(
        self, user_id: str, notebook_id: str, *, name: str, revision: int, updated_at: int
    ) -> bool:
        return await self._headers.refresh(user_id, notebook_id, name=name, revision=revision, updated_at=updated_at)

    async def trash_header(self, user_id: str, notebook_id: str, *, deleted_at: int, ttl: int = 0) -> bool:
        return await self._headers.trash(user_id, notebook_id, deleted_at=deleted_at, ttl=ttl)

    async def set_connection(self, user_id: str, notebook_id: str, *, db_conn_string: bytes) -> bool:
        return await self._headers.set_connection(user_id, notebook_id, db_conn_string=db_conn_string)

    async def delete_header(self, user_id: str, notebook_id: str) -> None:
        await self._headers.delete(user_id, notebook_id)

    async def delete_log(self, log_id: str) -> None:
        await self._commits.delete_log(log_id)

    def scan_headers(self) -> AsyncIterator[Header]:
        return self._headers.scan()

    async def read_older(self, user_id: str, notebook_id: str) -> OlderNotebook | None:
        """See OlderLayout: an item of the table of headers that still has its `cells`."""
        return await self._embedded.read(user_id, notebook_id)

    async def begin_log(self, log_id: str, record: Record) -> None:
        await self._commits.begin(log_id, record)

    async def retire_older(
        self, user_id: str, notebook_id: str, older: OlderNotebook, *, name: str, revision: int, updated_at: int
    ) -> bool:
        return await self._embedded.remove(
            user_id, notebook_id, older, name=name, revision=revision, updated_at=updated_at
        )

    async def create_tables(self) -> None:
        """Make the tables that are missing, where `endpoint_url` names a local DynamoDB."""
        await create_tables(self._client)

    async def check(self) -> None:
        await check_tables(self._client)

    async def close(self) -> None:
        await self._client.close()
