"""The open sessions of this process: opened once, evicted when idle; notebooks created, listed, deleted."""

import asyncio
import contextlib
import time
from collections.abc import Iterator

import structlog

from quire.blobs.protocol import BlobError
from quire.notebook.changes import NotebookCreated
from quire.notebook.codec import CodecError
from quire.notebook.fold import FoldError
from quire.notebook.ids import InvalidId, check_id, log_id_of, new_notebook_id
from quire.notebook.model import CELLS_MAX, Cell, Notebook, Settings
from quire.sessions.adoption import adopt
from quire.sessions.errors import KeyReused, LimitReached, NotebookNotFound, NotSaved, ReadOnly, RevisionNotFound
from quire.sessions.intents import Origin
from quire.sessions.journal import Journal
from quire.sessions.loading import load
from quire.sessions.names import NameIndex
from quire.sessions.notebook_intents import DeleteNotebook, Rename, UndeleteNotebook
from quire.sessions.session import Environment, Session
from quire.sessions.writer import Receipt
from quire.storage.protocol import Header, HeaderExists, StorageError

log = structlog.get_logger(__name__)

IDLE_SESSION_S = 30 * 60.0
"""A session that nobody follows and that runs nothing is closed after this long, with its kernel."""
FOLLOW_S = 2.0
"""How often a followed notebook looks for commits of other instances."""


