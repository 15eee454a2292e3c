"""Folding is one function of the changes, however they were cut into commits and wherever a checkpoint stood."""

from bisect import bisect_left
from collections.abc import Callable
from itertools import accumulate

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from quire.notebook import changes as ch
from quire.notebook.codec import decode_body, decode_checkpoint, encode_checkpoint, encode_commit
from quire.notebook.fold import Draft, fold
from quire.notebook.model import Notebook
from tests.notebook.strategies import grouped_changes

Groups = list[list[ch.Change]]


def commits_of(groups: Groups) -> list[ch.Commit]:
    return [ch.Commit(number, f"c{number}", tuple(changes)) for number, changes in enumerate(groups, start=1)]


def folded(commits: list[ch.Commit]) -> Notebook:
    state = fold(None, commits)
    assert state is not None
    return state


def exact(state: Notebook) -> bytes:
    """What `==` of dictionaries does not see: the order of cells and of idempotency keys."""
    return msgspec.json.encode(state)


def renumbered(state: Notebook, number_of: Callable[[int], int]) -> Notebook:
    """`state` with every revision in it replaced."""
    replace = msgspec.structs.replace
    cells = {
        cell.cell_id: replace(
            cell,
            code_revision=number_of(cell.code_revision),
            stale_since=number_of(cell.stale_since),
            result=cell.result and replace(cell.result, revision=number_of(cell.result.revision)),
        )
        for cell in state.cells.values()
    }
    idempotency = {key: replace(e, revision=number_of(e.revision)) for key, e in state.idempotency.items()}
    return replace(state, revision=number_of(state.revision), cells=cells, idempotency=idempotency)


@given(grouped_changes())
def test_W4_C4_a_group_commit_means_what_its_changes_mean_one_by_one(groups: Groups) -> None:
    last_of = list(accumulate(len(changes) for changes in groups))  # Revision of each group's last change.
    single: Groups = [
        [
            msgspec.structs.replace(
                change, base_revision=last_of[change.base_revision - 1] if change.base_revision else 0
            )
        ]
        if isinstance(change, ch.CellRan)
        else [change]
        for changes in groups
        for change in changes
    ]
    group_of = lambda revision: bisect_left(last_of, revision) + 1 if revision else 0  # noqa: E731 -- a renaming of numbers
    assert exact(renumbered(folded(commits_of(single)), group_of)) == exact(folded(commits_of(groups)))


@given(grouped_changes(), st.data())
def test_C1_C4_a_checkpoint_stands_for_all_commits_up_to_it(groups: Groups, data: st.DataObject) -> None:
    log = commits_of(groups)
    position = data.draw(st.integers(1, len(log)))
    before = folded(log[:position])
    loaded = decode_checkpoint(encode_checkpoint(before, previous=0).splitlines(keepends=True))
    assert exact(loaded) == exact(before)
    resumed = fold(loaded, log[position:])
    assert resumed is not None
    assert exact(resumed) == exact(folded(log))


@given(grouped_changes())
def test_C4_E1_commits_that_were_stored_fold_like_those_that_were_written(groups: Groups) -> None:
    log = commits_of(groups)
    stored = [decode_body(encode_commit(commit)) for commit in log]
    assert exact(folded([commit for commit in stored if isinstance(commit, ch.Commit)])) == exact(folded(log))


@given(grouped_changes())
def test_C4_a_state_never_changes_once_it_is_given(groups: Groups) -> None:
    log = commits_of(groups)
    state = folded(log[:1])
    seen = [(state, exact(state))]
    for commit in log[1:]:
        draft = Draft(state, commit.revision)
        for change in commit.changes:
            draft.apply(change)
            state = draft.freeze()
            seen.append((state, exact(state)))
    assert all(exact(state) == was for state, was in seen)


@given(grouped_changes())
def test_W4_a_draft_frozen_on_the_way_ends_where_apply_does(groups: Groups) -> None:
    *before, last = commits_of(groups)
    if not before:
        return
    draft = Draft(folded(before), last.revision)
    for change in last.changes:
        draft.apply(change)
        assert draft.order == list(draft.freeze().cells)
    assert exact(draft.freeze()) == exact(folded([*before, last]))
