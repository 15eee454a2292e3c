"""Requests that concern a whole notebook, and what its kernel reports."""

from dataclasses import dataclass

import msgspec

from quire.notebook import changes as ch
from quire.notebook.fold import Draft
from quire.notebook.model import Notebook, RunMode
from quire.sessions.errors import NotebookConflict, NotebookNotFound
from quire.sessions.intents import Decision, Origin


class NotebookIntent:
    """Defaults of requests that stop at a fence."""

    @property
    def touches(self) -> str | None:
        return None

    @property
    def passes_fence(self) -> bool:
        return False


@dataclass(frozen=True)
class Rename(NotebookIntent):
    origin: Origin
    name: str

    def decide(self, draft: Draft) -> Decision:
        if draft.name == self.name and not self.origin.key:
            return Decision(())
        return Decision((ch.NotebookRenamed(**self.origin.stamp(), name=self.name),))


@dataclass(frozen=True)
class Configure(NotebookIntent):
    origin: Origin
    run_mode: RunMode

    def decide(self, draft: Draft) -> Decision:
        settings = msgspec.structs.replace(draft.settings, run_mode=self.run_mode)
        return Decision((ch.NotebookConfigured(**self.origin.stamp(), settings=settings),))


@dataclass(frozen=True)
class DeleteNotebook(NotebookIntent):
    """To the trash. One that is there already is not found."""

    origin: Origin

    @property
    def passes_fence(self) -> bool:
        return True

    def decide(self, draft: Draft) -> Decision:
        if draft.deleted_at:
            raise NotebookNotFound(draft.base.notebook_id)
        return Decision((ch.NotebookDeleted(**self.origin.stamp()),))


@dataclass(frozen=True)
class UndeleteNotebook(NotebookIntent):
    origin: Origin

    @property
    def passes_fence(self) -> bool:
        return True

    def decide(self, draft: Draft) -> Decision:
        if not draft.deleted_at:
            return Decision(())
        return Decision((ch.NotebookUndeleted(**self.origin.stamp()),))


@dataclass(frozen=True)
class TrashIdle(NotebookIntent):
    """To the trash, unless it was changed after `idle_since` (ms) or is there already (H4)."""

    origin: Origin
    idle_since: int

    @property
    def passes_fence(self) -> bool:
        return True

    def decide(self, draft: Draft) -> Decision:
        if draft.deleted_at or draft.updated_at > self.idle_since:
            return Decision(())
        return Decision((ch.NotebookDeleted(**self.origin.stamp()),))


@dataclass(frozen=True)
class PurgeNotebook(NotebookIntent):
    """The last change of a log, unless the notebook has left the trash or came there after `trashed_by` (ms) (W9)."""

    origin: Origin
    trashed_by: int

    @property
    def passes_fence(self) -> bool:
        return True

    def decide(self, draft: Draft) -> Decision:
        if not draft.deleted_at or draft.deleted_at > self.trashed_by:
            return Decision(())
        return Decision((ch.NotebookPurging(**self.origin.stamp()),))


@dataclass(frozen=True)
class Restore(NotebookIntent):
    """The content becomes that of `then`, unless cells changed since `expected_revision` (W5)."""

    origin: Origin
    then: Notebook
    expected_revision: int | None = None

    def decide(self, draft: Draft) -> Decision:
        if self.expected_revision is not None:
            since = self.expected_revision
            changed = tuple(cell.cell_id for cell in draft.cells.values() if cell.code_revision > since)
            if changed:
                raise NotebookConflict(since, changed)
        change = ch.NotebookRestored(
            **self.origin.stamp(),
            from_revision=self.then.revision,
            name=self.then.name,
            settings=self.then.settings,
            cells=tuple(self.then.cells.values()),
        )
        return Decision((change,))


@dataclass(frozen=True)
class OwnKernel(NotebookIntent):
    """Take the notebook for a kernel of this instance (R1)."""

    origin: Origin
    instance: str

    def decide(self, draft: Draft) -> Decision:
        change = ch.KernelOwned(**self.origin.stamp(), epoch=draft.epoch + 1, instance=self.instance)
        return Decision((change,), {"epoch": change.epoch})


@dataclass(frozen=True)
class Record(NotebookIntent):
    """What the kernel reported: results and marks. Never a conflict (R2)."""

    origin: Origin
    changes: tuple[ch.CellRan | ch.CellsMarked, ...]

    def decide(self, draft: Draft) -> Decision:
        there = tuple(
            change
            for change in self.changes
            if any(cell_id in draft.cells for cell_id in ch.touched_cells(change))
            and not (isinstance(change, ch.CellRan) and change.epoch < draft.epoch)
        )
        return Decision(there)
