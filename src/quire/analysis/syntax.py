"""Parsing Python that may be anything: a tree or a problem, never an exception, never a warning."""

import ast
import warnings

from quire.analysis.names import SyntaxProblem

_FILE_NAME = "<cell>"
_TOO_COMPLEX = "too deeply nested or too large to be parsed"


def parse(code: str) -> ast.Module | SyntaxProblem:
    """The tree of `code`, or why there is none. `await` outside of functions is allowed."""
    if "\0" in code:
        return SyntaxProblem("a NUL character cannot be part of the code", _line_of(code, code.index("\0")))
    try:
        with warnings.catch_warnings():
            # Invalid escapes and the like are for whoever runs the code to report. The filter names our file only:
            # should another thread change the filters at this moment, nothing else falls silent.
            warnings.filterwarnings("ignore", module=_FILE_NAME)
            tree = compile(code, _FILE_NAME, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    except SyntaxError as error:
        return SyntaxProblem(error.msg, error.lineno or 0)
    except UnicodeEncodeError as error:
        return SyntaxProblem("half of a surrogate pair is not a character", _line_of(code, error.start))
    except (ValueError, OverflowError) as error:
        return SyntaxProblem(str(error))
    except (RecursionError, MemoryError):
        return SyntaxProblem(_TOO_COMPLEX)
    assert isinstance(tree, ast.Module)
    return tree


def parses(code: str) -> bool:
    """Whether `code` is Python."""
    return isinstance(parse(code), ast.Module)


def _line_of(code: str, position: int) -> int:
    return code.count("\n", 0, position) + 1
