"""Writers that race for one log, and the judge of what they leave behind: nothing lost, doubled, missing or moved."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from quire.storage.append import append_until_definite
from quire.storage.protocol import Page, Record, StoreUnavailable


class Log(Protocol):
    """What a racing writer needs of a store."""

    async def append(self, log_id: str, record: Record) -> None: ...
    async def read_one(self, log_id: str, revision: int) -> Record | None: ...
    async def read_newest(self, log_id: str, limit: int = 64) -> Page: ...


@dataclass(frozen=True, slots=True)
class Saved:
    """An edit that was acknowledged, in this revision."""

    edit: str
    revision: int


async def no_pause(_seconds: float) -> None:
    """For `append_until_definite`, where waiting would prove nothing."""
    await asyncio.sleep(0)


async def head_of(store: Log, log_id: str) -> int:
    """The head, however often the store fails to tell."""
    while True:
        try:
            page = await store.read_newest(log_id, 1)
        except StoreUnavailable:
            await asyncio.sleep(0)
            continue
        return page.records[-1].revision if page.records else 0


async def save(store: Log, log_id: str, edit: str, head: int, *, padding: int = 0) -> Saved:
    """Append `edit` at whatever revision it wins; `head` is where the writer believes the log to end.

    A new attempt after a lost race has a commit id of its own, and so other bytes (W2).
    """
    tries = 0
    while True:
        tries += 1
        body = edit.encode() + b"." * padding
        one = Record(head + 1, f"{edit}-try-{tries}", body, checkpoint_revision=1)
        try:
            result = await append_until_definite(store, log_id, one, pause=no_pause)
        except StoreUnavailable:
            continue  # definite: nothing was written
        if result.accepted:
            return Saved(edit, one.revision)
        head = await head_of(store, log_id)


async def race(stores: Sequence[Log], log_id: str, *, edits: int, padding: int = 0) -> list[list[Saved]]:
    """One writer for each of `stores`, each with `edits` edits, all at once; what each was told is saved."""

    async def write(store: Log, writer: int) -> list[Saved]:
        told: list[Saved] = []
        for number in range(edits):
            head = told[-1].revision if told else 0
            told.append(await save(store, log_id, f"writer-{writer}-edit-{number}", head, padding=padding))
        return told

    return list(await asyncio.gather(*(write(store, writer) for writer, store in enumerate(stores))))


def edits_in(records: Iterable[Record]) -> dict[int, tuple[str, ...]]:
    """The edits of each revision, where bodies are those of `save`."""
    return {record.revision: (record.body.decode().rstrip("."),) for record in records}


@dataclass(slots=True)
class Verdict:
    """What is wrong with a log, beside what its writers were told. All empty: nothing."""

    lost: list[str]
    """Acknowledged, and not in the log."""
    doubled: list[str]
    """In the log more than once."""
    gaps: list[int]
    """Revisions that are missing."""
    moved: list[str]
    """In another revision than the one that was acknowledged."""
    unasked: list[str]
    """In the log, though nobody was told that it is saved: only writers that gave up may leave these."""
    disordered: list[str]
    """Before an edit which the same writer was told of earlier."""

    @property
    def faults(self) -> dict[str, list[str]]:
        """What is wrong, by kind."""
        found = {
            "lost": self.lost,
            "doubled": self.doubled,
            "gaps": [str(revision) for revision in self.gaps],
            "moved": self.moved,
            "unasked": self.unasked,
            "disordered": self.disordered,
        }
        return {kind: what for kind, what in found.items() if what}


def judge(log: Mapping[int, Sequence[str]], told: Iterable[Sequence[Saved]]) -> Verdict:
    """Hold `log`, the edits in each revision, against what each writer was told, in the order of its edits."""
    counts = Counter(edit for edits in log.values() for edit in edits)
    place = {edit: revision for revision, edits in log.items() for edit in edits}
    saved = [one for writer in told for one in writer]
    disordered = []
    for writer in told:
        before = 0
        for one in writer:
            if place.get(one.edit, before) < before:
                disordered.append(one.edit)
            before = max(before, place.get(one.edit, before))
    return Verdict(
        lost=[one.edit for one in saved if one.edit not in counts],
        doubled=[edit for edit, count in counts.items() if count > 1],
        gaps=sorted(set(range(1, max(log, default=0) + 1)) - set(log)),
        moved=[one.edit for one in saved if place.get(one.edit, one.revision) != one.revision],
        unasked=sorted(set(counts) - {one.edit for one in saved}),
        disordered=disordered,
    )
