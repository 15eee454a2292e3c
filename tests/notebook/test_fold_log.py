"""Revisions, creation, the trash, restore and idempotency."""

import pytest

from quire.notebook import changes as ch
from quire.notebook.fold import Draft, FoldError, apply, fold
from quire.notebook.model import (
    IDEMPOTENCY_AGE_MS_MAX,
    IDEMPOTENCY_ENTRIES_MAX,
    Cell,
    CellConfig,
    IdempotencyEntry,
    Notebook,
    Settings,
)
from tests.notebook.history import NOW, History, commit, created, deleted, edited, inserted, owned


@pytest.mark.parametrize("revision", [0, 1, 2, 4, 1000])
def test_C3_a_gap_or_a_repeated_revision_is_an_error(revision: int) -> None:
    log = History("a")
    log.commit(edited("a", "1"))
    with pytest.raises(FoldError, match=f"revision {revision} does not follow 2 in n"):
        apply(log.state, commit(revision, edited("a", "2")))


def test_C3_fold_stops_at_the_gap() -> None:
    with pytest.raises(FoldError, match="revision 3 does not follow 1"):
        fold(None, [commit(1, created()), commit(3, inserted("a"))])


@pytest.mark.parametrize(
    "first",
    [
        commit(0, created()),
        commit(2, inserted("a")),
        commit(1, inserted("a")),
        commit(1),
        commit(1, inserted("a"), created()),
    ],
)
def test_H2_a_log_starts_with_a_commit_that_creates_the_notebook(first: ch.Commit) -> None:
    with pytest.raises(FoldError, match="a log starts with a commit that creates the notebook"):
        apply(None, first)


@pytest.mark.parametrize("log", [[commit(1, created(), created())], [commit(1, created()), commit(2, created())]])
def test_H2_a_notebook_is_created_once(log: list[ch.Commit]) -> None:
    with pytest.raises(FoldError, match="creates n a second time"):
        fold(None, log)


def test_H2_the_first_commit_holds_the_owner_and_the_content() -> None:
    cells = (Cell(cell_id="a", type="sql", code="select 1", code_revision=77, stale_since=76),)
    settings = Settings(run_mode="lazy")
    state = apply(None, commit(1, created(cells=cells, settings=settings), inserted("b", after="a", at=NOW + 5)))
    assert state == Notebook(
        notebook_id="n",
        user_id="ann",
        name="Sales",
        revision=1,
        created_at=NOW,
        updated_at=NOW + 5,
        settings=settings,
        cells={
            "a": Cell(cell_id="a", type="sql", code="select 1", code_revision=1, stale_since=1),
            "b": Cell(cell_id="b", type="python", code="", code_revision=1),
        },
    )


def test_H3_W9_the_trash_is_a_fence_and_can_be_left() -> None:
    log = History("a")
    state = log.commit(ch.NotebookDeleted(author="ann", at=NOW + 1))
    assert state.deleted_at == NOW + 1
    assert Draft(state, state.revision + 1).fenced
    state = log.commit(ch.NotebookUndeleted(author="ann", at=NOW + 2))
    assert state.deleted_at == 0
    assert not Draft(state, state.revision + 1).fenced


def test_W9_purging_is_a_fence_for_ever() -> None:
    log = History("a")
    log.commit(ch.NotebookPurging(author="system", at=NOW))
    state = log.commit(ch.NotebookUndeleted(author="ann", at=NOW))
    assert state.purging
    assert Draft(state, state.revision + 1).fenced


def test_name_and_settings_change_and_the_time_of_the_newest_edit_is_kept() -> None:
    log = History("a")
    state = log.commit(
        ch.NotebookRenamed(name="Costs", author="ann", at=NOW + 9),
        ch.NotebookConfigured(settings=Settings(run_mode="lazy"), author="bob", at=NOW + 3),
    )
    assert (state.name, state.settings.run_mode, state.updated_at) == ("Costs", "lazy", NOW + 9)


def test_results_and_kernels_do_not_count_as_an_update_of_the_notebook() -> None:
    log = History("a")
    log.commit(ch.KernelOwned(epoch=1, instance="i", author="system", at=NOW + 9))
    log.commit(ch.CellsMarked(cell_ids=("a",), status="stale", author="system", at=NOW + 9))
    assert log.state.updated_at == NOW


# -- restore


