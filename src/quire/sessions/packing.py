"""Checkpoints as bytes that are large: encoded, compressed and decoded without the event loop feeling it (C5)."""

import asyncio
from collections.abc import Iterator

import zstandard

from quire.notebook import codec
from quire.notebook.model import Notebook

THREAD_BYTES_MIN = 64 * 1024
"""From here on encoding and decoding leaves the event loop."""

UNPACKED_BYTES_MAX = 1 << 30
_CHUNK_BYTES = 256 * 1024


def pack_lines(state: Notebook, *, previous: int) -> bytes:
    """The checkpoint of `state`, compressed by zstd.

    One line at a time: the interpreter lock is free between cells, so a thread can do it beside the event loop.
    """
    compressor = zstandard.ZstdCompressor().compressobj()
    parts = [compressor.compress(line) for line in codec.checkpoint_lines(state, previous=previous)]
    parts.append(compressor.flush())
    return b"".join(parts)


def unpack_lines(packed: bytes) -> Iterator[bytes]:
    """The lines of a packed checkpoint. Raises CodecError if it is damaged or unpacks to more than 1 GiB."""
    rest, total = b"", 0
    try:
        with zstandard.ZstdDecompressor().stream_reader(packed) as reader:
            while chunk := reader.read(_CHUNK_BYTES):
                total += len(chunk)
                if total > UNPACKED_BYTES_MAX:
                    raise codec.CodecError(f"a checkpoint above {UNPACKED_BYTES_MAX:,} bytes")
                *lines, rest = (rest + chunk).split(b"\n")
                yield from lines
    except zstandard.ZstdError as error:
        raise codec.CodecError(f"a damaged checkpoint: {error}") from error
    if rest:
        raise codec.CodecError("a checkpoint that ends within a line")


async def decode_lines(raw: bytes) -> Notebook:
    """The state in a checkpoint that a record carries."""
    if len(raw) < THREAD_BYTES_MIN:
        return codec.decode_checkpoint(raw.split(b"\n"))
    return await asyncio.to_thread(codec.decode_checkpoint, raw.split(b"\n"))


async def decode_packed(packed: bytes) -> Notebook:
    """The state in a checkpoint blob."""
    return await asyncio.to_thread(lambda: codec.decode_checkpoint(unpack_lines(packed)))
