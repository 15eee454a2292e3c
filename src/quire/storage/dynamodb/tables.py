"""The two tables: whether they can be used, and making them for local development."""

import asyncio
import time
from typing import Any

from quire.storage.dynamodb.attributes import header_key, number, record_key, text
from quire.storage.dynamodb.client import DynamoClient
from quire.storage.dynamodb.failures import ConditionFailed, Refused
from quire.storage.protocol import StoreUnavailable

INDEX = "NotebookByIdIndex"

_CREATE_SECONDS_MAX = 60
_CREATE_PAUSE_SECONDS = 0.05


async def check_tables(client: DynamoClient) -> None:
    """Ask both tables and the index for what the server needs of them; changes nothing.

    Raises:
        StoreUnavailable: with what is missing: a table, the index, a permission, credentials, the network.
    """
    settings = client.settings
    await asyncio.gather(
        _probe_write(client, settings.table, header_key("quire", "probe") | {"revision": number(0)}, "user_id"),
        _probe_write(client, settings.commits_table, record_key("quire/probe", 1), "log_id"),
        client.read(
            "check",
            "Query",
            {
                "TableName": settings.table,
                "IndexName": INDEX,
                "KeyConditionExpression": "notebook_id = :notebook",
                "ExpressionAttributeValues": {":notebook": text("probe")},
                "Limit": 1,
            },
        ),
    )


async def _probe_write(client: DynamoClient, table: str, item: dict[str, Any], key: str) -> None:
    """A put whose condition never holds: DynamoDB judges the permission and the key first."""
    payload = {
        "TableName": table,
        "Item": item,
        "ConditionExpression": f"attribute_exists({key}) AND attribute_not_exists({key})",
    }
    try:
        await client.write("check", "PutItem", payload)
    except ConditionFailed:
        return
    raise StoreUnavailable(f"table {table} takes a put whose condition does not hold: this is not DynamoDB")


async def create_tables(client: DynamoClient) -> None:
    """Make the tables that are missing, for local development and tests.

    Raises:
        StoreUnavailable: no `endpoint_url` is set, or they cannot be made.
    """
    settings = client.settings
    if settings.endpoint_url is None:
        raise StoreUnavailable(
            "only the tables of a local DynamoDB are made here: set AWS_ENDPOINT_URL_DYNAMODB. "
            "Those on AWS want backups and encryption: docs/dynamodb.md has their keys"
        )
    await asyncio.gather(
        _create(
            client,
            settings.table,
            {"user_id": "S", "notebook_id": "S"},
            {
                "GlobalSecondaryIndexes": [
                    {
                        "IndexName": INDEX,
                        "KeySchema": [{"AttributeName": "notebook_id", "KeyType": "HASH"}],
                        "Projection": {"ProjectionType": "KEYS_ONLY"},
                    }
                ]
            },
        ),
        _create(client, settings.commits_table, {"log_id": "S", "revision": "N"}, {}),
    )


async def _create(client: DynamoClient, table: str, keys: dict[str, str], more: dict[str, Any]) -> None:
    names = list(keys)
    payload = {
        "TableName": table,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": kind} for name, kind in keys.items()],
        "KeySchema": [
            {"AttributeName": names[0], "KeyType": "HASH"},
            {"AttributeName": names[1], "KeyType": "RANGE"},
        ],
        **more,
    }
    try:
        await client.write("create_tables", "CreateTable", payload)
    except StoreUnavailable as error:
        if not isinstance(error.__cause__, Refused) or error.__cause__.code != "ResourceInUseException":
            raise
        # It exists, or somebody else is making it.
    give_up_at = time.monotonic() + _CREATE_SECONDS_MAX
    while True:
        answer = await client.read("create_tables", "DescribeTable", {"TableName": table})
        if answer["Table"]["TableStatus"] == "ACTIVE":
            return
        if time.monotonic() >= give_up_at:
            raise StoreUnavailable(f"table {table} is not ready after {_CREATE_SECONDS_MAX} s")
        await asyncio.sleep(_CREATE_PAUSE_SECONDS)
