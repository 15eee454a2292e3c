"""What cells do: values, names, errors, order."""

import re
import time

import pytest

from quire.kernels.protocol import CellEnded, CellStarted, OutputShown, Step
from tests.kernels.driver import Driver

pytestmark = pytest.mark.asyncio(loop_scope="module")


def plain(text: str) -> str:
    """Without ANSI colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


async def test_a_chain_runs_in_order_and_every_step_has_one_start_and_one_end(shared: Driver) -> None:
    steps = tuple(
        Step(
            f"chain{i}",
            f"n{i} = n{i - 1} + 1\nn{i}" if i else "n0 = 0\nn0",
            (f"n{i}",),
            (f"chain{i - 1}",) if i else (),
        )
        for i in range(200)
    )
    events = await shared.events(*steps)
    expected = [kind for _ in steps for kind in (CellStarted, OutputShown, CellEnded)]
    assert [type(event) for event in events] == expected
    assert [event.cell_id for event in events] == [step.cell_id for step in steps for _ in range(3)]
    assert [event.output.data for event in events if isinstance(event, OutputShown)] == [str(i) for i in range(200)]


async def test_an_empty_plan_and_an_empty_cell(shared: Driver) -> None:
    assert await shared.run() == []
    for code in ("", "   ", "\n\n", "# nothing", "pass"):
        outcome = await shared.cell(code)
        assert (outcome.status, outcome.outputs, outcome.stdout) == ("success", [], "")


async def test_times_are_told(shared: Driver) -> None:
    before = time.time() * 1000
    events = await shared.events(Step("t", "sum(range(10**6))"))
    after = time.time() * 1000
    started, ended = events[0], events[-1]
    assert isinstance(started, CellStarted)
    assert isinstance(ended, CellEnded)
    assert before - 1 <= started.at <= ended.at <= after + 1
    assert 0 <= ended.duration_ms <= after - before + 1


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("1 + 1", ["2"]),
        ("1 + 1;", []),
        ("1 + 1;  # quiet", []),
        ("'a;'", ["'a;'"]),
        ("None", []),
        ("1\n2", ["2"]),
        ("x_shown = 1", []),
        ("for i_shown in range(3):\n    i_shown", []),
        ("'''doc'''\n1", ["1"]),
        ("import asyncio\nawait asyncio.sleep(0, 'slept')", ["'slept'"]),
        ("import asyncio\nv_awaited = await asyncio.sleep(0, 5)\nv_awaited", ["5"]),
        ("async def agen():\n    yield 1\n    yield 2\n[v async for v in agen()]", ["[1, 2]"]),
        (
            "from __future__ import annotations\ndef f_future(a: undefined): ...\nf_future.__annotations__",
            ["{'a': 'undefined'}"],
        ),
        ("%timeit -n1 -r1 -o -q pass;", []),
        ("values_magic = %sx echo magic\nlist(values_magic)", ["['magic']"]),
        ("\n\n  6 * 7", ["42"]),
        ("__name__", ["'__main__'"]),
    ],
)
async def test_the_last_expression_is_shown(shared: Driver, code: str, shown: list[str]) -> None:
    outcome = await shared.cell(code)
    assert outcome.status == "success", outcome.ended
    assert outcome.data == shown


async def test_future_imports_stay_in_their_cell(shared: Driver) -> None:
    await shared.cell("from __future__ import annotations")
    outcome = await shared.cell("def f_plain(a: 1 + 1): ...\nf_plain.__annotations__")
    assert outcome.text == "{'a': 2}"


async def test_context_variables_last_from_cell_to_cell(shared: Driver) -> None:
    await shared.run("import decimal", "decimal.getcontext().prec = 3")
    assert (await shared.cell("decimal.Decimal(1) / 3")).text == "Decimal('0.333')"
    assert (await shared.cell("import asyncio\nawait asyncio.sleep(0)\ndecimal.getcontext().prec")).text == "3"


async def test_magics_that_run_code_show_its_value(shared: Driver) -> None:
    timed = await shared.cell("%%time\n21 * 2")
    assert timed.data == ["42"]
    assert "Wall time" in timed.stdout
    captured = await shared.run("%%capture held\nprint('kept')\n1", "held.stdout")
    assert (captured[0].stdout, captured[0].outputs) == ("", [])
    assert captured[1].text == "'kept\\n'"


async def test_background_tasks_of_a_cell_go_on(shared: Driver) -> None:
    await shared.cell(
        "import asyncio\nticked = []\nasync def tick():\n    ticked.append(1)\ntask = asyncio.create_task(tick())"
    )
    assert (await shared.cell("import asyncio\nawait asyncio.sleep(0)\nticked")).text == "[1]"


class TestErrors:
    async def test_a_traceback_shows_the_cells_own_lines_only(self, shared: Driver) -> None:
        maker, caller = await shared.run("def divide(a):\n    return a / 0", "first = 1\ndivide(first)")
        assert maker.status == "success"
        assert caller.status == "error"
        assert (caller.error.name, caller.error.message, caller.error.line) == (
            "ZeroDivisionError",
            "division by zero",
            2,
        )
        text = plain("\n".join(caller.error.traceback))
        assert "return a / 0" in text
        assert "divide(first)" in text
        assert f"<cell {caller.cell_id}>:2" in text
        for internal in ("bootstrap", "interactiveshell", "ipykernel", "_evaluate", "/IPython/"):
            assert internal not in text

    async def test_errors_of_awaited_code_too(self, shared: Driver) -> None:
        outcome = await shared.cell("import asyncio\nawait asyncio.sleep(0)\nraise LookupError('gone')")
        assert (outcome.error.name, outcome.error.message, outcome.error.line) == ("LookupError", "gone", 3)
        assert "bootstrap" not in "\n".join(outcome.error.traceback)

    async def test_chained_exceptions_are_told_without_internal_frames(self, shared: Driver) -> None:
        outcome = await shared.cell(
            "try:\n    get_ipython().run_line_magic('timeit', '-n1 -r1 1/0')\n"
            "except ZeroDivisionError as e:\n    raise ValueError('wrapped') from e"
        )
        text = plain("\n".join(outcome.error.traceback))
        assert "ZeroDivisionError" in text
        assert "wrapped" in text
        assert "interactiveshell" not in text

    @pytest.mark.parametrize("code", ["def broken(:", "\n\nx = (", "return 1", "%%time\n1 +"])
    async def test_syntax_errors(self, shared: Driver, code: str) -> None:
        outcome = await shared.cell(code)
        assert outcome.status == "error"
        assert outcome.error.name == "SyntaxError" or "SyntaxError" in outcome.stderr
        assert "bootstrap" not in "\n".join(outcome.error.traceback)

    async def test_a_syntax_error_names_its_line(self, shared: Driver) -> None:
        outcome = await shared.cell("\n\nx = 1\ny = = 2")
        assert (outcome.error.name, outcome.error.message, outcome.error.line) == ("SyntaxError", "invalid syntax", 4)

    async def test_exception_groups(self, shared: Driver) -> None:
        outcome = await shared.cell("raise ExceptionGroup('several', [ValueError('one'), KeyError('two')])")
        assert outcome.error.name == "ExceptionGroup"
        assert "ValueError: one" in "\n".join(outcome.error.traceback)

    async def test_unknown_magics(self, shared: Driver) -> None:
        outcome = await shared.cell("%no_such_magic 1")
        assert outcome.error.name == "UsageError"
        assert "no_such_magic" in outcome.error.message

    @pytest.mark.parametrize(
        "code",
        [
            "exit()",
            "quit()",
            "import sys\nsys.exit(3)",
            "raise SystemExit",
            "import asyncio\nawait asyncio.sleep(0)\nexit()",
        ],
    )
    async def test_leaving_python_keeps_the_kernel(self, shared: Driver, code: str) -> None:
        left, then = await shared.run(code, "1")
        assert (left.status, left.error.name) == ("error", "SystemExit")
        assert "Restart" in left.error.message
        assert then.text == "1"

    @pytest.mark.parametrize(
        "code", ["input('name? ')", "import getpass\ngetpass.getpass()", "import sys\nsys.stdin.readline()"]
    )
    async def test_nobody_can_answer(self, shared: Driver, code: str) -> None:
        outcome = await shared.cell(code)
        assert outcome.status == "error"
        assert "nobody can answer" in outcome.error.message

    async def test_recursion(self, shared: Driver) -> None:
        deep, then = await shared.run("def deeper(n):\n    return deeper(n + 1)\ndeeper(0)", "1")
        assert deep.error.name == "RecursionError"
        assert sum(map(len, deep.error.traceback)) < 120_000
        assert then.text == "1"

    async def test_huge_messages_are_shortened(self, shared: Driver) -> None:
        outcome = await shared.cell("raise ValueError('x' * 5_000_000)")
        assert len(outcome.error.message) < 25_000
        assert sum(map(len, outcome.error.traceback)) < 250_000

    async def test_exceptions_that_cannot_be_described(self, shared: Driver) -> None:
        outcome, then = await shared.run(
            "class Mute(Exception):\n    def __str__(self):\n        raise RuntimeError\nraise Mute", "1"
        )
        assert outcome.error.name == "Mute"
        assert then.text == "1"

    async def test_odd_source_is_an_error_of_its_cell(self, shared: Driver) -> None:
        outcomes = await shared.run("x = '\0'", "(" * 500 + ")" * 500, "1")
        assert [outcome.status for outcome in outcomes] == ["error", "error", "success"]


class TestBlocking:
    async def test_what_depends_on_a_failure_is_blocked_and_the_rest_runs(self, shared: Driver) -> None:
        root, child, grandchild, free = await shared.run(
            Step("root", "1/0"),
            Step("child", "print('never')", parents=("root",)),
            Step("grandchild", "print('never')", parents=("child",)),
            Step("free", "print('free')"),
        )
        assert [o.status for o in (root, child, grandchild, free)] == ["error", "blocked", "blocked", "success"]
        assert child.error.name == grandchild.error.name == "Blocked"
        assert child.error.caused_by == grandchild.error.caused_by == "root"
        assert child.stdout == grandchild.stdout == ""
        assert free.stdout == "free\n"

    async def test_the_next_plan_starts_afresh(self, shared: Driver) -> None:
        await shared.run(Step("again", "1/0"))
        fixed, dependent = await shared.run(Step("again", "1"), Step("dependent", "2", parents=("again",)))
        assert (fixed.status, dependent.status) == ("success", "success")


class TestNames:
    async def test_a_cell_that_runs_again_loses_its_names_first(self, shared: Driver) -> None:
        await shared.run(Step("n1", "old_name = 1\nkept_name = 1", ("old_name", "kept_name")))
        _, reader = await shared.run(Step("n1", "kept_name = 2", ("kept_name",)), "'old_name' in globals(), kept_name")
        assert reader.text == "(False, 2)"

    async def test_names_are_gone_before_the_first_cell_of_the_plan_runs(self, shared: Driver) -> None:
        await shared.run(Step("late", "late_name = 1", ("late_name",)))
        early, _ = await shared.run(
            Step("early", "'late_name' in globals()"), Step("late", "late_name = 2", ("late_name",))
        )
        assert early.text == "False"

    async def test_deleted_cells_names_go(self, shared: Driver) -> None:
        await shared.run(Step("doomed", "doomed_name = 1", ("doomed_name",)))
        assert (await shared.run("'doomed_name' in globals()"))[0].text == "True"
        assert (await shared.run("'doomed_name' in globals()", forget=("doomed",)))[0].text == "False"

    @pytest.mark.parametrize(
        ("code", "name"),
        [
            ("exec('made_by_exec = 1')", "made_by_exec"),
            ("from colorsys import *", "rgb_to_hsv"),
            ("globals()['made_by_globals'] = 1", "made_by_globals"),
            ("def setter():\n    global made_by_global\n    made_by_global = 1\nsetter()", "made_by_global"),
            ("made_by_sx = !echo 1", "made_by_sx"),
            ("%%capture made_by_capture\n1", "made_by_capture"),
            ("made_before_failure = 1\n1/0", "made_before_failure"),
        ],
    )
    async def test_names_that_analysis_does_not_see_go_as_well(self, shared: Driver, code: str, name: str) -> None:
        _, there = await shared.run(Step("dynamic", code), f"{name!r} in globals()")
        assert there.text == "True"
        _, gone = await shared.run(Step("dynamic", "pass"), f"{name!r} in globals()")
        assert gone.text == "False"

    async def test_names_of_other_cells_stay(self, shared: Driver) -> None:
        await shared.run(Step("first", "contested = 'first'", ("contested",)))
        await shared.run(Step("second", "contested = 'second'", ("contested",)))
        _, reader = await shared.run(Step("first", "pass", ("contested",)), "contested")
        assert reader.text == "'second'"

    async def test_a_name_bound_to_the_same_object_again_changes_its_owner(self, shared: Driver) -> None:
        await shared.run(Step("o1", "owned = None", ("owned",)), Step("o2", "owned = None", ("owned",)))
        _, reader = await shared.run(Step("o1", "pass"), "'owned' in globals()")
        assert reader.text == "True"

    async def test_no_names_of_ours_in_the_namespace(self, shared: Driver) -> None:
        outcome = await shared.cell("sorted(name for name in globals() if 'quire' in name.lower())")
        assert outcome.text == "[]"

    async def test_values_are_not_kept_alive_by_having_been_shown(self, shared: Driver) -> None:
        await shared.run(
            Step("big", "class Big: pass\nbig = Big()\nimport weakref\nbig_ref = weakref.ref(big)\nbig", ("big",)),
            Step("failing", "def fails(held):\n    raise ValueError\nfails(big)"),
        )
        await shared.run("seen_ref = big_ref")
        _, outcome = await shared.run(Step("big", "pass"), "import gc\ngc.collect()\nseen_ref() is None")
        assert outcome.text == "True"


class TestPrivateNames:
    async def test_each_cell_has_its_own(self, shared: Driver) -> None:
        first, second, first_again = await shared.run(
            Step("p1", "_total = 1\ndef total_of_p1():\n    return _total"),
            Step("p2", "_total = 2\n_total"),
            Step("p3", "total_of_p1()"),
        )
        assert (first.status, second.text, first_again.text) == ("success", "2", "1")

    async def test_other_cells_do_not_see_them(self, shared: Driver) -> None:
        _, reader = await shared.run("_hidden = 1", "_hidden")
        assert (reader.error.name, reader.error.message) == ("NameError", "name '_hidden' is not defined")

    async def test_messages_and_tracebacks_have_the_authors_names(self, shared: Driver) -> None:
        outcome = await shared.cell("def _inner():\n    return _late\n_inner()\n_late = 1")
        assert outcome.error.message == "name '_late' is not defined"
        text = "\n".join(outcome.error.traceback)
        assert "_cell_" not in text
        assert "_inner" in plain(text)

    async def test_functions_and_classes_keep_their_names(self, shared: Driver) -> None:
        outcome = await shared.cell(
            "class _Box:\n    def get(self): ...\ndef _f(): ...\n_Box.__name__, _Box.get.__qualname__, _f.__name__"
        )
        assert outcome.text == "('_Box', '_Box.get', '_f')"

    async def test_the_underscore_alone_is_private(self, shared: Driver) -> None:
        outcomes = await shared.run("for _ in range(3): pass\n_", "'_' in globals()")
        assert [outcome.text for outcome in outcomes] == ["2", "False"]

    @pytest.mark.parametrize(
        ("code", "value"),
        [
            ("_x = 1\nclass C:\n    _x = 2\n    y = _x\nC.y, C._x, _x", "(2, 2, 1)"),
            ("_x = 1\nclass C:\n    _x = 2\n    def m(self): return _x\nC().m()", "1"),
            ("_x = 1\ndef f(_x): return _x\nf(2), f(_x=3), _x", "(2, 3, 1)"),
            (
                "_x = 1\ndef f():\n    _x = 5\n    def g():\n        nonlocal _x; _x += 1\n    g(); return _x\nf(), _x",
                "(6, 1)",
            ),
            ("_x = 1\ndef f():\n    global _x\n    _x = 7\nf()\n_x", "7"),
            ("def f():\n    global _made\n    _made = 7\nf()\n_made", "7"),
            ("_x = [1, 2]\n[_x for _x in _x], _x", "([1, 2], [1, 2])"),
            ("_x = 3\n[i for i in range(_x) if i < _x]", "[0, 1, 2]"),
            ("[(_y := i) for i in range(3)]\n_y", "2"),
            ("import json as _json\n_json.dumps(1)", "'1'"),
            ("import os.path as _p\n_p.basename('a/b')", "'b'"),
            ("from math import pi as _pi\nround(_pi)", "3"),
            ("import _thread\n_thread.__name__", "'_thread'"),
            (
                "try:\n    1/0\nexcept ZeroDivisionError as _e:\n    kind_e = type(_e).__name__\nkind_e",
                "'ZeroDivisionError'",
            ),
            ("match {'a': 1, 'b': 2}:\n    case {'a': _a, **_rest}: pass\n_a, _rest", "(1, {'b': 2})"),
            ("match [1, 2, 3]:\n    case [_h, *_t]: pass\n_h, _t", "(1, [2, 3])"),
            ("match 1:\n    case _: wild = 'w'\nwild", "'w'"),
            ("_x = 1\nf'{_x!r} {_x:>3}'", "'1   1'"),
            ("_f = lambda _x: _x + 1\n_f(1)", "2"),
            ("_x = 1\n(lambda: _x)()", "1"),
            ("def _deco(f): return lambda: 'decorated'\n@_deco\ndef g(): ...\ng()", "'decorated'"),
            ("_d = 4\ndef g(a=_d, *, b=_d): return a + b\ng()", "8"),
            ("_x: int = 3\n_x += 1\n_x", "4"),
            ("import asyncio\n_v = await asyncio.sleep(0, 9)\n_v", "9"),
            ("__dunder = 1\n'__dunder' in globals()", "True"),
            ("class A:\n    _attr = 1\n_attr = 2\nA._attr, A()._attr", "(1, 1)"),
        ],
    )
    async def test_scopes(self, shared: Driver, code: str, value: str) -> None:
        outcome = await shared.cell(code)
        assert outcome.status == "success", outcome.error.traceback
        assert outcome.text == value

    async def test_they_go_when_the_cell_runs_again(self, shared: Driver) -> None:
        await shared.run(Step("priv", "_gone = 1"))
        again = await shared.run(Step("priv", "'_gone' in dir() or _gone"))
        assert again[0].error.name == "NameError"
