"""Cursors of header lists: opaque to clients, good for one user and one list only.

A cursor only says where in the user's own list to go on; whose list that is comes from the caller's identity. So it
needs no secret: the digest is there to refuse, with a clear error, one of another user or list, or a mangled one.
"""

import base64
import binascii
import hashlib

from quire.storage.protocol import InvalidCursor

LIST_LIMIT_MAX = 1000
"""Most headers in one page of a list."""

_DIGEST_BYTES = 16


def encode_cursor(user_id: str, notebook_id: str, *, trash: bool) -> str:
    """The cursor of a page whose last header was `notebook_id`."""
    after = notebook_id.encode()
    return base64.urlsafe_b64encode(_digest(user_id, after, trash=trash) + after).decode().rstrip("=")


def decode_cursor(user_id: str, cursor: str | None, *, trash: bool) -> str:
    """The `notebook_id` after which the page begins; without a cursor the empty one, which comes before all.

    Raises:
        InvalidCursor: not one that `encode_cursor` gave for this user and list.
    """
    if cursor is None:
        return ""
    try:
        data = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        notebook_id = data[_DIGEST_BYTES:].decode()
    except (binascii.Error, ValueError) as error:
        raise InvalidCursor("not a cursor") from error
    if cursor != encode_cursor(user_id, notebook_id, trash=trash):
        raise InvalidCursor("not a cursor of this list")
    return notebook_id


def list_limit(limit: int) -> int:
    """`limit`, within what one page may hold."""
    return max(1, min(limit, LIST_LIMIT_MAX))


def _digest(user_id: str, after: bytes, *, trash: bool) -> bytes:
    # The user's length first: no two triples may give the same bytes.
    user = user_id.encode()
    text = b"%d:%b:%d:%b" % (len(user), user, trash, after)
    return hashlib.sha256(text).digest()[:_DIGEST_BYTES]
