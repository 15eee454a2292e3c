"""Lines of a log file: one JSON object for each record, with the length and the CRC-32 of the record in front.

    {"crc32":"89abcdef","bytes":      131,"record":{"revision":14,"commit_id":"01a2..","body":"{..}",..}}

No record can hold the characters that a line begins with: inside of JSON text a quotation mark is escaped. So a
line that is torn or damaged cannot hide the one behind it, and lines can be found from the end of the file.
"""

import zlib

import msgspec

from quire.storage.protocol import DamagedRecord, Record

MARK = b'{"crc32":"'
"""What a line begins with, and what occurs nowhere else."""

_HEAD = b'{"crc32":"%08x","bytes":%9d,"record":'
_HEAD_BYTES = len(_HEAD % (0, 0))
_CRC = slice(len(MARK), len(MARK) + 8)
_LENGTH = slice(_HEAD_BYTES - len(b',"record":') - 9, _HEAD_BYTES - len(b',"record":'))
_END = b"}\n"


class _Stored(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A record as JSON. Bytes that are no UTF-8 text are kept in base64 in the second of each pair."""

    revision: int
    commit_id: str
    checkpoint_revision: int
    size: int
    """As every engine counts it, packed (see `items`): what a page is measured by."""
    body: str | None = None
    body_base64: bytes | None = None
    checkpoint: str | None = None
    checkpoint_base64: bytes | None = None


class _Key(msgspec.Struct, frozen=True):
    """What an index needs of a stored record."""

    revision: int
    size: int


class Line(msgspec.Struct, frozen=True):
    """Where one record lies: its line is the bytes from `start` to `end` of the file."""

    revision: int
    size: int
    start: int
    end: int


class BrokenLine(Exception):
    """Bytes that are not a whole, unaltered line.

    `followed`: the record is unaltered but its line does not end where it should, though the data go on behind that.
    So something was written after it: it is not the torn tail of a log.
    """

    def __init__(self, reason: str, *, followed: bool = False) -> None:
        super().__init__(reason)
        self.followed = followed


_stored_decoder = msgspec.json.Decoder(_Stored)
_key_decoder = msgspec.json.Decoder(_Key)


def encode_line(record: Record, size: int) -> bytes:
    """The line of a record; `size` as `items.pack_record` measured it."""
    body, body_base64 = _text_or_bytes(record.body)
    checkpoint, checkpoint_base64 = (None, None) if record.checkpoint is None else _text_or_bytes(record.checkpoint)
    stored = _Stored(
        revision=record.revision,
        commit_id=record.commit_id,
        checkpoint_revision=record.checkpoint_revision,
        size=size,
        body=body,
        body_base64=body_base64,
        checkpoint=checkpoint,
        checkpoint_base64=checkpoint_base64,
    )
    data = msgspec.json.encode(stored)
    return _HEAD % (zlib.crc32(data), len(data)) + data + _END


def find_line(data: bytes | memoryview, start: int, offset: int) -> Line:
    """The line that begins at `start` in `data`, which lies at `offset` in its file.

    Raises:
        BrokenLine: it is not whole, or was altered.
    """
    payload = _payload(data, start)
    try:
        key = _key_decoder.decode(payload)
    except msgspec.MsgspecError as error:
        raise BrokenLine(f"not a record: {error}") from error
    end = start + _HEAD_BYTES + len(payload) + len(_END)
    return Line(key.revision, key.size, offset + start, offset + end)


def decode_line(data: bytes | memoryview, start: int = 0) -> Record:
    """The record whose line begins at `start`.

    Raises:
        BrokenLine: it is not whole, or was altered. DamagedRecord: whole, but not as this version writes it.
    """
    payload = _payload(data, start)
    try:
        stored = _stored_decoder.decode(payload)
    except msgspec.MsgspecError as error:
        raise DamagedRecord(f"not a record: {error}") from error
    body = _bytes_of(stored.body, stored.body_base64)
    if body is None:
        raise DamagedRecord("a record without a body")
    checkpoint = _bytes_of(stored.checkpoint, stored.checkpoint_base64)
    return Record(stored.revision, stored.commit_id, body, stored.checkpoint_revision, checkpoint)


def _payload(data: bytes | memoryview, start: int) -> memoryview:
    """The record's JSON, whose length, checksum and surroundings are right."""
    view = memoryview(data)[start:]
    head = bytes(view[:_HEAD_BYTES])
    try:
        crc, length = int(head[_CRC], 16), int(head[_LENGTH])
    except ValueError:
        crc, length = 0, -1
    if length < 0 or head != _HEAD % (crc, length):
        raise BrokenLine("its beginning is damaged")
    payload = view[_HEAD_BYTES : _HEAD_BYTES + length]
    if len(payload) < length:
        raise BrokenLine("it is cut short")
    if zlib.crc32(payload) != crc:
        raise BrokenLine("its checksum is wrong")
    rest = view[_HEAD_BYTES + length :]
    if rest[: len(_END)] != _END:
        raise BrokenLine("its end is missing", followed=len(rest) > len(_END))
    return payload


def _text_or_bytes(data: bytes) -> tuple[str | None, bytes | None]:
    try:
        return data.decode(), None
    except UnicodeDecodeError:
        return None, data


def _bytes_of(text: str | None, data: bytes | None) -> bytes | None:
    return data if text is None else text.encode()
