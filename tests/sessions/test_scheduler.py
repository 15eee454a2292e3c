"""What a run executes (R3), and what edits mean for other cells. Pure."""

import msgspec
import pytest

from quire.analysis.graph import Graph
from quire.analysis.python import analyse_python
from quire.notebook.model import Cell, CellConfig, CellError, CellStatus, CellType, Notebook, Settings, code_hash_of
from quire.sessions.consequences import consequences
from quire.sessions.scheduler import Wanted, cells_wanted, outdated_cells, schedule

CHAIN = {"a": "import math", "b": "x = 1", "c": "y = math.floor(x)", "d": "z = y + 1", "e": "w = 5"}


def notebook(
    codes: dict[str, str], status: CellStatus = "success", *, types: dict[str, CellType] | None = None
) -> Notebook:
    cells = {
        cell_id: Cell(
            cell_id=cell_id, type=(types or {}).get(cell_id, "python"), code=code, code_revision=1, status=status
        )
        for cell_id, code in codes.items()
    }
    return Notebook("n", "u", "N", 1, 0, 0, cells)


def graph_of(state: Notebook) -> Graph:
    return Graph.build(
        (cell.cell_id, analyse_python(cell.code if cell.type == "python" else "")) for cell in state.cells.values()
    )


def fresh_of(state: Notebook, *cell_ids: str) -> dict[str, str]:
    return {cell_id: code_hash_of("python", state.cells[cell_id].code) for cell_id in cell_ids}


def with_status(state: Notebook, **statuses: CellStatus) -> Notebook:
    cells = {
        cell_id: msgspec.structs.replace(cell, status=statuses.get(cell_id, cell.status))
        for cell_id, cell in state.cells.items()
    }
    return msgspec.structs.replace(state, cells=cells)


def test_R3_in_a_fresh_kernel_a_run_starts_with_every_ancestor() -> None:
    state = notebook(CHAIN)
    plan = schedule(state, graph_of(state), {}, ["b"])
    assert plan.steps == ("a", "b", "c", "d")


def test_R3_ancestors_that_have_run_in_this_kernel_are_not_run_again() -> None:
    state = notebook(CHAIN)
    plan = schedule(state, graph_of(state), fresh_of(state, "a", "b", "c", "d"), ["b"])
    assert plan.steps == ("b", "c", "d")


def test_lazy_mode_runs_the_cell_and_the_ancestors_it_needs_alone() -> None:
    state = msgspec.structs.replace(notebook(CHAIN), settings=Settings(run_mode="lazy"))
    assert schedule(state, graph_of(state), fresh_of(state, "a", "b"), ["c"]).steps == ("c",)
    assert schedule(state, graph_of(state), {}, ["c"]).steps == ("a", "b", "c")


def test_an_ancestor_that_changed_takes_its_dependents_along() -> None:
    state = with_status(notebook(CHAIN | {"f": "v = x"}), b="stale", c="stale", d="stale", f="stale")
    plan = schedule(state, graph_of(state), fresh_of(state, "a"), ["d"])
    assert plan.steps == ("b", "c", "d", "f")


def test_a_run_without_names_is_what_is_not_up_to_date() -> None:
    state = with_status(notebook(CHAIN), e="stale", d="error")
    plan = schedule(state, graph_of(state), fresh_of(state, "a", "b", "c"), outdated_cells(state))
    assert plan.steps == ("d", "e")


def test_markdown_empty_and_disabled_cells_do_not_run() -> None:
    state = notebook({"m": "# x", "p": "x = 1", "q": "y = x", "empty": " "}, "idle", types={"m": "markdown"})
    assert schedule(state, graph_of(state), {}, outdated_cells(state)).steps == ("p", "q")
    off = msgspec.structs.replace(state.cells["p"], config=CellConfig(disabled=True))
    state = msgspec.structs.replace(state, cells=state.cells | {"p": off})
    plan = schedule(state, graph_of(state), {}, ["q"])
    assert plan.steps == ()
    assert plan.blocked == {"q": "p"}


def switched_off(state: Notebook, cell_id: str) -> Notebook:
    off = msgspec.structs.replace(state.cells[cell_id], config=CellConfig(disabled=True))
    return msgspec.structs.replace(state, cells=state.cells | {cell_id: off})


