"""Tables that cells show: what the output says, the first page among it."""

from typing import Any

import pytest

from tests.kernels.driver import Driver
from tests.kernels.tables import PANDAS, POLARS, ask, column, kinds, names, show

pytestmark = pytest.mark.asyncio(loop_scope="module")

OWN_HTML = (
    "class Mine(pd.DataFrame): pass\n"
    "get_ipython().display_formatter.formatters['text/html'].for_type(Mine, lambda value: 'mine')\nMine()"
)


class TestValues:
    @pytest.mark.parametrize(
        ("values", "kind", "cells"),
        [
            ("[1, -2, 2**53, 2**53 + 1]", "integer", [1, -2, 2**53, str(2**53 + 1)]),
            ("np.array([2**64 - 1], dtype='uint64')", "integer", [str(2**64 - 1)]),
            ("pd.array([1, None], dtype='Int64')", "integer", [1, None]),
            ("[10**30, None]", "integer", [str(10**30), None]),
            ("[0.1, 1e300, float('nan')]", "number", [0.1, 1e300, None]),
            ("[float('inf'), float('-inf')]", "number", ["inf", "-inf"]),
            ("np.array([0.1, 16777216, np.nan], dtype='float32')", "number", [0.1, 16777216.0, None]),
            ("np.array([0.1], dtype='float16')", "number", [0.1]),
            ("[decimal.Decimal('1.10'), None]", "number", ["1.10", None]),
            ("[True, False]", "boolean", [True, False]),
            ("pd.array([True, None], dtype='boolean')", "boolean", [True, None]),
            ("['a', None, '']", "text", ["a", None, ""]),
            ("pd.array(['a', pd.NA], dtype='string')", "text", ["a", None]),
            ("pd.Series(['a', np.nan], dtype=object)", "text", ["a", None]),
            ("['x' * 1000, 'x' * 1001]", "text", ["x" * 1000, "x" * 997 + "..."]),
            ("pd.Categorical(['b', None, 'a'])", "category", ["b", None, "a"]),
            ("pd.to_datetime(['2020-01-02T03:04:05', None])", "time", ["2020-01-02T03:04:05", None]),
            ("[pd.Timestamp(1, unit='ns')]", "time", ["1970-01-01T00:00:00.000000001"]),
            (
                "pd.to_datetime(['2020-07-01']).tz_localize('Europe/Berlin')",
                "time",
                ["2020-07-01T00:00:00+02:00"],
            ),
            ("[dt.date(2020, 1, 2), None]", "time", ["2020-01-02", None]),
            ("[dt.time(1, 2, 3)]", "time", ["01:02:03"]),
            ("pd.to_timedelta([90, -1, None], unit='s')", "duration", ["0 days 00:01:30", "-1 days +23:59:59", None]),
            ("pd.to_timedelta([1_000_001], unit='ns')", "duration", ["0 days 00:00:00.001000001"]),
            ("[1 + 2j]", "other", ["(1+2j)"]),
            ("[[1, 2], {'b': 1, 'a': 2}]", "other", ["[1, 2]", "{'b': 1, 'a': 2}"]),
            ("[b'ab', 'c']", "other", ["b'ab'", "c"]),
            ("pd.period_range('2020-01', periods=1, freq='M')", "other", ["Period('2020-01', 'M')"]),
            ("[None, None]", "text", [None, None]),
        ],
    )
    async def test_pandas(self, shared: Driver, values: str, kind: str, cells: list[Any]) -> None:
        table = await show(shared, f"{PANDAS}pd.DataFrame({{'a': {values}}})")
        assert (kinds(table), column(table, 1)) == (["integer", kind], cells)

    @pytest.mark.parametrize(
        ("values", "kind", "cells"),
        [
            ("[1, 2**53 + 1, None]", "integer", [1, str(2**53 + 1), None]),
            ("[0.1, float('nan'), float('inf'), None]", "number", [0.1, None, "inf", None]),
            ("pl.Series([0.1], dtype=pl.Float32)", "number", [0.1]),
            ("[decimal.Decimal('1.10')]", "number", ["1.10"]),
            ("[True, None]", "boolean", [True, None]),
            ("['a', None]", "text", ["a", None]),
            ("pl.Series(['a'], dtype=pl.Categorical)", "category", ["a"]),
            ("[dt.date(2020, 1, 2)]", "time", ["2020-01-02"]),
            ("[dt.datetime(2020, 1, 2, 3)]", "time", ["2020-01-02T03:00:00"]),
            ("pl.Series([1]).cast(pl.Datetime('ns'))", "time", ["1970-01-01T00:00:00.000000001"]),
            (
                "pl.Series([dt.datetime(2020, 7, 1)]).dt.replace_time_zone('Europe/Berlin')",
                "time",
                ["2020-07-01T00:00:00+02:00"],
            ),
            ("[dt.time(1, 2)]", "time", ["01:02:00"]),
            ("[dt.timedelta(days=1, seconds=1)]", "duration", ["1 days 00:00:01"]),
            ("[[1, 2], None]", "other", ["[1, 2]", None]),
            ("[{'x': 1}]", "other", ["{'x': 1}"]),
        ],
    )
    async def test_polars(self, shared: Driver, values: str, kind: str, cells: list[Any]) -> None:
        table = await show(shared, f"{POLARS}pl.DataFrame({{'a': {values}}})")
        assert (kinds(table), column(table, 0), table["index"]) == ([kind], cells, 0)

    async def test_objects_that_do_not_want_to_be_shown(self, shared: Driver) -> None:
        code = (
            f"{PANDAS}class Raises:\n    def __repr__(self): raise RuntimeError\n"
            "class Recursive:\n    def __repr__(self): return repr(self)\n"
            "class Endless:\n    def __repr__(self):\n        while True:\n            pass\n"
            "class Stubborn:\n    def __repr__(self):\n        while True:\n            try: 1 / 0\n"
            "            except Exception: pass\n"
            "class Long:\n    def __repr__(self): return 'x' * 10_000_000\n"
            "loop = []\nloop.append(loop)\n"
            "pd.DataFrame({'a': [Raises(), Recursive(), [Raises()], loop, Long(), Endless(), Stubborn(), Endless()]})"
        )
        cells = column(await show(shared, code), 1)
        assert cells[:3] == ["<Raises>", "<Recursive>", "[<Raises>]"]
        assert cells[3].startswith("[[[")
        assert len(cells[4]) <= 200
        assert cells[5:] == ["<Endless>", "<Stubborn>", "<Endless>"]

    async def test_many_long_texts_are_cut_to_fit(self, shared: Driver) -> None:
        code = f"{PANDAS}pd.DataFrame({{n: ['\u20ac' * 5000] * 500 for n in range(199)}})"
        table = await show(shared, code)
        assert {len(cell) for row in table["rows"] for cell in row[1:]} == {60}
        page = await ask(shared, "table_page", table=table["table"], limit=50, offset=450)
        assert len(page["rows"]) == 50


