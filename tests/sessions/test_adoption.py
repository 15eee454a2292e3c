"""Older layouts become logs when they are opened, whoever else is at it and wherever a server is killed."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from quire.blobs.memory import MemoryBlobs
from quire.notebook.model import BlobRef
from quire.sessions.adoption import adopt
from quire.sessions.errors import NotebookNotFound, ReadOnly
from quire.sessions.notebook_intents import Rename
from quire.sessions.registry import Registry
from quire.sessions.session import Environment
from quire.storage.dynamodb.client import DynamoClient
from quire.storage.dynamodb.store import DynamoStore
from quire.storage.files import FilesStore
from quire.storage.protocol import NotebookStore, StoreUnavailable
from tests.emulators.environment import nobodys_aws
from tests.sessions.worlds import NoKernels, World
from tests.storage.dynamodb.grounds import settings_of
from tests.storage.engines import whole_log

ORIGINS = World()

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

    async def code(self) -> str:
        """As a server that opens it anew shows it."""
        server = self.server()
        session = await server.open("ada", "old")
        await server.close()
        return next(iter(session.state.cells.values())).code


async def on_dynamodb(folder: Path) -> tuple[Older, DynamoClient]:
    settings = settings_of("dynalite", folder)
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


@pytest.fixture(scope="module", autouse=True)
def aws_environment() -> Iterator[None]:
    """Nobody's credentials: emulators take any."""
    with nobodys_aws():
        yield


@pytest.fixture(params=["dynamodb", "files"])
async def older(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Older]:
    if request.param == "files":
        place = await on_files(tmp_path)
        yield place
    else:
        place, client = await on_dynamodb(tmp_path)
        yield place
        await client.close()
    await place.store.close()


async def test_H2_it_is_read_edited_deleted_and_brought_back_like_any_other(older: Older) -> None:
    await older.write(41, "x = 1.5")
    server = older.server()
    session = await server.open("ada", "old")
    assert (session.state.name, session.state.revision) == ("Sales", older.first)
    (cell,) = session.state.cells.values()
    assert (cell.code, cell.status, cell.code_revision) == ("x = 1.5", "success", older.first)
    assert cell.result is not None
    assert [(one.data, one.metadata) for one in cell.result.outputs] == [("1.5", '{"width":1.5}')]
    receipt = await server.rename(session, Rename(ORIGINS.origin(), "Sales 2"))
    assert receipt.revision == older.first + 1
    assert [commit.revision for commit in await session.commits(before=None, limit=9)] == [older.first + 1, older.first]
    assert (await session.state_at(older.first)).name == "Sales"
    await server.delete("ada", "old", ORIGINS.origin())
    with pytest.raises(NotebookNotFound):
        await server.open("ada", "old")
    await server.undelete("ada", "old", ORIGINS.origin())
    await server.close()
    assert await older.code() == "x = 1.5"
    listed = await older.store.list_headers("ada")
    assert [(one.notebook_id, one.name) for one in listed.headers] == [("old", "Sales 2")]


async def test_its_connection_string_gets_into_no_record(older: Older) -> None:
    await older.write(41, "x = 1")
    assert await older.code() == "x = 1"
    for record in await whole_log(older.store, "ada/old"):
        assert b"secret" not in record.body
        assert b"secret" not in (record.checkpoint or b"")


async def test_nobody_elses_is_taken_over(older: Older) -> None:
    await older.write(41, "x = 1")
    server = older.server()
    with pytest.raises(NotebookNotFound):
        await server.open("bob", "old")
    assert not await adopt(older.store, older.blobs, "bob", "old")
    await server.close()
    assert (await older.store.read_newest("bob/old")).records == ()


async def test_W6_W7_a_large_one_fits_its_outputs_in_blobs(older: Older) -> None:
    picture = "".join(f"{number:08x}" for number in range(40_000))
    await older.write(41, "x = 1", picture)
    server = older.server()
    session = await server.open("ada", "old")
    (cell,) = session.state.cells.values()
    assert cell.result is not None
    (output,) = cell.result.outputs
    assert isinstance(output.data, BlobRef)
    assert await older.blobs.get("ada/old", output.data.sha256) == picture.encode()
    await server.close()