def test_what_keeps_a_result_of_former_values_is_outdated() -> None:
    """Whether it does not run because nobody asked for it, or because it is switched off."""
    state = notebook(CHAIN)
    fresh = fresh_of(state, "a", "b", "c", "d")
    assert schedule(state, graph_of(state), fresh, ["b"]).outdated == ()
    lazy = msgspec.structs.replace(state, settings=Settings(run_mode="lazy"))
    assert schedule(lazy, graph_of(lazy), fresh, ["b"]).outdated == ("c", "d")
    assert schedule(lazy, graph_of(lazy), {}, ["c"]).outdated == ("d",), "what runs before it only comes back"
    off = switched_off(state, "c")
    plan = schedule(off, graph_of(off), fresh, ["b"])
    assert (plan.steps, plan.blocked, plan.outdated) == (("b",), {"d": "c"}, ("c",))


@pytest.mark.parametrize(
    ("wanted", "cells"),
    [
        (Wanted("cells", ("d", "gone", "b")), ("d", "b")),
        (Wanted("stale"), ("b",)),
        (Wanted("all"), ("a", "b", "d")),
        (Wanted("above", ("d",)), ("a", "b")),
        (Wanted("above", ("a",)), ()),
        (Wanted("below", ("b",)), ("b", "d")),
        (Wanted("below", ("m",)), ("d",)),
        (Wanted("above", ("gone",)), ()),
    ],
)
def test_what_a_run_is_asked_for(wanted: Wanted, cells: tuple[str, ...]) -> None:
    state = notebook({"a": "x = 1", "b": "y = 2", "m": "# text", "empty": "  ", "d": "z = 3"}, types={"m": "markdown"})
    assert cells_wanted(with_status(state, b="stale"), wanted) == cells


def test_cells_with_double_definitions_and_what_depends_on_them_are_blocked() -> None:
    state = notebook({"a": "x = 1", "b": "x = 2", "c": "y = x", "d": "z = 1"}, "idle")
    plan = schedule(state, graph_of(state), {}, outdated_cells(state))
    assert plan.steps == ("d",)
    assert set(plan.blocked) == {"a", "b", "c"}


def changed(state: Notebook, cell_id: str, code: str) -> Notebook:
    cell = msgspec.structs.replace(state.cells[cell_id], code=code, status="stale", code_revision=2)
    return msgspec.structs.replace(state, cells=state.cells | {cell_id: cell}, revision=2)


def marks_of(before: Notebook, after: Notebook) -> dict[str, str]:
    marks = consequences(before, after, graph_of(before), graph_of(after), 0)
    return {cell_id: mark.status for mark in marks for cell_id in mark.cell_ids}


def test_an_edit_makes_dependents_stale_once() -> None:
    before = notebook(CHAIN)
    after = changed(before, "b", "x = 2")
    assert marks_of(before, after) == {"c": "stale", "d": "stale"}
    again = with_status(changed(after, "b", "x = 3"), c="stale", d="stale")
    assert marks_of(with_status(after, c="stale", d="stale"), again) == {}


def test_former_dependents_become_stale_when_a_name_goes_away() -> None:
    before = notebook(CHAIN)
    assert marks_of(before, changed(before, "b", "renamed = 1")) == {"c": "stale", "d": "stale"}
    gone = msgspec.structs.replace(before, cells={k: v for k, v in before.cells.items() if k != "b"})
    assert marks_of(before, gone) == {"c": "stale", "d": "stale"}


def test_a_double_definition_blocks_both_cells_and_an_edit_frees_them() -> None:
    before = notebook({"a": "x = 1", "b": "y = 2", "c": "z = x"})
    after = changed(before, "b", "x = 2")
    assert marks_of(before, after) == {"a": "blocked", "b": "blocked", "c": "stale"}
    error = CellError("MultipleDefinitions", "x is defined twice")
    blocked = {
        cell_id: msgspec.structs.replace(after.cells[cell_id], status="blocked", error=error) for cell_id in ("a", "b")
    }
    stuck = with_status(msgspec.structs.replace(after, cells=after.cells | blocked), c="stale")
    freed = changed(stuck, "b", "y = 2")
    assert marks_of(stuck, freed)["a"] == "stale"


@pytest.mark.parametrize("status", ["idle", "stale"])
def test_cells_that_have_no_fresh_result_are_not_marked(status: CellStatus) -> None:
    before = notebook(CHAIN, status)
    assert marks_of(before, changed(before, "b", "x = 2")) == {}
