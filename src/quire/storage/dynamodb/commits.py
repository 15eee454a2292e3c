"""The table of commits: one item for each record, keyed by log and revision."""

import asyncio
from typing import Any

from aiodynamo.types import DynamoItem

from quire.storage.dynamodb.attributes import decode_record, encode_record, log_key, number, record_key, text
from quire.storage.dynamodb.client import DynamoClient
from quire.storage.dynamodb.failures import ConditionFailed
from quire.storage.dynamodb.heads import ProvenHeads, elapsed_seconds
from quire.storage.items import Item, pack_record, page_of, raw_bytes, take_page, unpack_item
from quire.storage.protocol import PAGE_RECORDS_MAX, KeyExists, Page, Record, StoreUnavailable

_INLINE_BYTES = 16 * 1024
"""Up to here packing or unpacking takes less time than handing it to a thread."""

_DELETE_RECORDS = 25
"""What one BatchWriteItem takes."""

_DELETE_PAUSE_SECONDS = 0.05


class CommitsTable:
    """The log half of a NotebookStore."""

    def __init__(self, client: DynamoClient) -> None:
        self._client = client
        self._table = client.settings.commits_table
        self._heads = ProvenHeads()

    async def append(self, log_id: str, record: Record) -> None:
        """See NotebookStore. One conditional PutItem where the record before is known to exist, as it is to writers.

        That it follows the head is checked as far as DynamoDB can (see `heads`): short of a log being erased at the
        same time, which W9 keeps a day away from every writer, a gap is refused as by any other engine.
        """
        item = await _packed(log_id, record)
        if not await self._follows(log_id, item.revision):
            raise KeyExists(item.revision, None)
        await self._put(log_id, item)

    async def begin(self, log_id: str, record: Record) -> None:
        """Begin a log that is empty at any revision: that of an item in the older layout.

        Raises:
            KeyExists: the log has records already. And as `append`.
        """
        item = await _packed(log_id, record)
        if (await self.read_newest(log_id, 1)).records:
            raise KeyExists(item.revision, await self._stored(log_id, item.revision))
        await self._put(log_id, item)

    async def read_newest(self, log_id: str, limit: int) -> Page:
        items, more = await self._page("read_newest", log_id, limit)
        return await _unpacked(log_id, items[::-1], more=more)

    async def read_after(self, log_id: str, revision: int, limit: int) -> Page:
        items, more = await self._page("read_after", log_id, limit, after=max(revision, 0))
        return await _unpacked(log_id, items, more=more)

    async def read_one(self, log_id: str, revision: int) -> Record | None:
        if revision < 1:
            return None
        at = elapsed_seconds()
        payload = {"TableName": self._table, "Key": record_key(log_id, revision), "ConsistentRead": True}
        stored = (await self._client.read("read_one", "GetItem", payload)).get("Item")
        if stored is None:
            return None
        self._heads.note(log_id, revision, at)
        return await _one(log_id, decode_record(log_id, stored))

    async def delete_log(self, log_id: str) -> None:
        """Erase the oldest first: while there is a head, writers meet it."""
        self._heads.forget(log_id)
        query = self._query(log_id, after=0) | {"ProjectionExpression": "log_id, revision"}
        while True:
            answer = await self._client.read("delete_log", "Query", query)
            keys = answer["Items"]
            for start in range(0, len(keys), _DELETE_RECORDS):
                await self._delete(keys[start : start + _DELETE_RECORDS])
            if not keys and "LastEvaluatedKey" not in answer:
                self._heads.forget(log_id)
                return

    async def _put(self, log_id: str, item: Item) -> None:
        at = elapsed_seconds()
        payload = {
            "TableName": self._table,
            "Item": encode_record(log_id, item),
            "ConditionExpression": "attribute_not_exists(log_id)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        try:
            await self._client.write("append", "PutItem", payload)
        except ConditionFailed as failure:
            self._heads.note(log_id, item.revision, at)
            if failure.item is None:
                raise KeyExists(item.revision, await self._stored(log_id, item.revision)) from None
            raise KeyExists(item.revision, await _one(log_id, decode_record(log_id, failure.item))) from None
        self._heads.note(log_id, item.revision, at)

    async def _follows(self, log_id: str, revision: int) -> bool:
        """Whether the record before `revision` exists."""
        if revision <= 1 or self._heads.proves(log_id, revision - 1):
            return revision >= 1
        at = elapsed_seconds()
        payload = {
            "TableName": self._table,
            "Key": record_key(log_id, revision - 1),
            "ConsistentRead": True,
            "ProjectionExpression": "revision",
        }
        if "Item" not in await self._client.read("prove_head", "GetItem", payload):
            return False
        self._heads.note(log_id, revision - 1, at)
        return True

    async def _stored(self, log_id: str, revision: int) -> Record | None:
        """The record that took our key, from an engine that did not send it along; None: the caller must ask again."""
        try:
            return await self.read_one(log_id, revision)
        except StoreUnavailable:
            return None

    async def _page(
        self, operation: str, log_id: str, limit: int, *, after: int | None = None
    ) -> tuple[list[Item], bool]:
        """The records behind `after` in ascending order, else the newest in descending order: what fits one page.

        One query, unless DynamoDB's page ends before ours does.
        """
        limit = max(1, min(limit, PAGE_RECORDS_MAX))
        # Ascending, one record more tells whether the log goes on; descending, revision 1 does.
        wanted = limit if after is None else limit + 1
        at = elapsed_seconds()
        query = self._query(log_id, after=after)
        found: list[Item] = []
        while True:
            answer = await self._client.read(operation, "Query", query | {"Limit": wanted - len(found)})
            found += [decode_record(log_id, stored) for stored in answer["Items"]]
            taken, more = take_page(found, limit)
            cut = "LastEvaluatedKey" in answer
            if more or not cut or len(found) >= wanted:
                break
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        if taken:
            self._heads.note(log_id, max(taken[0].revision, taken[-1].revision), at)
        return taken, more or (cut and taken[-1].revision > 1)

    def _query(self, log_id: str, *, after: int | None) -> dict[str, Any]:
        query: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "log_id = :log",
            "ExpressionAttributeValues": {":log": text(log_key(log_id))},
            "ConsistentRead": True,
            "ScanIndexForward": after is not None,
        }
        if after:
            query["KeyConditionExpression"] += " AND revision > :after"
            query["ExpressionAttributeValues"][":after"] = number(after)
        return query

    async def _delete(self, keys: list[DynamoItem]) -> None:
        unprocessed = {self._table: [{"DeleteRequest": {"Key": key}} for key in keys]}
        while unprocessed:
            answer = await self._client.write("delete_log", "BatchWriteItem", {"RequestItems": unprocessed})
            unprocessed = answer.get("UnprocessedItems") or {}
            if unprocessed:
                await asyncio.sleep(_DELETE_PAUSE_SECONDS)  # the table throttles


async def _packed(log_id: str, record: Record) -> Item:
    if raw_bytes(record) <= _INLINE_BYTES:
        return pack_record(log_id, record)
    return await asyncio.to_thread(pack_record, log_id, record)


async def _one(log_id: str, item: Item) -> Record:
    if item.size <= _INLINE_BYTES:
        return unpack_item(log_id, item)
    return await asyncio.to_thread(unpack_item, log_id, item)


async def _unpacked(log_id: str, items: list[Item], *, more: bool) -> Page:
    if sum(item.size for item in items) <= _INLINE_BYTES:
        return page_of(log_id, items, more=more)
    return await asyncio.to_thread(page_of, log_id, items, more=more)