class TestShapes:
    async def test_the_first_page_of_many_rows(self, shared: Driver) -> None:
        table = await show(shared, f"{PANDAS}pd.DataFrame({{'a': range(120)}})")
        assert table["rows"] == [[n, n] for n in range(50)]
        assert (table["index"], table["total"], table["total_columns"]) == (1, 120, 2)
        assert table["columns"][1] == {"name": "a", "type": "int64", "kind": "integer"}

    async def test_many_columns(self, shared: Driver) -> None:
        table = await show(shared, f"{PANDAS}pd.DataFrame(np.zeros((2, 1000)))")
        assert (len(table["columns"]), len(table["rows"][0]), table["total_columns"]) == (200, 200, 1001)
        assert names(table)[-1] == "198"

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("pd.DataFrame()", ([""], [], 1)),
            ("pd.DataFrame(index=[5, 6])", ([""], [[5], [6]], 1)),
            ("pd.DataFrame({'a': []})", (["", "a"], [], 1)),
            ("pd.DataFrame([[1, 2]], columns=['a', 'a'])", (["", "a", "a"], [[0, 1, 2]], 1)),
            ("pd.DataFrame([[1, 2]], columns=[('a', 1), ('b', 2)])", (["", "a / 1", "b / 2"], [[0, 1, 2]], 1)),
            (
                "pd.DataFrame({'v': [7]}, index=pd.MultiIndex.from_tuples([('x', 1)], names=['m', None]))",
                (["m", "", "v"], [["x", 1, 7]], 2),
            ),
            ("pd.Series([7], name='s')", (["", "s"], [[0, 7]], 1)),
            ("pd.Series([7], index=['x'])", (["", ""], [["x", 7]], 1)),
            ("pl.DataFrame()", ([], [], 0)),
            ("pl.DataFrame({'a': []})", (["a"], [], 0)),
            ("pl.Series('s', [7])", (["s"], [[7]], 0)),
        ],
    )
    async def test_shapes(self, shared: Driver, value: str, expected: tuple[list[str], list[Any], int]) -> None:
        table = await show(shared, f"{PANDAS}{POLARS}{value}")
        assert (names(table), table["rows"], table["index"]) == expected

    @pytest.mark.parametrize("code", ["display(df)", "df", "display(df, display_id='d');", "display(df, include=None)"])
    async def test_shown_in_any_way(self, shared: Driver, code: str) -> None:
        assert names(await show(shared, f"{PANDAS}df = pd.DataFrame({{'a': [1]}})\n{code}")) == ["", "a"]

    async def test_an_update_of_a_display(self, shared: Driver) -> None:
        table = await show(shared, f"{PANDAS}handle = display(1, display_id=True)\nhandle.update(pd.Series([7]))")
        assert table["rows"] == [[0, 7]]

    async def test_a_subclass_with_html_of_its_own(self, shared: Driver) -> None:
        code = f"{PANDAS}class Own(pd.DataFrame):\n    def _repr_html_(self): return '<b>own</b>'\nOwn({{'a': [1]}})"
        assert (await show(shared, code))["rows"] == [[0, 1]]

    @pytest.mark.parametrize(
        ("code", "mime_type"),
        [
            ("pd.DataFrame({'a': [1]}).style", "text/html"),
            ("display(pd.DataFrame({'a': [1]}), include=['text/plain'])", "text/plain"),
            ("pl.LazyFrame({'a': [1]})", "text/html"),
            (OWN_HTML, "text/html"),
        ],
    )
    async def test_what_is_not_a_table(self, shared: Driver, code: str, mime_type: str) -> None:
        [output] = (await shared.cell(f"{PANDAS}{POLARS}{code}")).outputs
        assert output.mime_type == mime_type

    async def test_a_frame_that_cannot_be_read_has_its_other_forms(self, shared: Driver) -> None:
        code = (
            f"{PANDAS}class Broken(pd.DataFrame):\n    def copy(self, deep=True): raise ValueError('no copy')\n"
            "    def _repr_html_(self): return 'html'\nBroken()"
        )
        outcome = await shared.cell(code)
        assert outcome.data == ["html"]
        assert "no copy" in outcome.stderr

    async def test_libraries_are_not_imported(self, shared: Driver) -> None:
        code = (
            "import sys\nclass DataFrame: pass\nDataFrame.__module__ = 'modin.frame'\ndisplay(DataFrame())\n"
            "'modin' in sys.modules"
        )
        assert (await shared.cell(code)).data[-1] == "False"

    async def test_arrow(self, shared: Driver) -> None:
        pytest.importorskip("pyarrow")
        code = (
            "import pyarrow as pa\n"
            "pa.table({'a': [3, None, 1], 'b': pa.array([0.1, 1, 2], pa.float32()), 'c': ['x', 'Y', None]})"
        )
        table = await show(shared, code)
        assert (kinds(table), table["rows"][0]) == (["integer", "number", "text"], [3, 0.1, "x"])
        page = await ask(
            shared,
            "table_page",
            table=table["table"],
            sort=[{"column": 0, "descending": False}],
            filters=[{"column": 2, "op": "not_contains", "value": "y"}],
        )
        assert page == {"rows": [[1, 2.0, None], [3, 0.1, "x"]], "total": 2, "offset": 0}
        profile = await ask(shared, "table_column", table=table["table"], column=0)
        assert (profile["low"], profile["high"], profile["nulls"]) == (1, 3, 1)
