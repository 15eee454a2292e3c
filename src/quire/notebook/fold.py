"""apply: state + commit -> state. Pure, total over committed changes, and the only way that state changes (C4).

A change that no longer has its subject (a result for a deleted cell, say) is folded to nothing: conflicts are
judged before a commit is written (W5), never while one is read.
"""

from collections.abc import Iterable, Mapping
from typing import assert_never

import msgspec

from quire.notebook import changes as ch
from quire.notebook.model import (
    IDEMPOTENCY_AGE_MS_MAX,
    IDEMPOTENCY_ENTRIES_MAX,
    Cell,
    CellError,
    CellStatus,
    IdempotencyEntry,
    Notebook,
    Result,
    code_hash_of,
)

CUT_OFF = CellError(
    name="RunCutOff",
    message="The kernel that ran this cell is gone, so the run has no result. Run the cell again.",
)
"""What a cell shows that was queued or running when its kernel went away (R3)."""


class FoldError(Exception):
    """A log that cannot be folded: a gap (C3), or a first commit that does not create the notebook (H2)."""


def apply(state: Notebook | None, commit: ch.Commit) -> Notebook:
    """The state after `commit`.

    `state` is the state as of `commit.revision - 1`, or None for the first commit.

    Raises:
        FoldError: the revision does not follow (C3), or the first commit does not create a notebook. That is commit 1,
            but for a log that goes on from an older layout.
    """
    changes = commit.changes
    if state is None:
        state, changes = _created(commit)
    elif commit.revision != state.revision + 1:
        raise FoldError(f"revision {commit.revision} does not follow {state.revision} in {state.notebook_id}")
    draft = Draft(state, commit.revision)
    for change in changes:
        draft.apply(change)
    return draft.freeze()


def fold(state: Notebook | None, commits: Iterable[ch.Commit]) -> Notebook | None:
    """The state after all of `commits`, in order; raises as `apply` does."""
    for commit in commits:
        state = apply(state, commit)
    return state


def _created(commit: ch.Commit) -> tuple[Notebook, tuple[ch.Change, ...]]:
    first = commit.changes[0] if commit.changes else None
    if commit.revision < 1 or not isinstance(first, ch.NotebookCreated):
        raise FoldError(f"a log starts with a commit that creates the notebook, and {commit.revision} does not")
    notebook = Notebook(
        notebook_id=first.notebook_id,
        user_id=first.user_id,
        name=first.name,
        revision=commit.revision - 1,
        created_at=first.at,
        updated_at=first.at,
        cells={
            cell.cell_id: msgspec.structs.replace(
                cell, code_revision=commit.revision, stale_since=min(cell.stale_since, commit.revision)
            )
            for cell in first.cells
        },
        settings=first.settings,
    )
    draft = Draft(notebook, commit.revision)
    draft.remember(first)
    return draft.freeze(), commit.changes[1:]


