"""What older servers wrote that is not as one would write it: taken over all the same."""

import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from quire.interchange.legacy import LegacyNotebook, read_document
from quire.sessions.adoption import adopt
from quire.storage.dynamodb.client import DynamoClient
from quire.storage.dynamodb.store import DynamoStore
from quire.storage.protocol import StoreUnavailable
from tests.emulators.environment import nobodys_aws
from tests.sessions.older import Interposed, Older, Wire, on_files, wire_cell
from tests.storage.dynamodb.grounds import settings_of
from tests.storage.engines import whole_log


@pytest.fixture(scope="module", autouse=True)
def aws_environment() -> Iterator[None]:
    """Nobody's credentials: emulators take any."""
    with nobodys_aws():
        yield


@pytest.fixture
async def item(tmp_path: Path) -> AsyncIterator[Callable[[Wire], Awaitable[Older]]]:
    """Puts an item of DynamoDB as it is given, but for its key and name."""
    settings = settings_of("dynamodb-local", tmp_path)
    client, store = DynamoClient(settings), DynamoStore(settings)
    await store.create_tables()

    async def put(attributes: Wire) -> Older:
        key = {"user_id": {"S": "ada"}, "notebook_id": {"S": "old"}, "name": {"S": "Sales"}}
        await client.write("test", "PutItem", {"TableName": settings.table, "Item": key | attributes})
        return Older(store, lambda *_: None, 1)

    yield put
    await client.close()
    await store.close()


@pytest.mark.parametrize("created", [{"N": "1700000000"}, {"N": "1700000000.5"}, {"S": "2024-01-02T03:04:05Z"}])
@pytest.mark.parametrize("killed_before", ["begin_log", "create_header", "retire_older"])
async def test_H2_one_with_a_time_of_creation_is_taken_over_as_well(
    item: Callable[[Wire], Awaitable[Older]], created: Wire, killed_before: str
) -> None:
    older = await item({"cells": {"L": [wire_cell("x = 1")]}, "revision": {"N": "41"}, "created_at": created})

    def die() -> None:
        raise StoreUnavailable("killed here")

    with pytest.raises(StoreUnavailable):
        await adopt(Interposed(older.store, killed_before, die), older.blobs, "ada", "old")
    assert await older.code() == "x = 1"
    assert not await older.waits()
    assert [record.revision for record in await whole_log(older.store, "ada/old")] == [41]


@pytest.mark.parametrize(
    ("revision", "first"), [(None, 1), ({"N": "0"}, 1), ({"N": "41"}, 41), ({"S": "41"}, 41), ({"NULL": True}, 1)]
)
async def test_cells_without_ids_are_taken_over_once(
    item: Callable[[Wire], Awaitable[Older]], revision: Wire | None, first: int
) -> None:
    cell = wire_cell("x = 1")
    del cell["M"]["id"]
    older = await item({"cells": {"L": [cell, cell]}} | ({"revision": revision} if revision else {}))
    states = [await older.opened() for _ in range(3)]
    assert [len(state.cells) for state in states] == [2, 2, 2]
    assert states[0].cells == states[1].cells == states[2].cells
    assert [record.revision for record in await whole_log(older.store, "ada/old")] == [first]


async def test_a_large_document_is_read_beside_the_event_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    older = await on_files(tmp_path)
    threads: list[int] = []

    def read_noting(document: bytes) -> LegacyNotebook:
        threads.append(threading.get_ident())
        return read_document(document)

    monkeypatch.setattr("quire.sessions.adoption.read_document", read_noting)
    await older.write(1, "x = 1", "large " * 20_000)
    assert await older.code() == "x = 1"
    assert len(threads) == 1
    assert threads[0] != threading.get_ident()
    await older.store.close()


@pytest.mark.parametrize("rest", [{}, {"outputs": [{"data": "1"}]}, {"error": {"name": "E", "message": "m"}}])
@pytest.mark.parametrize("status", ["success", "error", "idle", "running"])
@pytest.mark.parametrize("code", ["x = 1", "x = 2"])
async def test_late_or_at_once_the_result_is_the_same(tmp_path: Path, code: str, status: str, rest: Wire) -> None:
    """What is appended over edits of ours shows what a log shows that begins with it."""

    def put(folder: Path, **cell: Any) -> None:
        document = {"id": "old", "user_id": "ada", "name": "Sales", "cells": [{"id": "c1", **cell}]}
        (folder / "old.json").write_text(json.dumps(document), "utf-8")

    shown = []
    for folder, late in ((tmp_path / "at once", False), (tmp_path / "late", True)):
        folder.mkdir()
        older = await on_files(folder)
        if late:
            put(folder, code="x = 1", status="success", outputs=[{"data": "old"}], stdout="old")
            await older.opened()
        put(folder, code=code, status=status, **rest)
        (cell,) = (await older.opened()).cells.values()
        outputs = cell.result.outputs if cell.result else ()
        shown.append((cell.code, cell.status, cell.error, outputs, cell.result.stdout if cell.result else ""))
        await older.store.close()
    assert shown[0] == shown[1]
