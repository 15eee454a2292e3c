"""The whole-notebook document of older servers, as a file of its own or as one item with its cells embedded.

A JSON object: `id` or `notebook_id`, `user_id`, `name`, `revision` and `cells`, each of these with `id`, `type`,
`code`, `status`, `stdout`, `outputs` (`mime_type`, `data`, `metadata`) and `error`. Such servers checked little, so
that everything may be missing, null or of another type; what a cell's author wrote is never cut.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from quire.notebook.lenient_json import decode, text
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
_METADATA_LEVELS_MAX = 100


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

    def digest(self) -> str:
        """The same for the same content, whoever reads it and whatever else the document holds."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()


def read_document(document: bytes) -> LegacyNotebook:
    """The notebook in a document.

    Ids of cells that no cell may have, or another cell has, are replaced, by the same ones each time. A cell of an
    unknown type is text, since it must not run as what it is not. Lone surrogates become U+FFFD, numbers that are not
    finite null. Metadata of an output that is nested deeper than 100 levels is dropped.

    Raises:
        UnusableDocument: it is no such document, or holds more than a notebook may.
    """
    try:
        return _notebook(decode(document))
    except UnusableDocument:
        raise
    except (ValueError, RecursionError) as error:
        raise UnusableDocument(f"the older notebook is no JSON: {error}") from error


def _notebook(found: Any) -> LegacyNotebook:
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
    name = text(document.get("name")).strip() or "Untitled"
    return name.encode()[:NAME_BYTES_MAX].decode("utf-8", "ignore")


def _cell(cell: Mapping[str, Any], number: int, taken: set[str]) -> LegacyCell:
    code = text(cell.get("code"))
    if (size := len(code.encode())) > CODE_BYTES_MAX:
        raise UnusableDocument(
            f"cell {number} of the older notebook has {size:,} bytes of code, above the limit of {CODE_BYTES_MAX:,}: "
            "shorten it with the older server"
        )
    cell_id = cell.get("id")
    if not isinstance(cell_id, str) or not _CELL_ID.fullmatch(cell_id) or cell_id in taken or cell_id in {".", ".."}:
        cell_id = _made_id(number, code, taken)
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
        text(cell.get("stdout")),
        tuple(_output(output) for output in outputs if isinstance(output, dict)) if isinstance(outputs, list) else (),
        _error(cell.get("error")),
    )


def _made_id(number: int, code: str, taken: set[str]) -> str:
    """From where the cell is and what it says: two servers that read it at once must not see two cells."""
    salt = 0
    while (made := hashlib.sha256(f"{number} {salt} {code}".encode()).hexdigest()[:16]) in taken:
        salt += 1
    return made


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
        text(output.get("mime_type")) or "text/plain",
        text(output.get("data")),
        text(metadata) if isinstance(metadata, dict) and not _deeper(metadata, _METADATA_LEVELS_MAX) else "{}",
    )


def _deeper(value: object, levels: int) -> bool:
    """Whether it is nested deeper than that many levels."""
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_deeper(one, levels - 1) for one in inner)


def _error(error: object) -> CellError | None:
    if isinstance(error, dict):
        return CellError(text(error.get("name")) or "Error", text(error.get("message")))
    return CellError("Error", text(error)) if error else None