def restored(*cells: Cell, name: str = "Sales", from_revision: int = 1) -> ch.NotebookRestored:
    return ch.NotebookRestored(
        from_revision=from_revision, name=name, settings=Settings(), cells=cells, author="ann", at=NOW
    )


def test_W5_restore_keeps_what_is_unchanged_and_dates_what_changes() -> None:
    log = History("same", "edited", "deleted")
    earlier = tuple(log.state.cells.values())
    log.commit(log.ran("same"))
    log.commit(edited("edited", "new text"), deleted("deleted"), inserted("later"))
    same = log.cell("same")
    log.commit(restored(*earlier))
    assert log.order == ["same", "edited", "deleted"]
    assert log.cell("same") == same
    assert log.cell("same").code_revision == 1
    assert (log.cell("edited").code, log.cell("edited").code_revision) == ("edited", log.state.revision)
    assert (log.cell("deleted").code, log.cell("deleted").code_revision) == ("deleted", log.state.revision)


def test_W5_restore_brings_back_order_name_settings_and_cell_settings() -> None:
    log = History("a", "b")
    a, b = log.cell("a"), log.cell("b")
    log.commit(ch.CellConfigured(cell_id="a", config=CellConfig(disabled=True), author="ann", at=NOW))
    log.commit(restored(b, a, name="Old"))
    assert log.order == ["b", "a"]
    assert log.state.name == "Old"
    assert log.cell("a") == a


def test_R2_a_restored_cell_with_other_code_shows_its_old_result_as_stale() -> None:
    log = History("a")
    earlier = log.commit(log.ran("a")).cells["a"]
    log.commit(edited("a", "2"))
    log.commit(restored(earlier))
    assert (log.cell("a").status, log.cell("a").stale_since) == ("stale", log.state.revision)
    assert log.cell("a").result == earlier.result


def test_R3_a_cell_restored_from_the_middle_of_a_run_is_not_running() -> None:
    log = History("a")
    earlier = log.mark("running", "a").cells["a"]
    log.commit(deleted("a"))
    log.commit(restored(earlier))
    assert log.cell("a").status == "stale"


# -- idempotency


def renamed(key: str, at: int = NOW, request_hash: str = "h", result: str = "{}") -> ch.NotebookRenamed:
    return ch.NotebookRenamed(
        name=key, author="ann", at=at, idempotency=ch.Idempotency(key=key, request_hash=request_hash, result=result)
    )


def test_I1_a_request_is_remembered_with_its_answer() -> None:
    log = History()
    state = log.commit(renamed("k", request_hash="h7", result='{"cell_id":"a"}'))
    assert state.idempotency == {"k": IdempotencyEntry(request_hash="h7", result='{"cell_id":"a"}', revision=2, at=NOW)}


def test_I1_the_creating_request_is_remembered() -> None:
    state = apply(None, commit(1, created(idempotency=ch.Idempotency(key="k", request_hash="h"))))
    assert state.idempotency["k"].revision == 1


def test_I1_the_newest_512_are_kept_and_the_oldest_go_first() -> None:
    log = History()
    log.commit(*(renamed(f"k{n}") for n in range(IDEMPOTENCY_ENTRIES_MAX)))
    assert len(log.state.idempotency) == IDEMPOTENCY_ENTRIES_MAX == 512
    log.commit(renamed("k0"))  # Asked again: now the newest.
    log.commit(renamed("one more"))
    assert len(log.state.idempotency) == IDEMPOTENCY_ENTRIES_MAX
    assert "k1" not in log.state.idempotency
    assert list(log.state.idempotency)[-2:] == ["k0", "one more"]


def test_I1_a_day_is_remembered_and_no_longer() -> None:
    log = History()
    log.commit(renamed("old"))
    log.commit(renamed("a day later", at=NOW + IDEMPOTENCY_AGE_MS_MAX))
    assert "old" in log.state.idempotency
    log.commit(renamed("and a millisecond", at=NOW + IDEMPOTENCY_AGE_MS_MAX + 1))
    assert list(log.state.idempotency) == ["a day later", "and a millisecond"]
    assert IDEMPOTENCY_AGE_MS_MAX == 24 * 3600 * 1000


def test_I1_changes_without_a_key_leave_the_memory_alone() -> None:
    log = History("a")
    before = log.commit(renamed("k")).idempotency
    assert log.commit(edited("a", "2"), owned(1)).idempotency == before
