"""Clients that edit through whichever server answers, and repeat what is in doubt under the same key."""

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import Callable
from typing import Literal

import msgspec

from quire.notebook.model import Notebook
from quire.sessions.cell_intents import Anchor, DeleteCell, EditCell, InsertCell, MoveCell
from quire.sessions.errors import CellNotFound, Conflict, NotebookConflict, NotebookNotFound, NotSaved, Refused
from quire.sessions.intents import Intent, Origin
from quire.sessions.notebook_intents import DeleteNotebook, Restore, UndeleteNotebook
from quire.sessions.registry import Registry
from quire.sessions.session import Session
from quire.sessions.writer import Receipt
from tests.simulation.servers import ConnectionLost, Server

Kind = Literal["edit", "insert", "move", "delete", "restore", "trash", "untrash"]

WEIGHTS: dict[Kind, int] = {"edit": 60, "insert": 15, "move": 10, "delete": 10, "restore": 5, "trash": 2}
"""What is asked for, of about a hundred times; who finds a notebook in the trash takes it out."""
CELLS_MAX = 12
"""Few cells, so that clients meet."""

KEYLESS_SHARE = 0.25
"""How many edits are sent without an idempotency key, or a condition."""

USER = "ada"


class Request(msgspec.Struct, frozen=True):
    """What a client asked for under one idempotency key."""

    key: str
    kind: Kind
    notebook_id: str
    cell_id: str = ""
    code: str = ""
    expected_revision: int | None = None
    after_cell_id: str | None = None
    from_revision: int = 0
    keyless: bool = False
    """`key` is for this test alone; the server is given none."""


class Told(msgspec.Struct, frozen=True):
    """How a request ended: saved in `revision` (`cell_id`: the cell of an insert), or with an error."""

    request: Request
    revision: int = 0
    cell_id: str = ""
    error: str = ""
    in_doubt: bool = False
    """Whether an attempt before the last one went without an answer."""
    floor: int = 0
    """The highest revision that anybody was told of before this was asked for."""


class Seen(msgspec.Struct, frozen=True):
    """What a read showed."""

    notebook_id: str
    revision: int
    picture: str


def picture_of(state: Notebook) -> str:
    """Names the content of a state: its cells in order, their code and when that last changed."""
    cells = [(cell.cell_id, cell.type, cell.code, cell.code_revision) for cell in state.cells.values()]
    return hashlib.blake2b(repr(cells).encode(), digest_size=12).hexdigest()


class Floor:
    """For each notebook the highest revision that anybody here was told of (C6)."""

    def __init__(self) -> None:
        self._revisions: Counter[str] = Counter()

    def of(self, notebook_id: str) -> int:
        return self._revisions[notebook_id]

    def raise_to(self, notebook_id: str, revision: int) -> None:
        self._revisions[notebook_id] = max(self._revisions[notebook_id], revision)


