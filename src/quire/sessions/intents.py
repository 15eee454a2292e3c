"""What clients ask of a notebook, as pure decisions: pending state -> changes, or a refusal.

An intent is decided anew each time it is rebased (W5), so it holds only what the client said.
"""

from dataclasses import dataclass, field
from typing import Protocol, TypedDict

import msgspec

from quire.notebook import changes as ch
from quire.notebook.fold import Draft
from quire.sessions.errors import KeyReused, NotebookNotFound

Answer = dict[str, str | int | None]


class Stamp(TypedDict):
    """The fields that every change has."""

    author: str
    at: int
    idempotency: ch.Idempotency | None


@dataclass(frozen=True, slots=True)
class Origin:
    """Who asked, when, and under which idempotency key (I1)."""

    author: str
    at: int
    key: str = ""
    """Hash of principal, method, path and the client's key; empty: none was given."""
    request_hash: str = ""

    def stamp(self, answer: Answer | None = None) -> Stamp:
        """For the change that carries the request out: it keeps `answer`, so that a repeated request gets it too."""
        kept = ch.Idempotency(self.key, self.request_hash, msgspec.json.encode(answer or {}).decode())
        return Stamp(author=self.author, at=self.at, idempotency=kept if self.key else None)


@dataclass(frozen=True, slots=True)
class Decision:
    """Changes to append, perhaps none, and what to answer besides the revision."""

    changes: tuple[ch.Change, ...]
    answer: Answer = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Repeated:
    """The request was carried out before: its answer, and the revision it got then (I1)."""

    answer: Answer
    revision: int


class Intent(Protocol):
    """One request to change a notebook."""

    @property
    def origin(self) -> Origin: ...

    @property
    def touches(self) -> str | None:
        """The cell whose code or existence it concerns: two of these never share a commit (W4)."""
        ...

    @property
    def passes_fence(self) -> bool:
        """Whether it may follow the notebook's deletion (W9)."""
        ...

    def decide(self, draft: Draft) -> Decision:
        """What to append, given what is committed and pending. Raises Refused."""
        ...


def decide(intent: Intent, draft: Draft) -> Decision | Repeated:
    """`intent.decide`, unless the same request was carried out before (I1) or a fence stands (W9).

    Raises:
        Refused: among them KeyReused, and NotebookNotFound behind a fence.
    """
    origin = intent.origin
    if origin.key and (entry := draft.idempotency.get(origin.key)) is not None:
        if entry.request_hash != origin.request_hash:
            raise KeyReused
        return Repeated(msgspec.json.decode(entry.result, type=Answer), entry.revision)
    if draft.purging or (draft.deleted_at and not intent.passes_fence):
        raise NotebookNotFound(draft.base.notebook_id)
    return intent.decide(draft)
