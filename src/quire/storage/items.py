"""Records as engines keep them: packed, measured, and gathered into pages. One measure for every engine (W7, C2)."""

from collections.abc import Iterable
from typing import Protocol, TypeVar

import msgspec

from quire.storage.compression import UNPACKED_BYTES_MAX, pack, unpack
from quire.storage.protocol import (
    ITEM_BYTES_MAX,
    PAGE_BYTES_MAX,
    PAGE_RECORDS_MAX,
    DamagedRecord,
    ItemTooLarge,
    Page,
    Record,
)

ITEM_OVERHEAD_BYTES = 100
"""What DynamoDB counts beside the values: six attribute names (56 bytes) and two numbers (at most 22 bytes each)."""


class Item(msgspec.Struct, frozen=True):
    """A record with its body and checkpoint packed."""

    revision: int
    commit_id: str
    body: bytes
    checkpoint_revision: int
    checkpoint: bytes | None
    size: int
    """As `item_bytes` counts."""


class Measured(Protocol):
    """What a page can be made of."""

    @property
    def size(self) -> int: ...


M = TypeVar("M", bound=Measured)


def item_bytes(log_id: str, commit_id: str, body: bytes, checkpoint: bytes | None) -> int:
    """The size of a stored record with these packed values, keys included."""
    return ITEM_OVERHEAD_BYTES + len(log_id.encode()) + len(commit_id.encode()) + len(body) + len(checkpoint or b"")


def raw_bytes(record: Record) -> int:
    """How much of `record` there is to pack: tells whether that is work for a thread."""
    return len(record.body) + len(record.checkpoint or b"")


def pack_record(log_id: str, record: Record) -> Item:
    """`record` as it is kept.

    Raises:
        ItemTooLarge: above ITEM_BYTES_MAX (W7), or so large unpacked that it could not be read again.
    """
    for value in (record.body, record.checkpoint):
        if value is not None and len(value) > UNPACKED_BYTES_MAX:
            raise ItemTooLarge(raw_bytes(record))
    body = pack(record.body)
    checkpoint = None if record.checkpoint is None else pack(record.checkpoint)
    size = item_bytes(log_id, record.commit_id, body, checkpoint)
    if size > ITEM_BYTES_MAX:
        raise ItemTooLarge(size)
    return Item(record.revision, record.commit_id, body, record.checkpoint_revision, checkpoint, size)


def unpack_item(log_id: str, item: Item) -> Record:
    """The record that was packed; raises DamagedRecord, which names the log and revision."""
    try:
        return Record(
            revision=item.revision,
            commit_id=item.commit_id,
            body=unpack(item.body),
            checkpoint_revision=item.checkpoint_revision,
            checkpoint=None if item.checkpoint is None else unpack(item.checkpoint),
        )
    except DamagedRecord as error:
        raise DamagedRecord(f"revision {item.revision} of log {log_id}: {error}") from error


def take_page(items: Iterable[M], limit: int) -> tuple[list[M], bool]:
    """The first of `items` that fit one page, and whether there are more (C2)."""
    limit = max(1, min(limit, PAGE_RECORDS_MAX))
    taken: list[M] = []
    size = 0
    for item in items:
        size += item.size
        if len(taken) == limit or (taken and size > PAGE_BYTES_MAX):
            return taken, True
        taken.append(item)
    return taken, False


def page_of(log_id: str, items: list[Item], *, more: bool) -> Page:
    """The page that holds these, which are in ascending order."""
    return Page(records=tuple(unpack_item(log_id, item) for item in items), more=more)
