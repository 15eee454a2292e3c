"""Results and kernels."""

import pytest

from quire.notebook import changes as ch
from quire.notebook.fold import CUT_OFF
from quire.notebook.model import CellError, Result, code_hash_of
from tests.notebook.history import NOW, History, deleted, edited, inserted, owned


def test_R1_a_higher_epoch_takes_over() -> None:
    log = History("a")
    log.commit(owned(1, "i1"))
    assert (log.state.epoch, log.state.owner) == (1, "i1")
    log.commit(owned(3, "i2"))
    assert (log.state.epoch, log.state.owner) == (3, "i2")


@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_R1_a_lower_or_equal_epoch_changes_nothing(epoch: int) -> None:
    log = History("a")
    log.commit(owned(2, "i1"))
    log.mark("running", "a")
    log.commit(owned(epoch, "i2"))
    assert (log.state.epoch, log.state.owner) == (2, "i1")
    assert log.cell("a").status == "running"


def test_R2_a_result_of_the_present_code_is_kept_as_it_is() -> None:
    log = History("a")
    log.commit(owned(1))
    log.commit(log.ran("a", epoch=1))
    assert log.cell("a").status == "success"
    assert log.cell("a").stale_since == 0
    assert log.cell("a").result == Result(
        run_id="r1", epoch=1, code_hash=code_hash_of("python", "a"), revision=3, stdout="hello"
    )


def test_R2_a_result_of_other_code_is_kept_and_stale() -> None:
    log = History("a")
    ran = log.ran("a")
    log.commit(edited("a", "2"))
    log.commit(ran)
    assert (log.cell("a").status, log.cell("a").stale_since) == ("stale", 2)
    assert log.cell("a").result is not None
    assert log.cell("a").code == "2"


def test_R2_a_change_of_type_alone_makes_a_result_stale() -> None:
    log = History("a")
    ran = log.ran("a")
    log.commit(edited("a", "a", "sql"))
    log.commit(ran)
    assert log.cell("a").status == "stale"


def test_R2_code_that_was_changed_and_changed_back_during_the_run_is_stale() -> None:
    log = History("a")
    ran = log.ran("a")
    log.commit(edited("a", "2"))
    log.commit(edited("a", "a"))
    log.commit(ran)
    assert (log.cell("a").status, log.cell("a").stale_since) == ("stale", 3)


def test_R2_a_cell_outdated_after_the_run_was_planned_stays_stale() -> None:
    log = History("a")
    log.commit(log.ran("a"))
    ran = log.ran("a")
    log.mark("stale", "a")
    log.commit(ran)
    assert (log.cell("a").status, log.cell("a").stale_since) == ("stale", 3)


def test_R2_a_cell_outdated_before_the_run_was_planned_is_fresh_after_it() -> None:
    log = History("a")
    log.mark("stale", "a")
    log.commit(log.ran("a"))
    assert (log.cell("a").status, log.cell("a").stale_since) == ("success", 0)


def test_R2_a_partial_result_does_not_hide_a_later_edit_of_what_it_depends_on() -> None:
    log = History("a")
    planned_on = log.state.revision
    log.commit(log.ran("a", status="running"))
    assert log.cell("a").status == "running"
    log.mark("stale", "a")
    log.commit(log.ran("a", base=planned_on))
    assert log.cell("a").status == "stale"


def test_R2_a_result_of_a_deleted_cell_is_dropped() -> None:
    log = History("a", "b")
    ran = log.ran("a")
    log.commit(deleted("a"))
    log.commit(ran)
    assert log.order == ["b"]


def test_R2_a_result_of_a_cell_that_was_deleted_and_made_anew_with_other_code_is_stale() -> None:
    log = History("a")
    ran = log.ran("a")
    log.commit(deleted("a"), inserted("a", "2"))
    log.commit(ran)
    assert (log.cell("a").status, log.cell("a").stale_since) == ("stale", 3)


def test_R2_a_result_of_a_lower_epoch_is_dropped() -> None:
    log = History("a")
    log.commit(owned(2))
    before = log.cell("a")
    log.commit(log.ran("a", epoch=1))
    assert log.cell("a") == before


def test_R2_a_result_never_brings_back_old_code() -> None:
    log = History("a")
    ran = log.ran("a")
    log.commit(edited("a", "2"), ran, edited("a", "3"), ran)
    assert log.cell("a").code == "3"


def test_R3_a_new_kernel_turns_what_was_running_or_queued_into_an_error_that_says_so() -> None:
    log = History("running", "queued", "success", "idle")
    log.commit(log.ran("success"))
    log.mark("running", "running")
    log.mark("queued", "queued")
    untouched = {cell_id: log.cell(cell_id) for cell_id in ("success", "idle")}
    log.commit(owned(1))
    assert [log.cell(cell_id).status for cell_id in ("running", "queued")] == ["error", "error"]
    assert [log.cell(cell_id).error for cell_id in ("running", "queued")] == [CUT_OFF, CUT_OFF]
    assert {cell_id: log.cell(cell_id) for cell_id in ("success", "idle")} == untouched
    assert "no result" in CUT_OFF.message


def test_R3_partial_output_of_a_run_that_was_cut_off_is_kept() -> None:
    log = History("a")
    log.commit(log.ran("a", status="running"))
    log.commit(owned(1))
    assert log.cell("a").status == "error"
    assert log.cell("a").result is not None


def test_a_cell_inserted_in_the_commit_that_runs_it_can_have_a_result() -> None:
    log = History()
    log.commit(inserted("a", "x"))
    log.commit(log.ran("a", status="error"))
    assert log.cell("a").status == "error"


def test_marks_carry_a_reason_and_lose_it_again() -> None:
    log = History("a", "b")
    error = CellError(name="MultipleDefinitions", caused_by="b")
    log.commit(ch.CellsMarked(cell_ids=("a", "b"), status="blocked", error=error, author="system", at=NOW))
    assert [cell.error for cell in log.state.cells.values()] == [error, error]
    assert log.cell("a").stale_since == 2
    log.mark("idle", "a")
    assert (log.cell("a").status, log.cell("a").error) == ("idle", None)
    assert log.cell("b").status == "blocked"
