"""One notebook's log, as commits: load, append, follow. Effects, but no decisions of the notebook's."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from quire.blobs.protocol import BlobStore
from quire.notebook import codec
from quire.notebook.changes import Change, Commit
from quire.notebook.fold import apply
from quire.notebook.ids import log_id_of, new_commit_id
from quire.notebook.model import BlobRef, Notebook
from quire.sessions.checkpoints import CheckpointPolicy, build_checkpoint, stored_blob
from quire.sessions.clock import elapsed_seconds
from quire.sessions.errors import NotebookNotFound
from quire.sessions.loading import Loaded, load, read_commit
from quire.storage.append import Log, append_until_definite
from quire.storage.protocol import NotebookStore, Record

log = structlog.get_logger(__name__)

BODY_BYTES_MAX = 64 * 1024
"""Larger commit bodies go to the blob store (W6); also where group commit stops folding (W4)."""

PROOF_AGE_S_MAX = 600.0
"""How old a strongly consistent proof of the head may be when the next revision is sent (W9)."""


@dataclass(frozen=True, slots=True)
class Applied:
    """One commit and the states around it."""

    before: Notebook
    commit: Commit
    after: Notebook


class Journal:
    """The log of one notebook, positioned at its head as far as this process knows.

    Not safe for concurrent use: the session's actor is its only user (W4: one put in flight).
    """

    def __init__(self, store: NotebookStore, blobs: BlobStore, log_id: str, loaded: Loaded) -> None:
        self._store = store
        self._blobs = blobs
        self.log_id = log_id
        self.state = loaded.state
        self._policy = CheckpointPolicy.of(loaded)
        self._building: asyncio.Task[codec.CheckpointHead] | None = None
        self._proof_at = elapsed_seconds()

    @classmethod
    async def open(cls, store: NotebookStore, blobs: BlobStore, user_id: str, notebook_id: str) -> "Journal | None":
        """The journal of an existing log, or None.

        Raises:
            NewerFormat: written by a newer version (E1). FoldError: a gap (C3). StorageError, BlobError.
        """
        log_id = log_id_of(user_id, notebook_id)
        loaded = await load(store, blobs, log_id)
        return cls(store, blobs, log_id, loaded) if loaded else None

    @classmethod
    async def create(
        cls,
        store: NotebookStore,
        blobs: BlobStore,
        log_id: str,
        change: Change,
        *,
        revision: int = 1,
        log_of: Log | None = None,
    ) -> "tuple[Journal, bool]":
        """Append commit 1, or open the log if another request was first (H2: creation is never rebased).

        A log that goes on from an older layout begins at another `revision`, by way of `log_of`.

        Returns the journal, and whether the first commit is ours.
        """
        commit = Commit(revision, new_commit_id(), (change,))
        state = apply(None, commit)
        body = await _body(blobs, log_id, commit)
        checkpoint = await build_checkpoint(blobs, log_id, state, previous=0)
        record = Record(revision, commit.commit_id, body, revision, checkpoint)
        outcome = await append_until_definite(log_of or store, log_id, record)
        loaded = await load(store, blobs, log_id)
        if loaded is None:
            raise RuntimeError(f"log {log_id} is empty after commit 1 was stored")
        return cls(store, blobs, log_id, loaded), outcome.accepted

    async def append(self, changes: tuple[Change, ...], *, on_unknown: Callable[[Exception], None]) -> Applied | None:
        """Append the next commit; None if another writer was first, or may have been: `follow`, judge again (W3).

        Durable when it returns. Returns only when the outcome is definite (W2), however long that takes.

        Raises:
            StoreUnavailable, ItemTooLarge, BlobsUnavailable, CodecError: nothing was written.
        """
        if elapsed_seconds() - self._proof_at > PROOF_AGE_S_MAX:
            return None
        before = self.state
        commit = Commit(before.revision + 1, new_commit_id(), changes)
        after = apply(before, commit)
        body = await _body(self._blobs, self.log_id, commit)
        checkpoint = await self._checkpoint(after)
        record = Record(
            revision=commit.revision,
            commit_id=commit.commit_id,
            body=body,
            checkpoint_revision=commit.revision if checkpoint else self._policy.newest,
            checkpoint=checkpoint,
        )
        outcome = await append_until_definite(self._store, self.log_id, record, on_unknown=on_unknown)
        if not outcome.accepted:
            self._proof_at = float("-inf")
            return None
        self._proof_at = elapsed_seconds()
        self.state = after
        self._policy.stored(record)
        return Applied(before, commit, after)

    async def follow(self) -> list[Applied]:
        """Apply what others appended since (C6), and prove the head anew (W9).

        Raises:
            NotebookNotFound: the log was erased meanwhile.
        """
        applied: list[Applied] = []
        more = True
        unproven = elapsed_seconds() - self._proof_at > PROOF_AGE_S_MAX
        while more:
            asked_at = elapsed_seconds()
            page = await self._store.read_after(self.log_id, self.state.revision)
            for record in page.records:
                commit = await read_commit(self._blobs, self.log_id, record)
                before, self.state = self.state, apply(self.state, commit)
                self._policy.stored(record)
                applied.append(Applied(before, commit, self.state))
            if unproven and not applied and await self._store.read_one(self.log_id, self.state.revision) is None:
                # Nothing is behind our head because nothing is there at all.
                raise NotebookNotFound(self.state.notebook_id)
            more = page.more
            self._proof_at = asked_at
        return applied

    async def at_head(self) -> bool:
        """Whether the log has nothing behind `state`. Changes nothing, so it may be asked while a put is under way."""
        page = await self._store.read_after(self.log_id, self.state.revision)
        return not page.records

    async def _checkpoint(self, after: Notebook) -> bytes | None:
        """The checkpoint that the next record carries, if one is due (C1) or one built beside is ready (C5)."""
        if self._building is not None:
            if not self._building.done():
                return None
            task, self._building = self._building, None
            if (error := task.exception()) is not None:
                log.warning("checkpoint_failed", log_id=self.log_id, error=str(error))
                return None
            head = task.result()
            assert head.blob is not None
            return codec.encode_checkpoint_ref(head.blob, revision=head.revision, previous=self._policy.newest)
        if not self._policy.due():
            return None
        inline = await build_checkpoint(self._blobs, self.log_id, after, previous=self._policy.newest, only_inline=True)
        if inline is None:
            # Built from the committed state, which is immutable, while edits go on (C4, C5).
            self._building = asyncio.create_task(stored_blob(self._blobs, self.log_id, self.state, previous=0))
        return inline

    async def close(self) -> None:
        """Wait for a checkpoint that is being built; the next load does without it."""
        if self._building is not None:
            self._building.cancel()
            await asyncio.gather(self._building, return_exceptions=True)


async def _body(blobs: BlobStore, log_id: str, commit: Commit) -> bytes:
    """The record's body; one above 64 KB goes to the blob store first (W6)."""
    body = codec.encode_commit(commit)
    if len(body) <= BODY_BYTES_MAX:
        return body
    sha256 = await blobs.put(log_id, body)
    return codec.encode_blob_body(BlobRef(sha256, len(body)))
