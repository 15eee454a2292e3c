"""Which names a scope of Python code binds."""

import ast

Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


class Bindings(ast.NodeVisitor):
    """Names that one scope binds: what lies in scopes inside of it is not entered."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.declared_global: set[str] = set()
        self.declared_nonlocal: set[str] = set()

    @classmethod
    def of(cls, nodes: list[ast.stmt] | list[ast.expr]) -> "Bindings":
        found = cls()
        for node in nodes:
            found.visit(node)
        return found

    def visit(self, node: ast.AST) -> None:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self._visit_definition(node)
            case ast.Lambda():
                self._visit_defaults(node.args)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                self._visit_comprehension(node)
            case ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar():
                self._add(node.name)
                self.generic_visit(node)
            case _:
                super().visit(node)

    def _add(self, name: str | None) -> None:
        if name:
            self.names.add(name)

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.names.add(node.id)

    def _visit_definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        self.names.add(node.name)
        for decorator in node.decorator_list:
            self.visit(decorator)
        if isinstance(node, ast.ClassDef):
            for base in [*node.bases, *node.keywords]:
                self.visit(base)
        else:
            self._visit_defaults(node.args)

    def _visit_defaults(self, args: ast.arguments) -> None:
        for default in [*args.defaults, *args.kw_defaults]:
            if default is not None:
                self.visit(default)

    def _visit_comprehension(self, node: Comprehension) -> None:
        # Its variables are its own, but `:=` binds outside of it.
        self.visit(node.generators[0].iter)
        for inner in ast.walk(node):
            if isinstance(inner, ast.NamedExpr):
                self.names.add(inner.target.id)

    def visit_alias(self, node: ast.alias) -> None:
        self.names.add(node.asname or node.name.partition(".")[0])

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self._add(node.rest)
        self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> None:
        self.declared_global.update(node.names)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self.declared_nonlocal.update(node.names)


def arguments_of(args: ast.arguments) -> list[ast.arg]:
    single = [arg for arg in (args.vararg, args.kwarg) if arg is not None]
    return [*args.posonlyargs, *args.args, *args.kwonlyargs, *single]


def argument_names(args: ast.arguments) -> set[str]:
    return {arg.arg for arg in arguments_of(args)}
