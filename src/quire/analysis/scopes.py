"""Python's scopes, as far as they decide which names of a piece of code are global.

Names are fed in the order in which the code runs. Module and class code follows that order: a name is the scope's own
from where it is bound to where it is deleted. Function code does not: a name bound anywhere is local everywhere.
"""

from typing import Protocol


class Scope(Protocol):
    """What the code of one scope does with names."""

    declared_global: set[str]

    def load(self, name: str) -> None: ...
    def bind(self, name: str) -> None: ...
    def unbind(self, name: str) -> None: ...


class OrderedScope:
    """Code whose names follow the order in which it runs: the cell itself, or a class body."""

    def __init__(self) -> None:
        self.declared_global: set[str] = set()
        self.reads: set[str] = set()
        self.removed: set[str] = set()
        self._bound: dict[str, int] = {}
        self._clock = 0
        self._block_starts = [0]

    @property
    def bound(self) -> set[str]:
        """Names that are (perhaps) bound at this point."""
        return set(self._bound)

    def load(self, name: str) -> None:
        if name not in self._bound:
            self.reads.add(name)

    def bind(self, name: str) -> None:
        self._clock += 1
        self._bound.setdefault(name, self._clock)

    def unbind(self, name: str) -> None:
        if name in self._bound:
            self.release(name)
        else:
            self.reads.add(name)

    def release(self, name: str) -> None:
        """End the binding of a name, unless it stems from outside of a block that may not run: `if c: del x`."""
        if self._bound.get(name, 0) > self._block_starts[-1]:
            del self._bound[name]
            self.removed.add(name)

    def open_block(self) -> None:
        """Code follows that may not run: a branch, a loop's body, an exception's handler."""
        self._block_starts.append(self._clock)

    def close_block(self) -> None:
        self._block_starts.pop()


class ClassScope(OrderedScope):
    """A class body: it runs in order, and functions inside of it do not see its names."""

    def __init__(self, parent: Scope, module: OrderedScope) -> None:
        super().__init__()
        self.parent = parent
        self._module = module
        self._ever_bound: set[str] = set()

    def bind(self, name: str) -> None:
        super().bind(name)
        self._ever_bound.add(name)

    def close(self) -> None:
        """Hand on what this scope does not define."""
        for name in self.reads:
            if name in self.declared_global or name in self._ever_bound:
                # A name that a class binds later is looked up among the globals, past the functions around it.
                self._module.load(name)
            elif not _is_mangled(name):
                _load_outside(self.parent, name)


class FunctionScope:
    """The body of a function, a lambda, or a type alias."""

    def __init__(self, parent: Scope, module: OrderedScope) -> None:
        self.parent = parent
        self.declared_global: set[str] = set()
        self.declared_nonlocal: set[str] = set()
        self.local: set[str] = set()
        self._module = module
        self._reads: set[str] = set()

    def load(self, name: str) -> None:
        self._reads.add(name)

    def bind(self, name: str) -> None:
        if name not in self.declared_nonlocal:
            self.local.add(name)

    def unbind(self, name: str) -> None:
        self.bind(name)

    def close(self) -> None:
        """Hand on what this scope does not define."""
        for name in self._reads - self.local:
            if name in self.declared_global:
                self._module.load(name)
            else:
                self.hand_on(name)

    def hand_on(self, name: str) -> None:
        _load_outside(self.parent, name)


class ComprehensionScope(FunctionScope):
    """A comprehension: `:=` inside of it binds in the scope around it."""


class TypeParameterScope(FunctionScope):
    """What `[T]` opens around a generic function, class or alias: unlike a function it sees the names of a class."""

    def hand_on(self, name: str) -> None:
        self.parent.load(name)


def _load_outside(scope: Scope, name: str) -> None:
    """Load `name`, not found in an inner scope, where Python looks next: not in the classes in between."""
    while True:
        if isinstance(scope, TypeParameterScope):
            if name in scope.local:
                return
        elif isinstance(scope, ClassScope):
            if name == "__class__" or _is_mangled(name):
                return
        else:
            scope.load(name)
            return
        scope = scope.parent


def _is_mangled(name: str) -> bool:
    """Whether a class turns the name into one of its own: `__x` in class `A` is `_A__x`."""
    return name.startswith("__") and not name.endswith("__")
