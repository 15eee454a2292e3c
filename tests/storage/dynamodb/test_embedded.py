"""The older layout: an item of the table of headers that holds a whole notebook."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from quire.storage.dynamodb.client import DynamoClient
from quire.storage.dynamodb.store import DynamoStore
from quire.storage.protocol import Header, HeaderExists, KeyExists
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


@pytest.fixture(params=EMULATORS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[DynamoStore]:
    """With one notebook in the older layout."""
    settings = settings_of(request.param, tmp_path)
    store = DynamoStore(settings)
    await store.create_tables()
    client = DynamoClient(settings)
    await client.write("test", "PutItem", {"TableName": settings.table, "Item": ITEM})
    await client.close()
    yield store
    await store.close()


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
    assert not await store.retire_older("alice", "n1", 1)
    assert not await store.retire_older("bob", "old", 41)
    assert await store.get_header("bob", "old") is None


async def test_it_ends_only_at_the_revision_that_was_adopted(store: DynamoStore) -> None:
    assert not await store.retire_older("alice", "old", 40)
    assert (await embedded(store))["revision"] == 41
    assert await store.retire_older("alice", "old", 41)
    assert await embedded(store) is None
    assert not await store.retire_older("alice", "old", 41)
    found = await store.get_header("alice", "old")
    assert found is not None
    assert (found.name, found.revision, found.db_conn_string) == ("Sales", 41, b"gAAAA-encrypted")


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
