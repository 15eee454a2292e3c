"""What is missing is named, with what to do; nothing said holds credentials."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from quire.storage.compression import unpack
from quire.storage.dynamodb.attributes import EMPTY_FRAME
from quire.storage.dynamodb.client import DynamoClient
from quire.storage.dynamodb.settings import DynamoSettings
from quire.storage.dynamodb.store import DynamoStore
from quire.storage.protocol import StoreUnavailable
from tests.emulators.processes import EMULATORS
from tests.storage.dynamodb.grounds import settings_of
from tests.storage.dynamodb.scripted_server import refusal, scripted
from tests.storage.engines import all_headers, header, record


@pytest.fixture(params=EMULATORS)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> DynamoSettings:
    """Of tables that do not exist yet."""
    return settings_of(request.param, tmp_path)


async def check(settings: DynamoSettings) -> None:
    store = DynamoStore(settings)
    try:
        await store.check()
    finally:
        await store.close()


async def test_missing_tables_are_named_until_they_are_made(settings: DynamoSettings) -> None:
    with pytest.raises(StoreUnavailable, match=rf"{settings.table}.*does not exist in eu-west-1: create it"):
        await check(settings)
    store = DynamoStore(settings)
    await store.create_tables()
    await store.create_tables()
    await store.check()
    assert await all_headers(store, "quire", limit=9) == []  # what checks leave behind
    assert (await store.read_newest("quire/probe")).records == ()
    await store.close()


async def test_a_table_without_the_index_is_named(settings: DynamoSettings) -> None:
    client = DynamoClient(settings)
    for table, keys in (
        (settings.table, {"user_id": "S", "notebook_id": "S"}),
        (settings.commits_table, {"log_id": "S", "revision": "N"}),
    ):
        payload: dict[str, Any] = {
            "TableName": table,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": kind} for name, kind in keys.items()],
            "KeySchema": [
                {"AttributeName": name, "KeyType": kind} for name, kind in zip(keys, ("HASH", "RANGE"), strict=True)
            ],
        }
        await client.write("create_tables", "CreateTable", payload)
    await client.close()
    # moto says of a missing index what DynamoDB says of a missing table.
    with pytest.raises(StoreUnavailable, match=r"no index NotebookByIdIndex on notebook_id: add it|does not exist"):
        await check(settings)


async def test_a_table_with_other_keys_is_refused(settings: DynamoSettings) -> None:
    store = DynamoStore(settings)
    await store.create_tables()
    await store.close()
    swapped = dataclasses.replace(settings, table=settings.commits_table, commits_table=settings.table)
    with pytest.raises(StoreUnavailable):
        await check(swapped)


async def test_tables_on_aws_are_left_to_the_operator() -> None:
    store = DynamoStore(DynamoSettings("quire", "quire-commits", "eu-west-1"))
    with pytest.raises(StoreUnavailable, match="only the tables of a local DynamoDB"):
        await store.create_tables()
    await store.close()


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("AccessDeniedException", "give this role the permission it names"),
        ("ExpiredTokenException", "renew them"),
        ("UnrecognizedClientException", "renew them"),
        ("InvalidSignatureException", "check the secret key and this machine's clock"),
        ("MissingAuthenticationTokenException", "check the AWS credentials"),
        ("SomethingNewException", "refuses a request"),
    ],
)
async def test_a_refusal_says_what_to_do(code: str, hint: str) -> None:
    async with scripted(refusal(code, message="about dynamodb:PutItem")) as server:
        with pytest.raises(StoreUnavailable, match=hint) as told:
            await check(server.settings)
    assert "secret-of-nobody" not in str(told.value)


async def test_a_signature_that_is_refused_is_not_quoted() -> None:
    quoted = "The Canonical String should have been 'x-amz-security-token:FwoGZXIvY'"
    async with scripted(refusal("InvalidSignatureException", message=quoted)) as server:
        with pytest.raises(StoreUnavailable) as told:
            await check(server.settings)
    assert "FwoGZXIvY" not in str(told.value)


async def test_E2_an_empty_value_is_kept_as_a_frame_of_nothing(tmp_path: Path) -> None:
    assert unpack(EMPTY_FRAME) == b""
    store = DynamoStore(settings_of("dynamodb-local", tmp_path))
    await store.create_tables()
    await store.append("alice/n1", record(1, body=b"", checkpoint=b""))
    assert await store.read_one("alice/n1", 1) == record(1, body=b"", checkpoint=b"")
    await store.create_header(header(name=""))
    assert await store.get_header("alice", "n1") == header(name="")
    await store.close()
