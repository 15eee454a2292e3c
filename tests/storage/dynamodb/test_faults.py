"""W1 to W3 against DynamoDB Local behind a network that loses, tears, delays and doubles. A failing seed is printed."""

import asyncio
import dataclasses
import functools
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from quire.storage.dynamodb.store import DynamoStore
from quire.storage.protocol import HeaderExists, OutcomeUnknown, StoreUnavailable
from tests.storage.dynamodb.faulty_proxy import FAULTS, PATIENCE_SECONDS, faulty_proxy
from tests.storage.dynamodb.grounds import settings_of
from tests.storage.engines import header, whole_log
from tests.storage.racing import edits_in, judge, race

LOG = "alice/n1"
WRITERS = 4
EDITS = 10


@pytest.mark.parametrize("seed", range(3))
async def test_W1_W2_W3_no_edit_is_lost_or_doubled_and_there_is_no_gap(seed: int, tmp_path: Path) -> None:
    direct = settings_of("dynamodb-local", tmp_path)
    store = DynamoStore(direct)
    await store.create_tables()
    async with faulty_proxy(str(direct.endpoint_url), seed) as proxy:
        behind = dataclasses.replace(direct, endpoint_url=proxy.url)
        servers = [DynamoStore(behind, attempt_seconds=PATIENCE_SECONDS) for _ in range(WRITERS)]
        told = await race(servers, LOG, edits=EDITS, padding=1000)
        await asyncio.gather(*(server.close() for server in servers))
        await proxy.settle()
        met = f"seed {seed}, faults {dict(proxy.met)}"
        assert set(FAULTS) <= set(proxy.met), met  # a simulation in which nothing went wrong proves nothing
    records = await whole_log(store, LOG)
    await store.close()
    assert judge(edits_in(records), told).faults == {}, met


async def _until_told(action: Callable[[], Awaitable[object]]) -> None:
    """Repeat it until it neither fails nor is in doubt."""
    told = False
    while not told:
        try:
            await action()
        except (OutcomeUnknown, StoreUnavailable):
            continue
        told = True


async def _create(store: DynamoStore, notebook_id: str) -> None:
    try:
        await store.create_header(header(notebook_id=notebook_id))
    except HeaderExists as taken:  # by an earlier call of ours, which was unknown
        if taken.stored != header(notebook_id=notebook_id):
            raise


async def test_H1_H2_headers_survive_the_same_network(tmp_path: Path) -> None:
    direct = settings_of("dynamodb-local", tmp_path)
    plain = DynamoStore(direct)
    await plain.create_tables()
    async with faulty_proxy(str(direct.endpoint_url), 11) as proxy:
        store = DynamoStore(dataclasses.replace(direct, endpoint_url=proxy.url), attempt_seconds=PATIENCE_SECONDS)

        async def make(number: int) -> None:
            notebook_id = f"n{number:02}"
            await _until_told(lambda: _create(store, notebook_id))
            for revision in (2, 3):
                change = functools.partial(
                    store.refresh_header, "alice", notebook_id, name=f"r{revision}", revision=revision, updated_at=5
                )
                await _until_told(change)

        await asyncio.gather(*(make(number) for number in range(20)))
        await proxy.settle()
        await store.close()
    page = await plain.list_headers("alice")
    await plain.close()
    assert [one.notebook_id for one in page.headers] == [f"n{number:02}" for number in range(20)]
    assert {(one.name, one.revision) for one in page.headers} == {("r3", 3)}
