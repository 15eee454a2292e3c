"""Which blobs a log names. Whatever a kept revision names is needed (B2)."""

from collections.abc import Iterator

import msgspec

from quire.blobs.protocol import BlobStore
from quire.notebook import codec
from quire.notebook.model import BlobRef
from quire.sessions.loading import read_commit
from quire.storage.protocol import NotebookStore


async def named_blobs(store: NotebookStore, blobs: BlobStore, log_id: str) -> set[str]:
    """The SHA-256 of every blob that a record of the log names: as its body, its checkpoint, or an output.

    A checkpoint's cells name no more than the commits did that made them.

    Raises:
        CodecError: a record cannot be read, so that nobody knows what it names. StorageError, BlobError.
    """
    named: set[str] = set()
    after, more = 0, True
    while more:
        page = await store.read_after(log_id, after)
        for record in page.records:
            body = codec.decode_body(record.body)
            if isinstance(body, BlobRef):
                named.add(body.sha256)
            named |= set(_within(await read_commit(blobs, log_id, record)))
            if record.checkpoint is not None:
                head = codec.decode_checkpoint_head(record.checkpoint)
                if head.blob is not None:
                    named.add(head.blob.sha256)
            after = record.revision
        more = page.more
    return named


def _within(value: object) -> Iterator[str]:
    if isinstance(value, BlobRef):
        yield value.sha256
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _within(getattr(value, name))
    elif isinstance(value, tuple):
        for one in value:
            yield from _within(one)
