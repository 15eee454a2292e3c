"""Compression of bodies and checkpoints (E1): zstd above 1 KB, where it saves something."""

import threading

import zstandard

from quire.storage.protocol import DamagedRecord

PACK_BYTES_MIN = 1024
"""Shorter data is stored as it is: what could be saved is less than the time it takes."""

UNPACKED_BYTES_MAX = 16 * 1024 * 1024
"""Most that one stored value may hold when unpacked: a small damaged or hostile frame must not fill the memory."""

_MAGIC = b"\x28\xb5\x2f\xfd"
_LEVEL = 3


class _Codecs(threading.local):
    """A zstandard object keeps its working memory, so that one may not be used by two threads at once."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True, write_content_size=True)
        self.decompressor = zstandard.ZstdDecompressor()


_codecs = _Codecs()


def pack(data: bytes) -> bytes:
    """`data`, as a zstd frame if that is shorter.

    Data that itself begins like a frame always becomes one, so that `unpack` gives back any bytes.
    """
    looks_packed = data.startswith(_MAGIC)
    if len(data) <= PACK_BYTES_MIN and not looks_packed:
        return data
    packed: bytes = _codecs.compressor.compress(data)
    return packed if len(packed) < len(data) or looks_packed else data


def unpack(data: bytes) -> bytes:
    """What `pack` was given.

    Raises:
        DamagedRecord: a frame that is torn, altered, or would be longer than UNPACKED_BYTES_MAX.
    """
    if not data.startswith(_MAGIC):
        return data
    try:
        size = zstandard.frame_content_size(data)
        # -1: the frame does not say. `pack` always writes the size, so that the check comes before the memory.
        if not 0 <= size <= UNPACKED_BYTES_MAX:
            raise DamagedRecord(f"a compressed value says that it holds {size:,} bytes")
        return _codecs.decompressor.decompress(data, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise DamagedRecord(f"a compressed value cannot be read: {error}") from error
