"""Stores with their blobs, filled with one of each kind of notebook, and all that they hold."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from quire.blobs.memory import MemoryBlobs
from quire.maintenance.migrate import Place
from quire.notebook.ids import log_id_of
from quire.storage.protocol import Header, NotebookStore, Record
from tests.storage.engines import ENGINES, ODD_ID, header, incompressible, record, whole_log

Contents = dict[tuple[str, str], tuple[Header, list[Record], set[str]]]

LARGE_BYTES = 300 * 1024


@asynccontextmanager
async def place(engine: str, folder: Path) -> AsyncIterator[Place]:
    """A place of its own, empty."""
    store = await ENGINES[engine](folder)
    try:
        yield Place(store, MemoryBlobs())
    finally:
        await store.close()


async def add(where: Place, one: Header, *, records: int = 3, blobs: int = 0) -> None:
    """A notebook as its session leaves it: blobs, log, header."""
    log_id = log_id_of(one.user_id, one.notebook_id)
    for number in range(blobs):
        await where.blobs.put(log_id, f"{log_id} {number}".encode())
    await append(where.store, log_id, 0, records)
    await where.store.create_header(msgspec.structs.replace(one, revision=records, deleted_at=0, db_conn_string=b""))
    key = one.user_id, one.notebook_id
    if one.deleted_at:
        await where.store.trash_header(*key, deleted_at=one.deleted_at, ttl=one.ttl)
    if one.db_conn_string:
        await where.store.set_connection(*key, db_conn_string=one.db_conn_string)


async def append(store: NotebookStore, log_id: str, after: int, count: int) -> None:
    """More records, the first of all with a checkpoint."""
    for revision in range(after + 1, after + count + 1):
        checkpoint = b"checkpoint of " + log_id.encode() if revision == 1 else None
        name = f"{log_id} {revision}"
        await store.append(log_id, record(revision, commit_id=name, body=name.encode(), checkpoint=checkpoint))


async def fill_place(where: Place) -> None:
    """One of each kind."""
    await add(where, header(), blobs=3)
    await add(where, header(notebook_id="n2", name="Namen mit ü, 名前 and 🙂"), records=70)
    await add(where, header("bob", "n1", db_conn_string=b"\x00sealed\xff"), records=1)
    await add(where, header(ODD_ID, ODD_ID), blobs=1)
    await add(where, header("bob", "trashed", deleted_at=5_000), records=2)
    await where.store.create_header(header("bob", "demo-bob", revision=7, deleted_at=4_000))
    await add(where, header("carol", "large"), records=1)
    await where.store.append("carol/large", record(2, body=incompressible(LARGE_BYTES)))
    await where.store.refresh_header("carol", "large", name="Large", revision=2, updated_at=2_000)


async def contents(where: Place) -> Contents:
    """All that a place holds."""
    found: Contents = {}
    async for one in where.store.scan_headers():
        log_id = log_id_of(one.user_id, one.notebook_id)
        blobs = {blob.sha256 async for blob in where.blobs.list(log_id)}
        found[one.user_id, one.notebook_id] = (one, await whole_log(where.store, log_id), blobs)
    return found
