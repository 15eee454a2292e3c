"""Which cells a run executes, and in which order. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from quire.analysis.graph import Graph
from quire.notebook.model import Cell, Notebook, code_hash_of

Scope = Literal["cells", "stale", "all", "above", "below"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a run is asked to bring up to date: these cells; all that are stale; all; all before, or from, the cell."""

    scope: Scope
    cell_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Schedule:
    """`steps`: cells to run, in order. `blocked`: cell -> the blocked cell that it waits for. `outdated`: cells with
    results that were made from what runs anew, and that do not run themselves.
    """

    steps: tuple[str, ...]
    blocked: Mapping[str, str]
    outdated: tuple[str, ...] = ()


def cells_wanted(notebook: Notebook, wanted: Wanted) -> tuple[str, ...]:
    """The cells that `wanted` names in `notebook` as it is now. Of an anchor that is gone, nothing."""
    cells = notebook.cells
    if wanted.scope == "cells":
        return tuple(cell_id for cell_id in wanted.cell_ids if cell_id in cells)
    if wanted.scope == "stale":
        return outdated_cells(notebook)
    ids = list(cells)
    if wanted.scope != "all":
        [anchor] = wanted.cell_ids
        if anchor not in cells:
            return ()
        at = ids.index(anchor)
        ids = ids[:at] if wanted.scope == "above" else ids[at:]
    return tuple(cell_id for cell_id in ids if cells[cell_id].type == "python" and cells[cell_id].code.strip())


def outdated_cells(notebook: Notebook) -> tuple[str, ...]:
    """Every Python cell whose result is not up to date."""
    return tuple(
        cell.cell_id
        for cell in notebook.cells.values()
        if cell.status != "success" and cell.type == "python" and cell.code.strip()
    )


def schedule(notebook: Notebook, graph: Graph, fresh: Mapping[str, str], requested: Collection[str]) -> Schedule:
    """The cells that a run of `requested` executes.

    In automatic mode these are the cells and all that depends on them; in lazy mode the cells alone. Either way
    every ancestor is added that has not run in the current kernel's life (R3). `fresh` maps the cells that
    have to the hash of the code that ran.

    Args:
        notebook: the committed state.
        graph: of the same state.
        fresh: cell id -> code hash, for cells whose names are defined in the kernel now.
        requested: cell ids, all of the notebook.
    """
    chosen = {cell_id for cell_id in requested if _runs(notebook.cells[cell_id])}
    spreading = set(chosen)
    while True:
        size = len(chosen)
        if notebook.settings.run_mode == "automatic":
            chosen.update(cell_id for cell_id in graph.descendants(spreading) if _runs(notebook.cells[cell_id]))
        for cell_id in graph.ancestors(chosen):
            cell = notebook.cells[cell_id]
            if cell_id not in chosen and _runs(cell) and not _is_fresh(cell, fresh):
                chosen.add(cell_id)
                if cell.status != "success":
                    spreading.add(cell_id)
        if len(chosen) == size:
            break
    blocked = _blocked(notebook, graph, chosen)
    steps = tuple(cell_id for cell_id in graph.order(chosen) if cell_id not in blocked)
    return Schedule(steps, blocked, _outdated_by(notebook, graph, chosen, spreading))


def _outdated_by(notebook: Notebook, graph: Graph, chosen: set[str], spreading: set[str]) -> tuple[str, ...]:
    """What depends on cells that may get other values, and keeps a result of the old ones."""
    cells = notebook.cells
    return tuple(
        cell_id
        for cell_id in graph.descendants(spreading)
        if cell_id not in chosen and cell_id in cells and cells[cell_id].status in {"success", "error"}
    )


def _runs(cell: Cell) -> bool:
    return cell.type == "python" and not cell.config.disabled


def _is_fresh(cell: Cell, fresh: Mapping[str, str]) -> bool:
    return cell.status == "success" and fresh.get(cell.cell_id) == code_hash_of(cell.type, cell.code)


def _blocked(notebook: Notebook, graph: Graph, chosen: set[str]) -> dict[str, str]:
    """Chosen cells that cannot run: structurally blocked, disabled, or behind one of these."""
    causes = [cell_id for cell_id in graph.ancestors(chosen) if not _runs(notebook.cells[cell_id])]
    causes += graph.blocked
    blocked: dict[str, str] = {}
    for cause in causes:
        if cause in chosen:
            blocked.setdefault(cause, cause)
        for cell_id in graph.descendants([cause]):
            if cell_id in chosen:
                blocked.setdefault(cell_id, cause)
    return blocked
