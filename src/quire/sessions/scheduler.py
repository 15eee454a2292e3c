"""Which cells a run executes, and in which order. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from quire.analysis.graph import Graph
from quire.notebook.model import Cell, Notebook, code_hash_of


@dataclass(frozen=True, slots=True)
class Schedule:
    """`steps`: cells to run, in order. `blocked`: cell -> the blocked cell that it waits for."""

    steps: tuple[str, ...]
    blocked: Mapping[str, str]


def outdated_cells(notebook: Notebook) -> tuple[str, ...]:
    """What a run without names means: every Python cell whose result is not up to date."""
    return tuple(
        cell.cell_id
        for cell in notebook.cells.values()
        if cell.status != "success" and cell.type == "python" and cell.code.strip()
    )


def schedule(notebook: Notebook, graph: Graph, fresh: Mapping[str, str], requested: Collection[str] | None) -> Schedule:
    """The cells that a run of `requested` (None: all that are outdated) executes.

    In automatic mode these are the cells and all that depends on them; in lazy mode the cells alone. Either way
    every ancestor is added that has not run in the current kernel's life (R3). `fresh` maps the cells that
    have to the hash of the code that ran.

    Args:
        notebook: the committed state.
        graph: of the same state.
        fresh: cell id -> code hash, for cells whose names are defined in the kernel now.
        requested: cell ids, all of the notebook.
    """
    targets = set(outdated_cells(notebook) if requested is None else requested)
    chosen = {cell_id for cell_id in targets if _runs(notebook.cells[cell_id])}
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
    return Schedule(tuple(cell_id for cell_id in graph.order(chosen) if cell_id not in blocked), blocked)


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
