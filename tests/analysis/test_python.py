"""What cells read and write: by analysis, and by really running them."""

import ast
import asyncio
import types
from dataclasses import dataclass
from unittest.mock import MagicMock

import pytest

from quire.analysis.names import is_private
from quire.analysis.python import analyse_python


@dataclass(frozen=True)
class Case:
    id: str
    code: str
    reads: str = ""
    """Names separated by spaces, builtins left out."""
    writes: str = ""
    temporary: str = ""
    prelude: str = ""
    """Defines the names read; those it does not define become mocks."""
    unreached: str = ""
    """Names read that the run itself does not come to: it succeeds without them."""
    not_run: str = ""
    """Why the code cannot be executed."""
    left_over: str = ""
    """Names that the run defines and the analysis rightly leaves out."""


CASES = [
    # Assignments
    Case("nothing", ""),
    Case("comment", "# x = y"),
    Case("constant", "x = 1", "", "x"),
    Case("from_another", "x = y + 1", "y", "x", prelude="y = 1"),
    Case("chain", "a = b = c", "c", "a b"),
    Case("unpacking", "(a, [b, *c]), d = rows", "rows", "a b c d", prelude="rows = ([1, [2, 3]], 4)"),
    Case("swap", "a, b = 1, 2\na, b = b, a", "", "a b"),
    Case("augmented_own", "x = 1\nx += y", "y", "x", prelude="y = 1"),
    Case("augmented_before_definition", "x += 1", "", "x", not_run="x has no value: no other cell may define it"),
    Case("rebound_from_itself", "x = x + 1", "", "x", not_run="x has no value: no other cell may define it"),
    Case("used_before_definition", "print(x)\nx = 1", "", "x", not_run="x has no value: no other cell may define it"),
    Case("annotated", "x: int = y", "y", "x"),
    Case("annotation_is_read", "x: Frame = 1", "Frame", "x"),
    Case("annotation_alone", "x: Frame", "Frame"),
    Case("string_annotation", "x: 'Frame' = 1", "", "x"),
    Case("walrus", "print(n := len(items))", "items", "n", prelude="items = []"),
    Case("attribute_write", "obj.a = 1", "obj"),
    Case("attribute_augmented", "obj.a.b += step", "obj step"),
    Case("item_write", "df['a'] = df['b'] * k", "df k"),
    Case("item_write_own", "df = {}\ndf['a'] = 1", "", "df"),
    Case("slice_write", "values[start:stop] = []", "start stop values", prelude="values = []; start = 0; stop = 1"),
    Case("attribute_of_unpacking", "obj.a, b = 1, 2", "obj", "b"),
    Case("subscript_annotated", "obj.a: T = 1", "T obj"),
    Case("builtin_redefined", "sum = 3", "", "sum"),
    Case("builtins_hidden", "x = len(str(3))", "", "x"),
    Case("unicode_normalised", "ﬁt = 1", "", "fit"),
    Case("dunder", "__version__ = '1'", "", "__version__"),
    # Private names
    Case("private_write", "_x = 1; _ = 2; x = _x + _", "", "x"),
    Case("private_loop", "for _i in range(3): pass"),
    Case("private_function", "def _f(): return g()\nx = _f()", "g", "x"),
    Case("private_import", "import json as _json"),
    Case("private_read", "x = _elsewhere", "", "x", not_run="private to the cell that defines it, if there is one"),
    # del
    Case("del_own", "x = 1\ndel x", temporary="x"),
    Case("del_and_again", "x = 1\ndel x\nx = 2", "", "x"),
    Case("del_foreign", "del x", "x", left_over="-x"),
    Case("del_item", "del d['k'], o.attr", "d o"),
    Case("del_several", "a = b = c = 1\ndel (a, b)", "", "c", temporary="a b"),
    Case("del_in_branch", "x = 1\nif flag:\n    del x", "flag", "x", prelude="flag = False"),
    Case("del_in_same_branch", "if flag:\n    x = 1\n    del x", "flag", temporary="x"),
    Case("del_in_loop", "for i in range(2):\n    t = i\n    del t", "", "i", temporary="t"),
    Case("del_after_loop", "for i in range(2):\n    pass\ndel i", temporary="i"),
    Case("read_after_del", "x = 1\ndel x\nprint(x)", "x", temporary="x", not_run="the run removes the name it reads"),
    Case("lambda_before_del", "k = 1\ny = list(map(lambda v: v + k, [1]))\ndel k", "", "y", temporary="k"),
    Case("del_in_try", "x = 1\ntry:\n    del x\nexcept NameError:\n    pass", temporary="x"),
    # Imports
    Case("import", "import json", "", "json"),
    Case("import_dotted", "import os.path, xml.dom", "", "os xml"),
    Case("import_alias", "import os.path as p", "", "p"),
    Case("import_from", "from math import pi, tau as turn", "", "pi turn"),
    Case(
        "import_future",
        "from __future__ import annotations\nx: T = 1",
        "T",
        "x",
        unreached="T",
        left_over="annotations",
    ),
    Case("import_star", "from math import *\nx = sin(y)", "sin y", "x", not_run="what it defines is not known"),
    Case("import_relative", "from . import near\nfrom ..up import far", "", "far near", not_run="there is no package"),
    Case("import_in_function", "def f():\n    import json\n    return json", "", "f"),
    Case("import_in_branch", "try:\n    import nowhere_\nexcept ImportError:\n    nowhere_ = None", "", "nowhere_"),
    # Functions
    Case("function", "def f(a, /, b, *c, d, **e):\n    return a, b, c, d, e", "", "f"),
    Case("function_free", "def f(a):\n    return a + k", "k", "f", unreached="k"),
    Case("function_called", "def f(a):\n    return a + k\nx = f(1)", "k", "f x", prelude="k = 1"),
    Case("function_local", "def f():\n    x = 1\n    return x", "", "f"),
    Case("function_local_later", "def f():\n    print(x)\n    x = 1", "", "f"),
    Case("function_augmented_local", "def f(x):\n    x += 1\n    return x", "", "f"),
    Case("function_del_local", "def f():\n    x = 1\n    del x", "", "f"),
    Case("function_defaults", "def f(a=p, *, b=q): pass", "p q", "f"),
    Case("function_decorator", "@deco(arg)\ndef f(): pass", "arg deco", "f"),
    Case("function_hints", "def f(a: A, *b: B, c: C = 1, **d: D) -> R: pass", "A B C D R", "f"),
    Case("function_local_annotation", "def f():\n    x: T\n    return x", "T", "f", unreached="T"),
    Case("annotation_in_parentheses", "def f():\n    (x): T\n    return x", "T x", "f", unreached="T x"),
    Case("function_recursive", "def f(n):\n    return f(n - 1) if n else 0\nx = f(2)", "", "f x"),
    Case("function_recursive_deleted", "def f(n):\n    return f(n - 1) if n else 0\nf(2)\ndel f", temporary="f"),
    Case("functions_mutual", "def a(): return b\ndef b(): return a", "", "a b"),
    Case("function_reads_later_definition", "def f(): return x\nx = 1", "", "f x"),
    Case(
        "function_nested",
        "def f():\n    x = 1\n    def g(): return x + y\n    return g()\nz = f()",
        "y",
        "f z",
        prelude="y = 1",
    ),
    Case("function_global", "def f():\n    global x\n    x = 1\nf()", "", "f x"),
    Case(
        "function_global_past_local",
        "def f():\n    x = 1\n    def g():\n        global x\n        return x\n    return g()\ny = f()",
        "x",
        "f y",
    ),
    Case("function_global_del", "def f():\n    global x\n    del x\nf()", "x", "f", left_over="-x"),
    Case("function_global_class", "def f():\n    global C\n    class C: pass\nf()", "", "C f"),
    Case(
        "function_nonlocal",
        "def f():\n    n = 0\n    def g():\n        nonlocal n\n        n += 1\n    g()\n    return n\nx = f()",
        "",
        "f x",
    ),
    Case("function_global_import", "def f():\n    global json\n    import json\nf()", "", "f json"),
    Case("lambda", "f = lambda a, b=d: a + b + k", "d k", "f", unreached="k"),
    Case("lambda_called", "x = (lambda a: a + k)(1)", "k", "x", prelude="k = 1"),
    Case("generator_function", "def f():\n    yield from items\nx = list(f())", "items", "f x"),
    Case(
        "async_function",
        "async def f():\n    async with cm as c:\n        async for i in c:\n            await g(i)",
        "cm g",
        "f",
        unreached="cm g",
    ),
    # Classes
    Case("class", "class A(Base, metaclass=Meta):\n    x = 1", "Base Meta", "A", prelude="Base = object; Meta = type"),
    Case("class_body_reads", "class A:\n    y = x\n    x = 1\n    z = x", "x", "A"),
    Case("class_names_hidden_from_methods", "class A:\n    x = 1\n    def f(self): return x\ny = A().f()", "x", "A y"),
    Case(
        "class_comprehension", "class A:\n    n = 2\n    squares = [i * k for i in range(n)]", "k", "A", prelude="k = 1"
    ),
    Case("class_nested", "class A:\n    x = 1\n    class B:\n        y = x", "x", "A"),
    Case("class_super", "class A:\n    def f(self): return super().__init__(), __class__\nA().f()", "", "A"),
    Case("class_mangled", "class A:\n    def f(self): return __secret", "", "A"),
    Case("class_method_hint", "class A:\n    T = int\n    def f(self, a: T) -> T: pass", "", "A"),
    Case("class_method_default", "class A:\n    n = 1\n    def f(self, a=n, b=m): pass", "m", "A"),
    Case("class_global", "class A:\n    global x\n    x = 1", "", "A x"),
    Case(
        "class_late_name_in_function",
        "def f():\n    x = 1\n    class A:\n        y = x\n        x = 2\n    return A.y\nz = f()",
        "x",
        "f z",
    ),
    Case("class_decorated", "@deco\nclass A:\n    v: T = d()", "T d deco", "A"),
    Case("class_declared_only", "class A:\n    v: int\n    w = v", "v", "A"),
    # Comprehensions
    Case("comprehension", "x = [i * k for i in items if i]", "items k", "x", prelude="items = [1]; k = 1"),
    Case("comprehension_target_hidden", "x = [i for i in range(3)]\ny = i", "i", "x y"),
    Case("comprehension_nested", "x = {a: {b for b in a} for a in rows}", "rows", "x", prelude="rows = ['a']"),
    Case(
        "comprehension_first_iterable",
        "x = [x for x in x]",
        "",
        "x",
        not_run="x has no value: no other cell may define it",
    ),
    Case("comprehension_two_loops", "x = list(j for i in a for j in i)", "a", "x", prelude="a = [[1]]"),
    Case("comprehension_walrus", "x = [last := i for i in range(3)]", "", "last x"),
    Case(
        "comprehension_walrus_in_function",
        "def f():\n    [last := i for i in range(3)]\n    return last\nx = f()",
        "",
        "f x",
    ),
    Case("comprehension_lambda", "x = [(lambda: i + k)() for i in range(2)]", "k", "x", prelude="k = 1"),
    # Blocks
    Case(
        "if",
        "if a:\n    x = 1\nelif b:\n    y = 2\nelse:\n    z = 3",
        "a b",
        "x y z",
        unreached="b",
        not_run="only one branch runs",
    ),
    Case("while", "n = 3\nwhile n:\n    n -= 1\nelse:\n    done = True", "", "done n"),
    Case("for", "for i, (j, k) in rows:\n    t = i", "rows", "i j k t", prelude="rows = [(1, (2, 3))]"),
    Case("for_attribute", "for o.x in range(3): pass", "o"),
    Case(
        "with",
        "with a as b, c() as (d, e): pass",
        "a c",
        "b d e",
        prelude="import contextlib as _c\na = _c.nullcontext()\ndef c(): return _c.nullcontext((1, 2))",
    ),
    Case(
        "try",
        "try:\n    x = f()\nexcept (E, ValueError) as error:\n    y = error\nelse:\n    z = 1\nfinally:\n    w = 1",
        "E f",
        "w x y z",
        temporary="error",
        not_run="only one branch runs",
    ),
    Case("except_name", "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    m = str(e)", "", "m", temporary="e"),
    Case("except_name_used_before", "print(e)\ntry:\n    pass\nexcept OSError as e:\n    pass", "e", temporary="e"),
    Case("except_name_deleted", "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    del e", temporary="e"),
    Case("except_name_defined", "e = 1\ntry:\n    pass\nexcept OSError as e:\n    pass", "", "e"),
    Case(
        "except_star",
        "try:\n    raise ExceptionGroup('', [OSError()])\nexcept* OSError as group:\n    n = 1",
        "",
        "n",
        temporary="group",
    ),
    Case(
        "match",
        "match p:\n    case {'k': [a, *b], **c} if ok:\n        x = a",
        "ok p",
        "a b c x",
        prelude="p = {'k': [1, 2], 'l': 3}; ok = True",
    ),
    Case(
        "match_class",
        "match p:\n    case Point(x=0) | None: pass\n    case Color.red as c: pass\n    case _: d = 1",
        "Color Point p",
        "c d",
        not_run="only one branch runs",
    ),
    Case("f_string", "x = f'{a!r:>{w}} {b.c[d]}'", "a b d w", "x", prelude="a = 1; w = 2; d = 0\nclass b: c = [1]"),
    Case(
        "assert_raise", "assert ok, message\nraise error", "error message ok", unreached="message", not_run="it raises"
    ),
    Case("top_level_await", "x = await f()", "f", "x", prelude="async def f(): return 1"),
    Case(
        "top_level_async",
        "async with cm as c:\n    pass\nasync for i in c:\n    y = [j async for j in i]",
        "cm",
        "c i y",
        not_run="mocks of asynchronous things have nothing to iterate",
    ),
    Case("async_comprehension", "x = [i async for i in f()]", "f", "x", prelude="async def f():\n    yield 1"),
    Case("star_arguments", "f(*a, **b, k=c)", "a b c f", prelude="a = []; b = {}; c = 1\ndef f(**k): pass"),
    Case("global_at_top", "global x\nx = 1", "", "x"),
    Case("starred_index", "x = t[*i]", "i t", "x"),
]


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _run(case: Case, without: str = "") -> set[str]:
    """Execute a case where only what it reads exists; the names it defined, and `-x` for each it removed."""
    namespace: dict[str, object] = {name: MagicMock(name=name) for name in _names(case.reads)}
    exec(case.prelude, namespace)
    namespace.pop(without, None)
    before = dict(namespace)
    code = compile(case.code, "<case>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    result = types.FunctionType(code, namespace)()
    if asyncio.iscoroutine(result):
        asyncio.run(result)
    changed = {name for name, value in namespace.items() if name not in before or before[name] is not value}
    removed = {f"-{name}" for name in before if name not in namespace}
    return {name for name in changed | removed if not is_private(name) and name != "__annotations__"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_names_by_analysis(case: Case) -> None:
    names = analyse_python(case.code)
    assert names.problem is None
    assert (names.reads, names.writes, names.temporary) == (
        _names(case.reads),
        _names(case.writes),
        _names(case.temporary),
    )


@pytest.mark.parametrize("case", [case for case in CASES if not case.not_run], ids=lambda case: case.id)
def test_names_by_running(case: Case) -> None:
    assert _run(case) == {*_names(case.writes), *_names(case.left_over)}


@pytest.mark.parametrize("case", [case for case in CASES if not case.not_run and case.reads], ids=lambda case: case.id)
def test_every_read_is_needed(case: Case) -> None:
    for name in set(_names(case.reads)) - set(_names(case.unreached)):
        with pytest.raises(NameError, match=rf"'{name}'"):
            _run(case, without=name)
