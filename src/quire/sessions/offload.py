"""Large results go to the blob store before the commit that names them (W6)."""

import asyncio
import base64
import binascii

import msgspec
import zstandard

from quire.blobs.protocol import BlobStore
from quire.notebook.changes import CellRan
from quire.notebook.mime import is_binary
from quire.notebook.model import BlobRef, Data, Output

INLINE_PACKED_MAX = 8 * 1024
"""Compressed bytes of one change's outputs, stdout and stderr together that stay in the log."""
INLINE_RAW_MAX = 32 * 1024
"""Uncompressed: what compresses well must still fit a commit body of 64 KB."""


async def offload(blobs: BlobStore, log_id: str, change: CellRan) -> CellRan:
    """`change` with its largest parts replaced by blobs, until the rest is small enough for the log.

    Raises:
        BlobsUnavailable: nothing was committed.
    """
    parts: list[Data] = [change.stdout, change.stderr, *(output.data for output in change.outputs)]
    sizes = await _sizes(parts)
    order = sorted(range(len(parts)), key=lambda index: sizes[index][0], reverse=True)
    packed, raw = sum(size[0] for size in sizes), sum(size[1] for size in sizes)
    moved: dict[int, Data] = {}
    for index in order:
        if packed <= INLINE_PACKED_MAX and raw <= INLINE_RAW_MAX:
            break
        data = parts[index]
        if not isinstance(data, str) or not data:
            continue
        mime_type = change.outputs[index - 2].mime_type if index >= 2 else "text/plain"
        content = await asyncio.to_thread(blob_bytes, mime_type, data)
        moved[index] = BlobRef(await blobs.put(log_id, content), len(content))
        packed -= sizes[index][0]
        raw -= sizes[index][1]
    if not moved:
        return change
    outputs = tuple(
        Output(output.mime_type, moved.get(index + 2, output.data), output.metadata, output.display_id)
        for index, output in enumerate(change.outputs)
    )
    return msgspec.structs.replace(
        change, stdout=moved.get(0, change.stdout), stderr=moved.get(1, change.stderr), outputs=outputs
    )


async def _sizes(parts: list[Data]) -> list[tuple[int, int]]:
    """Packed and raw bytes of each part; only what might be too large is compressed, in a thread."""
    if sum(len(part) for part in parts if isinstance(part, str)) <= INLINE_PACKED_MAX // 4:
        return [(len(part), len(part)) if isinstance(part, str) else (0, 0) for part in parts]
    return await asyncio.to_thread(lambda: [_size(part) for part in parts])


def _size(part: Data) -> tuple[int, int]:
    if not isinstance(part, str):
        return 0, 0
    raw = part.encode()
    if len(raw) > INLINE_RAW_MAX:
        return len(raw), len(raw)
    return min(len(raw), len(zstandard.ZstdCompressor().compress(raw))), len(raw)


def blob_bytes(mime_type: str, data: str) -> bytes:
    """What a blob of this MIME type holds: decoded base64 for binary types, UTF-8 otherwise."""
    if is_binary(mime_type):
        try:
            return base64.b64decode(data)
        except binascii.Error:
            return data.encode()
    return data.encode()
