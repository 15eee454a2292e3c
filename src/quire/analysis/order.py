"""Topological order and cycles of cells that are linked by names.

Names are nodes of their own between the cells that define them and those that read them. So the cost follows how many
names the cells have, also where many cells define and many read the same one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import NamedTuple

import msgspec

_Node = str | tuple[str]
"""A cell, or (in a tuple, to tell them apart) a name."""


class Link(NamedTuple):
    """The names that one cell reads and those that it defines; no name is in both."""

    reads: tuple[str, ...]
    writes: tuple[str, ...]


class Sorted(msgspec.Struct, frozen=True):
    """The outcome of sorting cells."""

    order: tuple[str, ...]
    cycles: tuple[tuple[str, ...], ...]
    """Each cycle's cells in page order. In `order` what links them to each other is ignored."""


def sort_cells(cells: Mapping[str, Link]) -> Sorted:
    """Sort `cells`, given in page order, so that what defines a name comes before what reads it; ties in page order."""
    sorting = _Sorting(cells)
    sorting.advance()
    if len(sorting.order) == len(cells):
        return Sorted(tuple(sorting.order), ())
    cycles = _cycles_among(sorting.waiting_cells(), cells)
    sorting.untie(cycles)
    sorting.advance()
    return Sorted(tuple(sorting.order), tuple(cycles))


class _Sorting:
    """Kahn's algorithm, with a heap of places on the page."""

    def __init__(self, cells: Mapping[str, Link]) -> None:
        self.order: list[str] = []
        self._cells = cells
        self._ids = list(cells)
        self._places = {cell_id: place for place, cell_id in enumerate(self._ids)}
        self._definers: dict[str, int] = {}
        for link in cells.values():
            for name in link.writes:
                self._definers[name] = self._definers.get(name, 0) + 1
        self._readers: dict[str, list[str]] = {name: [] for name in self._definers}
        self._missing: dict[str, int] = {}
        for cell_id, link in cells.items():
            known = [name for name in link.reads if name in self._definers]
            self._missing[cell_id] = len(known)
            for name in known:
                self._readers[name].append(cell_id)
        self._ready = [place for place, cell_id in enumerate(self._ids) if not self._missing[cell_id]]
        heapify(self._ready)

    def advance(self) -> None:
        """Go on until nothing is ready: everything is sorted, or what is left waits for a cycle."""
        while self._ready:
            cell_id = self._ids[heappop(self._ready)]
            self.order.append(cell_id)
            for name in self._cells[cell_id].writes:
                self._definers[name] -= 1
                if not self._definers[name]:
                    for reader in self._readers[name]:
                        self._provide(reader)

    def waiting_cells(self) -> list[str]:
        return [cell_id for cell_id, missing in self._missing.items() if missing]

    def untie(self, cycles: Iterable[Sequence[str]]) -> None:
        """Let no cell of a cycle wait for a name that the same cycle defines."""
        for cycle in cycles:
            members = set(cycle)
            for name in internal_names(cycle, self._cells):
                outside = [reader for reader in self._readers[name] if reader not in members]
                inside = [reader for reader in self._readers[name] if reader in members]
                self._readers[name] = outside
                for reader in inside:
                    self._provide(reader)

    def _provide(self, cell_id: str) -> None:
        self._missing[cell_id] -= 1
        if not self._missing[cell_id]:
            heappush(self._ready, self._places[cell_id])


def internal_names(cycle: Iterable[str], cells: Mapping[str, Link]) -> tuple[str, ...]:
    """The names that cells of a cycle both define and read, sorted."""
    links = [cells[cell_id] for cell_id in cycle]
    defined = {name for link in links for name in link.writes}
    return tuple(sorted({name for link in links for name in link.reads if name in defined}))


def _cycles_among(cell_ids: Sequence[str], cells: Mapping[str, Link]) -> list[tuple[str, ...]]:
    """The cycles of these cells, in page order of their first cells."""
    places = {cell_id: place for place, cell_id in enumerate(cell_ids)}
    readers: dict[str, list[str]] = {}
    for cell_id in cell_ids:
        for name in cells[cell_id].reads:
            readers.setdefault(name, []).append(cell_id)

    def successors(node: _Node) -> Iterator[_Node]:
        if isinstance(node, tuple):
            return iter(readers[node[0]])
        return ((name,) for name in cells[node].writes if name in readers)

    cycles = []
    for component in _strong_components(cell_ids, successors):
        members = sorted((node for node in component if isinstance(node, str)), key=places.__getitem__)
        if len(members) > 1:
            cycles.append(tuple(members))
    return sorted(cycles, key=lambda cycle: places[cycle[0]])


def _strong_components(roots: Iterable[_Node], successors: Callable[[_Node], Iterator[_Node]]) -> Iterator[list[_Node]]:
    """Tarjan's algorithm, without recursion."""
    lowest: dict[_Node, int] = {}
    undecided: list[_Node] = []
    decided: set[_Node] = set()
    for root in roots:
        path: list[tuple[_Node, int, Iterator[_Node]]] = []
        following: _Node | None = root if root not in lowest else None
        while path or following is not None:
            if following is not None:
                path.append((following, len(lowest), successors(following)))
                lowest[following] = len(lowest)
                undecided.append(following)
            node, number, rest = path[-1]
            following = None
            for candidate in rest:
                if candidate not in lowest:
                    following = candidate
                    break
                if candidate not in decided:
                    lowest[node] = min(lowest[node], lowest[candidate])
            if following is None:
                path.pop()
                if path:
                    above = path[-1][0]
                    lowest[above] = min(lowest[above], lowest[node])
                if lowest[node] == number:
                    component = _cut_off(undecided, node)
                    decided.update(component)
                    yield component


def _cut_off(stack: list[_Node], node: _Node) -> list[_Node]:
    """Take everything from the top of the stack down to `node`."""
    taken = [stack.pop()]
    while taken[-1] != node:
        taken.append(stack.pop())
    return taken
