"""Feeds the names of a syntax tree to scopes, in the order in which Python evaluates them."""

import ast
from collections.abc import Sequence
from functools import partial

from quire.analysis.scopes import (
    ClassScope,
    ComprehensionScope,
    FunctionScope,
    OrderedScope,
    Scope,
    TypeParameterScope,
)

Step = ast.AST | partial[None]
"""What is to be done: visit a node, or call a method."""

Steps = Step | Sequence[Step] | Sequence[ast.expr | None] | None
"""One step, several, or none where the tree has nothing: `**` in a dict, a keyword without default."""

_NAMELESS_FIELDS = frozenset({"ctx", "op", "ops", "kwd_attrs", "type_comment"})


class NameVisitor(ast.NodeVisitor):
    """Walks one cell. Afterwards `module` knows its global names.

    A `visit_` method does not recurse, it lists what comes next: a sum of a thousand terms is a tree that is a
    thousand nodes deep.
    """

    def __init__(self) -> None:
        self.module = OrderedScope()
        self.star_imports: set[str] = set()
        self._scope: Scope = self.module
        self._waiting: list[Step] = []

    def walk(self, tree: ast.Module) -> None:
        self._next(tree.body)
        while self._waiting:
            step = self._waiting.pop()
            if isinstance(step, ast.AST):
                self.visit(step)
            else:
                step()

    def generic_visit(self, node: ast.AST) -> None:
        steps: list[ast.AST] = []
        for field in node._fields:
            if field not in _NAMELESS_FIELDS:
                value = getattr(node, field, None)
                if isinstance(value, ast.AST):
                    steps.append(value)
                elif isinstance(value, list):
                    steps.extend(child for child in value if isinstance(child, ast.AST))
        self._waiting.extend(reversed(steps))

    # What comes next

    def _next(self, *steps: Steps) -> None:
        self._waiting.extend(reversed(_flat(*steps)))

    def _inside(self, kind: type[FunctionScope | ClassScope], *steps: Steps) -> list[Step]:
        """The steps, in a new scope."""
        return [partial(self._enter, kind), *_flat(*steps), partial(self._leave)]

    def _enter(self, kind: type[FunctionScope | ClassScope]) -> None:
        self._scope = kind(self._scope, self.module)

    def _leave(self) -> None:
        scope = self._scope
        assert isinstance(scope, FunctionScope | ClassScope)
        self._scope = scope.parent
        scope.close()

    def _perhaps(self, *steps: Steps) -> list[Step]:
        """The steps, in a block that may not run. To functions it makes no difference."""
        if not isinstance(self._scope, OrderedScope):
            return _flat(*steps)
        return [partial(self._scope.open_block), *_flat(*steps), partial(self._scope.close_block)]

    # Names

    def _bind(self, name: str) -> None:
        self._bind_in(self._scope, name)

    def _bind_in(self, scope: Scope, name: str) -> None:
        (self.module if name in scope.declared_global else scope).bind(name)

    def _unbind(self, name: str) -> None:
        if name not in self._scope.declared_global:
            self._scope.unbind(name)
        elif self._scope is self.module:
            self.module.unbind(name)
        else:
            # Some call will delete it; whether that has happened at the end of the cell, nobody knows.
            self.module.load(name)

    def visit_Name(self, node: ast.Name) -> None:
        match node.ctx:
            case ast.Load():
                self._scope.load(node.id)
            case ast.Store():
                self._bind(node.id)
            case _:
                self._unbind(node.id)

    def visit_Constant(self, node: ast.Constant) -> None:
        """No name: a string annotation is not evaluated by Python either."""

    def visit_Global(self, node: ast.Global) -> None:
        self._scope.declared_global.update(node.names)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        if isinstance(self._scope, FunctionScope):
            self._scope.declared_nonlocal.update(node.names)

    # Assignments

    def visit_Assign(self, node: ast.Assign) -> None:
        self._next(node.value, node.targets)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self._scope.load(node.target.id)
        self._next(node.value, node.target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        # `x: int` alone makes the name local to a function. Elsewhere, as does `(x): int` everywhere, it binds nothing.
        binds = node.value is not None or (node.simple and isinstance(self._scope, FunctionScope))
        is_name = isinstance(node.target, ast.Name)
        self._next(node.value, node.annotation, node.target if binds or not is_name else None)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        scope = self._scope
        while isinstance(scope, ComprehensionScope):
            scope = scope.parent
        self._next(node.value, partial(self._bind_in, scope, node.target.id))

    # Imports

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._bind(alias.asname or alias.name.partition(".")[0])

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.module == "__future__":
            return  # An instruction to the compiler. That it leaves a name behind as well is of no use to anyone.
        for alias in node.names:
            if alias.name == "*":
                self.star_imports.add("." * node.level + (node.module or ""))
            else:
                self._bind(alias.asname or alias.name)

    # Functions and classes

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        parameters = node.args
        body = self._inside(FunctionScope, partial(self._bind_parameters, parameters), node.body)
        hints = [*(parameter.annotation for parameter in _parameters(parameters)), node.returns]
        # Bound before its body is looked at: a function that calls itself reads nothing from elsewhere.
        self._next(
            node.decorator_list,
            parameters.defaults,
            parameters.kw_defaults,
            partial(self._bind, node.name),
            self._generic(node, hints, body),
        )

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._next(
            node.args.defaults,
            node.args.kw_defaults,
            self._inside(FunctionScope, partial(self._bind_parameters, node.args), node.body),
        )

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        body = self._inside(ClassScope, node.body)
        self._next(
            node.decorator_list, self._generic(node, node.bases, node.keywords, body), partial(self._bind, node.name)
        )

    def visit_TypeAlias(self, node: ast.AST) -> None:
        """`type Name[T] = value`, since Python 3.12. The value is evaluated when it is asked for."""
        steps = [child for child in ast.iter_child_nodes(node) if type(child).__name__ not in _TYPE_PARAMETERS]
        self._next(steps[0], self._generic(node, self._inside(FunctionScope, steps[1:])))

    def _generic(self, node: ast.AST, *steps: Steps) -> list[Step]:
        """The steps, in the scope of the type parameters if `node` has any (since Python 3.12)."""
        parameters: list[ast.AST] = getattr(node, "type_params", [])
        if not parameters:
            return _flat(*steps)
        names = [str(getattr(parameter, "name", "")) for parameter in parameters]
        return self._inside(TypeParameterScope, *(partial(self._bind, name) for name in names), parameters, *steps)

    def _bind_parameters(self, arguments: ast.arguments) -> None:
        for parameter in _parameters(arguments):
            self._bind(parameter.arg)

    # Comprehensions

    def visit_ListComp(self, node: ast.ListComp) -> None:
        self._comprehend(node.generators, node.elt)

    def visit_SetComp(self, node: ast.SetComp) -> None:
        self._comprehend(node.generators, node.elt)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        self._comprehend(node.generators, node.elt)

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._comprehend(node.generators, node.key, node.value)

    def _comprehend(self, generators: list[ast.comprehension], *elements: ast.expr) -> None:
        first, *others = generators
        steps: list[Step] = [first.target, *first.ifs]
        for generator in others:
            steps += [generator.iter, generator.target, *generator.ifs]
        # The first iterable is evaluated outside.
        self._next(first.iter, self._inside(ComprehensionScope, steps, elements))

    # Blocks

    def visit_If(self, node: ast.If) -> None:
        self._next(node.test, self._perhaps(node.body), self._perhaps(node.orelse))

    def visit_While(self, node: ast.While) -> None:
        self._next(node.test, self._perhaps(node.body), self._perhaps(node.orelse))

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self._next(node.iter, self._perhaps(node.target, node.body), self._perhaps(node.orelse))

    def visit_AsyncFor(self, node: ast.AsyncFor) -> None:
        self.visit_For(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name is None:
            self._next(self._perhaps(node.type, node.body))
        else:
            end = partial(self._release, node.name)
            self._next(self._perhaps(node.type, partial(self._bind, node.name), node.body, end))

    def _release(self, name: str) -> None:
        if isinstance(self._scope, OrderedScope):
            self._scope.release(name)

    def visit_match_case(self, node: ast.match_case) -> None:
        self._next(self._perhaps(node.pattern, node.guard, node.body))

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        self._next(node.pattern, partial(self._bind, node.name) if node.name else None)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        if node.name:
            self._bind(node.name)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self._next(node.keys, node.patterns, partial(self._bind, node.rest) if node.rest else None)


_TYPE_PARAMETERS = frozenset({"TypeVar", "ParamSpec", "TypeVarTuple"})


def _flat(*steps: Steps) -> list[Step]:
    flat: list[Step] = []
    for step in steps:
        if isinstance(step, Sequence):
            flat.extend(inner for inner in step if inner is not None)
        elif step is not None:
            flat.append(step)
    return flat


def _parameters(arguments: ast.arguments) -> list[ast.arg]:
    parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return parameters + [starred for starred in (arguments.vararg, arguments.kwarg) if starred is not None]
