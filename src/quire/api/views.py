"""Notebooks, cells and commits as the wire shows them. Pure."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import msgspec

from quire.analysis.graph import Graph
from quire.notebook import changes as ch
from quire.notebook.fold import CUT_OFF
from quire.notebook.model import BlobRef, Cell, CellError, Data, Notebook, Output
from quire.sessions.events import Committed, Progress, View, shown_status

Json = dict[str, Any]


def notebook_view(view: View, *, has_connection: bool, read_only: str | None = None) -> Json:
    """The whole notebook."""
    state = view.state
    return {
        "id": state.notebook_id,
        "name": state.name,
        "revision": state.revision,
        "has_connection": has_connection,
        "created_at": state.created_at,
        "updated_at": state.updated_at,
        "deleted_at": state.deleted_at or None,
        "run_mode": state.settings.run_mode,
        "kernel": view.kernel,
        "read_only": read_only,
        "cells": [_live_cell(cell, view) for cell in state.cells.values()],
    }


def _live_cell(cell: Cell, view: View) -> Json:
    shown = cell_view(cell, view.state, view.graph)
    shown["status"] = shown_status(cell, view)
    if cell.status in {"running", "queued"} and shown["status"] == "error":
        shown["error"] = error_view(CUT_OFF)
    return shown


def cell_view(cell: Cell, state: Notebook, graph: Graph) -> Json:
    """A cell as the log has it, with what its code reads and writes."""
    shown = cell_view_of(cell, state.notebook_id)
    shown["reads"] = list(graph.reads(cell.cell_id))
    shown["writes"] = list(graph.cells[cell.cell_id].writes)
    return shown


def cell_view_of(cell: Cell, notebook_id: str = "") -> Json:
    """A cell without its names, which follow from its code."""
    result = cell.result
    stdout, stdout_url = text_view(result.stdout if result else "", notebook_id)
    stderr, stderr_url = text_view(result.stderr if result else "", notebook_id)
    return {
        "id": cell.cell_id,
        "type": cell.type,
        "code": cell.code,
        "code_revision": cell.code_revision,
        "status": cell.status,
        "stdout": stdout,
        "stdout_url": stdout_url,
        "stderr": stderr,
        "stderr_url": stderr_url,
        "outputs": [output_view(output, notebook_id) for output in (result.outputs if result else ())],
        "error": error_view(cell.error),
        "stale_since": cell.stale_since,
        "run": None
        if result is None
        else {
            "run_id": result.run_id,
            "revision": result.revision,
            "started_at": result.started_at,
            "duration_ms": result.duration_ms,
        },
        "config": {
            "disabled": cell.config.disabled,
            "code_hidden": cell.config.code_hidden,
            "output_hidden": cell.config.output_hidden,
            "result_name": cell.config.result_name,
            "connection": cell.config.connection,
        },
    }


def text_view(data: Data, notebook_id: str) -> tuple[str, str | None]:
    """Text inline, or the address where it is."""
    if isinstance(data, BlobRef):
        return "", blob_url(data, "text/plain", notebook_id)
    return data, None


def blob_url(blob: BlobRef, mime_type: str, notebook_id: str) -> str:
    """Where a blob's bytes are served, for good."""
    return f"/api/notebooks/{quote(notebook_id)}/outputs/{blob.sha256}?type={quote(mime_type, safe='')}"


def output_view(output: Output, notebook_id: str) -> Json:
    inline = isinstance(output.data, str)
    return {
        "mime_type": output.mime_type,
        "data": output.data if inline else None,
        "url": None if isinstance(output.data, str) else blob_url(output.data, output.mime_type, notebook_id),
        "metadata": msgspec.json.decode(output.metadata),
        "display_id": output.display_id,
    }


def error_view(error: CellError | None) -> Json | None:
    if error is None:
        return None
    return {
        "name": error.name,
        "message": error.message,
        "traceback": list(error.traceback),
        "line": error.line or None,
        "caused_by": error.caused_by or None,
    }


def progress_view(progress: Progress) -> Json:
    shown: Json = {"status": progress.status}
    if progress.started_at:
        shown["started_at"] = progress.started_at
    return shown


