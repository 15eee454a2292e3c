"""Notebooks that are in an older layout become logs when they are opened: nothing has to be migrated up front.

The log begins with the whole notebook as the older layout has it; then the header is completed; then the older form
is set aside, if nothing was written to it meanwhile. Else what it says now is appended, until it holds still. Each step
may be the last one of a server that is killed: the next open finds what is left to do.
"""

import structlog

from quire.blobs.protocol import BlobStore
from quire.interchange.legacy import LegacyCell, LegacyNotebook, UnusableDocument, read_document
from quire.notebook.changes import CellRan, Idempotency, NotebookCreated, NotebookRestored
from quire.notebook.ids import log_id_of
from quire.notebook.model import Cell, Notebook, Result, Settings, code_hash_of
from quire.sessions.clock import now_ms
from quire.sessions.consequences import SYSTEM
from quire.sessions.errors import ReadOnly
from quire.sessions.journal import Journal
from quire.sessions.offload import offload
from quire.storage.protocol import (
    Header,
    HeaderExists,
    NotebookStore,
    OlderLayout,
    OlderNotebook,
    Record,
)

log = structlog.get_logger(__name__)

_ATTEMPTS_MAX = 20

_RUN_ID = "before-adoption"
"""Stands for the runs of the older server."""


async def adopt(store: NotebookStore, blobs: BlobStore, user_id: str, notebook_id: str) -> bool:
    """Take a notebook over from an older layout, if it is in one; whether it was.

    Raises:
        ReadOnly: what is there cannot become a notebook of ours; it stays as it is. StorageError, BlobError.
    """
    if not isinstance(store, OlderLayout):
        return False
    for _ in range(_ATTEMPTS_MAX):
        older = await store.read_older(user_id, notebook_id)
        if older is None:
            return False
        try:
            document = read_document(older.document)
        except UnusableDocument as error:
            raise ReadOnly(f"This notebook is in an older layout and cannot be taken over: {error}.") from error
        state = await _Adoption(store, store, blobs, user_id, notebook_id).take_over(older, document)
        await _complete_header(store, state)
        retired = await store.retire_older(user_id, notebook_id, older.revision)
        if retired or await store.read_older(user_id, notebook_id) is None:
            log.info("adopted", notebook_id=notebook_id, revision=state.revision)
            return True
        # An older server was faster: what is there now is taken over as well.
    raise ReadOnly(
        "This notebook is in an older layout, and an older server keeps writing it. "
        "Stop that server, then open the notebook again."
    )


async def _complete_header(store: NotebookStore, state: Notebook) -> None:
    """Without a time of creation, which nobody knows: it has every open look whether the older form is gone."""
    header = Header(
        user_id=state.user_id,
        notebook_id=state.notebook_id,
        name=state.name,
        revision=state.revision,
        created_at=0,
        updated_at=state.updated_at,
    )
    try:
        await store.create_header(header)
    except HeaderExists:
        await store.refresh_header(
            state.user_id,
            state.notebook_id,
            name=state.name,
            revision=state.revision,
            updated_at=state.updated_at,
        )


class _Adoption:
    """One notebook; `store` and `older` are the same, seen as either protocol."""

    def __init__(
        self, store: NotebookStore, older: OlderLayout, blobs: BlobStore, user_id: str, notebook_id: str
    ) -> None:
        self._store = store
        self._older = older
        self._blobs = blobs
        self._user_id = user_id
        self._notebook_id = notebook_id
        self._log_id = log_id_of(user_id, notebook_id)

    async def take_over(self, older: OlderNotebook, document: LegacyNotebook) -> Notebook:
        """See that the log says what `document` says; the state at its head."""
        journal = await Journal.open(self._store, self._blobs, self._user_id, self._notebook_id)
        if journal is None:
            journal = await self._begin(older, document)
        while not self._says(journal.state, older, document):
            change = NotebookRestored(
                author=SYSTEM,
                at=now_ms(),
                idempotency=_mark(older),
                from_revision=journal.state.revision,
                name=document.name,
                settings=journal.state.settings,
                cells=await self._cells(document, journal.state.revision + 1),
            )
            if await journal.append((change,), on_unknown=self._unknown) is None:
                await journal.follow()
        return journal.state

    async def _begin(self, older: OlderNotebook, document: LegacyNotebook) -> Journal:
        change = NotebookCreated(
            author=SYSTEM,
            at=now_ms(),
            idempotency=_mark(older),
            notebook_id=self._notebook_id,
            user_id=self._user_id,
            name=document.name,
            cells=await self._cells(document, older.first_revision),
            settings=Settings(),
        )
        journal, _ours = await Journal.create(
            self._store,
            self._blobs,
            self._log_id,
            change,
            revision=older.first_revision,
            log_of=_Beginning(self._store, self._older),
        )
        return journal

    def _says(self, state: Notebook, older: OlderNotebook, document: LegacyNotebook) -> bool:
        """Whether the log has taken that very version over, or says the same without it."""
        if _mark(older).key in state.idempotency or state.deleted_at or state.purging:
            return True
        theirs = [(cell.cell_id, cell.type, cell.code) for cell in document.cells]
        ours = [(cell.cell_id, cell.type, cell.code) for cell in state.cells.values()]
        return (state.name, ours) == (document.name, theirs)

    async def _cells(self, document: LegacyNotebook, revision: int) -> tuple[Cell, ...]:
        return tuple([await self._cell(cell, revision) for cell in document.cells])

    async def _cell(self, old: LegacyCell, revision: int) -> Cell:
        if not old.stdout and not old.outputs:
            return Cell(old.cell_id, old.type, old.code, revision, status=old.status, error=old.error)
        ran = CellRan(
            author=SYSTEM,
            at=0,
            cell_id=old.cell_id,
            run_id=_RUN_ID,
            epoch=0,
            code_hash=code_hash_of(old.type, old.code),
            base_revision=revision,
            status="success",
            stdout=old.stdout,
            outputs=old.outputs,
        )
        ran = await offload(self._blobs, self._log_id, ran)
        result = Result(_RUN_ID, 0, ran.code_hash, revision, stdout=ran.stdout, outputs=ran.outputs)
        return Cell(old.cell_id, old.type, old.code, revision, status=old.status, error=old.error, result=result)

    def _unknown(self, reason: Exception) -> None:
        log.warning("store_failing", log_id=self._log_id, detail=str(reason))


class _Beginning:
    """Appends what begins a log."""

    def __init__(self, store: NotebookStore, older: OlderLayout) -> None:
        self._store = store
        self._older = older

    async def append(self, log_id: str, record: Record) -> None:
        await self._older.begin_log(log_id, record)

    async def read_one(self, log_id: str, revision: int) -> Record | None:
        return await self._store.read_one(log_id, revision)


def _mark(older: OlderNotebook) -> Idempotency:
    """Says in the log which version of the older layout it has taken over (I1)."""
    return Idempotency(f"older-layout-{older.revision}", "")
