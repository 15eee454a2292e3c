"""Cells: order, code and settings."""

import pytest

from quire.notebook import changes as ch
from quire.notebook.model import CELLS_MAX, CellConfig, CellType
from tests.notebook.history import NOW, History, deleted, edited, inserted, moved, owned

CONFIG = CellConfig(disabled=True, result_name="totals")


@pytest.mark.parametrize(("code", "cell_type"), [("new", "python"), ("a", "sql"), ("new", "markdown")])
def test_W5_code_and_type_change_the_code_revision(code: str, cell_type: CellType) -> None:
    log = History("a", "b")
    log.commit(edited("a", code, cell_type))
    assert (log.cell("a").code, log.cell("a").type, log.cell("a").code_revision) == (code, cell_type, 2)
    assert log.cell("b").code_revision == 1


def test_W5_existence_changes_the_code_revision() -> None:
    log = History("a")
    log.commit(inserted("b", "b"))
    assert log.cell("b").code_revision == 2
    log.commit(deleted("b"))
    log.commit(inserted("b", "b"))
    assert log.cell("b").code_revision == 4


def test_W5_results_moves_settings_marks_and_owners_do_not_change_the_code_revision() -> None:
    log = History("a", "b")
    log.commit(log.ran("a"))
    log.commit(moved("a", "b"))
    log.commit(ch.CellConfigured(cell_id="a", config=CONFIG, author="ann", at=NOW))
    log.mark("running", "a")
    log.commit(owned(1))
    log.mark("stale", "a")
    assert log.cell("a").config == CONFIG
    assert log.cell("a").code_revision == 1


def test_W5_an_edit_to_the_same_code_is_no_change() -> None:
    log = History("a")
    before = log.commit(log.ran("a")).cells["a"]
    log.commit(edited("a", "a"))
    assert log.cell("a") == before


def test_an_edited_cell_keeps_its_result_and_is_stale() -> None:
    log = History("a")
    result = log.commit(log.ran("a")).cells["a"].result
    log.commit(edited("a", "2"))
    assert (log.cell("a").status, log.cell("a").stale_since, log.cell("a").result) == ("stale", 3, result)


def test_an_edited_cell_that_never_ran_is_idle() -> None:
    log = History("a")
    log.mark("blocked", "a")
    log.commit(edited("a", "2"))
    assert (log.cell("a").status, log.cell("a").stale_since, log.cell("a").error) == ("idle", 3, None)


@pytest.mark.parametrize(
    ("after", "order"), [(None, ["new", "a", "b"]), ("a", ["a", "new", "b"]), ("b", ["a", "b", "new"])]
)
def test_an_inserted_cell_stands_behind_its_anchor(after: str | None, order: list[str]) -> None:
    log = History("a", "b")
    log.commit(inserted("new", "x", after))
    assert log.order == order


def test_W5_an_insert_or_move_whose_anchor_is_gone_goes_to_the_end() -> None:
    log = History("a", "b", "c")
    log.commit(inserted("new", "x", "gone"), moved("a", "gone"))
    assert log.order == ["b", "c", "new", "a"]


def test_an_anchor_deleted_in_the_same_commit_is_gone() -> None:
    log = History("a", "b", "c")
    log.commit(deleted("a"), inserted("new", "x", "a"))
    assert log.order == ["b", "c", "new"]


def test_a_cell_is_inserted_once() -> None:
    log = History("a", "b")
    log.commit(inserted("a", "other", "b"))
    assert log.order == ["a", "b"]
    assert (log.cell("a").code, log.cell("a").code_revision) == ("a", 1)


@pytest.mark.parametrize(
    ("cell_id", "after", "order"),
    [
        ("a", None, ["a", "b", "c"]),
        ("a", "b", ["b", "a", "c"]),
        ("a", "c", ["b", "c", "a"]),
        ("c", None, ["c", "a", "b"]),
        ("c", "a", ["a", "c", "b"]),
        ("b", "a", ["a", "b", "c"]),
        ("b", "b", ["a", "b", "c"]),
        ("gone", "a", ["a", "b", "c"]),
    ],
)
def test_a_move_can_be_repeated_without_harm(cell_id: str, after: str | None, order: list[str]) -> None:
    log = History("a", "b", "c")
    log.commit(moved(cell_id, after))
    assert log.order == order
    log.commit(moved(cell_id, after), moved(cell_id, after))
    assert log.order == order


def test_several_moves_inserts_and_deletes_in_one_commit() -> None:
    log = History("a", "b", "c")
    log.commit(moved("a", "c"), inserted("d", "", "b"), deleted("c"), moved("d", None), inserted("e", "", "d"))
    assert log.order == ["d", "e", "b", "a"]


def test_C4_changes_to_a_cell_that_is_gone_are_folded_to_nothing() -> None:
    log = History("a")
    before = log.state.cells
    log.commit(
        edited("gone", "x"),
        moved("gone", "a"),
        deleted("gone"),
        ch.CellConfigured(cell_id="gone", config=CONFIG, author="ann", at=NOW),
        ch.CellsMarked(cell_ids=("gone",), status="stale", author="system", at=NOW),
    )
    assert log.state.cells == before


def test_one_edit_among_ten_thousand_cells_leaves_the_others_as_they_are() -> None:
    """The very same objects: the work of a commit is one shallow copy, whatever the cells hold."""
    log = History(*(f"c{n}" for n in range(CELLS_MAX)))
    before = log.state.cells
    log.commit(edited("c5000", "x = 1"))
    changed = [cell_id for cell_id, cell in log.state.cells.items() if cell is not before[cell_id]]
    assert changed == ["c5000"]
    log.commit(moved("c0", "c9999"), inserted("new", "", "c5000"))
    assert log.order.index("new") == 5000
    assert log.order[-1] == "c0"
    assert sum(cell is not before.get(cell_id) for cell_id, cell in log.state.cells.items()) == 2
