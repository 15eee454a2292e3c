"""One cell: from its source to running it."""

import __future__

import ast
import asyncio
import contextvars
import inspect
import linecache
import sys
from collections.abc import Coroutine
from types import CodeType
from typing import Any, NamedTuple

from IPython.core.displayhook import DisplayHook

from .interrupts import Interrupts
from .private_names import make_private, prefix_of, restore_in_code

_FUTURE_FLAGS = 0
for _feature in __future__.all_feature_names:
    _FUTURE_FLAGS |= getattr(__future__, _feature).compiler_flag


def filename_of(cell_id: str) -> str:
    """The file name of a cell's code, as tracebacks and warnings have it."""
    return f"<cell {cell_id}>"


class CompiledCell(NamedTuple):
    body: CodeType | None
    last: CodeType | None
    """The last expression, whose value is shown; None if there is none or if `;` follows it."""


class CellCompiler:
    """Compiles cells as IPython does, but all statements of one at once, and without `__future__` leaking out."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._cleanups = len(shell.input_transformers_cleanup)

    def compile(self, cell_id: str, source: str) -> CompiledCell:
        """Compile; the source can be found by tracebacks from now on.

        Raises:
            SyntaxError, or whatever else Python's compiler raises on odd code.
        """
        filename = filename_of(cell_id)
        _register_source(filename, source)
        tree = self._parse(source, filename)
        if self._shell.ast_transformers:
            tree = self._shell.transform_ast(tree)
        prefix = prefix_of(cell_id)
        renamed = make_private(tree, source, prefix)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        body_code = _compile(tree, filename, 0) if tree.body else None
        flags = body_code.co_flags & _FUTURE_FLAGS if body_code else 0
        last_code = None
        if isinstance(last, ast.Expr):
            last_code = _compile(ast.Expression(last.value), filename, flags)
        if renamed:
            body_code = body_code and restore_in_code(body_code, prefix)
            last_code = last_code and restore_in_code(last_code, prefix)
        return CompiledCell(body_code, last_code)

    def _parse(self, source: str, filename: str) -> ast.Module:
        tree = None if self._needs_ipython(source) else _parse_python(source, filename)
        if tree is not None:
            return tree
        # IPython drops empty lines at the beginning; line numbers must not change.
        lines = source.splitlines()
        blank = next((number for number, line in enumerate(lines) if line.strip()), 0)
        python: str = self._shell.transform_cell(source)
        return ast.parse("\n" * blank + python, filename)

    def _needs_ipython(self, source: str) -> bool:
        """Whether IPython could change code that is Python already: `ls` alone, or transformers of the author's."""
        shell = self._shell
        return (
            source.strip().isidentifier()
            or bool(shell.input_transformers_post)
            or len(shell.input_transformers_cleanup) != self._cleanups
        )


def _parse_python(source: str, filename: str) -> ast.Module | None:
    """None: magics, shell lines, help, indentation of the whole cell, or a mistake."""
    try:
        return ast.parse(source, filename)
    except SyntaxError:
        return None


def _compile(tree: ast.Module | ast.Expression, filename: str, flags: int) -> CodeType:
    mode = "exec" if isinstance(tree, ast.Module) else "eval"
    code: CodeType = compile(tree, filename, mode, flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    return code


def _register_source(filename: str, source: str) -> None:
    # Without a time of modification, so that `linecache` does not look for a file.
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)


class CellRunner:
    """Runs compiled cells in the shell's namespace, in one context, so that context variables last."""

    def __init__(self, shell: Any, interrupts: Interrupts) -> None:
        self._shell = shell
        self._interrupts = interrupts
        self._context = contextvars.copy_context()

    async def run(self, cell: CompiledCell, source: str) -> None:
        """Run a cell and show its last value.

        Raises:
            Whatever the cell raises; KeyboardInterrupt if it is interrupted.
        """
        if cell.body is not None:
            await self._evaluate(cell.body)
        if cell.last is None:
            return
        value = await self._evaluate(cell.last)
        if value is not None and not (";" in source and _ends_with_semicolon(source)):
            self._context.run(sys.displayhook, value)

    async def _evaluate(self, code: CodeType) -> Any:
        value = self._context.run(eval, code, self._shell.user_global_ns, self._shell.user_ns)
        if code.co_flags & inspect.CO_COROUTINE:
            return await self._await(value)
        return value

    async def _await(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        task = asyncio.get_running_loop().create_task(_outcome(coroutine), context=self._context)
        self._interrupts.enter_task(task, _outcome.__code__)
        try:
            value, error = await task
        except asyncio.CancelledError:
            if self._interrupts.cancelled:
                raise KeyboardInterrupt from None
            raise
        finally:
            self._interrupts.leave_task()
        if error is not None:
            raise error
        return value


def _ends_with_semicolon(source: str) -> bool:
    hook: Any = DisplayHook
    return bool(hook.semicolon_at_end_of_expression(source))


async def _outcome(coroutine: Coroutine[Any, Any, Any]) -> tuple[Any, BaseException | None]:
    """KeyboardInterrupt and SystemExit must not leave a task: they would end the event loop."""
    try:
        return await coroutine, None
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001 - raised again outside of the task
        return None, error
