"""Code that is no Python, hardly Python, or newer Python: always an answer, never an exception or a warning."""

import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from quire.analysis.names import CellNames, SyntaxProblem
from quire.analysis.python import analyse_python

needs_type_parameters = pytest.mark.skipif(sys.version_info < (3, 12), reason="type parameters came with Python 3.12")


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("x = ", 1),
        ("x = 1\n\ny = (2", 3),
        ("x = 1\n  y = 2", 2),
        ("if x:\n\ty = 1\n        z = 2", 3),
        ("x = 'it\n", 1),
        ("\n\nx = $1", 3),
        ("!ls\n\nx = = 1", 3),
        ("%%time\nx = 1\ny =", 3),
        ("x = 1\n\0", 2),
        ("x = 1\ny = '\ud800'", 2),
        ("9" * 5000, 1),
        ("(" * 300 + ")" * 300, 1),
    ],
)
def test_syntax_problem_names_the_line(code: str, line: int) -> None:
    names = analyse_python(code)
    assert names.problem is not None
    assert names.problem.message
    assert names.problem.line == line
    assert names == CellNames(problem=names.problem)


@pytest.mark.parametrize(
    "code",
    ["-" * 100_000 + "1", "not " * 50_000 + "1", "lambda: " * 30_000 + "1", "a" + ".b" * 100_000, "f" + "()" * 100_000],
)
def test_too_deep_is_a_problem(code: str) -> None:
    problem = analyse_python(code).problem
    assert isinstance(problem, SyntaxProblem)
    assert "too deeply nested" in problem.message


def test_deep_trees_do_not_exhaust_the_stack() -> None:
    depth = sys.getrecursionlimit() * 2
    names = analyse_python(f"x = {' + '.join(['a'] * depth)}\n")
    assert (names.problem, names.reads, names.writes) == (None, ("a",), ("x",))
    branches = "".join(f"elif a == {number}:\n    x{number} = 1\n" for number in range(depth // 4))
    assert len(analyse_python(f"if a:\n    pass\n{branches}").writes) == depth // 4


def test_warnings_stay_inside() -> None:
    assert analyse_python('x = "\\d" + r"\\d"\ny = 1if x else 2').writes == ("x", "y")


@given(st.text())
@example("%%time\r\r\n!\n\\")
@example("?\\\n")
@example("\ufeffx = 1")
@example("%\\\x0c\n!{\n")
@settings(max_examples=300)
def test_any_text_has_an_answer(text: str) -> None:
    assert isinstance(analyse_python(text), CellNames)


SIGNS = [*"%!?=\\\n\t\"'()[]{}$:.,;#*\r\x0c\0\ud800", "\n", "\n", " ", "    ", '"""', " = ", ":="]
WORDS = ["x", "y", "1", "%%", "%%time", "%%timeit", "%%bash", "%time ", "%timeit ", "def ", "class ", "del ", "global "]
WORDS += [
    "lambda ",
    "for ",
    " in ",
    "if ",
    "import ",
    "from ",
    "except ",
    "try:",
    "match ",
    "case ",
    "async ",
    "await ",
]


@given(st.lists(st.sampled_from(SIGNS + WORDS), max_size=30).map("".join))
@settings(max_examples=500)
def test_anything_like_code_has_an_answer(code: str) -> None:
    names = analyse_python(code)
    for listed in (names.free, names.writes, names.private, names.temporary, names.star_imports):
        assert list(listed) == sorted(set(listed))
    assert not set(names.free) & set(names.writes)
    assert not set(names.temporary) & set(names.writes)


@needs_type_parameters
@pytest.mark.parametrize(
    ("code", "reads", "writes"),
    [
        ("type Pair[T] = tuple[T, U]", "U", "Pair"),
        ("type Tree = list[Tree]", "", "Tree"),
        ("def f[T: Bound, *Ts, **P](a: T, b=T) -> T:\n    return T, k", "Bound T k", "f"),
        ("class A[T](Base[T]):\n    x: T = y\n    def m(self) -> T: return T, x", "Base x y", "A"),
        ("class A:\n    Local = int\n    def m[T](self, a: Local) -> T: return Local", "Local", "A"),
    ],
)
def test_type_parameters(code: str, reads: str, writes: str) -> None:
    names = analyse_python(code)
    assert names.problem is None
    assert (names.reads, names.writes) == (tuple(reads.split()), tuple(writes.split()))


def test_star_imports_are_listed() -> None:
    names = analyse_python("from os.path import *\nfrom .. import *\nfrom .near import *")
    assert names.star_imports == ("..", ".near", "os.path")
    assert names.writes == ()


def test_private_names_are_listed() -> None:
    assert analyse_python("_a = _b\nfor _ in x: __c = 1").private == ("_", "_a")


def test_builtins_are_free_but_not_shown() -> None:
    names = analyse_python("x = sum(y)\nprint(x)")
    assert names.free == ("print", "sum", "y")
    assert names.reads == ("y",)
