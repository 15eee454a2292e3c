"""Rows of tables that cells have shown, on request: in pages, sorted, filtered, for as long as the result stands."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from quire.kernels.protocol import QuestionRefused, Step
from tests.kernels.driver import Driver
from tests.kernels.tables import PANDAS, POLARS, ask, column, show, table_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

GONE = "no longer in the kernel: run the cell again"

MIXED = {
    "pandas": PANDAS
    + "pd.DataFrame({'n': [3, 1, None, 2, 1], 't': ['b', 'A', 'a', None, 'c'], 'f': [True, False, True, True, False],"
    " 'w': pd.to_datetime(['2020-01-03', '2020-01-01', None, '2020-01-02', '2020-01-05']),"
    " 'd': pd.to_timedelta([3, 1, None, 2, 90], unit='s'), 'k': pd.Categorical(['x', 'y', 'x', None, 'z'])},"
    " index=list('vwxyz')).reset_index(names='i').set_index(pd.Index(range(5)))",
    "polars": POLARS + "pl.DataFrame({'r': [0, 1, 2, 3, 4], 'i': list('vwxyz'), 'n': [3, 1, None, 2, 1],"
    " 't': ['b', 'A', 'a', None, 'c'], 'f': [True, False, True, True, False],"
    " 'w': [dt.datetime(2020, 1, 3), dt.datetime(2020, 1, 1), None, dt.datetime(2020, 1, 2),"
    " dt.datetime(2020, 1, 5)],"
    " 'd': [None if s is None else dt.timedelta(seconds=s) for s in [3, 1, None, 2, 90]],"
    " 'k': pl.Series(['x', 'y', 'x', None, 'z'], dtype=pl.Categorical)})",
}
"""The same table in both: column 1 names the rows v to z."""
ROW_NAME, NUMBER, TEXT, FLAG, WHEN, DURATION, CATEGORY = range(1, 8)


def by(*columns: int, descending: bool = False) -> list[dict[str, object]]:
    return [{"column": column, "descending": descending} for column in columns]


def where(column: int, op: str, value: object = None) -> dict[str, object]:
    return {"column": column, "op": op, "value": value}


@pytest.mark.parametrize("library", MIXED)
class TestPages:
    async def page(
        self, driver: Driver, library: str, sort: Sequence[object] = (), filters: Sequence[object] = ()
    ) -> str:
        """The names of the rows."""
        table = await show(driver, MIXED[library])
        page = await ask(driver, "table_page", table=table["table"], sort=sort, filters=filters)
        assert page["total"] == len(page["rows"])
        return "".join(row[ROW_NAME] for row in page["rows"])

    @pytest.mark.parametrize(
        ("sort", "rows"),
        [
            (by(NUMBER), "wzyvx"),
            (by(NUMBER, descending=True), "vywzx"),
            (by(TEXT), "wxvzy"),
            (by(WHEN, descending=True), "zvywx"),
            (by(DURATION), "wyvzx"),
            (by(FLAG, NUMBER), "wzyvx"),
            ([*by(FLAG, descending=True), *by(NUMBER, descending=True)], "vyxwz"),
            ([*by(NUMBER), *by(ROW_NAME, descending=True)], "zwyvx"),
        ],
    )
    async def test_sorted(self, shared: Driver, library: str, sort: list[object], rows: str) -> None:
        assert await self.page(shared, library, sort=sort) == rows

    @pytest.mark.parametrize(
        ("filters", "rows"),
        [
            ([where(NUMBER, "eq", 1)], "wz"),
            ([where(NUMBER, "eq", "1.0")], "wz"),
            ([where(NUMBER, "ne", 1)], "vxy"),
            ([where(NUMBER, "gt", 1.5)], "vy"),
            ([where(NUMBER, "null")], "x"),
            ([where(NUMBER, "not_null"), where(NUMBER, "le", 2)], "wyz"),
            ([where(TEXT, "contains", "A")], "wx"),
            ([where(TEXT, "not_contains", "a")], "vyz"),
            ([where(TEXT, "eq", "a")], "x"),
            ([where(TEXT, "ge", "b")], "vz"),
            ([where(FLAG, "eq", value=True)], "vxy"),
            ([where(FLAG, "ne", "true")], "wz"),
            ([where(WHEN, "ge", "2020-01-02")], "vyz"),
            ([where(WHEN, "lt", "2020-01-02T12:00:00")], "wy"),
            ([where(DURATION, "gt", 2)], "vz"),
            ([where(DURATION, "eq", "0 days 00:01:30")], "z"),
            ([where(CATEGORY, "eq", "x")], "vx"),
            ([where(CATEGORY, "contains", "Z")], "z"),
            ([where(CATEGORY, "ne", "x")], "wyz"),
            ([where(CATEGORY, "null")], "y"),
        ],
    )
    async def test_filtered(self, shared: Driver, library: str, filters: list[object], rows: str) -> None:
        assert await self.page(shared, library, filters=filters) == rows

    async def test_sorted_and_filtered(self, shared: Driver, library: str) -> None:
        rows = await self.page(shared, library, by(NUMBER), [where(FLAG, "eq", value=True), where(TEXT, "not_null")])
        assert rows == "vx"

    async def test_pages_follow_each_other(self, shared: Driver, library: str) -> None:
        table = (await show(shared, MIXED[library]))["table"]
        pages = [
            await ask(shared, "table_page", table=table, offset=offset, limit=2, sort=by(NUMBER))
            for offset in (0, 2, 4, 6)
        ]
        assert ["".join(row[ROW_NAME] for row in page["rows"]) for page in pages] == ["wz", "yv", "x", ""]
        assert [(page["total"], page["offset"]) for page in pages] == [(5, 0), (5, 2), (5, 4), (5, 6)]
        plain = await ask(shared, "table_page", table=table, offset=3, limit=500)
        assert "".join(row[ROW_NAME] for row in plain["rows"]) == "yz"

    @pytest.mark.parametrize(
        ("arguments", "why"),
        [
            ({"sort": by(8)}, "no column 8: this table shows 8"),
            ({"sort": [{}]}, "no column None"),
            ({"filters": [where(-1, "null")]}, "no column -1"),
            ({"filters": [where(NUMBER, "like", 1)]}, "no operator 'like'"),
            ({"filters": [where(NUMBER, "eq", "abc")]}, "'abc' does not fit: column 'n' holds numbers"),
            ({"filters": [where(NUMBER, "eq")]}, "has no value"),
            ({"filters": [where(NUMBER, "contains", 1)]}, "holds numbers: compare them"),
            ({"filters": [where(FLAG, "eq", "maybe")]}, "holds true and false"),
            ({"filters": [where(WHEN, "eq", "soon")]}, "'soon' is not a time"),
            ({"filters": [where(WHEN, "eq", "2020-01-01T00:00:00+00:00")]}, "time zone"),
            ({"filters": [where(DURATION, "eq", "long")]}, "holds durations"),
            ({"limit": 501}, "1 to 500 rows"),
            ({"offset": -1}, "row 0 or later"),
        ],
    )
    async def test_refused(self, shared: Driver, library: str, arguments: dict[str, object], why: str) -> None:
        table = (await show(shared, MIXED[library]))["table"]
        with pytest.raises(QuestionRefused, match=why):
            await ask(shared, "table_page", table=table, **arguments)


class TestOddPages:
    @pytest.mark.parametrize(
        ("values", "order", "filters", "cells"),
        [
            ("[decimal.Decimal('2.5'), None, decimal.Decimal('1')]", by(1), [], ["1", "2.5", None]),
            ("[decimal.Decimal('2.5'), None, decimal.Decimal('1')]", [], [where(1, "gt", "1.5")], ["2.5"]),
            ("[dt.date(2020, 1, 2), None, dt.date(2020, 1, 1)]", by(1), [where(1, "ge", "2020-01-02")], ["2020-01-02"]),
            ("[3, 'b', None, 'a']", by(1), [], [3, "a", "b", None]),
            ("[[2], [1], None]", [], [where(1, "contains", "1")], ["[1]"]),
            ("np.array([0.1, 0.2], dtype='float32')", [], [where(1, "eq", 0.1)], [0.1]),
            ("[decimal.Decimal('0.1'), decimal.Decimal(3)]", [], [where(1, "le", 0.1)], ["0.1"]),
            ("np.array([1, 2], dtype='uint8')", [], [where(1, "gt", -1), where(1, "lt", 2**70)], [1, 2]),
            ("[2**60, 2**60 + 1]", [], [where(1, "eq", str(2**60 + 1))], [str(2**60 + 1)]),
            ("pd.array([1, None, 3], dtype='Int64')", [], [where(1, "ne", 1)], [None, 3]),
            ("[1.0, np.nan, 3.0]", [], [where(1, "ge", 0)], [1.0, 3.0]),
            ("pd.Series(['a(', 'b', None], dtype=object)", [], [where(1, "contains", "A(")], ["a("]),
            (
                "pd.to_datetime(['2020-07-01', '2020-07-02']).tz_localize('Europe/Berlin')",
                [],
                [where(1, "ge", "2020-07-02")],
                ["2020-07-02T00:00:00+02:00"],
            ),
        ],
    )
    async def test_pandas(
        self, shared: Driver, values: str, order: list[object], filters: list[object], cells: list[object]
    ) -> None:
        table = (await show(shared, f"{PANDAS}pd.DataFrame({{'a': {values}}})"))["table"]
        page = await ask(shared, "table_page", table=table, sort=order, filters=filters)
        assert column(page, 1) == cells

    @pytest.mark.parametrize(
        ("values", "filters", "cells"),
        [
            ("pl.Series([0.1, 0.2], dtype=pl.Float32)", [where(0, "eq", 0.1)], [0.1]),
            ("pl.Series([1, 2], dtype=pl.UInt8)", [where(0, "gt", -1), where(0, "lt", 2**70)], [1, 2]),
            ("[decimal.Decimal('0.1'), decimal.Decimal(3)]", [where(0, "le", 0.1)], ["0.1"]),
            ("[1.0, float('nan'), None]", [where(0, "null")], [None, None]),
            ("[1.0, float('nan')]", [where(0, "gt", 0)], [1.0]),
            ("[dt.date(2020, 1, 1), dt.date(2020, 1, 2)]", [where(0, "gt", "2020-01-01")], ["2020-01-02"]),
            ("[dt.time(1), dt.time(2)]", [where(0, "gt", "01:30")], ["02:00:00"]),
            ("[[1], [2]]", [where(0, "contains", "2")], ["[2]"]),
            (
                "pl.Series([dt.datetime(2020, 7, 1), dt.datetime(2020, 7, 2)]).dt.replace_time_zone('Europe/Berlin')",
                [where(0, "ge", "2020-07-02")],
                ["2020-07-02T00:00:00+02:00"],
            ),
        ],
    )
    async def test_polars(self, shared: Driver, values: str, filters: list[object], cells: list[object]) -> None:
        table = (await show(shared, f"{POLARS}pl.DataFrame({{'a': {values}}})"))["table"]
        page = await ask(shared, "table_page", table=table, filters=filters)
        assert column(page, 0) == cells

    async def test_by_the_index(self, shared: Driver) -> None:
        code = f"{PANDAS}pd.DataFrame({{'a': range(3)}}, index=pd.MultiIndex.from_product([['p'], [3, 1, 2]]))"
        table = (await show(shared, code))["table"]
        page = await ask(shared, "table_page", table=table, sort=by(1), filters=[where(1, "gt", 1)])
        assert page["rows"] == [["p", 2, 2], ["p", 3, 0]]

    async def test_an_order_that_polars_does_not_have(self, shared: Driver) -> None:
        table = (await show(shared, f"{POLARS}pl.DataFrame({{'a': [object(), object()]}})"))["table"]
        with pytest.raises(QuestionRefused, match="have no order"):
            await ask(shared, "table_page", table=table, sort=by(0))

    async def test_what_later_cells_do_to_the_frame_is_not_seen(self, shared: Driver) -> None:
        table = (await show(shared, f"{PANDAS}kept = pd.DataFrame({{'a': [1, 2]}})\nkept"))["table"]
        await shared.cell("kept['b'] = 7\nkept.drop(columns='a', inplace=True)\nkept.drop(0, inplace=True)")
        assert (await ask(shared, "table_page", table=table))["rows"] == [[0, 1], [1, 2]]


class TestColumns:
    async def profile(self, driver: Driver, values: str) -> Any:
        table = (await show(driver, f"{PANDAS}pd.DataFrame({{'a': {values}}})"))["table"]
        return await ask(driver, "table_column", table=table, column=1)

    async def test_numbers(self, shared: Driver) -> None:
        assert await self.profile(shared, "[0.0, 1.0, 1.0, 20.0, None, float('inf')]") == {
            "kind": "number",
            "bins": [1, 2, *[0] * 17, 1],
            "low": 0.0,
            "high": 20.0,
            "nulls": 1,
            "distinct": 4,
            "seen": 6,
        }

    async def test_few_integers_have_a_bin_each(self, shared: Driver) -> None:
        assert (await self.profile(shared, "[1, 2, 2, 3]"))["bins"] == [1, 2, 1]
        assert (await self.profile(shared, "[5, 5]"))["bins"] == [2]

    async def test_times_and_durations(self, shared: Driver) -> None:
        times = await self.profile(shared, "pd.date_range('2020-01-01', periods=40)")
        assert (times["bins"], times["low"], times["high"]) == ([2] * 20, "2020-01-01T00:00:00", "2020-02-09T00:00:00")
        durations = await self.profile(shared, "pd.to_timedelta([1, 2, 3], unit='s')")
        assert (sum(durations["bins"]), durations["high"]) == (3, "0 days 00:00:03")
        assert sum((await self.profile(shared, "[dt.time(1), dt.time(2), None]"))["bins"]) == 2

    async def test_texts(self, shared: Driver) -> None:
        texts = await self.profile(shared, "['b', 'a', 'b', None, *'cdefghijk']")
        assert texts["bins"][0] == {"value": "b", "count": 2}
        assert (len(texts["bins"]), texts["nulls"], texts["distinct"]) == (10, 1, 11)
        assert (await self.profile(shared, "[[1], [1], {}]"))["bins"][0] == {"value": "[1]", "count": 2}

    async def test_nothing(self, shared: Driver) -> None:
        assert (await self.profile(shared, "np.array([], dtype=float)"))["bins"] == []
        assert (await self.profile(shared, "[float('nan')]"))["nulls"] == 1

    async def test_many_rows_are_sampled(self, shared: Driver) -> None:
        profile = await self.profile(shared, "np.arange(1_000_000)")
        assert (profile["seen"], sum(profile["bins"]), profile["low"]) == (100_000, 100_000, 0)

    async def test_polars(self, shared: Driver) -> None:
        table = (await show(shared, f"{POLARS}pl.DataFrame({{'a': range(200_001), 'b': ['x'] * 200_001}})"))["table"]
        numbers = await ask(shared, "table_column", table=table, column=0)
        assert (numbers["low"], numbers["high"], len(numbers["bins"])) == (0, 199_998, 20)
        assert (await ask(shared, "table_column", table=table, column=1))["bins"] == [{"value": "x", "count": 66_667}]

    async def test_no_such_column(self, shared: Driver) -> None:
        table = (await show(shared, f"{PANDAS}pd.DataFrame({{'a': [1]}})"))["table"]
        with pytest.raises(QuestionRefused, match="no column 2"):
            await ask(shared, "table_column", table=table, column=2)


THING = (
    f"{PANDAS}import weakref\nclass Thing: pass\nthing = Thing()\nrefs = globals().get('refs', [])\n"
    "frame = pd.DataFrame({'a': [thing, None]})\nrefs.append(weakref.ref(thing))\ndel thing\n"
)
ALIVE = "import gc\ngc.collect()\nrefs[0]() is not None"


class TestMemory:
    async def rows(self, driver: Driver, table: str) -> int:
        return len((await ask(driver, "table_page", table=table))["rows"])

    async def test_a_shown_frame_lives_as_long_as_its_result(self, shared: Driver) -> None:
        outcome, alive = await shared.run(Step("m1", f"refs = []\n{THING}display(frame)\ndel frame"), ALIVE)
        table = table_of(outcome)["table"]
        assert alive.text == "True"
        await ask(shared, "table_page", table=table, sort=by(1))
        assert await self.rows(shared, table) == 2
        await shared.run(Step("m1", "0"))
        with pytest.raises(QuestionRefused, match=GONE):
            await self.rows(shared, table)

    async def test_its_memory_is_free_when_the_cell_runs_again_or_is_deleted(self, shared: Driver) -> None:
        for number, again in enumerate(("run", "delete")):
            cell = f"m2{number}"
            first = f"refs.clear()\n{THING}display(frame)\ndel frame"
            await shared.run(Step(f"own{number}", "refs = []"))
            [outcome] = await shared.run(Step(cell, first))
            assert (await shared.cell(ALIVE)).text == "True"
            table = table_of(outcome)["table"]
            await ask(shared, "table_page", table=table, sort=by(1), filters=[where(1, "not_null")])
            await ask(shared, "table_column", table=table, column=1)
            steps = (Step(cell, "0"),) if again == "run" else ()
            last = (await shared.run(*steps, ALIVE, forget=() if steps else (cell,)))[-1]
            assert last.text == "False", again

    @pytest.mark.parametrize(
        ("library", "made_of"), [("pandas", "values.reshape(-1, 1), copy=False"), ("polars", "{'a': values}")]
    )
    async def test_a_few_rows_do_not_hold_on_to_the_frame_they_are_from(
        self, shared: Driver, library: str, made_of: str
    ) -> None:
        code = (
            f"import weakref, {library} as library, numpy as np\nvalues = np.zeros(1_000_000)\n"
            f"big = library.DataFrame({made_of})\nrefs = [weakref.ref(values)]\ndel values\n"
            "display(big[:3])\nbig = None"
        )
        outcome, alive = await shared.run(code, ALIVE)
        assert table_of(outcome)["total"] == 3
        assert alive.text == "False"

    async def test_only_the_newest_tables_of_a_cell_are_kept(self, shared: Driver) -> None:
        outcome = await shared.cell(f"{PANDAS}for n in range(22): display(pd.Series([n]))")
        tables = [json.loads(data)["table"] for data in outcome.data]
        assert len(set(tables)) == 22
        for table in tables[:2]:
            with pytest.raises(QuestionRefused, match=GONE):
                await self.rows(shared, table)
        assert [await self.rows(shared, table) for table in tables[2:]] == [1] * 20

    async def test_an_unknown_table(self, shared: Driver) -> None:
        with pytest.raises(QuestionRefused, match=GONE):
            await self.rows(shared, "nothing")