class Draft:
    """A private, mutable copy of a state: what the next commit would make of it.

    Changes are applied one by one, so that each can be judged against those before it (W4); `freeze` gives the
    state. The copy costs one pass over the cells however many changes follow.
    """

    def __init__(self, base: Notebook, revision: int) -> None:
        self.base = base
        self.revision = revision
        self.cells = dict(base.cells)
        self.name = base.name
        self.settings = base.settings
        self.deleted_at = base.deleted_at
        self.purging = base.purging
        self.epoch = base.epoch
        self.owner = base.owner
        self.updated_at = base.updated_at
        self.idempotency: Mapping[str, IdempotencyEntry] = base.idempotency
        self._order: list[str] | None = None

    def freeze(self) -> Notebook:
        """The state as of `revision`; the draft may go on afterwards, the state stays as it is."""
        self._settle_order()
        return msgspec.structs.replace(
            self.base,
            revision=self.revision,
            name=self.name,
            updated_at=self.updated_at,
            cells=dict(self.cells),
            settings=self.settings,
            deleted_at=self.deleted_at,
            purging=self.purging,
            epoch=self.epoch,
            owner=self.owner,
            idempotency=dict(self.idempotency),
        )

    @property
    def order(self) -> list[str]:
        """Cell ids in page order."""
        return list(self.cells if self._order is None else self._order)

    @property
    def fenced(self) -> bool:
        """Whether writers other than an undelete must stop (W9)."""
        return bool(self.deleted_at) or self.purging

    def apply(self, change: ch.Change) -> None:
        """Make `change` true."""
        self._apply(change)
        if not isinstance(change, ch.CellRan | ch.CellsMarked | ch.KernelOwned):
            self.updated_at = max(change.at, self.updated_at)
        self.remember(change)

    def _apply(self, change: ch.Change) -> None:
        match change:
            case ch.NotebookCreated():
                raise FoldError(f"revision {self.revision} creates {change.notebook_id} a second time")
            case ch.NotebookRenamed():
                self.name = change.name
            case ch.NotebookConfigured():
                self.settings = change.settings
            case ch.NotebookDeleted():
                self.deleted_at = change.at
            case ch.NotebookUndeleted():
                self.deleted_at = 0
            case ch.NotebookPurging():
                self.purging = True
            case ch.NotebookRestored():
                self._restored(change)
            case ch.CellInserted():
                self._inserted(change)
            case ch.CellEdited():
                self._edited(change)
            case ch.CellMoved():
                self._moved(change)
            case ch.CellDeleted():
                self._deleted(change)
            case ch.CellConfigured():
                if cell := self.cells.get(change.cell_id):
                    self.cells[cell.cell_id] = msgspec.structs.replace(cell, config=change.config)
            case ch.CellsMarked():
                self._marked(change)
            case ch.CellRan():
                self._ran(change)
            case ch.KernelOwned():
                self._owned(change)
            case _:
                assert_never(change)

    def remember(self, change: ch.Change) -> None:
        """Keep the answer to the request behind `change`: the newest 512 within 24 hours (I1)."""
        if (request := change.idempotency) is None:
            return
        oldest = change.at - IDEMPOTENCY_AGE_MS_MAX
        kept = {key: entry for key, entry in self.idempotency.items() if entry.at >= oldest}
        kept.pop(request.key, None)
        kept[request.key] = IdempotencyEntry(request.request_hash, request.result, self.revision, change.at)
        while len(kept) > IDEMPOTENCY_ENTRIES_MAX:
            del kept[next(iter(kept))]
        self.idempotency = kept

    # -- cells

    def _settle_order(self) -> None:
        if self._order is not None:
            self.cells = {cell_id: self.cells[cell_id] for cell_id in self._order}
            self._order = None

    def _place(self, cell_id: str, after_cell_id: str | None) -> None:
        """Put `cell_id` behind `after_cell_id`; without a surviving anchor: at the end (W5 maps anchors before)."""
        if self._order is None:
            self._order = list(self.cells)
        if cell_id in self.cells and cell_id in self._order:
            self._order.remove(cell_id)
        if after_cell_id is None:
            self._order.insert(0, cell_id)
        elif after_cell_id in self.cells and after_cell_id != cell_id:
            self._order.insert(self._order.index(after_cell_id) + 1, cell_id)
        else:
            self._order.append(cell_id)

    def _inserted(self, change: ch.CellInserted) -> None:
        if change.cell_id in self.cells:
            return
        self._place(change.cell_id, change.after_cell_id)
        self.cells[change.cell_id] = Cell(
            cell_id=change.cell_id,
            type=change.type,
            code=change.code,
            code_revision=self.revision,
            config=change.config,
        )

    def _edited(self, change: ch.CellEdited) -> None:
        cell = self.cells.get(change.cell_id)
        if cell is None or (cell.code == change.code and cell.type == change.type):
            return
        edited = msgspec.structs.replace(cell, code=change.code, type=change.type, code_revision=self.revision)
        if change.type == "markdown":
            # Text does not run: what its code left behind goes with it.
            edited = msgspec.structs.replace(edited, status="idle", stale_since=0, error=None, result=None)
            self.cells[cell.cell_id] = edited
        else:
            self.cells[cell.cell_id] = self._outdated(edited)

    def _outdated(self, cell: Cell) -> Cell:
        """A cell whose result, if any, no longer belongs to it."""
        if cell.result is None and cell.status not in {"running", "queued"}:
            return msgspec.structs.replace(cell, status="idle", error=None, stale_since=self.revision)
        error = None if cell.status == "blocked" else cell.error
        return msgspec.structs.replace(cell, status="stale", error=error, stale_since=self.revision)

    def _moved(self, change: ch.CellMoved) -> None:
        if change.cell_id in self.cells and change.after_cell_id != change.cell_id:
            self._place(change.cell_id, change.after_cell_id)

    def _deleted(self, change: ch.CellDeleted) -> None:
        if change.cell_id in self.cells:
            del self.cells[change.cell_id]
            if self._order is not None:
                self._order.remove(change.cell_id)

    def _marked(self, change: ch.CellsMarked) -> None:
        for cell_id in change.cell_ids:
            if (cell := self.cells.get(cell_id)) is None:
                continue
            if change.status == "stale":
                self.cells[cell_id] = self._outdated(cell)
            else:
                since = self.revision if change.status == "blocked" else cell.stale_since
                self.cells[cell_id] = msgspec.structs.replace(
                    cell, status=change.status, error=change.error, stale_since=since
                )

    def _ran(self, change: ch.CellRan) -> None:
        cell = self.cells.get(change.cell_id)
        if cell is None or cell.type == "markdown" or change.epoch < self.epoch:
            return  # R2: the cell is gone or does not run any more, or another kernel has taken over.
        status: CellStatus = change.status
        current = change.code_hash == code_hash_of(cell.type, cell.code)
        if not current or cell.stale_since > change.base_revision:
            status = "stale"
        since = cell.stale_since if status == "stale" else 0
        if status == "stale" and not since:
            since = self.revision
        self.cells[cell.cell_id] = msgspec.structs.replace(
            cell,
            status=status,
            stale_since=since,
            error=change.error,
            result=Result(
                run_id=change.run_id,
                epoch=change.epoch,
                code_hash=change.code_hash,
                revision=self.revision,
                started_at=change.started_at,
                duration_ms=change.duration_ms,
                stdout=change.stdout,
                stderr=change.stderr,
                outputs=change.outputs,
            ),
        )

    def _owned(self, change: ch.KernelOwned) -> None:
        if change.epoch <= self.epoch:
            return
        self.epoch = change.epoch
        self.owner = change.instance
        for cell in list(self.cells.values()):
            if cell.status in {"running", "queued"}:
                self.cells[cell.cell_id] = msgspec.structs.replace(cell, status="error", error=CUT_OFF)

    def _restored(self, change: ch.NotebookRestored) -> None:
        self.name = change.name
        self.settings = change.settings
        self._settle_order()
        before, self.cells = self.cells, {}
        for old in change.cells:
            now = before.get(old.cell_id)
            if now is not None and now.code == old.code and now.type == old.type:
                cell = msgspec.structs.replace(now, config=old.config)
            else:
                cell = self._outdated(msgspec.structs.replace(old, code_revision=self.revision))
            self.cells[cell.cell_id] = cell
