"""Identifiers: which characters an id may have, and how ids are made."""

import re
import secrets
import time
import uuid
from urllib.parse import quote

ID_BYTES_MAX = 512
"""Longest id. With a user id of at most 506 bytes, which leaves room for `blank-`, a `log_id` stays within the 2,048
bytes of a DynamoDB partition key even if `quote` triples every byte of the user id."""

_ID = re.compile(r"[!$&'()*+,\-.0-9:;=@A-Z_a-z|~]{1,512}")
_CELL_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_CELL_ID_LENGTH = 10


class InvalidId(ValueError):
    """An id that is empty, too long, or holds a character outside the documented set."""


def check_id(value: str, field: str) -> str:
    """Return `value` if it may be an id.

    An id is 1 to 512 ASCII characters: letters, digits and ``! $ & ' ( ) * + , - . : ; = @ _ | ~``
    (what a URL path segment carries unescaped, and ``|`` for identity providers), but not ``.`` or ``..``.

    Raises:
        InvalidId: it may not; the message names `field` and the limit.
    """
    if not _ID.fullmatch(value) or value in {".", ".."}:
        raise InvalidId(
            f"{field}: an id is 1 to {ID_BYTES_MAX} letters, digits or ! $ & ' ( ) * + , - . : ; = @ _ | ~ "
            "and is not '.' or '..'"
        )
    return value


def log_id_of(user_id: str, notebook_id: str) -> str:
    """The partition key of a notebook's log (W1): another user's log cannot be named from within one's own."""
    return f"{quote(user_id, safe='')}/{notebook_id}"


def new_notebook_id() -> str:
    """A random id; random ids are never used twice (H3)."""
    return str(uuid.uuid4())


def new_cell_id() -> str:
    """Ten characters of a 32-letter alphabet without look-alikes: 50 random bits."""
    return "".join(secrets.choice(_CELL_ALPHABET) for _ in range(_CELL_ID_LENGTH))


def new_commit_id() -> str:
    """A UUIDv7 (RFC 9562): sorts by time, so that stored commits can be read by eye."""
    milliseconds = time.time_ns() // 1_000_000
    random_bits = secrets.randbits(74)
    value = (milliseconds & (1 << 48) - 1) << 80
    value |= 0x7 << 76 | (random_bits >> 62) << 64 | 0b10 << 62 | random_bits & (1 << 62) - 1
    return str(uuid.UUID(int=value))
