"""The older layout: an item of the table of headers that holds a whole notebook."""

import copy
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from quire.storage.dynamodb.client import DynamoClient
from quire.storage.dynamodb.embedded import EmbeddedCells
from quire.storage.dynamodb.settings import DynamoSettings
from quire.storage.dynamodb.store import DynamoStore
from quire.storage.protocol import Header, HeaderExists, KeyExists, OlderNotebook
from tests.emulators.processes import EMULATORS
from tests.storage.dynamodb.grounds import settings_of
from tests.storage.engines import all_headers, header, record, whole_log

LOG = "alice/old"
CELLS = {
    "L": [
        {
            "M": {
                "id": {"S": "c1"},
                "code": {"S": "x = 1.5"},
                "outputs": {"L": [{"M": {"value": {"N": "1.5"}, "count": {"N": "12345678901234567890"}}}]},
                "reads": {"SS": ["b", "a"]},
                "sizes": {"NS": ["2", "1.25"]},
                "image": {"B": "AAH/"},
                "hidden": {"BOOL": False},
                "error": {"NULL": True},
            }
        }
    ]
}
ITEM = {
    "user_id": {"S": "alice"},
    "notebook_id": {"S": "old"},
    "name": {"S": "Sales"},
    "revision": {"N": "41"},
    "db_conn_string": {"S": "gAAAA-encrypted"},
    "cells": CELLS,
}


SAYS: dict[str, Any] = {"name": "Sales 2", "revision": 7, "updated_at": 9}
"""What a header says from then on."""


@pytest.fixture(params=EMULATORS)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> DynamoSettings:
    return settings_of(request.param, tmp_path)


@pytest.fixture
async def store(settings: DynamoSettings) -> AsyncIterator[DynamoStore]:
    """With one notebook in the older layout."""
    store = DynamoStore(settings)
    await store.create_tables()
    await put(settings, ITEM)
    yield store
    await store.close()


async def put(settings: DynamoSettings, item: dict[str, Any]) -> None:
    """As an older server does: the whole item."""
    client = DynamoClient(settings)
    await client.write("test", "PutItem", {"TableName": settings.table, "Item": item})
    await client.close()


async def embedded(store: DynamoStore) -> Any:
    found = await store.read_older("alice", "old")
    return None if found is None else json.loads(found.document)


async def test_it_is_seen_as_a_header(store: DynamoStore) -> None:
    await store.create_header(header(notebook_id="new"))
    old = Header("alice", "old", "Sales", 41, 0, 0, db_conn_string=b"gAAAA-encrypted")
    assert await all_headers(store, "alice", limit=1) == [header(notebook_id="new"), old]
    assert await store.find_headers("old") == (old,)
    with pytest.raises(HeaderExists):
        await store.create_header(header(notebook_id="old"))


async def test_it_is_read_as_plain_json_without_its_connection(store: DynamoStore) -> None:
    assert await embedded(store) == {
        "user_id": "alice",
        "notebook_id": "old",
        "name": "Sales",
        "revision": 41,
        "cells": [
            {
                "id": "c1",
                "code": "x = 1.5",
                "outputs": [{"value": 1.5, "count": 12345678901234567890}],
                "reads": ["a", "b"],
                "sizes": [1.25, 2],
                "image": "AAH/",
                "hidden": False,
                "error": None,
            }
        ],
    }


async def test_others_are_not_in_the_older_layout(store: DynamoStore) -> None:
    await store.create_header(header())
    assert await store.read_older("alice", "n1") is None
    assert await store.read_older("bob", "old") is None
    older = await store.read_older("alice", "old")
    assert older is not None
    assert not await store.retire_older("alice", "n1", older, **SAYS)
    assert not await store.retire_older("bob", "old", older, **SAYS)
    assert await store.get_header("bob", "old") is None


