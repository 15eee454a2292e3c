"""What SPEC.md says in tables is what the code has."""

import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from quire.blobs.protocol import REFRESH_AFTER_MS
from quire.kernels.protocol import OUTPUT_BYTES_MAX, OUTPUTS_MAX, STREAM_BYTES_MAX
from quire.notebook import changes as ch
from quire.notebook.codec import DEPTH_MAX, FORMAT
from quire.notebook.ids import ID_BYTES_MAX
from quire.notebook.model import (
    CELLS_MAX,
    CODE_BYTES_MAX,
    IDEMPOTENCY_AGE_MS_MAX,
    IDEMPOTENCY_ENTRIES_MAX,
    NAME_BYTES_MAX,
)
from quire.sessions import checkpoints, journal, offload
from quire.storage.compression import PACK_BYTES_MIN, UNPACKED_BYTES_MAX
from quire.storage.protocol import ITEM_BYTES_MAX, PAGE_BYTES_MAX, PAGE_RECORDS_MAX, Header, Record

SPEC = (Path(__file__).parents[1] / "SPEC.md").read_text("utf-8")

KB, MB = 1024, 1024 * 1024
HOUR_MS = 3600 * 1000

LIMITS = {
    "id": f"{ID_BYTES_MAX} bytes",
    "name of a notebook": f"{NAME_BYTES_MAX:,} bytes",
    "code of a cell": f"{CODE_BYTES_MAX // KB} KB",
    "cells of a notebook": f"{CELLS_MAX:,}",
    "record, keys and checkpoint included, as stored": f"{ITEM_BYTES_MAX // KB} KB",
    "body and checkpoint of a record, unpacked, each": f"{UNPACKED_BYTES_MAX // MB} MB",
    "body in a record; above: in a blob; also where group commit stops folding": f"{journal.BODY_BYTES_MAX // KB} KB",
    "outputs, standard output and error of one change, inline": (
        f"{offload.INLINE_PACKED_MAX // KB} KB compressed, {offload.INLINE_RAW_MAX // KB} KB raw"
    ),
    "checkpoint in a record": (
        f"{checkpoints.INLINE_PACKED_MAX // KB} KB compressed, {checkpoints.INLINE_RAW_MAX // MB} MB raw"
    ),
    "commits between checkpoints, at least": str(checkpoints.COMMITS_MIN),
    "tail at which a checkpoint is due whatever the count": f"{checkpoints.TAIL_BYTES_MAX // MB} MB",
    "page of records": f"{PAGE_RECORDS_MAX} records, {PAGE_BYTES_MAX // MB} MB",
    "age of the proof of the head when the next revision is sent": f"{journal.PROOF_AGE_S_MAX / 60:.0f} minutes",
    "idempotency keys kept": f"{IDEMPOTENCY_ENTRIES_MAX}, {IDEMPOTENCY_AGE_MS_MAX // HOUR_MS} hours",
    "age of an unreferenced blob before gc takes it; at which a put writes it again": (
        f"24 hours; {REFRESH_AFTER_MS // HOUR_MS} hours"
    ),
    "shortest data that is compressed": f"{PACK_BYTES_MIN // KB} KB",
    "depth of JSON from clients": str(DEPTH_MAX),
    "output kept; outputs of a cell": f"{OUTPUT_BYTES_MAX // MB} MB; {OUTPUTS_MAX:,}",
    "standard output, and standard error, kept of a cell": f"{STREAM_BYTES_MAX // MB} MB each",
}


def section(number: int) -> str:
    return SPEC.split(f"\n## {number}. ", 1)[1].split("\n## ", 1)[0]


def rows(text: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in (line.strip() for line in text.splitlines())
        if line.startswith("|") and not line.startswith("|---")
    ]


@pytest.mark.parametrize("what", LIMITS)
def test_the_limits_are_those_of_the_code(what: str) -> None:
    said = {row[0]: row[1] for row in rows(section(9))}
    assert said[what] == LIMITS[what]


def test_the_changes_are_those_of_the_code() -> None:
    base = set(ch.ChangeBase.__struct_fields__)
    said = {
        kind: set(re.findall(r"\w+", re.sub(r": \{.*?\}|\(.*?\)", "", fields)))
        for kinds, fields in (row for row in ([*row, ""][:2] for row in rows(section(8))))
        for kind in re.findall(r"`(\w+)`", kinds)
        if kind != "kind"
    }
    assert said == {
        str(kind.__struct_config__.tag): {field.name for field in msgspec.structs.fields(kind)} - base
        for kind in get_args(ch.Change)
    }


@pytest.mark.parametrize("row", [Record, Header])
def test_the_stored_rows_are_those_of_the_code(row: type[msgspec.Struct]) -> None:
    (paragraph,) = re.findall(rf"^\*\*{row.__name__}\*\*(.*?)\n\n", SPEC, flags=re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"`(\w+)`", paragraph)) == set(row.__struct_fields__)


def test_the_format_is_that_of_the_code() -> None:
    assert f"## 8. Stored format (format {FORMAT})" in SPEC
