"""What requests cost: our own figures against those of DynamoDB Local, which are AWS's."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from quire.storage.dynamodb.attributes import encode_header, encode_record
from quire.storage.dynamodb.capacity import WRITE_UNIT_BYTES, item_size, write_units
from quire.storage.dynamodb.store import DynamoStore
from quire.storage.items import pack_record
from quire.storage.protocol import KeyExists
from tests.storage.dynamodb.grounds import open_dynamodb_in
from tests.storage.engines import fill, header, incompressible, record

LOG = "alice/n1"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[DynamoStore]:
    store = await open_dynamodb_in("dynamodb-local")(tmp_path)
    yield store
    await store.close()


def units_of(revision: int, body: bytes, checkpoint: bytes | None = None) -> int:
    return write_units(encode_record(LOG, pack_record(LOG, record(revision, body=body, checkpoint=checkpoint))))


async def test_an_append_of_1_kb_costs_two_write_units(store: DynamoStore) -> None:
    body = incompressible(1024)
    assert units_of(1, body) == 2
    await store.append(LOG, record(1, body=body))
    assert store.capacity.units["append"] == 2
    assert store.capacity.requests["append"] == 1


async def test_an_append_costs_what_we_compute(store: DynamoStore) -> None:
    around = WRITE_UNIT_BYTES - item_size(encode_record(LOG, pack_record(LOG, record(10, body=b"{"))))
    sizes = [1, 300, *range(around - 2, around + 5), 5_000, 60_000, 300_000]
    for revision, size in enumerate(sizes, start=1):
        before = store.capacity.units["append"]
        body = incompressible(size)
        await store.append(LOG, record(revision, body=body, checkpoint=b"{}" if revision % 2 else None))
        told = store.capacity.units["append"] - before
        assert told == units_of(revision, body, b"{}" if revision % 2 else None), (revision, size)


async def test_an_append_that_is_refused_is_a_request_too(store: DynamoStore) -> None:
    await store.append(LOG, record(1, body=b"{}"))
    with pytest.raises(KeyExists):
        await store.append(LOG, record(1, body=b"{ }"))
    assert (store.capacity.requests["append"], store.capacity.refused["append"]) == (2, 1)
    assert store.capacity.units["append"] == 1


async def test_C2_a_load_costs_half_a_kilobyte_of_write_units_per_page(store: DynamoStore) -> None:
    await fill(store, LOG, 64, size=500)
    size = item_size(encode_record(LOG, pack_record(LOG, record(64, body=incompressible(500)))))
    await store.read_newest(LOG)
    assert store.capacity.requests["read_newest"] == 1
    assert store.capacity.units["read_newest"] == -(-64 * size // 4096)


async def test_H1_a_refresh_costs_one_write_unit_and_leaves_the_index_alone(store: DynamoStore) -> None:
    await store.create_header(header())
    assert write_units(encode_header(header())) == 1
    assert store.capacity.units["create_header"] == 2  # and one for the index
    await store.refresh_header("alice", "n1", name="new", revision=2, updated_at=2)
    await store.trash_header("alice", "n1", deleted_at=1)
    assert (store.capacity.units["refresh_header"], store.capacity.units["trash_header"]) == (1, 1)