async def test_it_ends_only_as_it_was_read_and_the_header_says_what_the_log_does(store: DynamoStore) -> None:
    older = await store.read_older("alice", "old")
    assert older is not None
    for stale in (b"{}", older.document.replace(b"x = 1.5", b"x = 1.6")):
        assert not await store.retire_older("alice", "old", OlderNotebook(stale, 41, 41), **SAYS)
    assert (await embedded(store))["revision"] == 41
    assert await store.retire_older("alice", "old", older, **SAYS)
    assert await embedded(store) is None
    assert not await store.retire_older("alice", "old", older, **SAYS)
    assert await store.get_header("alice", "old") == Header(
        "alice", "old", "Sales 2", 7, 0, 9, db_conn_string=b"gAAAA-encrypted"
    ), "also where the older server has counted further"


class Overtaken(DynamoClient):
    """Before its first write an older server puts another item."""

    def __init__(self, settings: DynamoSettings, item: dict[str, Any]) -> None:
        super().__init__(settings)
        self._item: dict[str, Any] | None = item

    async def write(self, operation: str, action: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        if self._item is not None:
            item, self._item = self._item, None
            await super().write("test", "PutItem", {"TableName": self.settings.table, "Item": item})
        return await super().write(operation, action, payload)


@pytest.mark.parametrize(
    "revision", [{}, {"revision": {"N": "0"}}, {"revision": {"N": "41"}}, {"revision": {"S": "41"}}]
)
async def test_an_item_that_is_put_meanwhile_stays_also_if_nobody_counts(
    store: DynamoStore, settings: DynamoSettings, revision: dict[str, Any]
) -> None:
    uncounted = {name: value for name, value in ITEM.items() if name != "revision"} | revision
    await put(settings, uncounted)
    newer: dict[str, Any] = copy.deepcopy(uncounted)
    newer["cells"]["L"][0]["M"]["outputs"]["L"][0]["M"]["value"] = {"N": "2.5"}
    client = Overtaken(settings, newer)
    cells = EmbeddedCells(client)
    older = await cells.read("alice", "old")
    assert older is not None
    assert not await cells.remove("alice", "old", older, **SAYS)
    assert (await embedded(store))["cells"][0]["outputs"][0]["value"] == 2.5
    again = await cells.read("alice", "old")
    assert again is not None
    assert await cells.remove("alice", "old", again, **SAYS)
    await client.close()


@pytest.mark.parametrize(
    ("revision", "counted"),
    [
        ({"N": "41"}, 41),
        ({"N": "41.5"}, 41),
        ({"S": "41"}, 41),
        ({"S": "41.0"}, 41),
        ({"S": "forty"}, 0),
        ({"NULL": True}, 0),
        ({"BOOL": True}, 0),
        ({"N": "-3"}, 0),
        ({"N": "1E100"}, 0),
        (None, 0),
    ],
)
async def test_a_revision_may_be_anything(
    store: DynamoStore, settings: DynamoSettings, revision: dict[str, Any] | None, counted: int
) -> None:
    item = {name: value for name, value in ITEM.items() if name != "revision"}
    await put(settings, item if revision is None else item | {"revision": revision})
    older = await store.read_older("alice", "old")
    assert older is not None
    assert (older.revision, older.first_revision) == (counted, max(1, counted))
    assert await store.retire_older("alice", "old", older, **SAYS)
    found = await store.get_header("alice", "old")
    assert found is not None
    assert (found.name, found.revision) == ("Sales 2", 7)


async def test_W1_a_log_may_begin_at_the_revision_of_the_item(store: DynamoStore) -> None:
    first = record(41, checkpoint=b'{"state":1}')
    await store.begin_log(LOG, first)
    for late in (first, record(41, commit_id="other"), record(40), record(42)):
        with pytest.raises(KeyExists):
            await store.begin_log(LOG, late)
    with pytest.raises(KeyExists):
        await store.append(LOG, record(43))
    await store.append(LOG, record(42))
    assert [one.revision for one in await whole_log(store, LOG)] == [41, 42]
    newest = await store.read_newest(LOG)
    assert ([one.revision for one in newest.records], newest.more) == ([41, 42], False)
