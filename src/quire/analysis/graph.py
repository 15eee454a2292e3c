"""How cells depend on each other: a cell that reads a name depends on the cell that defines it."""

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from types import MappingProxyType

from quire.analysis.names import AMBIENT_NAMES, CellNames
from quire.analysis.order import Link, Sorted, internal_names, sort_cells
from quire.analysis.problems import Problem, cycle_problem, definitions_problem

_Index = dict[str, tuple[str, ...]]
"""Name -> cells in page order; no empty entries. Never changed once a graph has it."""


class Graph:
    """The dependencies of one notebook's cells. Immutable: what changes a notebook gives a new graph.

    Cells are named by id. Answers are in page order, except where a topological order is promised; that is in page
    order too where dependencies leave a choice. An id that is not in the graph raises KeyError.
    """

    def __init__(
        self,
        cells: dict[str, CellNames],
        links: dict[str, Link],
        places: dict[str, int],
        readers: _Index,
        definers: _Index,
    ) -> None:
        """Graphs are made by `build`, and from other graphs."""
        self._cells = cells
        self._links = links
        self._places = places
        self._readers = readers
        self._definers = definers

    @classmethod
    def build(cls, cells: Iterable[tuple[str, CellNames]]) -> "Graph":
        """The graph of cells given in page order."""
        kept = dict(cells)
        return cls._indexed(kept, {cell_id: _link(names) for cell_id, names in kept.items()})

    @classmethod
    def _indexed(cls, cells: dict[str, CellNames], links: dict[str, Link]) -> "Graph":
        readers: dict[str, list[str]] = {}
        definers: dict[str, list[str]] = {}
        for cell_id, link in links.items():
            for name in link.reads:
                readers.setdefault(name, []).append(cell_id)
            for name in link.writes:
                definers.setdefault(name, []).append(cell_id)
        return cls(cells, links, _places_in(cells), _frozen(readers), _frozen(definers))

    # What is there

    @property
    def cells(self) -> Mapping[str, CellNames]:
        """Every cell's names, in page order."""
        return MappingProxyType(self._cells)

    @property
    def definitions(self) -> Mapping[str, tuple[str, ...]]:
        """Name -> the cells that define it."""
        return MappingProxyType(self._definers)

    def reads(self, cell_id: str) -> tuple[str, ...]:
        """The cell's free names to show: a builtin such as `sum` only if some cell defines it."""
        free = self._cells[cell_id].free
        return tuple(name for name in free if name in self._definers or name not in AMBIENT_NAMES)

    # Edges and order

    def parents(self, cell_id: str) -> tuple[str, ...]:
        """The cells that define what this one reads."""
        return self._on_page({parent for name in self._links[cell_id].reads for parent in self._definers.get(name, ())})

    def children(self, cell_id: str) -> tuple[str, ...]:
        """The cells that read what this one defines."""
        return self._on_page({child for name in self._links[cell_id].writes for child in self._readers.get(name, ())})

    def ancestors(self, cell_ids: Iterable[str]) -> tuple[str, ...]:
        """All that these cells depend on, near or far, without themselves, in topological order."""
        found = set(cell_ids)
        return self.order(self._reached(found, lambda link: link.reads, self._definers) - found)

    def descendants(self, cell_ids: Iterable[str]) -> tuple[str, ...]:
        """All that depends on these cells, near or far, without themselves, in topological order."""
        return self.order(self.dependents(cell_ids))

    def dependents(self, cell_ids: Iterable[str]) -> set[str]:
        """`descendants` without their order, which costs more than finding them."""
        found = set(cell_ids)
        return self._reached(found, lambda link: link.writes, self._readers) - found

    def order(self, cell_ids: Iterable[str]) -> tuple[str, ...]:
        """These cells in topological order, ties in page order, by the edges between them alone.

        The edges within a cycle are ignored.
        """
        return sort_cells({cell_id: self._links[cell_id] for cell_id in self._on_page(set(cell_ids))}).order

    def _reached(self, cell_ids: set[str], names_of: Callable[[Link], tuple[str, ...]], index: _Index) -> set[str]:
        """These cells and all those that their names lead to."""
        reached = set(cell_ids)
        waiting = list(cell_ids)
        followed: set[str] = set()
        while waiting:
            for name in names_of(self._links[waiting.pop()]):
                if name not in followed:
                    followed.add(name)
                    fresh = [cell_id for cell_id in index.get(name, ()) if cell_id not in reached]
                    reached.update(fresh)
                    waiting += fresh
        return reached

    def _on_page(self, cell_ids: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(cell_ids, key=self._places.__getitem__))

    # What is wrong

    def conflicts(self, cell_id: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The cell's names that other cells define too, each with those cells."""
        shared = [name for name in self._links[cell_id].writes if len(self._definers[name]) > 1]
        return tuple((name, tuple(other for other in self._definers[name] if other != cell_id)) for name in shared)

    def cycle_of(self, cell_id: str) -> tuple[str, ...]:
        """The cells that depend on each other in a circle with this one, itself included; empty: there is none."""
        if cell_id not in self._cells:
            raise KeyError(cell_id)
        return self._cycles.get(cell_id, ())

    @cached_property
    def blocked(self) -> Mapping[str, Problem]:
        """Why cells cannot run as the notebook stands. Double definitions hide cycles: they are to be mended first."""
        problems = {}
        for cycle in self._sorted.cycles:
            names = internal_names(cycle, self._links)
            problems.update({cell_id: cycle_problem(cell_id, cycle, names) for cell_id in cycle})
        concerned = {cell_id for definers in self._definers.values() if len(definers) > 1 for cell_id in definers}
        for cell_id in concerned:
            shared = {
                name: self._definers[name] for name in self._links[cell_id].writes if len(self._definers[name]) > 1
            }
            problems[cell_id] = definitions_problem(cell_id, shared, self._places)
        return MappingProxyType({cell_id: problems[cell_id] for cell_id in self._on_page(problems)})

    @cached_property
    def _sorted(self) -> Sorted:
        return sort_cells(self._links)

    @cached_property
    def _cycles(self) -> dict[str, tuple[str, ...]]:
        return {cell_id: cycle for cycle in self._sorted.cycles for cell_id in cycle}

    # What changes it

    def replaced(self, cell_id: str, names: CellNames) -> "Graph":
        """The graph after an edit. With the same names it is this very graph."""
        before = self._links[cell_id]
        if names == self._cells[cell_id]:
            return self
        cells = {**self._cells, cell_id: names}
        links = {**self._links, cell_id: _link(names)}
        return self._relinked(cells, links, cell_id, before)

    def inserted(self, cell_id: str, names: CellNames, after: str | None) -> "Graph":
        """The graph with one more cell, behind `after`; None: first. Raises ValueError if the id is taken."""
        if cell_id in self._cells:
            raise ValueError(f"cell {cell_id} is in the graph already")
        place = 0 if after is None else self._places[after] + 1
        order = list(self._cells)
        order.insert(place, cell_id)
        cells = {each: self._cells.get(each, names) for each in order}
        link = _link(names)
        links = {each: self._links.get(each, link) for each in order}
        return self._relinked(cells, links, cell_id, _UNLINKED)

    def removed(self, cell_id: str) -> "Graph":
        """The graph without this cell."""
        before = self._links[cell_id]
        cells = {each: names for each, names in self._cells.items() if each != cell_id}
        links = {each: link for each, link in self._links.items() if each != cell_id}
        return self._relinked(cells, links, cell_id, before)

    def reordered(self, order: Iterable[str]) -> "Graph":
        """The graph of the same cells in another page order. Raises ValueError if they are not the same."""
        wanted = tuple(order)
        if wanted == tuple(self._cells):
            return self
        if len(wanted) != len(self._cells) or set(wanted) != set(self._cells):
            raise ValueError("a page order names every cell once")
        return self._indexed({each: self._cells[each] for each in wanted}, {each: self._links[each] for each in wanted})

    def _relinked(self, cells: dict[str, CellNames], links: dict[str, Link], cell_id: str, before: Link) -> "Graph":
        """The graph of `cells`, in which only `cell_id` is new, gone, or linked otherwise than `before`."""
        after = links.get(cell_id, _UNLINKED)
        places = _places_in(cells)
        readers = _moved(self._readers, cell_id, before.reads, after.reads, places)
        definers = _moved(self._definers, cell_id, before.writes, after.writes, places)
        return Graph(cells, links, places, readers, definers)


_UNLINKED = Link((), ())


def _link(names: CellNames) -> Link:
    own = set(names.writes)
    return Link(tuple(name for name in names.free if name not in own), names.writes)


def _places_in(cells: Iterable[str]) -> dict[str, int]:
    return {cell_id: place for place, cell_id in enumerate(cells)}


def _frozen(index: Mapping[str, list[str]]) -> _Index:
    return {name: tuple(cell_ids) for name, cell_ids in index.items()}


def _moved(
    index: _Index, cell_id: str, before: tuple[str, ...], after: tuple[str, ...], places: Mapping[str, int]
) -> _Index:
    """The index with this cell under the names `after` instead of `before`."""
    if before == after:
        return index
    moved = dict(index)
    for name in set(before).difference(after):
        rest = tuple(other for other in moved.pop(name) if other != cell_id)
        if rest:
            moved[name] = rest
    for name in set(after).difference(before):
        moved[name] = tuple(sorted((*moved.get(name, ()), cell_id), key=places.__getitem__))
    return moved
