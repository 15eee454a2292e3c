"""Tables that cells show, as tests see them."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.kernels.driver import Driver, Outcome, data_of

MIME_TYPE = "application/vnd.quire.table+json"
SLOW = 60.0

PANDAS = "import pandas as pd, numpy as np, datetime as dt, decimal\n"
POLARS = "import polars as pl, datetime as dt, decimal\n"


def table_of(outcome: Outcome) -> dict[str, Any]:
    [output] = outcome.outputs
    assert output.mime_type == MIME_TYPE, (output, outcome.stderr)
    table: dict[str, Any] = json.loads(data_of(output), parse_constant=pytest.fail)
    assert set(table) == {"table", "columns", "index", "rows", "total", "total_columns"}
    return table


async def show(driver: Driver, code: str) -> dict[str, Any]:
    return table_of(await driver.cell(code))


async def ask(driver: Driver, kind: str, **arguments: object) -> Any:
    return json.loads(await driver.kernel.ask(kind, arguments, seconds_max=SLOW), parse_constant=pytest.fail)


def column(table: Mapping[str, Any], number: int) -> list[Any]:
    return [row[number] for row in table["rows"]]


def names(table: Mapping[str, Any]) -> list[str]:
    return [one["name"] for one in table["columns"]]


def kinds(table: Mapping[str, Any]) -> list[str]:
    return [one["kind"] for one in table["columns"]]
