"""What requests cost: computed before, and counted after.

Sizes are counted as DynamoDB documents it: names and texts in UTF-8, binary data unpacked, numbers at one byte per
two significant digits and one more.
"""

import base64
import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

from aiodynamo.types import DynamoItem

WRITE_UNIT_BYTES = 1024
READ_UNIT_BYTES = 4096
"""One unit of a strongly consistent read."""


class Capacity:
    """Units consumed, requests answered and attempts made again, by operation of the store; all only grow."""

    def __init__(self) -> None:
        self.units: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        """Those requests whose condition did not hold. They are billed like the write of the item that is there, at
        least one unit, but their answers do not say so: `units` lacks them."""
        self.retries: Counter[str] = Counter()

    def count_refused(self, operation: str) -> None:
        """Add a request whose condition did not hold."""
        self.requests[operation] += 1
        self.refused[operation] += 1

    def count(self, operation: str, answer: Mapping[str, Any]) -> None:
        """Add what the answer to one request says that it consumed."""
        self.requests[operation] += 1
        consumed = answer.get("ConsumedCapacity") or ()
        for one in (consumed,) if isinstance(consumed, Mapping) else consumed:
            self.units[operation] += one["CapacityUnits"]


def item_size(item: DynamoItem) -> int:
    """Bytes that DynamoDB counts for an item of plain attributes (texts, numbers, binary data)."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def write_units(item: DynamoItem) -> int:
    """What putting `item` costs, its indexes aside; a refused put costs what the stored item would."""
    return max(1, math.ceil(item_size(item) / WRITE_UNIT_BYTES))


def _value_size(value: dict[str, str]) -> int:
    kind, data = next(iter(value.items()))
    if kind == "S":
        return len(data.encode())
    if kind == "B":
        return len(base64.b64decode(data))
    if kind == "N":
        digits = len(data.strip("-").strip("0")) or 1
        return (digits + 1) // 2 + 1 + data.startswith("-")
    raise ValueError(f"an attribute of type {kind} is not one of ours")
