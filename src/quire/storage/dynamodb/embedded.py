"""The older layout: one item for each notebook, with its cells embedded. Seen here, understood elsewhere."""

import base64
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from aiodynamo.types import DynamoItem

from quire.notebook.lenient_json import whole_number
from quire.storage.dynamodb.attributes import header_key, number, text
from quire.storage.dynamodb.client import DynamoClient
from quire.storage.dynamodb.failures import ConditionFailed
from quire.storage.protocol import OlderNotebook

_WITHHELD = frozenset({"db_conn_string"})
_COMPARED = ("name", "revision", "updated_at")
"""What an older server writes beside the cells."""


class EmbeddedCells:
    """Reads and ends the older layout of single notebooks."""

    def __init__(self, client: DynamoClient) -> None:
        self._client = client
        self._table = client.settings.table

    async def read(self, user_id: str, notebook_id: str) -> OlderNotebook | None:
        """The item as JSON, if it still has `cells`: sets as sorted lists, binary data as base64.

        Its connection string is left out: that stays in the header.
        """
        stored = await self._item(user_id, notebook_id)
        if stored is None:
            return None
        revision = whole_number(_plain(stored.get("revision", {"NULL": True})))
        return OlderNotebook(_document(stored), revision, max(1, revision))

    async def remove(
        self, user_id: str, notebook_id: str, older: OlderNotebook, *, name: str, revision: int, updated_at: int
    ) -> bool:
        """Remove `cells` if the item still is `older`, and set those three with it; whether it did.

        The revision counts the older server's writes until then, and the log's from then on: it may become lower.
        """
        stored = await self._item(user_id, notebook_id)
        header = {"name": text(name) if name else None, "revision": number(revision), "updated_at": number(updated_at)}
        for deep in (True, False):
            if stored is None or _document(stored) != older.document:
                return False
            payload = {"TableName": self._table, "Key": header_key(user_id, notebook_id)}
            try:
                await self._client.write("remove_embedded", "UpdateItem", payload | _removal(stored, header, deep=deep))
            except ConditionFailed as failure:
                stored = await self._item(user_id, notebook_id)
                if stored is None:
                    # Perhaps by an attempt of ours that went unanswered: what counts is that they are gone.
                    return failure.undecided
                # If nothing has changed, this implementation compares no lists (dynalite does not).
            else:
                return True
        return False

    async def _item(self, user_id: str, notebook_id: str) -> DynamoItem | None:
        """The item, if it still has `cells`."""
        payload = {"TableName": self._table, "Key": header_key(user_id, notebook_id), "ConsistentRead": True}
        stored: DynamoItem | None = (await self._client.read("read_embedded", "GetItem", payload)).get("Item")
        return stored if stored is not None and "cells" in stored else None


def _removal(stored: DynamoItem, header: dict[str, dict[str, str] | None], *, deep: bool) -> dict[str, Any]:
    """The update that ends the older layout of `stored`, on the condition that it still says the same.

    `deep`: compare all of its cells, and not only how many there are.
    """
    conditions = ["#cells = :cells" if deep else "size(#cells) = :cells"]
    values = {":cells": stored["cells"] if deep else number(_length(stored["cells"]))}
    for name in _COMPARED:
        conditions.append(f"#{name} = :old_{name}" if name in stored else f"attribute_not_exists(#{name})")
        if name in stored:
            values[f":old_{name}"] = stored[name]
    values |= {f":{name}": value for name, value in header.items() if value is not None}
    sets = ", ".join(f"#{name} = :{name}" for name, value in header.items() if value is not None)
    removes = ", ".join(["#cells", *(f"#{name}" for name, value in header.items() if value is None)])
    return {
        "UpdateExpression": f"SET {sets} REMOVE {removes}",
        "ConditionExpression": " AND ".join(conditions),
        "ExpressionAttributeNames": {f"#{name}": name for name in ("cells", *_COMPARED)},
        "ExpressionAttributeValues": values,
    }


def _length(value: dict[str, Any]) -> int:
    ((_, data),) = value.items()
    return len(data) if isinstance(data, list | dict | str) else 0


def _document(stored: DynamoItem) -> bytes:
    plain = _plain_map({name: stored[name] for name in stored if name not in _WITHHELD})
    # Not by msgspec, which refuses whole numbers of more than 64 bits. In order, so that it can be compared.
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


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
