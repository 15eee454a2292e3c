"""The graph of a notebook, kept up as its cells change: only the edited cell is analysed again."""

import asyncio
from functools import reduce

from quire.analysis.graph import Graph
from quire.analysis.names import CellNames
from quire.analysis.python import analyse_python
from quire.notebook.model import Cell, Notebook

NO_NAMES = CellNames()
STEPS_MAX = 20
"""Cells whose names changed at once, up to which the graph is altered rather than built anew."""
THREAD_CELLS_MIN = 50
"""From here on the first analysis leaves the event loop."""
THREAD_CODE_CHARS_MIN = 16 * 1024
"""From here on so does that of one cell: 256 KB of dense code take most of a second."""


class NameIndex:
    """What each cell reads and writes, by its code, and the graph that follows."""

    def __init__(self) -> None:
        self._cells: dict[str, Cell] = {}
        self._prepared: tuple[str, CellNames] = ("", NO_NAMES)
        self.graph = Graph.build(())

    @classmethod
    async def of(cls, state: Notebook) -> "NameIndex":
        """The index of a state that was just loaded."""
        index = cls()
        if len(state.cells) < THREAD_CELLS_MIN:
            index.update(state)
        else:
            await asyncio.to_thread(index.update, state)
        return index

    async def prepare(self, code: str) -> None:
        """Analyse code that an edit will bring, away from the event loop."""
        self._prepared = (code, await asyncio.to_thread(analyse_python, code))

    def writes_of(self, cell_id: str) -> tuple[str, ...]:
        """The names that a cell defines, as of the last update."""
        names = self.graph.cells.get(cell_id)
        return names.writes if names is not None else ()

    def update(self, state: Notebook) -> Graph:
        """Take over `state`; returns its graph: the same object if no name and no place changed."""
        self.graph = self.preview(state)
        self._cells = state.cells
        return self.graph

    def preview(self, state: Notebook) -> Graph:
        """The graph that `state` would have; nothing is taken over.

        Cells that are the same object are passed over, so that an edit costs the same in a long notebook.
        """
        before, after = self._cells, state.cells
        if before is after:
            return self.graph
        known = self.graph.cells
        found = {cell_id: self._names_for(cell) for cell_id, cell in after.items() if before.get(cell_id) is not cell}
        if list(before) == list(after):
            renamed = [(cell_id, names) for cell_id, names in found.items() if names is not known[cell_id]]
            if len(renamed) <= STEPS_MAX:
                return reduce(lambda graph, one: graph.replaced(*one), renamed, self.graph)
        return Graph.build((cell_id, found[cell_id] if cell_id in found else known[cell_id]) for cell_id in after)

    def _names_for(self, cell: Cell) -> CellNames:
        old = self._cells.get(cell.cell_id)
        known = self.graph.cells[cell.cell_id] if old is not None else None
        if old is not None and known is not None and old.code == cell.code and old.type == cell.type:
            return known
        found = NO_NAMES
        if cell.type == "python":
            found = self._prepared[1] if self._prepared[0] == cell.code else analyse_python(cell.code)
        return known if known == found and known is not None else found
