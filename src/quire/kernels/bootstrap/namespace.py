"""Which cell defined which global name, so that its names go when it runs again or is deleted."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from operator import is_
from typing import Any

from .private_names import prefix_of, restore_in_text

_MISSING = object()


class Namespace:
    """Watches the globals that all cells share.

    Found out by comparing before and after: names made by `exec`, star imports, magics and functions count as well.
    Double underscored names are Python's own, and nobody's.
    """

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names
        self._initial = frozenset(names)
        self._owner: dict[str, str] = {}
        self._owned: dict[str, set[str]] = {}

    def forget(self, writes: Mapping[str, Iterable[str]]) -> None:
        """Remove what these cells defined: what was seen, and what is known of them, unless another cell owns it."""
        for cell_id, known in writes.items():
            doomed = {name for name in self._owned.pop(cell_id, ()) if self._owner.get(name) == cell_id}
            doomed.update(name for name in known if name not in self._owner and name not in self._initial)
            for name in doomed:
                self._owner.pop(name, None)
                self.names.pop(name, None)

    def defined(self) -> Iterator[tuple[str, str, Any]]:
        """Each name that a cell has defined, as its author wrote it, with the cell and the value."""
        for name, value in list(self.names.items()):
            if (cell_id := self._owner.get(name)) is not None:
                yield restore_in_text(name, prefix_of(cell_id)), cell_id, value

    def snapshot(self) -> dict[str, Any]:
        return self.names.copy()

    def claim(self, cell_id: str, writes: Iterable[str], before: dict[str, Any]) -> None:
        """The cell ran: the names that are new or bound to another object since `before` are its own now."""
        changed = self._changed_since(before)
        changed.update(name for name in writes if name in self.names)
        for name in changed:
            if name.startswith("__"):
                continue
            owner = self._owner.get(name)
            if owner is not None and owner != cell_id:
                self._owned[owner].discard(name)
            self._owner[name] = cell_id
            self._owned.setdefault(cell_id, set()).add(name)

    def _changed_since(self, before: dict[str, Any]) -> set[str]:
        names = self.names
        known = len(before)
        # As in most cells nothing earlier was bound anew: then what is new stands at the end.
        same_values = len(names) >= known and all(map(is_, names.values(), before.values()))
        if same_values and all(map(is_, islice(names, known), before)):
            return set(islice(names, known, None))
        return {name for name, value in names.items() if before.get(name, _MISSING) is not value}
