"""Why a request to a session is refused: each error names what was wrong and the way out."""

from quire.notebook.model import Cell


class Refused(Exception):
    """Base: the request was judged and changed nothing."""


class NotebookNotFound(Refused):
    """No such notebook, somebody else's, or one in the trash: who asks cannot tell which (section Security)."""

    def __init__(self, notebook_id: str) -> None:
        super().__init__(f"There is no notebook {notebook_id!r}.")


class CellNotFound(Refused):
    """The cell does not exist (any more)."""

    def __init__(self, cell_id: str) -> None:
        super().__init__(f"There is no cell {cell_id!r} in this notebook.")
        self.cell_id = cell_id


class RevisionNotFound(Refused):
    """The log has no such revision."""

    def __init__(self, revision: int, head: int) -> None:
        super().__init__(f"There is no revision {revision}: the newest is {head}.")


class Conflict(Refused):
    """The cell's code changed after the revision that the request is based on (W5)."""

    def __init__(self, cell_id: str, current: Cell | None, expected_revision: int) -> None:
        what = "was deleted" if current is None else f"was changed in revision {current.code_revision}"
        super().__init__(f"Cell {cell_id!r} {what}, after revision {expected_revision} that this change is based on.")
        self.cell_id = cell_id
        self.current = current


class NotebookConflict(Refused):
    """Some cell's code changed after the revision that a restore is based on (W5)."""

    def __init__(self, expected_revision: int, changed: tuple[str, ...]) -> None:
        super().__init__(
            f"{len(changed)} cells changed after revision {expected_revision} that this restore is based on: "
            f"{', '.join(changed[:5])}. Look at them, then restore again."
        )


class KeyReused(Refused):
    """The Idempotency-Key was used for another request (I1)."""

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for a different request. Use a new key for a new request.")


class LimitReached(Refused):
    """A limit of the notebook; `field` and `limit` name it."""

    def __init__(self, field: str, limit: int, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.limit = limit


class CellExists(Refused):
    """An insert chose an id that a cell of the notebook has."""

    def __init__(self, cell_id: str) -> None:
        super().__init__(f"There is a cell {cell_id!r} already. Leave cell_id out, or choose another.")


class NotAnswered(Refused):
    """The kernel was asked about a value, and there is no answer now."""


class ReadOnly(Refused):
    """The notebook was written by a newer version (E1)."""


class NotSaved(Exception):
    """The store refused or did not answer: nothing is acknowledged. `reason` is for the person at the screen."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
