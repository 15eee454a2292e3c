"""Notebooks that are in an older layout become logs when they are opened: nothing has to be migrated up front.

The log begins with the whole notebook as the older layout has it; then there is a header; then the older form is set
aside, if nothing was written to it meanwhile. Else what it says now is appended, until it holds still. What the log has
taken over it says itself, by a mark. Each step may be the last one of a server that is killed: the next open finds what
is left to do.
"""

import asyncio
from typing import Literal

import structlog

from quire.blobs.protocol import BlobStore
from quire.interchange.legacy import LegacyCell, LegacyNotebook, UnusableDocument, read_document
from quire.notebook.changes import CellRan, CellsMarked, Change, Idempotency, NotebookCreated, NotebookRestored
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

_INLINE_BYTES = 64 * 1024
"""Up to here reading a document takes less time than handing it to a thread."""

_RUN_ID = "before-adoption"
"""Stands for the runs of the older server."""

_MARK = "older-layout-"


async def adopt(store: NotebookStore, blobs: BlobStore, user_id: str, notebook_id: str) -> bool:
    """Take a notebook over from an older layout, if it is in one; whether it was.

    One whose log says that it is deleted is left alone until it is brought back.

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
            document, mark = await _read(older)
        except UnusableDocument as error:
            raise ReadOnly(f"This notebook is in an older layout and cannot be taken over: {error}.") from error
        state = await _Adoption(store, store, blobs, user_id, notebook_id).take_over(older, document, mark)
        if _fenced(state):
            return False
        await _create_header(store, state)
        retired = await store.retire_older(
            user_id, notebook_id, older, name=state.name, revision=state.revision, updated_at=state.updated_at
        )
        if retired or await store.read_older(user_id, notebook_id) is None:
            log.info("adopted", notebook_id=notebook_id, revision=state.revision)
            return True
        # An older server was faster: what is there now is taken over as well.
    raise ReadOnly(
        "This notebook is in an older layout, and an older server keeps writing it. "
        "Stop that server, then open the notebook again."
    )


async def _read(older: OlderNotebook) -> tuple[LegacyNotebook, str]:
    """The notebook, and the mark of having taken over just that (I1)."""

    def read() -> tuple[LegacyNotebook, str]:
        document = read_document(older.document)
        return document, _MARK + document.digest()

    return read() if len(older.document) <= _INLINE_BYTES else await asyncio.to_thread(read)


async def _create_header(store: NotebookStore, state: Notebook) -> None:
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
        return  # It follows the log when the older form ends: until then it may count that one's writes.


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

    async def take_over(self, older: OlderNotebook, document: LegacyNotebook, mark: str) -> Notebook:
        """See that `document` is what the log has taken over last; the state at its head."""
        journal = await Journal.open(self._store, self._blobs, self._user_id, self._notebook_id)
        if journal is None:
            journal = await self._begin(older, document, mark)
        while not _fenced(journal.state) and _last_mark(journal.state) != mark:
            changes = await self._changes(journal.state, document, mark)
            if await journal.append(changes, on_unknown=self._unknown) is None:
                await journal.follow()
        return journal.state

    async def _begin(self, older: OlderNotebook, document: LegacyNotebook, mark: str) -> Journal:
        change = NotebookCreated(
            author=SYSTEM,
            at=now_ms(),
            idempotency=Idempotency(mark, ""),
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

    async def _changes(self, state: Notebook, document: LegacyNotebook, mark: str) -> tuple[Change, ...]:
        """What makes `document` of `state`: the texts, then the results, which a restore leaves as they are."""
        at = now_ms()
        cells = await self._cells(document, state.revision + 1)
        changes: list[Change] = [
            NotebookRestored(
                author=SYSTEM,
                at=at,
                idempotency=Idempotency(mark, ""),
                from_revision=state.revision,
                name=document.name,
                settings=state.settings,
                cells=tuple(Cell(cell.cell_id, cell.type, cell.code, cell.code_revision) for cell in cells),
            )
        ]
        for cell in cells:
            if not _shows(state.cells.get(cell.cell_id), cell):
                changes += _result(cell, state, at)
        return tuple(changes)

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


def _fenced(state: Notebook) -> bool:
    return bool(state.deleted_at) or state.purging


def _last_mark(state: Notebook) -> str | None:
    """Of what was taken over last; what was taken over before may have come back since."""
    marks = [key for key in state.idempotency if key.startswith(_MARK)]
    return marks[-1] if marks else None


def _shows(now: Cell | None, cell: Cell) -> bool:
    """Whether a restore to `cell` leaves just its result: that of `now`, if the code is the same, or none."""
    if now is None or (now.type, now.code) != (cell.type, cell.code):
        return cell.status == "idle" and cell.error is None and cell.result is None
    return (now.status, now.error, _shown(now)) == (cell.status, cell.error, _shown(cell))


def _shown(cell: Cell) -> tuple[object, ...]:
    result = cell.result
    return () if result is None else (result.stdout, result.stderr, result.outputs)


def _result(cell: Cell, state: Notebook, at: int) -> list[Change]:
    """What gives a cell that was restored to `cell` the result and status of the older server's run."""
    if cell.type == "markdown":
        return []
    result = cell.result
    changes: list[Change] = [
        CellRan(
            author=SYSTEM,
            at=at,
            cell_id=cell.cell_id,
            run_id=_RUN_ID,
            epoch=state.epoch,
            code_hash=code_hash_of(cell.type, cell.code),
            base_revision=state.revision + 1,
            status="error" if cell.status == "error" else "success",
            stdout=result.stdout if result else "",
            outputs=result.outputs if result else (),
            error=cell.error,
        )
    ]
    if cell.status in {"idle", "stale"}:
        status: Literal["idle", "stale"] = "stale" if cell.status == "stale" else "idle"
        changes.append(CellsMarked(author=SYSTEM, at=at, cell_ids=(cell.cell_id,), status=status, error=cell.error))
    return changes
