"""Which global names a Python cell reads and writes, found without running it."""

from collections.abc import Iterable

from quire.analysis.magics import translate
from quire.analysis.names import CellNames, SyntaxProblem, is_private
from quire.analysis.syntax import parse
from quire.analysis.visitor import NameVisitor


def analyse_python(code: str) -> CellNames:
    """Names that `code` reads and writes as a cell. Never raises; what cannot be parsed has a `problem` and no names.

    - `writes`: names that are bound when the cell has run from top to bottom: assignments, imports, functions, classes,
      loop variables, `global` in a function. What may or may not happen (branches, loops) counts as happening. Changing
      an object (`df["a"] = 1`, `obj.a = 1`) reads its name.
    - `free`: names looked up among the globals, now or when a function of the cell is called later, annotations
      included. A name that the cell writes is not free, even where it is used first (`x += 1`): since a global name
      belongs to one cell, no other cell can be meant.
    - A name that is bound and removed again (`del x`, `except E as e`) is `temporary` and not written; it is free only
      where it is used outside of that stretch.
    - Names made at run time (`globals()["x"] = 1`, `exec`, `%run`) are not seen.

    IPython's magics, shell lines and help are understood as far as they concern names.
    """
    tree = parse(code)
    keeps_names = True
    if isinstance(tree, SyntaxProblem):
        source, keeps_names = translate(code)
        tree = parse(source)
        if isinstance(tree, SyntaxProblem):
            return CellNames(problem=tree)
    visitor = NameVisitor()
    visitor.walk(tree)
    bound = visitor.module.bound
    kept = bound if keeps_names else set()
    return CellNames(
        free=_public(visitor.module.reads - bound),
        writes=_public(kept),
        private=tuple(sorted(filter(is_private, kept))),
        temporary=_public(visitor.module.removed - bound) if keeps_names else (),
        star_imports=tuple(sorted(visitor.star_imports)),
    )


def _public(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(name for name in names if not is_private(name)))
