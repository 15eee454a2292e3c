"""Names such as `_total` belong to one cell: in the shared globals they get a name that no other cell uses."""

import ast
import re
from types import CodeType
from typing import Any

from .bindings import Bindings, Comprehension, argument_names, arguments_of

_CANDIDATE = re.compile(r"(?<!\w)_(?!_)")
_NOT_PLAIN = re.compile(r"[\W_]")


def prefix_of(cell_id: str) -> str:
    """What comes before a private name of this cell: `_cell_k3v9` makes `_cell_k3v9_total` of `_total`."""
    return "_cell_" + _NOT_PLAIN.sub(lambda found: f"x{ord(found[0]):x}x", cell_id)


def restore_in_text(text: str, prefix: str) -> str:
    """Show names as their author wrote them."""
    return text.replace(f"{prefix}_", "_")


def restore_in_code(code: CodeType, prefix: str) -> CodeType:
    """Let functions and classes have the names that their author gave them."""
    constants = tuple(_restored(constant, prefix) for constant in code.co_consts)
    return code.replace(
        co_consts=constants,
        co_name=restore_in_text(code.co_name, prefix),
        co_qualname=restore_in_text(code.co_qualname, prefix),
    )


def _restored(constant: object, prefix: str) -> object:
    if isinstance(constant, CodeType):
        return restore_in_code(constant, prefix)
    if isinstance(constant, str) and constant.startswith(f"{prefix}_"):
        return restore_in_text(constant, prefix)
    return constant


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def make_private(tree: ast.Module, source: str, prefix: str) -> bool:
    """Rename, in place, the private global names that this cell defines. Returns whether there are any."""
    if not _CANDIDATE.search(source):
        return False
    bound = {name for name in _module_bindings(tree) if is_private(name)}
    if bound:
        _Renamer(bound, prefix).visit(tree)
        ast.fix_missing_locations(tree)
    return bool(bound)


def _module_bindings(tree: ast.Module) -> set[str]:
    module = Bindings.of(tree.body)
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            module.names.update(node.names)
    return module.names


class _Renamer(ast.NodeTransformer):
    """Renames where a name means the global one."""

    def __init__(self, private: set[str], prefix: str) -> None:
        self._private = private
        self._prefix = prefix
        self._hidden: list[set[str]] = [set()]
        """Per scope: which of the names mean something else in it."""
        self._inherited: list[set[str]] = [set()]
        """Per scope: which of them mean something else in functions inside of it; a class hands nothing on."""

    def _new(self, name: str) -> str:
        return self._prefix + name if name in self._private and name not in self._hidden[-1] else name

    def _inside(self, bindings: Bindings, extra: set[str], *, is_class: bool) -> None:
        outer = self._inherited[-1]
        own = (bindings.names | extra) - bindings.declared_global - bindings.declared_nonlocal
        hidden = (outer - bindings.declared_global) | own
        self._hidden.append(hidden)
        self._inherited.append(outer if is_class else hidden)

    def _outside(self) -> None:
        self._hidden.pop()
        self._inherited.pop()

    def _visit_body(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """As `generic_visit` does: a statement may become several."""
        visited = (self.visit(statement) for statement in body)
        return [statement for result in visited for statement in (result if isinstance(result, list) else [result])]

    def visit(self, node: ast.AST) -> Any:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                return self._visit_function(node)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                return self._visit_comprehension(node)
            case ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar():
                node.name = self._new(node.name) if node.name else None
                return self.generic_visit(node)
            case _:
                return super().visit(node)

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self._new(node.id)
        return node

    def _visit_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        name = self._new(node.name)
        node.decorator_list = [self.visit(decorator) for decorator in node.decorator_list]
        node.returns = self.visit(node.returns) if node.returns else None
        self._visit_arguments(node.args)
        self._inside(Bindings.of(node.body), argument_names(node.args) | _type_parameters(node), is_class=False)
        node.body = self._visit_body(node.body)
        self._outside()
        node.name = name
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        self._visit_arguments(node.args)
        self._inside(Bindings.of([node.body]), argument_names(node.args), is_class=False)
        node.body = self.visit(node.body)
        self._outside()
        return node

    def _visit_arguments(self, args: ast.arguments) -> None:
        args.defaults = [self.visit(default) for default in args.defaults]
        args.kw_defaults = [self.visit(default) if default else None for default in args.kw_defaults]
        for arg in arguments_of(args):
            arg.annotation = self.visit(arg.annotation) if arg.annotation else None

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        name = self._new(node.name)
        node.decorator_list = [self.visit(decorator) for decorator in node.decorator_list]
        node.bases = [self.visit(base) for base in node.bases]
        node.keywords = [self.visit(keyword) for keyword in node.keywords]
        self._inside(Bindings.of(node.body), _type_parameters(node), is_class=True)
        node.body = self._visit_body(node.body)
        self._outside()
        node.name = name
        return node

    def _visit_comprehension(self, node: Comprehension) -> ast.AST:
        first = node.generators[0]
        first.iter = self.visit(first.iter)
        iterator, first.iter = first.iter, ast.Constant(None)
        targets = Bindings.of([generator.target for generator in node.generators])
        self._inside(targets, set(), is_class=False)
        self.generic_visit(node)
        self._outside()
        first.iter = iterator
        return node

    def visit_Import(self, node: ast.Import) -> ast.AST | list[ast.Import]:
        packages = [alias.name.partition(".")[0] for alias in node.names if "." in alias.name and not alias.asname]
        self._rename_aliases(node.names)
        # `import _a.b` binds `_a`, `import _a.b as x` binds `_a.b`: so the package is imported once more, by its name.
        again = [ast.alias(name, self._new(name)) for name in packages if self._new(name) != name]
        return [node, ast.copy_location(ast.Import(again), node)] if again else node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        self._rename_aliases(node.names)
        return node

    def _rename_aliases(self, aliases: list[ast.alias]) -> None:
        for alias in aliases:
            name = alias.asname or alias.name.partition(".")[0]
            if self._new(name) != name:
                alias.asname = self._new(name)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> ast.AST:
        node.rest = self._new(node.rest) if node.rest else None
        return self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> ast.AST:
        node.names = [self._prefix + name if name in self._private else name for name in node.names]
        return node


def _type_parameters(node: ast.AST) -> set[str]:
    """`T` of `def f[T]()`, from Python 3.12 on."""
    return {parameter.name for parameter in getattr(node, "type_params", ())}
