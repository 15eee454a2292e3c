"""What tests of engines write and read: records, headers, whole logs and lists."""

import os

from quire.storage.protocol import Header, NotebookStore, Record

LOG = "alice/n1"
"""A log's id."""

ODD_ID = "!$&'()*+,-.0123456789:;=@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz|~"
"""Every character that an id may have."""


def record(
    revision: int, *, commit_id: str | None = None, body: bytes = b"{}", checkpoint: bytes | None = None
) -> Record:
    """A record; its commit id tells its revision unless given."""
    return Record(
        revision=revision,
        commit_id=commit_id or f"commit-{revision}",
        body=body,
        checkpoint_revision=revision if checkpoint is not None else 1,
        checkpoint=checkpoint,
    )


def header(user_id: str = "alice", notebook_id: str = "n1", **fields: object) -> Header:
    """A header with times and a revision that tests need not care for."""
    values = {"name": "Untitled", "revision": 1, "created_at": 1_000, "updated_at": 1_000} | fields
    return Header(user_id=user_id, notebook_id=notebook_id, **values)  # type: ignore[arg-type]  # any field, by name


def incompressible(size: int) -> bytes:
    """Bytes that are stored as they are, so that sizes can be met exactly."""
    return b"{" + os.urandom(size - 1)


async def fill(store: NotebookStore, log_id: str, count: int, *, size: int = 2, after: int = 0) -> None:
    """Append `count` records whose bodies take `size` bytes each."""
    for revision in range(after + 1, after + count + 1):
        await store.append(log_id, record(revision, body=incompressible(size)))


async def whole_log(store: NotebookStore, log_id: str) -> list[Record]:
    """All records, page after page."""
    records: list[Record] = []
    more = True
    while more:
        page = await store.read_after(log_id, records[-1].revision if records else 0)
        records += page.records
        more = page.more
    return records


async def all_headers(store: NotebookStore, user_id: str, *, limit: int, trash: bool = False) -> list[Header]:
    """The whole list, page after page."""
    found: list[Header] = []
    cursor: str | None = None
    while True:
        page = await store.list_headers(user_id, limit=limit, cursor=cursor, trash=trash)
        found += page.headers
        if page.next_cursor is None:
            return found
        cursor = page.next_cursor
