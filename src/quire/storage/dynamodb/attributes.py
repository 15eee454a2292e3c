"""Records and headers as items of DynamoDB.

An empty text or binary value is left out or replaced, since not every implementation of DynamoDB takes one.
"""

import base64
import hashlib
from decimal import Decimal
from typing import Any

from aiodynamo.types import DynamoItem

from quire.notebook.lenient_json import whole_number
from quire.storage.items import Item, item_bytes
from quire.storage.protocol import DamagedRecord, Header

LOG_ID_BYTES_MAX = 2048
"""Longest partition key. Two ids of 512 bytes, every one of them quoted, come to one byte more."""

EMPTY_FRAME = bytes.fromhex("28b52ffd2000010000")
"""The zstd frame of no bytes, kept in place of an empty body or checkpoint; `unpack` knows it."""

HEADER_FIELDS = Header.__struct_fields__


def text(value: str) -> dict[str, str]:
    return {"S": value}


def number(value: int) -> dict[str, str]:
    return {"N": str(value)}


def binary(value: bytes) -> dict[str, str]:
    return {"B": base64.b64encode(value).decode("ascii")}


def log_key(log_id: str) -> str:
    """The partition key of a log: its id, or where that is too long its hash. No log id holds a colon."""
    key = log_id.encode()
    return log_id if len(key) <= LOG_ID_BYTES_MAX else f"sha256:{hashlib.sha256(key).hexdigest()}"


def record_key(log_id: str, revision: int) -> DynamoItem:
    return {"log_id": text(log_key(log_id)), "revision": number(revision)}


def encode_record(log_id: str, item: Item) -> DynamoItem:
    """The item of a record."""
    encoded = record_key(log_id, item.revision) | {
        "commit_id": text(item.commit_id),
        "body": binary(item.body or EMPTY_FRAME),
        "checkpoint_revision": number(item.checkpoint_revision),
    }
    if item.checkpoint is not None:
        encoded["checkpoint"] = binary(item.checkpoint or EMPTY_FRAME)
    return encoded


def decode_record(log_id: str, stored: DynamoItem) -> Item:
    """What `encode_record` was given; raises DamagedRecord, which names the log and revision."""
    try:
        commit_id = stored["commit_id"]["S"]
        body = _filled(stored["body"]["B"])
        checkpoint = _filled(stored["checkpoint"]["B"]) if "checkpoint" in stored else None
        return Item(
            revision=int(stored["revision"]["N"]),
            commit_id=commit_id,
            body=body,
            checkpoint_revision=int(stored["checkpoint_revision"]["N"]),
            checkpoint=checkpoint,
            size=item_bytes(log_id, commit_id, body, checkpoint),
        )
    except (KeyError, TypeError, ValueError) as error:
        revision = stored.get("revision", {}).get("N", "?")
        raise DamagedRecord(f"revision {revision} of log {log_id} is not a record of Quire's: {error!r}") from error


def _filled(encoded: str) -> bytes:
    value = base64.b64decode(encoded, validate=True)
    return b"" if value == EMPTY_FRAME else value


def header_key(user_id: str, notebook_id: str) -> DynamoItem:
    return {"user_id": text(user_id), "notebook_id": text(notebook_id)}


def encode_header(header: Header) -> DynamoItem:
    """The item of a header; empty texts and zeros that mean "not set" are left out (a ttl above all: H4)."""
    encoded = header_key(header.user_id, header.notebook_id) | {
        "revision": number(header.revision),
        "created_at": number(header.created_at),
        "updated_at": number(header.updated_at),
    }
    for name, value in (("deleted_at", header.deleted_at), ("ttl", header.ttl)):
        if value:
            encoded[name] = number(value)
    if header.name:
        encoded["name"] = text(header.name)
    if header.db_conn_string:
        encoded["db_conn_string"] = binary(header.db_conn_string)
    return encoded


def decode_header(stored: DynamoItem) -> Header:
    """The header in an item; one of the older layout may lack everything but its key."""
    connection = stored.get("db_conn_string", {})
    return Header(
        user_id=stored["user_id"]["S"],
        notebook_id=stored["notebook_id"]["S"],
        name=stored.get("name", {}).get("S", ""),
        revision=_whole(stored, "revision"),
        created_at=_whole(stored, "created_at"),
        updated_at=_whole(stored, "updated_at"),
        deleted_at=_whole(stored, "deleted_at"),
        db_conn_string=base64.b64decode(connection["B"]) if "B" in connection else connection.get("S", "").encode(),
        ttl=_whole(stored, "ttl"),
    )


def _whole(stored: DynamoItem, name: str) -> int:
    value: dict[str, Any] = stored.get(name, {})
    return int(Decimal(value["N"])) if "N" in value else whole_number(value.get("S"))
