"""The table of headers: one item for each notebook, keyed by owner and notebook."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from aiodynamo.types import DynamoItem

from quire.storage.cursors import decode_cursor, encode_cursor, list_limit
from quire.storage.dynamodb.attributes import (
    HEADER_FIELDS,
    binary,
    decode_header,
    encode_header,
    header_key,
    number,
    text,
)
from quire.storage.dynamodb.client import DynamoClient
from quire.storage.dynamodb.failures import ConditionFailed
from quire.storage.dynamodb.tables import INDEX
from quire.storage.protocol import Header, HeaderExists, HeaderPage

# Placeholders, since some of these names are reserved words. Never `cells` of the older layout, which may be large.
_NAMES = {f"#{name}": name for name in HEADER_FIELDS}
_FIELDS = ", ".join(_NAMES)


class HeadersTable:
    """The header half of a NotebookStore."""

    def __init__(self, client: DynamoClient) -> None:
        self._client = client
        self._table = client.settings.table

    async def create(self, header: Header) -> None:
        payload = {
            "TableName": self._table,
            "Item": encode_header(header),
            "ConditionExpression": "attribute_not_exists(user_id)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        while True:
            try:
                await self._client.write("create_header", "PutItem", payload)
            except ConditionFailed as failure:
                if failure.item is not None:
                    stored: Header | None = decode_header(failure.item)
                else:
                    stored = await self.get(header.user_id, header.notebook_id)
                if stored == header and failure.undecided:
                    return  # our own, by an attempt that went unanswered
                if stored is not None:
                    raise HeaderExists(stored) from None
                # It was erased just now: put ours.
            else:
                return

    async def get(self, user_id: str, notebook_id: str) -> Header | None:
        payload = {
            "TableName": self._table,
            "Key": header_key(user_id, notebook_id),
            "ConsistentRead": True,
            "ProjectionExpression": _FIELDS,
            "ExpressionAttributeNames": _NAMES,
        }
        stored = (await self._client.read("get_header", "GetItem", payload)).get("Item")
        return None if stored is None else decode_header(stored)

    async def find(self, notebook_id: str) -> tuple[Header, ...]:
        """By the index, which lags by milliseconds, then each as it is now."""
        query = {
            "TableName": self._table,
            "IndexName": INDEX,
            "KeyConditionExpression": "notebook_id = :notebook",
            "ExpressionAttributeValues": {":notebook": text(notebook_id)},
            "ProjectionExpression": "user_id",
        }
        owners = sorted([stored["user_id"]["S"] async for stored in self._pages("find_headers", "Query", query)])
        found = await asyncio.gather(*(self.get(owner, notebook_id) for owner in owners))
        return tuple(header for header in found if header is not None)

    async def list(self, user_id: str, *, limit: int, cursor: str | None, trash: bool) -> HeaderPage:
        after = decode_cursor(user_id, cursor, trash=trash)
        limit = list_limit(limit)
        query = self._list_query(user_id, after, trash=trash)
        if not trash:
            query["Limit"] = limit + 1  # most are not in the trash, so that this is one request
        found: list[Header] = []
        async with aclosing(self._pages("list_headers", "Query", query)) as matching:
            async for stored in matching:
                found.append(decode_header(stored))
                if len(found) > limit:
                    page = tuple(found[:limit])
                    return HeaderPage(page, encode_cursor(user_id, page[-1].notebook_id, trash=trash))
        return HeaderPage(tuple(found), None)

    def _list_query(self, user_id: str, after: str, *, trash: bool) -> dict[str, Any]:
        deleted = "#deleted_at > :never"
        query: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "user_id = :user",
            "FilterExpression": deleted if trash else f"attribute_not_exists(#deleted_at) OR NOT {deleted}",
            "ExpressionAttributeValues": {":user": text(user_id), ":never": number(0)},
            "ExpressionAttributeNames": _NAMES,
            "ProjectionExpression": _FIELDS,
            "ConsistentRead": True,
        }
        if after:
            query["KeyConditionExpression"] += " AND notebook_id > :after"
            query["ExpressionAttributeValues"][":after"] = text(after)
        return query

    async def refresh(self, user_id: str, notebook_id: str, *, name: str, revision: int, updated_at: int) -> bool:
        try:
            await self._update(
                "refresh_header",
                header_key(user_id, notebook_id),
                {"name": text(name) if name else None, "revision": number(revision), "updated_at": number(updated_at)},
                condition="(attribute_not_exists(#revision) OR #revision < :revision)",
            )
        except ConditionFailed as failure:
            if not failure.undecided:
                return False
            stored = await self.get(user_id, notebook_id)
            return stored is not None and (stored.revision, stored.name, stored.updated_at) == (
                revision,
                name,
                updated_at,
            )
        return True

    async def trash(self, user_id: str, notebook_id: str, *, deleted_at: int, ttl: int) -> bool:
        values = {"deleted_at": number(deleted_at) if deleted_at else None, "ttl": number(ttl) if ttl else None}
        return await self._set("trash_header", user_id, notebook_id, values)

    async def set_connection(self, user_id: str, notebook_id: str, *, db_conn_string: bytes) -> bool:
        values = {"db_conn_string": binary(db_conn_string) if db_conn_string else None}
        return await self._set("set_connection", user_id, notebook_id, values)

    async def delete(self, user_id: str, notebook_id: str) -> None:
        payload = {"TableName": self._table, "Key": header_key(user_id, notebook_id)}
        await self._client.write("delete_header", "DeleteItem", payload)

    async def scan(self) -> AsyncIterator[Header]:
        payload = {
            "TableName": self._table,
            "ConsistentRead": True,
            "ProjectionExpression": _FIELDS,
            "ExpressionAttributeNames": _NAMES,
        }
        async for stored in self._pages("scan_headers", "Scan", payload):
            yield decode_header(stored)

    async def _set(
        self, operation: str, user_id: str, notebook_id: str, values: dict[str, dict[str, str] | None]
    ) -> bool:
        """Whether the header exists."""
        try:
            await self._update(operation, header_key(user_id, notebook_id), values)
        except ConditionFailed:
            return False
        return True

    async def _update(
        self, operation: str, key: DynamoItem, values: dict[str, dict[str, str] | None], *, condition: str = ""
    ) -> None:
        """Set these attributes, and remove those that are None, of an item that exists: never an upsert (H1)."""
        sets = [f"#{name} = :{name}" for name, value in values.items() if value is not None]
        removes = [f"#{name}" for name, value in values.items() if value is None]
        clauses = (["SET " + ", ".join(sets)] if sets else []) + (["REMOVE " + ", ".join(removes)] if removes else [])
        payload: dict[str, Any] = {
            "TableName": self._table,
            "Key": key,
            "UpdateExpression": " ".join(clauses),
            "ConditionExpression": "attribute_exists(user_id)" + (f" AND {condition}" if condition else ""),
            "ExpressionAttributeNames": {f"#{name}": name for name in values},
        }
        if sets:
            payload["ExpressionAttributeValues"] = {
                f":{name}": value for name, value in values.items() if value is not None
            }
        await self._client.write(operation, "UpdateItem", payload)

    async def _pages(self, operation: str, action: str, payload: dict[str, Any]) -> AsyncGenerator[DynamoItem, None]:
        """Every item that a query or scan finds, asking for the next page only when it is wanted."""
        payload = dict(payload)
        while True:
            answer = await self._client.read(operation, action, payload)
            for stored in answer["Items"]:
                yield stored
            if "LastEvaluatedKey" not in answer:
                return
            payload["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
