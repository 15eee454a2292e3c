"""The names by which a cell depends on others: what every language's analysis returns."""

import builtins

import msgspec

AMBIENT_NAMES = frozenset(dir(builtins)) | {
    "In",
    "Out",
    "__annotations__",
    "__builtins__",
    "__file__",
    "display",
    "exit",
    "get_ipython",
    "quit",
}
"""Names that exist in a kernel before any cell has run. A cell may still define one of them."""


class SyntaxProblem(msgspec.Struct, frozen=True):
    """Why a cell's code cannot be parsed."""

    message: str
    line: int = 0
    """Line in the cell, from 1; 0: unknown."""


class CellNames(msgspec.Struct, frozen=True, kw_only=True):
    """The names that connect one cell to others. Every tuple is sorted and without duplicates.

    A name in `writes` is never in `free` as well: a cell does not depend on itself.
    """

    free: tuple[str, ...] = ()
    """Global names that the cell reads and does not define, those of builtins among them."""
    writes: tuple[str, ...] = ()
    """Global names that exist because the cell ran."""
    private: tuple[str, ...] = ()
    """Names such as `_total` that the cell defines: its own, invisible to other cells."""
    temporary: tuple[str, ...] = ()
    """Names that the cell binds and removes again (`del`, `except E as e`): not in `writes`. Running the cell
    removes a global of the same name."""
    star_imports: tuple[str, ...] = ()
    """Modules of `from module import *`: what they define is known only once the cell has run."""
    problem: SyntaxProblem | None = None

    @property
    def reads(self) -> tuple[str, ...]:
        """`free` without what a kernel offers by itself, such as `print`."""
        return tuple(name for name in self.free if name not in AMBIENT_NAMES)


def is_private(name: str) -> bool:
    """Whether a name belongs to the cell alone: `_total`, `_`, `__`; but not `__version__`."""
    return name.startswith("_") and not (name.startswith("__") and name.strip("_"))
