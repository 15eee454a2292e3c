"""A log told change by change, for tests that need a certain state."""

from functools import partial

from quire.notebook import changes as ch
from quire.notebook.fold import apply
from quire.notebook.model import Cell, CellType, Notebook, code_hash_of

NOW = 1_795_400_000_000

created = partial(ch.NotebookCreated, notebook_id="n", user_id="ann", name="Sales", author="ann", at=NOW)


def commit(revision: int, *changes: ch.Change) -> ch.Commit:
    return ch.Commit(revision, f"c{revision}", changes)


def inserted(cell_id: str, code: str = "", after: str | None = None, *, at: int = NOW) -> ch.CellInserted:
    return ch.CellInserted(cell_id=cell_id, type="python", code=code, after_cell_id=after, author="ann", at=at)


def edited(cell_id: str, code: str, cell_type: CellType = "python") -> ch.CellEdited:
    return ch.CellEdited(cell_id=cell_id, code=code, type=cell_type, author="ann", at=NOW)


def moved(cell_id: str, after: str | None) -> ch.CellMoved:
    return ch.CellMoved(cell_id=cell_id, after_cell_id=after, author="ann", at=NOW)


def deleted(cell_id: str) -> ch.CellDeleted:
    return ch.CellDeleted(cell_id=cell_id, author="ann", at=NOW)


def owned(epoch: int, instance: str = "i1") -> ch.KernelOwned:
    return ch.KernelOwned(epoch=epoch, instance=instance, author="system", at=NOW)


class History:
    """The fold of the commits given so far; the first one creates the notebook with one Python cell per id."""

    def __init__(self, *cell_ids: str) -> None:
        cells = tuple(Cell(cell_id=cell_id, type="python", code=cell_id, code_revision=1) for cell_id in cell_ids)
        self.state = apply(None, commit(1, created(cells=cells)))

    def commit(self, *changes: ch.Change) -> Notebook:
        self.state = apply(self.state, commit(self.state.revision + 1, *changes))
        return self.state

    def mark(self, status: str, *cell_ids: str) -> Notebook:
        return self.commit(ch.CellsMarked(cell_ids=cell_ids, status=status, author="system", at=NOW))  # type: ignore[arg-type]  # the tests give only statuses that exist

    def ran(
        self, cell_id: str, *, code: str | None = None, base: int | None = None, epoch: int = 0, status: str = "success"
    ) -> ch.CellRan:
        """A result of the cell's code, planned on the present revision, unless said otherwise."""
        ran_code = self.state.cells[cell_id].code if code is None else code
        return ch.CellRan(
            cell_id=cell_id,
            run_id="r1",
            epoch=epoch,
            code_hash=code_hash_of("python", ran_code),
            base_revision=self.state.revision if base is None else base,
            status=status,  # type: ignore[arg-type]  # the tests give only statuses that exist
            stdout="hello",
            author="system",
            at=NOW,
        )

    @property
    def order(self) -> list[str]:
        return list(self.state.cells)

    def cell(self, cell_id: str) -> Cell:
        return self.state.cells[cell_id]
