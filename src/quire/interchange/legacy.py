"""The whole-notebook document of older servers, as a file of its own or as one item with its cells embedded.

A JSON object: `id` or `notebook_id`, `user_id`, `name`, `revision` and `cells`, each of these with `id`, `type`,
`code`, `status`, `stdout`, `outputs` (`mime_type`, `data`, `metadata`) and `error`. Such servers checked little, so
that everything may be missing, null or of another type; what a cell's author wrote is never cut.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from quire.notebook.ids import new_cell_id
from quire.notebook.model import (
    CELLS_MAX,
    CODE_BYTES_MAX,
    NAME_BYTES_MAX,
    CellError,
    CellStatus,
    CellType,
    Output,
)

_CELL_ID = re.compile(r"[!$&'()*+,\-.0-9:;=@A-Z_a-z|~]{1,512}")
_UNFINISHED = frozenset({"queued", "running", "blocked", "stale"})


class UnusableDocument(ValueError):
    """It cannot become a notebook; the message says why. Nothing of it was changed."""


@dataclass(frozen=True, slots=True)
class LegacyCell:
    """One cell. Its outputs are whole, however large."""

    cell_id: str
    type: CellType
    code: str
    status: CellStatus
    stdout: str = ""
    outputs: tuple[Output, ...] = ()
    error: CellError | None = None


@dataclass(frozen=True, slots=True)
class LegacyNotebook:
    """What is kept of a document: not its connection string, which belongs to the header."""

    name: str
    cells: tuple[LegacyCell, ...] = field(default=())


def read_document(document: bytes) -> LegacyNotebook:
    """The notebook in a document.

    Ids of cells that no cell may have, or another cell has, are replaced. A cell of an unknown type is text, since it
    must not run as what it is not. Lone surrogates become U+FFFD.

    Raises:
        UnusableDocument: it is no such document, or holds more than a notebook may.
    """
    try:
        # Not by msgspec, which refuses lone surrogates.
        found = json.loads(document, parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        raise UnusableDocument(f"the older notebook is no JSON: {error}") from error
    cells = found.get("cells") if isinstance(found, dict) else None
    if not isinstance(cells, list | dict):
        raise UnusableDocument("the older notebook is no JSON object with a list of cells")
    if len(cells) > CELLS_MAX:
        raise UnusableDocument(f"the older notebook has {len(cells):,} cells, above the limit of {CELLS_MAX:,}")
    taken: set[str] = set()
    listed = cells.values() if isinstance(cells, dict) else cells
    read = tuple(_cell(cell, number, taken) for number, cell in enumerate(listed, 1) if isinstance(cell, dict))
    return LegacyNotebook(_name(found), read)


def _name(document: Mapping[str, Any]) -> str:
    """Names may have been longer: only they are cut, to what a name may hold."""
    name = _text(document.get("name")).strip() or "Untitled"
    return name.encode()[:NAME_BYTES_MAX].decode("utf-8", "ignore")


def _cell(cell: Mapping[str, Any], number: int, taken: set[str]) -> LegacyCell:
    code = _text(cell.get("code"))
    if (size := len(code.encode())) > CODE_BYTES_MAX:
        raise UnusableDocument(
            f"cell {number} of the older notebook has {size:,} bytes of code, above the limit of {CODE_BYTES_MAX:,}: "
            "shorten it with the older server"
        )
    cell_id = cell.get("id")
    if not isinstance(cell_id, str) or not _CELL_ID.fullmatch(cell_id) or cell_id in taken | {".", ".."}:
        cell_id = new_cell_id()
    taken.add(cell_id)
    type_ = _type(cell.get("type"))
    if type_ == "markdown":
        return LegacyCell(cell_id, type_, code, "idle")
    outputs = cell.get("outputs")
    return LegacyCell(
        cell_id,
        type_,
        code,
        _status(cell.get("status")),
        _text(cell.get("stdout")),
        tuple(_output(output) for output in outputs if isinstance(output, dict)) if isinstance(outputs, list) else (),
        _error(cell.get("error")),
    )


def _type(named: object) -> CellType:
    if named == "sql":
        return "sql"
    return "markdown" if named and named != "python" else "python"


def _status(status: object) -> CellStatus:
    if status == "success":
        return "success"
    if status == "error":
        return "error"
    return "stale" if isinstance(status, str) and status in _UNFINISHED else "idle"


def _output(output: Mapping[str, Any]) -> Output:
    metadata = output.get("metadata")
    return Output(
        _text(output.get("mime_type")) or "text/plain",
        _text(output.get("data")),
        _text(metadata) if isinstance(metadata, dict) else "{}",
    )


def _error(error: object) -> CellError | None:
    if isinstance(error, dict):
        return CellError(_text(error.get("name")) or "Error", _text(error.get("message")))
    return CellError("Error", _text(error)) if error else None


def _text(value: object) -> str:
    """Text as it is, nothing as the empty text, and anything else as JSON."""
    if value is None:
        return ""
    if not isinstance(value, str):
        value = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
