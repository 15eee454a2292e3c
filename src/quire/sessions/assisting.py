"""Help while somebody writes in a notebook: by the kernel's values, or else by the code alone."""

import re
from typing import Any, Protocol

import msgspec

from quire.sessions.errors import NotAnswered
from quire.sessions.session import Session

KERNEL_S = 0.8
"""The kernel answers within this, or the code has to do."""
VARIABLES_S = 3.0
CODE_CHARS_MAX = 500_000
"""Of the cells that come before, together: what is further away is left out."""

_NAME = re.compile(r"[^\W\d]\w*")

Answer = dict[str, Any]


class StaticHelp(Protocol):
    """What is known without a kernel."""

    async def ask(self, kind: Any, code: str, line: int, column: int) -> Answer | None: ...


async def complete(session: Session, help_: StaticHelp, cell_id: str, code: str, position: int) -> Answer:
    """What could stand at `position` of `code`: `{matches: [{text, type}], start, end, source}`."""
    try:
        answer = await _by_values(session, "complete", cell_id, code, position)
        if answer["matches"]:
            return answer
    except NotAnswered:
        answer = {"matches": [], "start": position, "end": position, "source": "kernel"}
    found = await _by_code(session, help_, "complete", cell_id, code, position)
    if found is None or not found["matches"]:
        return answer
    start = position - found["replaces"]
    return {"matches": found["matches"], "start": start, "end": position, "source": "static"}


async def inspect(session: Session, help_: StaticHelp, cell_id: str, code: str, position: int) -> Answer:
    """What stands at `position` of `code`: `{found, name, kind, signature, doc, parameter, source}`."""
    nothing = {"found": False, "name": "", "kind": "", "signature": "", "doc": "", "parameter": None}
    try:
        answer = await _by_values(session, "inspect", cell_id, code, position)
        if answer["found"]:
            return answer
    except NotAnswered:
        answer = {**nothing, "source": "kernel"}
    found = await _by_code(session, help_, "inspect", cell_id, code, position)
    return {**nothing, **found, "source": "static"} if found is not None and found["found"] else answer


async def variables(session: Session) -> Answer:
    """What the kernel holds: `{variables, total}`. Raises NotAnswered."""
    return _decoded(await session.ask_kernel("variables", {}, seconds_max=VARIABLES_S))


async def _by_values(session: Session, kind: str, cell_id: str, code: str, position: int) -> Answer:
    arguments = {"cell_id": cell_id, "code": code, "position": position}
    return {**_decoded(await session.ask_kernel(kind, arguments, seconds_max=KERNEL_S)), "source": "kernel"}


async def _by_code(
    session: Session, help_: StaticHelp, kind: str, cell_id: str, code: str, position: int
) -> Answer | None:
    before = _code_before(session, cell_id, code)
    written = code[:position]
    line = before.count("\n") + written.count("\n") + 1
    return await help_.ask(kind, before + code, line, len(written) - (written.rfind("\n") + 1))


def _code_before(session: Session, cell_id: str, code: str) -> str:
    """The code of the cells whose names are used here, and of those that they need; the nearest, if it is too much."""
    names = set(_NAME.findall(code))
    cells = session.state.cells
    near = [other for other in cells if other != cell_id and not names.isdisjoint(session.writes_of(other))]
    parts: list[str] = []
    size = 0
    for other in reversed(session.graph.order({*near, *session.graph.ancestors(near)} - {cell_id})):
        size += len(cells[other].code) + 1
        if size > CODE_CHARS_MAX:
            break
        parts.append(cells[other].code + "\n")
    return "".join(reversed(parts))


def _decoded(answer: bytes) -> Answer:
    return msgspec.json.decode(answer, type=Answer)
