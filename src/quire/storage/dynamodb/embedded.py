"""The older layout: one item for each notebook, with its cells embedded. Seen here, understood elsewhere."""

import base64
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
from aiodynamo.types import DynamoItem

from quire.storage.dynamodb.attributes import header_key, number
from quire.storage.dynamodb.client import DynamoClient
from quire.storage.dynamodb.failures import ConditionFailed
from quire.storage.protocol import OlderNotebook

_NAMES = {"#cells": "cells", "#revision": "revision"}
_WITHHELD = frozenset({"db_conn_string"})


class EmbeddedCells:
    """Reads and ends the older layout of single notebooks."""

    def __init__(self, client: DynamoClient) -> None:
        self._client = client
        self._table = client.settings.table

    async def read(self, user_id: str, notebook_id: str) -> OlderNotebook | None:
        """The item as JSON, if it still has `cells`: sets as sorted lists, binary data as base64.

        Its connection string is left out: that stays in the header.
        """
        payload = {"TableName": self._table, "Key": header_key(user_id, notebook_id), "ConsistentRead": True}
        stored = (await self._client.read("read_embedded", "GetItem", payload)).get("Item")
        if stored is None or "cells" not in stored:
            return None
        plain = _plain_map({name: stored[name] for name in stored if name not in _WITHHELD})
        found = plain.get("revision")
        revision = int(found) if isinstance(found, int | float) else 0
        return OlderNotebook(msgspec.json.encode(plain), revision, max(1, revision))

    async def remove(self, user_id: str, notebook_id: str, revision: int) -> bool:
        """Remove `cells` if the item still has them and its revision is `revision` (0: or none); whether it did."""
        same = "#revision = :revision"
        if revision == 0:
            same = f"(attribute_not_exists(#revision) OR {same})"
        payload = {
            "TableName": self._table,
            "Key": header_key(user_id, notebook_id),
            "UpdateExpression": "REMOVE #cells",
            "ConditionExpression": f"attribute_exists(#cells) AND {same}",
            "ExpressionAttributeNames": _NAMES,
            "ExpressionAttributeValues": {":revision": number(revision)},
        }
        try:
            await self._client.write("remove_embedded", "UpdateItem", payload)
        except ConditionFailed as failure:
            # Perhaps by an attempt of ours that went unanswered: what counts is that they are gone.
            return failure.undecided and await self.read(user_id, notebook_id) is None
        return True


def _plain_map(values: DynamoItem) -> dict[str, Any]:
    return {name: _plain(value) for name, value in values.items()}


def _plain_number(digits: str) -> int | float:
    exact = Decimal(digits)
    return int(exact) if exact == exact.to_integral_value() else float(exact)


_PLAIN: dict[str, Callable[[Any], Any]] = {
    "S": str,
    "N": _plain_number,
    "B": str,  # base64 on the wire
    "BOOL": bool,
    "NULL": lambda _: None,
    "L": lambda values: [_plain(value) for value in values],
    "M": _plain_map,
    "SS": sorted,
    "NS": lambda values: sorted(_plain_number(value) for value in values),
    "BS": lambda values: sorted(values, key=base64.b64decode),
}


def _plain(value: dict[str, Any]) -> Any:
    ((kind, data),) = value.items()
    return _PLAIN[kind](data)
