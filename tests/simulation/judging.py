"""What a log of whole sessions must look like, beside what its clients asked for and were told.

The model here is told apart from the code on purpose: a cell's text and when it last changed, nothing else.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from quire.notebook import changes as ch
from quire.notebook.changes import Commit
from quire.notebook.fold import apply
from tests.simulation.clients import Request, Seen, Told, picture_of
from tests.storage.racing import Saved, Verdict, judge


@dataclass(slots=True)
class Judged:
    """`verdict`: keys in the place of edits. `wrong`: what else breaks a rule, each in a sentence."""

    verdict: Verdict
    wrong: list[str] = field(default_factory=list)

    @property
    def faults(self) -> dict[str, list[str]]:
        return self.verdict.faults | ({"wrong": self.wrong} if self.wrong else {})


def judge_sessions(
    commits: Sequence[Commit], told: Sequence[Sequence[Told]], seen: Iterable[Seen], pending: Iterable[str] = ()
) -> Judged:
    """Hold the log of one notebook against what each client was told, in order, and what each read showed.

    `pending`: keys of requests that were never answered, and may or may not be in the log.
    """
    every = [one for client in told for one in client]
    keyed = [[one for one in client if not one.request.keyless] for client in told]
    requests = {one.request.key: one.request for one in every}
    log = {
        commit.revision: [change.idempotency.key for change in commit.changes if change.idempotency is not None]
        for commit in commits
    }
    saved = [[Saved(one.request.key, one.revision) for one in client if not one.error] for client in keyed]
    verdict = judge(log, saved)
    doubtful = {one.request.key for one in every if one.error and one.in_doubt}
    verdict.unasked = sorted(set(verdict.unasked) - doubtful - set(pending))
    judged = Judged(verdict)
    if not verdict.gaps:
        texts: dict[int, dict[str, str]] = {}
        judged.wrong += _conflicts(commits, requests, texts)
        judged.wrong += _answers(commits, [one for client in keyed for one in client if not one.error])
        judged.wrong += _newest([one for one in every if not one.error], texts)
        judged.wrong += _reads(commits, seen)
    return judged


@dataclass(slots=True)
class _Cell:
    text: str
    changed: int


def _conflicts(commits: Sequence[Commit], requests: dict[str, Request], texts: dict[int, dict[str, str]]) -> list[str]:
    """Changes that went ahead though a conflict was owed (W5), and content that is not what the log says (C4).

    Fills `texts` with what each cell holds at each revision.
    """
    wrong = []
    cells: dict[str, _Cell] = {}
    in_trash = False
    for commit in commits:
        touched = Counter(
            change.cell_id
            for change in commit.changes
            if isinstance(change, ch.CellInserted | ch.CellEdited | ch.CellDeleted)
        )
        wrong += [
            f"W4: two changes of {cell_id} share revision {commit.revision}"
            for cell_id, count in touched.items()
            if count > 1
        ]
        for change in commit.changes:
            if in_trash and not isinstance(change, ch.NotebookUndeleted):
                wrong.append(f"W9: revision {commit.revision} has a {ch.kind_of(change)} behind the fence")
            if isinstance(change, ch.NotebookDeleted | ch.NotebookUndeleted):
                in_trash = isinstance(change, ch.NotebookDeleted)
            request = requests.get(change.idempotency.key) if change.idempotency is not None else None
            if request is not None and request.expected_revision is not None:
                wrong += _owed(request, change, cells, commit.revision)
            _apply(cells, change, commit.revision)
            if isinstance(change, ch.NotebookRestored) and _texts(cells) != texts[change.from_revision]:
                wrong.append(f"C4: revision {commit.revision} does not restore revision {change.from_revision}")
        texts[commit.revision] = _texts(cells)
    state = None
    for commit in commits:
        state = apply(state, commit)
    if state is not None and {cell.cell_id: cell.code for cell in state.cells.values()} != _texts(cells):
        wrong.append("C4: the fold of the log has other texts than the log")
    return wrong


def _texts(cells: dict[str, _Cell]) -> dict[str, str]:
    return {cell_id: cell.text for cell_id, cell in cells.items()}


def _owed(request: Request, change: ch.Change, cells: dict[str, _Cell], revision: int) -> list[str]:
    expected = request.expected_revision
    assert expected is not None
    match change:
        case ch.NotebookRestored():
            unseen = [cell_id for cell_id, cell in cells.items() if cell.changed > expected]
        case ch.CellEdited() | ch.CellDeleted():
            cell = cells.get(change.cell_id)
            same = isinstance(change, ch.CellEdited) and cell is not None and cell.text == change.code
            unseen = [change.cell_id] if cell is None or (cell.changed > expected and not same) else []
        case _:
            unseen = []
    return [f"W5: {request} went ahead in revision {revision} over a change of {unseen}"] if unseen else []


def _apply(cells: dict[str, _Cell], change: ch.Change, revision: int) -> None:
    match change:
        case ch.CellInserted():
            cells[change.cell_id] = _Cell(change.code, revision)
        case ch.CellEdited():
            if change.cell_id in cells and cells[change.cell_id].text != change.code:
                cells[change.cell_id] = _Cell(change.code, revision)
        case ch.CellDeleted():
            cells.pop(change.cell_id, None)
        case ch.NotebookRestored():
            now = dict(cells)
            cells.clear()
            for cell in change.cells:
                kept = now.get(cell.cell_id)
                same = kept is not None and kept.text == cell.code
                cells[cell.cell_id] = kept if kept is not None and same else _Cell(cell.code, revision)


def _answers(commits: Sequence[Commit], told: Iterable[Told]) -> list[str]:
    """Saved changes that are not what was asked for (I1)."""
    wrong = []
    by_key = {
        change.idempotency.key: change
        for commit in commits
        for change in commit.changes
        if change.idempotency is not None
    }
    for one in told:
        request = one.request
        match by_key.get(request.key):
            case ch.CellInserted(cell_id=cell_id, code=code):
                good = request.kind == "insert" and (cell_id, code) == (one.cell_id, request.code)
            case ch.CellEdited(cell_id=cell_id, code=code):
                good = request.kind == "edit" and (cell_id, code) == (request.cell_id, request.code)
            case ch.CellMoved(cell_id=cell_id):
                good = request.kind == "move" and cell_id == request.cell_id
            case ch.CellDeleted(cell_id=cell_id):
                good = request.kind == "delete" and cell_id == request.cell_id
            case ch.NotebookDeleted():
                good = request.kind == "trash"
            case ch.NotebookRestored(from_revision=from_revision):
                good = request.kind == "restore" and from_revision == request.from_revision
            case found:
                good = found is None  # Lost: that is told elsewhere.
        if not good:
            wrong.append(f"I1: the answer to {request} was {one.cell_id}, the log has {by_key[request.key]}")
    return wrong


def _newest(told: Iterable[Told], texts: dict[int, dict[str, str]]) -> list[str]:
    """Answers that are older than what was told before (C6), and texts that are not there when they are "saved"."""
    wrong = []
    for one in told:
        request = one.request
        if one.revision < one.floor:
            wrong.append(f"C6: {request} was saved in {one.revision}, after somebody was told of {one.floor}")
        if request.kind == "edit" and texts.get(one.revision, {}).get(request.cell_id) != request.code:
            wrong.append(f"W1: {request} was told to be saved in {one.revision}, which has another text")
    return wrong


def _reads(commits: Sequence[Commit], seen: Iterable[Seen]) -> list[str]:
    """Reads that showed something else than the log up to some revision (C4, C6)."""
    by_revision: dict[int, set[str]] = {}
    for one in seen:
        by_revision.setdefault(one.revision, set()).add(one.picture)
    wrong = [f"C6: a read showed revision {revision}" for revision in by_revision if not 0 < revision <= len(commits)]
    state = None
    for commit in commits:
        state = apply(state, commit)
        if by_revision.get(commit.revision, set()) - {picture_of(state)}:
            wrong.append(f"C4: a read of revision {commit.revision} showed something else than the log")
    return wrong
