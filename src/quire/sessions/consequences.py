"""What edits mean for other cells: which results are outdated, which cells are blocked, which no longer. Pure."""

from quire.analysis.graph import Graph
from quire.notebook.changes import CellsMarked
from quire.notebook.model import CellError, Notebook

STRUCTURAL = frozenset({"MultipleDefinitions", "Cycle"})
"""Errors that follow from the code alone: they come and go with edits, not with runs."""

SYSTEM = "system"


def consequences(before: Notebook, after: Notebook, old: Graph, new: Graph, at: int) -> tuple[CellsMarked, ...]:
    """The marks that belong into the same commit as the edits that lead from `before` to `after`.

    `old` and `new` are the graphs of the two states. A cell that is marked already is not marked again, so that
    typing on costs nothing.
    """
    changed = changed_code(before, after)
    if old is new and all(_was_outdated(before, cell_id) for cell_id in changed):
        return ()
    blocked = new.blocked
    freed = {
        cell_id
        for cell_id in old.blocked
        if cell_id not in blocked
        and (cell := after.cells.get(cell_id)) is not None
        and cell.status == "blocked"
        and cell.error is not None
        and cell.error.name in STRUCTURAL
    }
    outdated = dependents(changed, old, new, after) | freed
    outdated |= new.dependents(freed)
    marks = [
        CellsMarked(author=SYSTEM, at=at, cell_ids=(cell_id,), status="blocked", error=error)
        for cell_id, problem in blocked.items()
        if (
            error := CellError(
                name=problem.kind, message=problem.message, caused_by=problem.cells[0] if problem.cells else ""
            )
        )
        != after.cells[cell_id].error
        or after.cells[cell_id].status != "blocked"
    ]
    outdated |= new.dependents([mark.cell_ids[0] for mark in marks])
    stale = tuple(
        cell.cell_id
        for cell in after.cells.values()
        if cell.cell_id in outdated
        and cell.cell_id not in blocked
        and (cell.status not in {"idle", "stale"} or cell.cell_id in freed)
    )
    if stale:
        marks.append(CellsMarked(author=SYSTEM, at=at, cell_ids=stale, status="stale"))
    return tuple(marks)


def changed_code(before: Notebook, after: Notebook) -> set[str]:
    """Cells whose code, type or existence differs."""
    changed = {
        cell.cell_id
        for cell in after.cells.values()
        if (old := before.cells.get(cell.cell_id)) is not cell
        and (old is None or old.code != cell.code or old.type != cell.type)
    }
    if len(before.cells) + len(changed) > len(after.cells):
        changed.update(cell_id for cell_id in before.cells if cell_id not in after.cells)
    return changed


def _was_outdated(before: Notebook, cell_id: str) -> bool:
    """Whether the cell had no fresh result already: what depends on it was marked when that came about.

    It holds since no cell runs before its ancestors are up to date (R3).
    """
    cell = before.cells.get(cell_id)
    return cell is not None and cell.status in {"idle", "stale"}


def dependents(changed: set[str], old: Graph, new: Graph, after: Notebook) -> set[str]:
    """Cells of `after` that depend on `changed` ones, or did, without those themselves."""
    found = new.dependents(cell_id for cell_id in changed if cell_id in new.cells)
    if old is not new:
        found |= {cell for cell in old.dependents(cell for cell in changed if cell in old.cells) if cell in after.cells}
    return found - changed
