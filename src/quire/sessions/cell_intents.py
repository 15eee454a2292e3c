"""Requests that concern one cell."""

from dataclasses import dataclass, field

import msgspec

from quire.notebook import changes as ch
from quire.notebook.fold import Draft
from quire.notebook.ids import new_cell_id
from quire.notebook.model import CELLS_MAX, Cell, CellType
from quire.sessions.errors import CellExists, CellNotFound, Conflict, LimitReached
from quire.sessions.intents import Answer, Decision, Origin


class CellIntent:
    """Defaults of requests that stop at a fence and need no commit of their own."""

    @property
    def touches(self) -> str | None:
        return None

    @property
    def passes_fence(self) -> bool:
        return False


def existing_cell(draft: Draft, cell_id: str) -> Cell:
    """The cell, or CellNotFound."""
    cell = draft.cells.get(cell_id)
    if cell is None:
        raise CellNotFound(cell_id)
    return cell


class Anchor:
    """The cell to go behind. If it is deleted before the commit, its nearest surviving predecessor serves (W5).

    It remembers what preceded it when it was first judged; unknown at that time, it is an error of the client's.
    """

    def __init__(self, cell_id: str | None) -> None:
        self._cell_id = cell_id
        self._path: list[str] = []

    def resolve(self, draft: Draft) -> str | None:
        """The cell to go behind now; None: first. Raises CellNotFound."""
        if self._cell_id is None:
            return None
        if self._cell_id in draft.cells:
            order = draft.order
            self._path = order[: order.index(self._cell_id)][::-1]
            return self._cell_id
        if not self._path:
            raise CellNotFound(self._cell_id)
        return next((cell_id for cell_id in self._path if cell_id in draft.cells), None)


@dataclass(frozen=True)
class InsertCell(CellIntent):
    """`last`: at the end of the page, whatever `anchor` says."""

    origin: Origin
    type: CellType
    code: str
    anchor: Anchor = field(default_factory=lambda: Anchor(None))
    last: bool = False
    cell_id: str = field(default_factory=new_cell_id)

    @property
    def touches(self) -> str | None:
        return self.cell_id

    def decide(self, draft: Draft) -> Decision:
        if len(draft.cells) >= CELLS_MAX:
            raise LimitReached("cells", CELLS_MAX, f"A notebook holds up to {CELLS_MAX:,} cells. Start another one.")
        if self.cell_id in draft.cells:
            raise CellExists(self.cell_id)
        order = draft.order if self.last else []
        answer: Answer = {"cell_id": self.cell_id}
        change = ch.CellInserted(
            **self.origin.stamp(answer),
            cell_id=self.cell_id,
            type=self.type,
            code=self.code,
            after_cell_id=(order[-1] if order else None) if self.last else self.anchor.resolve(draft),
        )
        return Decision((change,), answer)


def judge_code(draft: Draft, cell_id: str, expected_revision: int | None, code: str | None) -> Cell:
    """The cell, if a change of its code that is based on `expected_revision` may go ahead (W5).

    Raises:
        CellNotFound: an unconditional request, or one that should know better.
        Conflict: the code changed since, to something else; or the cell was deleted.
    """
    cell = draft.cells.get(cell_id)
    if cell is None:
        if expected_revision is None or expected_revision >= draft.base.revision:
            raise CellNotFound(cell_id)
        raise Conflict(cell_id, None, expected_revision)
    if expected_revision is not None and cell.code_revision > expected_revision and cell.code != code:
        raise Conflict(cell_id, cell, expected_revision)
    return cell


@dataclass(frozen=True)
class EditCell(CellIntent):
    """`type` None: as it is. `expected_revision` None: unconditional."""

    origin: Origin
    cell_id: str
    code: str
    type: CellType | None = None
    expected_revision: int | None = None

    @property
    def touches(self) -> str | None:
        return self.cell_id

    def decide(self, draft: Draft) -> Decision:
        cell = judge_code(draft, self.cell_id, self.expected_revision, self.code)
        cell_type = self.type or cell.type
        if cell.code == self.code and cell.type == cell_type and not self.origin.key:
            return Decision(())
        change = ch.CellEdited(**self.origin.stamp(), cell_id=self.cell_id, code=self.code, type=cell_type)
        return Decision((change,))


@dataclass(frozen=True)
class DeleteCell(CellIntent):
    origin: Origin
    cell_id: str
    expected_revision: int | None = None

    @property
    def touches(self) -> str | None:
        return self.cell_id

    def decide(self, draft: Draft) -> Decision:
        judge_code(draft, self.cell_id, self.expected_revision, None)
        return Decision((ch.CellDeleted(**self.origin.stamp(), cell_id=self.cell_id),))


@dataclass(frozen=True)
class MoveCell(CellIntent):
    origin: Origin
    cell_id: str
    anchor: Anchor

    def decide(self, draft: Draft) -> Decision:
        existing_cell(draft, self.cell_id)
        after = self.anchor.resolve(draft)
        return Decision((ch.CellMoved(**self.origin.stamp(), cell_id=self.cell_id, after_cell_id=after),))


@dataclass(frozen=True)
class ConfigureCell(CellIntent):
    """Fields that are None stay as they are."""

    origin: Origin
    cell_id: str
    disabled: bool | None = None
    code_hidden: bool | None = None
    output_hidden: bool | None = None

    def decide(self, draft: Draft) -> Decision:
        now = existing_cell(draft, self.cell_id).config
        config = msgspec.structs.replace(
            now,
            disabled=now.disabled if self.disabled is None else self.disabled,
            code_hidden=now.code_hidden if self.code_hidden is None else self.code_hidden,
            output_hidden=now.output_hidden if self.output_hidden is None else self.output_hidden,
        )
        return Decision((ch.CellConfigured(**self.origin.stamp(), cell_id=self.cell_id, config=config),))