# -- commits


def commit_view(event: Committed) -> Json:
    """A commit, with what it made different."""
    return {
        "type": "commit",
        **commit_summary(event.commit),
        "changes": [change_view(change) for change in event.commit.changes],
        "patch": patch(event.before, event.after, event.graph_before, event.graph_after),
    }


def commit_summary(commit: ch.Commit) -> Json:
    """One line of the history."""
    return {
        "revision": commit.revision,
        "commit_id": commit.commit_id,
        "at": max((change.at for change in commit.changes), default=0),
        "authors": sorted({change.author for change in commit.changes}),
        "summary": summary_of(commit.changes),
        "kinds": sorted({ch.kind_of(change) for change in commit.changes}),
    }


def change_view(change: ch.Change) -> Json:
    shown: Json = {"kind": ch.kind_of(change), "author": change.author, "at": change.at}
    cells = ch.touched_cells(change)
    if len(cells) == 1:
        shown["cell_id"] = cells[0]
    return shown


_VERBS = {
    "notebook_created": "created the notebook",
    "notebook_renamed": "renamed the notebook",
    "notebook_configured": "changed the settings",
    "notebook_deleted": "moved the notebook to the trash",
    "notebook_undeleted": "took the notebook out of the trash",
    "notebook_purging": "removed the notebook",
    "notebook_restored": "restored an earlier revision",
    "cell_inserted": "added",
    "cell_edited": "edited",
    "cell_moved": "moved",
    "cell_deleted": "deleted",
    "cell_configured": "changed the settings of",
    "cell_ran": "ran",
    "kernel_owned": "started a kernel",
}


def summary_of(changes: Iterable[ch.Change]) -> str:
    """What a commit did, in words: the marks that follow from it are left out."""
    cells: dict[str, set[str]] = {}
    parts: list[str] = []
    for change in changes:
        kind = ch.kind_of(change)
        if kind == "cells_marked":
            continue
        if kind.startswith("cell_"):
            cells.setdefault(kind, set()).update(ch.touched_cells(change))
        elif _VERBS[kind] not in parts:
            parts.append(_VERBS[kind])
    for kind, ids in cells.items():
        parts.append(f"{_VERBS[kind]} {'a cell' if len(ids) == 1 else f'{len(ids)} cells'}")
    return ", ".join(parts) or "marked cells"


def _changed_names(cell_id: str, before: Graph, after: Graph) -> Json:
    """What a cell reads depends on others too: a builtin counts once some cell defines it."""
    reads = after.reads(cell_id)
    return {"reads": list(reads)} if cell_id not in before.cells or before.reads(cell_id) != reads else {}


def patch(before: Notebook, after: Notebook, graph_before: Graph, graph_after: Graph) -> Json:
    """What differs between two states, as values: applying it twice does no harm."""
    shown: Json = {}
    if before.name != after.name:
        shown["name"] = after.name
    if before.settings.run_mode != after.settings.run_mode:
        shown["run_mode"] = after.settings.run_mode
    if before.deleted_at != after.deleted_at:
        shown["deleted_at"] = after.deleted_at or None
    if before.updated_at != after.updated_at:
        shown["updated_at"] = after.updated_at
    cells: dict[str, Json] = {}
    for cell_id, cell in after.cells.items():
        old = before.cells.get(cell_id)
        if old is cell:
            if graph_before is not graph_after and (names := _changed_names(cell_id, graph_before, graph_after)):
                cells[cell_id] = names
            continue
        new_view = cell_view(cell, after, graph_after)
        old_view = cell_view(old, before, graph_before) if old is not None else {}
        fields = {name: value for name, value in new_view.items() if name not in old_view or old_view[name] != value}
        if fields:
            cells[cell_id] = fields
    if cells:
        shown["cells"] = cells
    if removed := [cell_id for cell_id in before.cells if cell_id not in after.cells]:
        shown["removed"] = removed
    if list(before.cells) != list(after.cells):
        shown["order"] = list(after.cells)
    return shown