async def test_what_cannot_be_taken_over_is_said_and_stays_as_it_is(older: Older) -> None:
    await older.write(41, "x" * 300_000)
    server = older.server()
    with pytest.raises(ReadOnly, match="cell 1 of the older notebook has 300,000 bytes of code"):
        await server.open("ada", "old")
    await server.close()
    assert (await older.store.read_newest("ada/old")).records == ()
    await older.write(42, "x = 1")
    assert await older.code() == "x = 1"


async def test_W1_two_servers_that_take_it_over_at_once_end_with_one_log(older: Older) -> None:
    await older.write(41, "x = 1")
    servers = [older.server() for _ in range(4)]
    sessions = await asyncio.gather(*(server.open("ada", "old") for server in servers))
    assert {session.state.revision for session in sessions} == {older.first}
    for server in servers:
        await server.close()
    assert [record.revision for record in await whole_log(older.store, "ada/old")] == [older.first]


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

    async def retire_older(self, *key: Any) -> Any:
        return await self._through("retire_older", *key)

    async def create_header(self, header: Any) -> Any:
        return await self._through("create_header", header)

    async def _through(self, name: str, *arguments: Any) -> Any:
        if name == self._call:
            self.met += 1
            done = self._before()
            if asyncio.iscoroutine(done):
                await done
        return await getattr(self._real, name)(*arguments)


@pytest.mark.parametrize("call", ["begin_log", "create_header", "retire_older"])
async def test_W2_a_server_that_is_killed_between_two_steps_leaves_them_to_the_next(older: Older, call: str) -> None:
    await older.write(41, "x = 1")

    def die() -> None:
        raise StoreUnavailable("killed here")

    dying = Interposed(older.store, call, die)
    with pytest.raises(StoreUnavailable, match="killed here"):
        await adopt(dying, older.blobs, "ada", "old")
    assert dying.met == 1
    listed = await older.store.list_headers("ada")
    assert [one.notebook_id for one in listed.headers] == ["old"], "it is listed all the time"
    assert await older.code() == "x = 1"
    assert await older.code() == "x = 1"
    assert [record.revision for record in await whole_log(older.store, "ada/old")] == [older.first]


@pytest.mark.parametrize("call", ["begin_log", "create_header"])
async def test_what_an_older_server_writes_meanwhile_is_taken_over_as_well(older: Older, call: str) -> None:
    await older.write(41, "x = 1")
    times = iter(range(3))

    async def write_again() -> None:
        if (time := next(times, None)) is not None:
            await older.write(42 + time, f"x = {2 + time}")

    busy = Interposed(older.store, call, write_again)
    assert await adopt(busy, older.blobs, "ada", "old")
    assert busy.met >= 1
    last = await older.store.read_newest("ada/old")  # the log is whole
    assert [record.revision for record in last.records] == list(range(older.first, older.first + len(last.records)))
    expected = f"x = {1 + min(busy.met, 3)}"
    assert await older.code() == expected


async def test_an_older_server_that_never_stops_is_named(older: Older) -> None:
    await older.write(41, "x = 1")
    revisions = iter(range(42, 1000))

    async def write_again() -> None:
        revision = next(revisions)
        await older.write(revision, f"x = {revision}")

    busy = Interposed(older.store, "retire_older", write_again)
    with pytest.raises(ReadOnly, match="Stop that server"):
        await adopt(busy, older.blobs, "ada", "old")
    assert await older.code() == f"x = {next(revisions) - 1}"


async def test_a_notebook_of_ours_costs_no_further_look(older: Older) -> None:
    server = older.server()
    receipt = await server.create("ada", ORIGINS.origin(), name="New")
    await server.close()

    def looked() -> None:
        raise AssertionError("nobody should look for an older layout of it")

    watched = older.server(Interposed(older.store, "read_older", looked))
    await watched.open("ada", str(receipt.answer["notebook_id"]))
    await watched.close()