class Registry:
    """Sessions by owner and notebook; at most one each."""

    def __init__(self, environment: Environment, *, idle_session_s: float = IDLE_SESSION_S) -> None:
        self._environment = environment
        self._idle_session_s = idle_session_s
        self._sessions: dict[str, asyncio.Future[Session]] = {}
        self._used_at: dict[str, float] = {}
        self._housekeeping = asyncio.create_task(self._keep_house(), name="sessions housekeeping")

    @property
    def environment(self) -> Environment:
        return self._environment

    async def open(self, user_id: str, notebook_id: str, *, trashed: bool = False) -> Session:
        """The notebook's session.

        Args:
            user_id: the owner; nobody else's notebooks can be named (W1).
            notebook_id: as given by the client.
            trashed: whether one in the trash will do.

        Raises:
            NotebookNotFound, ReadOnly: it cannot be read by this version. NotSaved: the store does not answer.
        """
        try:
            log_id = log_id_of(user_id, check_id(notebook_id, "notebook_id"))
        except InvalidId:
            raise NotebookNotFound(notebook_id) from None
        session = await self._shared(log_id, user_id, notebook_id)
        self._used_at[log_id] = time.monotonic()
        if session.state.purging or (session.state.deleted_at and not trashed):
            await session.refresh()
            if session.state.purging or (session.state.deleted_at and not trashed):
                raise NotebookNotFound(notebook_id)
        return session

    async def _shared(self, log_id: str, user_id: str, notebook_id: str) -> Session:
        """One load for all that ask at the same time."""
        known = self._sessions.get(log_id)
        if known is None:
            known = asyncio.ensure_future(self._load(user_id, notebook_id))
            self._sessions[log_id] = known
        try:
            return await asyncio.shield(known)
        except BaseException:
            if known.done() and (known.cancelled() or known.exception()) and self._sessions.get(log_id) is known:
                del self._sessions[log_id]
            raise

    async def _load(self, user_id: str, notebook_id: str) -> Session:
        # The header is asked for at the same time as the log: one round trip (C2).
        finding = asyncio.ensure_future(self._environment.store.get_header(user_id, notebook_id))
        try:
            session = await self._open_or_adopt(user_id, notebook_id, finding)
        except (CodecError, FoldError) as error:
            log.exception("notebook_unreadable", notebook_id=notebook_id)
            raise ReadOnly(str(error)) from error
        except (StorageError, BlobError) as error:
            raise NotSaved(str(error)) from error
        finally:
            await asyncio.gather(finding, return_exceptions=True)
        with contextlib.suppress(StorageError, NotSaved):  # Repaired again on the next load (H1).
            stored = finding.result()
            if stored is not None and stored.deleted_at and not session.state.deleted_at:
                await session.refresh()  # Perhaps another instance deleted it between our two reads.
            await self._complete_header(session.state, stored)
        return session

    async def _open_or_adopt(self, user_id: str, notebook_id: str, finding: "asyncio.Future[Header | None]") -> Session:
        store, blobs = self._environment.store, self._environment.blobs
        header, journal = await asyncio.gather(
            asyncio.shield(finding), Journal.open(store, blobs, user_id, notebook_id), return_exceptions=True
        )
        if isinstance(journal, BaseException):
            raise journal
        if _perhaps_older(header, journal) and await adopt(store, blobs, user_id, notebook_id):
            journal = await Journal.open(store, blobs, user_id, notebook_id)
        if journal is None:
            raise NotebookNotFound(notebook_id)
        return Session(self._environment, journal, await NameIndex.of(journal.state))

    async def _complete_header(self, state: Notebook, stored: Header | None = None) -> None:
        """The header of a log that is there: created if a crash came before it (H2), or brought up to date (H1)."""
        if state.purging:
            return
        store = self._environment.store
        if stored is None:
            try:
                await store.create_header(_header(state))
            except HeaderExists as exists:
                stored = exists.stored
            else:
                return
        if stored.revision < state.revision:
            await store.refresh_header(
                state.user_id,
                state.notebook_id,
                name=state.name,
                revision=state.revision,
                updated_at=state.updated_at,
            )
        if bool(stored.deleted_at) != bool(state.deleted_at):
            await store.trash_header(state.user_id, state.notebook_id, deleted_at=state.deleted_at)

    async def create(
        self,
        user_id: str,
        origin: Origin,
        *,
        name: str,
        notebook_id: str | None = None,
        cells: tuple[Cell, ...] = (),
    ) -> Receipt:
        """Create a notebook: commit 1, then the header, then the answer (H2).

        With a `notebook_id` that exists for this user it completes that notebook's creation.

        Raises:
            LimitReached: more than CELLS_MAX cells (W7). KeyReused, NotSaved.
        """
        if len(cells) > CELLS_MAX:
            raise LimitReached(
                "cells", CELLS_MAX, f"A notebook holds up to {CELLS_MAX:,} cells, not {len(cells):,}: divide it."
            )
        store, blobs = self._environment.store, self._environment.blobs
        notebook_id = notebook_id or new_notebook_id()
        change = NotebookCreated(
            **origin.stamp(),
            notebook_id=notebook_id,
            user_id=user_id,
            name=name,
            cells=cells,
            settings=Settings(run_mode=self._environment.run_mode),
        )
        with _answering():
            journal, ours = await Journal.create(store, blobs, log_id_of(user_id, notebook_id), change)
            known = journal.state.idempotency.get(origin.key)
            if not ours and known is not None and known.request_hash != origin.request_hash:
                raise KeyReused
            await self._complete_header(journal.state)
        return Receipt(1, {"notebook_id": notebook_id})

    async def rename(self, session: Session, intent: Rename) -> Receipt:
        """Rename; the list shows it at once."""
        receipt = await session.submit(intent)
        with _answering():
            await session.refresh_header()
        return receipt

    async def delete(self, user_id: str, notebook_id: str, origin: Origin) -> None:
        """To the trash: the fence first, then the header (H3)."""
        session = await self.open(user_id, notebook_id, trashed=True)
        await session.submit(DeleteNotebook(origin))
        await self._follow_fence(session.state)

    async def undelete(self, user_id: str, notebook_id: str, origin: Origin) -> Receipt:
        """Back from the trash."""
        session = await self.open(user_id, notebook_id, trashed=True)
        receipt = await session.submit(UndeleteNotebook(origin))
        await self._follow_fence(session.state)
        return receipt

    async def _follow_fence(self, state: Notebook) -> None:
        """Move the header to where the log says that the notebook is (H3); the session refreshes the rest of it."""
        with _answering():
            moved = await self._environment.store.trash_header(
                state.user_id, state.notebook_id, deleted_at=state.deleted_at
            )
            if not moved:
                await self._complete_header(state)

    async def past(self, user_id: str, notebook_id: str, revision: int) -> Notebook:
        """The notebook as of `revision`, straight from the log: also where its head cannot be read.

        Raises:
            NotebookNotFound, RevisionNotFound, NotSaved. ReadOnly: that revision cannot be read either.
        """
        store, blobs = self._environment.store, self._environment.blobs
        with _answering():
            header = await store.get_header(user_id, notebook_id)
            if header is None or header.deleted_at:
                raise NotebookNotFound(notebook_id)
            try:
                loaded = await load(store, blobs, log_id_of(user_id, notebook_id), revision=revision)
            except (CodecError, FoldError) as error:
                raise ReadOnly(str(error)) from error
        if loaded is None:
            raise RevisionNotFound(revision, header.revision)
        return loaded.state

    async def header(self, state: Notebook) -> Header | None:
        """The stored header of a notebook. Raises NotSaved."""
        with _answering():
            return await self._environment.store.get_header(state.user_id, state.notebook_id)

    def current(self, header: Header) -> Header:
        """`header`, or what an open session knows better."""
        known = self._sessions.get(log_id_of(header.user_id, header.notebook_id))
        if known is None or not known.done() or known.cancelled() or known.exception():
            return header
        state = known.result().state
        return _header(state, header) if state.revision > header.revision else header

    async def close(self) -> None:
        """Close every session, writing what is pending."""
        self._housekeeping.cancel()
        await asyncio.gather(self._housekeeping, return_exceptions=True)
        await asyncio.gather(*(self._evict(log_id, "The server is stopping.") for log_id in list(self._sessions)))

    # -- housekeeping

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(FOLLOW_S)
            for log_id, known in list(self._sessions.items()):
                if not known.done() or known.cancelled() or known.exception():
                    continue
                session = known.result()
                if session.busy:
                    self._used_at[log_id] = time.monotonic()
                if len(session.subscribers):
                    with contextlib.suppress(NotSaved, ReadOnly):  # The subscribers are told by the session.
                        await session.refresh()
                elif time.monotonic() - self._used_at.get(log_id, 0.0) > self._idle_session_s:
                    await self._evict(log_id, "The notebook was closed after a long time without use.")

    async def _evict(self, log_id: str, reason: str) -> None:
        known = self._sessions.pop(log_id, None)
        self._used_at.pop(log_id, None)
        if known is None:
            return
        try:
            session = await known
        except (NotebookNotFound, NotSaved, ReadOnly):
            return
        await session.close(reason)


def _perhaps_older(header: Header | BaseException | None, journal: Journal | None) -> bool:
    """Whether to look for what an older server has kept.

    A header that was made for a log has the time of its creation; any other is of an older server, or was made of what
    it left. Where the header cannot be read, nobody knows.
    """
    if not isinstance(header, Header):
        return header is not None
    if header.deleted_at:
        return False
    return journal is None or journal.state.created_at != header.created_at


def _header(state: Notebook, old: Header | None = None) -> Header:
    return Header(
        user_id=state.user_id,
        notebook_id=state.notebook_id,
        name=state.name,
        revision=state.revision,
        created_at=state.created_at,
        updated_at=state.updated_at,
        deleted_at=state.deleted_at,
        db_conn_string=old.db_conn_string if old else b"",
        ttl=old.ttl if old else 0,
    )


@contextlib.contextmanager
def _answering() -> Iterator[None]:
    """Outside of the log too, a store that fails means that nothing is acknowledged."""
    try:
        yield
    except (StorageError, BlobError) as error:
        raise NotSaved(str(error)) from error
