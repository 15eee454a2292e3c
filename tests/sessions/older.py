"""Places where an older server has left a notebook, and may go on writing it."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from quire.blobs.memory import MemoryBlobs
from quire.notebook.model import Notebook
from quire.sessions.registry import Registry
from quire.sessions.session import Environment
from quire.storage.dynamodb.client import DynamoClient
from quire.storage.dynamodb.store import DynamoStore
from quire.storage.files import FilesStore
from quire.storage.protocol import NotebookStore, OlderLayout
from tests.sessions.worlds import NoKernels
from tests.storage.dynamodb.grounds import settings_of

Wire = dict[str, Any]


def wire_cell(code: str, data: str = "1.5", cell_id: str = "c1") -> Wire:
    """With a float, a set and a nested output, as DynamoDB's wire format has them."""
    output = {"M": {"mime_type": {"S": "text/plain"}, "data": {"S": data}, "metadata": {"M": {"width": {"N": "1.5"}}}}}
    return {
        "M": {
            "id": {"S": cell_id},
            "type": {"S": "python"},
            "code": {"S": code},
            "status": {"S": "success"},
            "outputs": {"L": [output]},
            "reads": {"SS": ["b", "a"]},
            "writes": {"SS": ["x"]},
        }
    }


class Older:
    """A place where an older server has left one of Ada's notebooks, and may go on writing it."""

    def __init__(self, store: NotebookStore, write: Callable[[int, str, str], Any], first: int) -> None:
        self.store = store
        self.blobs = MemoryBlobs()
        self._write = write
        self.first = first
        """Where its log begins."""

    async def write(self, revision: int, code: str, data: str = "1.5") -> None:
        written = self._write(revision, code, data)
        if asyncio.iscoroutine(written):
            await written

    def server(self, store: Any = None) -> Registry:
        return Registry(Environment(store or self.store, self.blobs, NoKernels(), "test"))

    async def opened(self) -> Notebook:
        """As a server that opens it anew shows it."""
        server = self.server()
        try:
            return (await server.open("ada", "old")).state
        finally:
            await server.close()

    async def code(self) -> str:
        return next(iter((await self.opened()).cells.values())).code

    async def waits(self) -> bool:
        """Whether the older form is still there."""
        assert isinstance(self.store, OlderLayout)
        return await self.store.read_older("ada", "old") is not None

    async def output(self) -> object:
        (cell,) = (await self.opened()).cells.values()
        assert cell.result is not None
        return cell.result.outputs[0].data


async def on_dynamodb(folder: Path, emulator: str = "dynamodb-local") -> tuple[Older, DynamoClient]:
    settings = settings_of(emulator, folder)
    store = DynamoStore(settings)
    await store.create_tables()
    client = DynamoClient(settings)

    async def write(revision: int, code: str, data: str) -> None:
        item = {
            "user_id": {"S": "ada"},
            "notebook_id": {"S": "old"},
            "name": {"S": "Sales"},
            "revision": {"N": str(revision)},
            "db_conn_string": {"S": "postgresql://u:secret@db/x"},
            "cells": {"L": [wire_cell(code, data)]},
        }
        await client.write("test", "PutItem", {"TableName": settings.table, "Item": item})

    return Older(store, write, 41), client


async def on_files(folder: Path) -> Older:
    store = await FilesStore.open(folder)

    def write(revision: int, code: str, data: str) -> None:
        cell = {"id": "c1", "type": "python", "code": code, "status": "success"}
        output = {"mime_type": "text/plain", "data": data, "metadata": {"width": 1.5}}
        document = {
            "id": "old",
            "user_id": "ada",
            "name": "Sales",
            "db_conn_string": "postgresql://u:secret@db/x",
            "revision": revision,
            "cells": [{**cell, "outputs": [output], "reads": ["a", "b"], "writes": ["x"]}],
        }
        (folder / "old.json").write_text(json.dumps(document), "utf-8")

    return Older(store, write, 1)


class Interposed:
    """The engine, with something done before one of its calls. Adoption must find the whole seam in it."""

    def __init__(self, real: Any, call: str, before: Callable[[], Any]) -> None:
        self._real = real
        self._call = call
        self._before = before
        self.met = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def read_older(self, *key: str) -> Any:
        return await self._through("read_older", *key)

    async def begin_log(self, *record: Any) -> Any:
        return await self._through("begin_log", *record)

    async def retire_older(self, *key: Any, **header: Any) -> Any:
        return await self._through("retire_older", *key, **header)

    async def create_header(self, header: Any) -> Any:
        return await self._through("create_header", header)

    async def get_header(self, *key: str) -> Any:
        return await self._through("get_header", *key)

    async def _through(self, name: str, /, *arguments: Any, **named: Any) -> Any:
        if name == self._call:
            self.met += 1
            done = self._before()
            if asyncio.iscoroutine(done):
                await done
        return await getattr(self._real, name)(*arguments, **named)
