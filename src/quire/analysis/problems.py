"""What is wrong with how a notebook hangs together, in words for a cell's author."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Literal

import msgspec

CELLS_MAX = 10
"""Most other cells that a problem names: it is stored with every cell concerned."""
NAMES_MAX = 5
"""Most names that a message spells out."""


class Problem(msgspec.Struct, frozen=True):
    """Why a cell is blocked whatever its code does."""

    kind: Literal["MultipleDefinitions", "Cycle"]
    message: str
    cells: tuple[str, ...]
    """The other cells concerned, in page order, at most CELLS_MAX."""


def definitions_problem(cell_id: str, shared: Mapping[str, tuple[str, ...]], places: Mapping[str, int]) -> Problem:
    """`shared`: the names that this cell and others define, each with all its cells in page order."""
    others: set[str] = set()
    for cells in shared.values():
        others.update(islice((cell for cell in cells if cell != cell_id), CELLS_MAX + 1))
    listed = sorted(others, key=places.__getitem__)
    return Problem(
        "MultipleDefinitions",
        f"{_names(shared)} {'is' if len(shared) == 1 else 'are'} also defined by {_cells(listed)}. A global name"
        " belongs to one cell: rename the others, or begin them with an underscore to keep them to their cells.",
        tuple(listed[:CELLS_MAX]),
    )


def cycle_problem(cell_id: str, cycle: tuple[str, ...], names: tuple[str, ...]) -> Problem:
    """`cycle`: the cells in page order, this one included; `names`: what they get from each other."""
    others = tuple(islice((cell for cell in cycle if cell != cell_id), CELLS_MAX + 1))
    return Problem(
        "Cycle",
        f"This cell and {_cells(others)} depend on each other in a circle, by {_names(names)}: none of them can run"
        " first. Move one of these definitions to a cell of its own.",
        others[:CELLS_MAX],
    )


def _names(names: Iterable[str]) -> str:
    return _listed([f"`{name}`" for name in islice(names, NAMES_MAX + 1)], NAMES_MAX)


def _cells(cell_ids: Iterable[str]) -> str:
    listed = list(cell_ids)
    return f"{'cell' if len(listed) == 1 else 'cells'} {_listed(listed, CELLS_MAX)}"


def _listed(words: list[str], most: int) -> str:
    if len(words) > most:
        return f"{', '.join(words[:most])} and others"
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
