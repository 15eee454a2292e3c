"""IPython's additions: what analysis makes of them, and what IPython does."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from quire.analysis.names import is_private
from quire.analysis.python import analyse_python


@dataclass(frozen=True)
class Case:
    id: str
    code: str
    reads: str = ""
    writes: str = ""
    not_run: str = ""
    """Why IPython does not run it here."""


CASES = [
    Case("line_magic", "x = 1\n%precision 3\ny = x", "", "x y"),
    Case("line_magic_in_block", "if flag:\n    %precision 3\n    x = 1", "flag", "x"),
    Case("line_magic_expansion", "%precision {digits}", "digits"),
    Case("line_magic_unpaired_quote", "%alias_magic it's time\nx = 1", "", "x", not_run="only its parsing matters"),
    Case("line_magic_statement", "%time x = y + 1", "y", "x"),
    Case("line_magic_statement_empty", "if flag:\n    %time", "flag"),
    Case("line_magic_timeit", "%timeit -n 1 -r 1 x = y", "y"),
    Case("line_magic_timeit_expression", "%timeit -n1 -r1 [i for i in range(y)]", "y"),
    Case("line_magic_assigned", "x = %precision 3", "", "x"),
    Case("line_magic_continued", "%precision \\\n  3\nx = y", "y", "x"),
    Case("shell", "!true\nx = 1", "", "x"),
    Case("shell_expansion", "!echo {y!r} $z ${HOME} $$ {y:.1f} > /dev/null", "y z"),
    Case("shell_braces_not_python", "!echo '{print $1}' > /dev/null"),
    Case("shell_assigned", "x = !echo $y", "y", "x"),
    Case("shell_assigned_to_two", "a, b = !printf '1\\n2\\n'", "", "a b"),
    Case("shell_assigned_to_item", "d['k'] = !echo 1", "d"),
    Case("shell_continued", "!true \\\n  && true\nx = 1", "", "x"),
    Case("shell_twice", "!!true\nx = 1", "", "x"),
    Case("inside_string", 's = """\n!x\n%y\n?z\n"""\n!true', "", "s"),
    Case("inside_brackets", "x = (y\n  % z)\n!true", "y z", "x"),
    Case("inside_continued", "x = y \\\n  % z\n!true", "y z", "x"),
    Case("after_comment", "x = 1  # it's (\n!true", "", "x"),
    Case("after_string", "x = 'it\\'s \"\"\" ('\n!true", "", "x"),
    Case("help_after", "y?", "y", not_run="shows a pager"),
    Case("help_after_more", "y.method??", "y", not_run="shows a pager"),
    Case("help_before", "?y.z", "y", not_run="shows a pager"),
    Case("help_on_magic", "%time?\n?\n??", not_run="shows a pager"),
    Case("help_wildcard", "*int*?", not_run="shows a pager"),
    Case("cell_time", "%%time\nx = y", "y", "x"),
    Case("cell_time_behind_blank_lines", "\n\n%%time\nx = y", "y", "x"),
    Case("cell_time_with_magics", "%%time\n!true\nx = 1", "", "x"),
    Case("cell_capture", "%%capture out --no-stderr\nx = y", "y", "out x"),
    Case("cell_capture_unnamed", "%%capture\nx = 1", "", "x"),
    Case("cell_two", "%%capture out\n%%time\nx = 1", "", "out x"),
    Case("cell_timeit", "%%timeit -n 1 -r 1 a = y\nx = a + z", "y z"),
    Case("cell_bash", "%%bash\nx=1; [ $x = 1 ]"),
    Case("cell_bash_captured", "%%bash --out o --err e\necho $x", "", "e o"),
    Case("cell_other_language", "%%html\n<b>{x}</b> it's"),
    Case("cell_alone", "%%time", not_run="IPython asks for a body"),
    Case("indented", "    x = 1\n    if x:\n        y = z", "z", "x y"),
]


@pytest.fixture(scope="module")
def shell() -> Iterator[Any]:
    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    yield InteractiveShell.instance(config=config)
    InteractiveShell.clear_instance()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_names_by_analysis(case: Case) -> None:
    names = analyse_python(case.code)
    assert names.problem is None
    assert (names.reads, names.writes) == (tuple(case.reads.split()), tuple(case.writes.split()))


@pytest.mark.parametrize("case", [case for case in CASES if not case.not_run], ids=lambda case: case.id)
def test_names_by_ipython(case: Case, shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    shell.reset(new_session=False)
    values: dict[str, object] = {"d": {}, "flag": True}
    shell.push({name: values.get(name, 3) for name in case.reads.split()})
    before = dict(shell.user_ns)
    shell.run_cell(case.code).raise_error()
    defined = {name for name, value in shell.user_ns.items() if name not in before or before[name] is not value}
    assert {name for name in defined if not is_private(name)} == set(case.writes.split())
    assert "not defined" not in capsys.readouterr().err
