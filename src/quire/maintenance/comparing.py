"""Whether two places hold the same notebook: read from both, page by page, and compared byte by byte."""

from collections.abc import AsyncIterator

from quire.blobs.protocol import BlobMissing, BlobStore
from quire.storage.protocol import Header, NotebookStore, Record


class Difference(Exception):
    """The target does not hold what the source holds; the message says where."""


async def compare_logs(source: NotebookStore, target: NotebookStore, log_id: str, *, up_to: int) -> None:
    """Every record up to that revision, and that the target has none behind it. Raises Difference."""
    theirs = _records(target, log_id)
    async for ours in _records(source, log_id):
        if ours.revision > up_to:
            break
        their = await anext(theirs, None)
        if their != ours:
            where = "nothing" if their is None else f"another record ({their.commit_id})"
            raise Difference(f"the target has {where} at revision {ours.revision}")
    extra = await anext(theirs, None)
    if extra is not None:
        raise Difference(f"the target goes on at revision {extra.revision}, behind the source's {up_to}")


async def _records(store: NotebookStore, log_id: str) -> AsyncIterator[Record]:
    after, more = 0, True
    while more:
        page = await store.read_after(log_id, after)
        for record in page.records:
            yield record
            after = record.revision
        more = page.more and bool(page.records)


async def compare_blobs(source: BlobStore, target: BlobStore, log_id: str) -> None:
    """That the target can read, whole, every blob that the source can. Raises Difference."""
    async for blob in source.list(log_id):
        try:
            await _read(target, log_id, blob.sha256)
        except BlobMissing as missing:
            try:
                await _read(source, log_id, blob.sha256)
            except BlobMissing:
                continue  # There is nothing to copy: the source shows it as damaged, and so will the target.
            raise Difference(f"the target cannot read blob {blob.sha256}: {missing}") from missing


async def _read(blobs: BlobStore, log_id: str, sha256: str) -> None:
    """Raises BlobMissing; what is read hashes to its name."""
    async for _part in (await blobs.stream(log_id, sha256)).parts:
        continue


def compare_headers(source: Header, target: Header | None) -> None:
    """Raises Difference, which never tells a connection string."""
    if target is None:
        raise Difference("the target has no header for it")
    for name in source.__struct_fields__:
        if getattr(source, name) != getattr(target, name):
            raise Difference(f"the target's header has another {name}")
