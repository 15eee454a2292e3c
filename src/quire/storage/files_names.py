"""Names of files for ids of any text: no two ids share one, whether or not the file system tells capitals apart."""

import hashlib
import re
from urllib.parse import unquote_to_bytes

NAME_BYTES_MAX = 200
"""Longest name, so that with an ending it stays within the 255 bytes of common file systems."""

_HASH_MARK = "~"
"""No plain name has it."""

_READABLE_LENGTH = 100
_AS_IT_IS = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789_-@.")
_BYTES = [chr(byte) if byte in _AS_IT_IS else f"%{byte:02x}" for byte in range(256)]
_PLAIN = re.compile(r"[a-z0-9_@\-][a-z0-9_@.\-]*")
_HASHED = re.compile(r"[a-z0-9_@.%\-]*~[0-9a-f]{64}")


def encode_name(text: str) -> str:
    """A file name for `text`: lower-case letters, digits and ``_ - @ .`` as they are, other bytes as ``%xx``.

    It does not begin with a dot. One that would be too long (or empty) is a beginning to read, ``~`` and a SHA-256.
    """
    data = text.encode()
    name = "".join(map(_BYTES.__getitem__, data))
    if name.startswith("."):
        name = "%2e" + name[1:]
    if 0 < len(name) <= NAME_BYTES_MAX:
        return name
    return f"{name[:_READABLE_LENGTH]}{_HASH_MARK}{hashlib.sha256(data).hexdigest()}"


def decode_name(name: str) -> str | None:
    """What `encode_name` was given; None: the name does not tell, since it holds a hash or is no such name."""
    if len(name) <= NAME_BYTES_MAX and _PLAIN.fullmatch(name):
        return name
    if _HASH_MARK in name:
        return None
    text = unquote_to_bytes(name).decode(errors="replace")
    return text if encode_name(text) == name else None


def is_name(name: str) -> bool:
    """Whether `encode_name` may have given this; other files are somebody else's."""
    return decode_name(name) is not None or _HASHED.fullmatch(name) is not None