class Client:
    """One person at one page.

    Args:
        name: unique; part of its keys and of the code that it writes.
        dice: decides what it does.
        pick: a server that is up.
        notebooks: those that it works on.
        floor: shared with the clients beside it.
        now: milliseconds, for the origin of changes.
    """

    def __init__(
        self,
        name: str,
        dice: random.Random,
        pick: Callable[[], Server],
        notebooks: list[str],
        floor: Floor,
        now: Callable[[], int],
    ) -> None:
        self.name = name
        self._dice = dice
        self._pick = pick
        self._notebooks = notebooks
        self._floor = floor
        self._now = now
        self._number = 0
        self._known: dict[str, Notebook] = {}
        self.told: list[Told] = []
        self.seen: list[Seen] = []

    async def step(self) -> Told:
        """One request, until it is saved or refused."""
        notebook_id = self._dice.choice(self._notebooks)
        known = self._known.get(notebook_id)
        if known is None or self._dice.random() < 0.6:  # Else it goes on with the page as it has it.
            known = await self._look(notebook_id)
        told = await self._until_told(self._request(notebook_id, known))
        self.told.append(told)
        if told.error:
            self._known.pop(notebook_id, None)
        return told

    # -- asking

    async def _look(self, notebook_id: str) -> Notebook | None:
        """The notebook as some server shows it: with all that was acknowledged before (C6); None: in the trash."""

        async def read(registry: Registry) -> Notebook:
            session = await registry.open(USER, notebook_id, trashed=True)
            await session.refresh()
            return session.state

        floor = self._floor.of(notebook_id)
        while True:
            try:
                state = await self._pick().ask(read)
            except (NotSaved, ConnectionLost):
                await asyncio.sleep(0)
                continue
            if state.revision < floor:
                raise AssertionError(f"C6: {notebook_id} was shown at {state.revision}, acknowledged was {floor}")
            self._known[notebook_id] = state
            if state.deleted_at:
                del self._known[notebook_id]
            self.seen.append(Seen(notebook_id, state.revision, picture_of(state)))
            return self._known.get(notebook_id)

    async def _until_told(self, request: Request) -> Told:
        in_doubt = False
        floor = self._floor.of(request.notebook_id)
        while True:
            server = self._pick()
            try:
                receipt = await server.ask(lambda registry: self._send(registry, request))
            except (NotSaved, ConnectionLost):
                in_doubt = True
                await asyncio.sleep(0)
                continue
            except Refused as refused:
                _check_refusal(request, refused)
                return Told(request, error=type(refused).__name__, in_doubt=in_doubt)
            self._floor.raise_to(request.notebook_id, receipt.revision)
            cell_id = str(receipt.answer.get("cell_id", request.cell_id))
            return Told(request, receipt.revision, cell_id, in_doubt=in_doubt, floor=floor)

    async def _send(self, registry: Registry, request: Request) -> Receipt:
        session = await registry.open(USER, request.notebook_id, trashed=request.kind in {"trash", "untrash"})
        key = "" if request.keyless else request.key
        origin = Origin(self.name, self._now(), key, f"hash of {key}")
        return await session.submit(await _intent(request, origin, session))

    # -- what to ask for

    def _request(self, notebook_id: str, known: Notebook | None) -> Request:
        self._number += 1
        key = f"{self.name}-{self._number}"
        if known is None:
            return Request(key, "untrash", notebook_id, keyless=True)  # There may be nothing left to do.
        kinds = list(WEIGHTS)
        kind = self._dice.choices(kinds, list(WEIGHTS.values()))[0]
        cells = list(known.cells)
        if not cells or (kind == "insert" and len(cells) < CELLS_MAX):
            after = self._dice.choice([None, *cells])
            return Request(key, "insert", known.notebook_id, code=f"# {key}", after_cell_id=after)
        cell_id = self._dice.choice(cells)
        expected = known.revision if self._dice.random() < 0.7 else None
        match kind:
            case "trash":
                return Request(key, "trash", known.notebook_id)
            case "move":
                after = self._dice.choice([None, *cells])
                return Request(key, "move", known.notebook_id, cell_id, after_cell_id=after)
            case "delete":
                return Request(key, "delete", known.notebook_id, cell_id, expected_revision=expected)
            case "restore":
                back = self._dice.randint(1, known.revision)
                return Request(key, "restore", known.notebook_id, expected_revision=known.revision, from_revision=back)
        if self._dice.random() < KEYLESS_SHARE:  # A script's, which writes what may be there already.
            code = f"# text {self._dice.randrange(3)}"
            return Request(key, "edit", known.notebook_id, cell_id, code, keyless=True)
        return Request(key, "edit", known.notebook_id, cell_id, f"# {key}", expected)


async def _intent(request: Request, origin: Origin, session: Session) -> Intent:
    """As a server makes it of what arrives: an insert that is sent again gets another id (I1)."""
    match request.kind:
        case "insert":
            return InsertCell(origin, "python", request.code, Anchor(request.after_cell_id))
        case "move":
            return MoveCell(origin, request.cell_id, Anchor(request.after_cell_id))
        case "delete":
            return DeleteCell(origin, request.cell_id, request.expected_revision)
        case "restore":
            await session.refresh()
            return Restore(origin, await session.state_at(request.from_revision), request.expected_revision)
        case "trash":
            return DeleteNotebook(origin)
        case "untrash":
            return UndeleteNotebook(origin)
        case "edit":
            return EditCell(origin, request.cell_id, request.code, expected_revision=request.expected_revision)


def _check_refusal(request: Request, refused: Refused) -> None:
    """No refusal but those that are owed (W5)."""
    match refused:
        case CellNotFound() | NotebookNotFound():
            return
        case NotebookConflict() if request.kind == "restore":
            return
        case Conflict() if request.expected_revision is not None:
            current = refused.current
            if current is None or (current.code_revision > request.expected_revision and current.code != request.code):
                return
    raise AssertionError(f"{request} was refused without need: {refused!r}") from refused
