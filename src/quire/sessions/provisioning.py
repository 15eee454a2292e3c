"""The notebooks that every user starts with: a demo and a blank one."""

import tomllib
from functools import cache
from importlib import resources

from quire.notebook.ids import new_cell_id
from quire.notebook.model import Cell
from quire.sessions.clock import now_ms
from quire.sessions.consequences import SYSTEM
from quire.sessions.errors import NotSaved
from quire.sessions.intents import Origin
from quire.sessions.registry import Registry
from quire.storage.protocol import StorageError

SHORT_FORMS = ("demo", "blank")
"""Ids that mean one's own copy."""


def full_id(user_id: str, notebook_id: str) -> str:
    """`demo` and `blank` mean the user's own; every other id means itself."""
    return f"{notebook_id}-{user_id}" if notebook_id in SHORT_FORMS else notebook_id


@cache
def _demo() -> tuple[str, tuple[str, ...]]:
    template = tomllib.loads(resources.files(__package__).joinpath("demo.toml").read_text("utf-8"))
    return template["name"], tuple(cell["code"].strip("\n") for cell in template["cells"])


class Provisioner:
    """Gives each user the demo and the blank notebook, once: a deleted one stays deleted (H3)."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._done: set[str] = set()

    async def provision(self, user_id: str) -> None:
        """See that both exist, or once did. Concurrent calls, on any instance, make one of each (H2).

        Raises:
            NotSaved: the store does not answer.
        """
        if user_id in self._done:
            return
        name, codes = _demo()
        await self._give(user_id, "demo", name, codes)
        await self._give(user_id, "blank", "Blank notebook", ("",))
        self._done.add(user_id)

    async def _give(self, user_id: str, short: str, name: str, codes: tuple[str, ...]) -> None:
        notebook_id = full_id(user_id, short)
        try:
            if await self._registry.environment.store.get_header(user_id, notebook_id) is not None:
                return
        except StorageError as error:
            raise NotSaved(str(error)) from error
        cells = tuple(Cell(cell_id=new_cell_id(), type="python", code=code, code_revision=1) for code in codes)
        origin = Origin(SYSTEM, now_ms())
        await self._registry.create(user_id, origin, name=name, notebook_id=notebook_id, cells=cells)
