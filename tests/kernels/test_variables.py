"""What the kernel tells of its variables, whatever they are."""

import json
from typing import Any

import pytest

from quire.kernels.protocol import Step
from tests.kernels.driver import Driver, Start

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def variables(driver: Driver) -> dict[str, dict[str, Any]]:
    answer = json.loads(await driver.kernel.ask("variables", {}, seconds_max=60))
    assert answer["total"] >= len(answer["variables"])
    return {variable["name"]: variable for variable in answer["variables"]}


async def test_what_they_are(start: Start) -> None:
    driver = await start(None)
    code = """
import numpy as np, pandas as pd, polars as pl, math
number, text, many = 42, 'x' * 1000, list(range(5000))
array = np.zeros((3, 4))
frame = pd.DataFrame({'a': range(10), 'b': range(10)})
cells = pl.DataFrame({'c': [1, 2]})
scalar = np.float64(2.5)
def function(): pass
_private = {'k': 1}
"""
    await driver.run(Step("one", code), Step("two", "later = (1, 2)"))
    found = await variables(driver)
    assert {"np", "pd", "pl", "math", "In", "get_ipython"}.isdisjoint(found)
    assert list(found)[-1] == "later"
    assert {name: (v["type"], v["shape"], v["value"]) for name, v in found.items() if name not in {"text", "many"}} == {
        "number": ("int", "", "42"),
        "array": ("numpy.ndarray", "3 x 4", ""),
        "frame": ("pandas.DataFrame", "10 x 2", "a, b"),
        "cells": ("polars.DataFrame", "2 x 1", "c"),
        "scalar": ("numpy.float64", "", "np.float64(2.5)"),
        "function": ("function", "", ""),
        "_private": ("dict", "1", "{'k': 1}"),
        "later": ("tuple", "2", "(1, 2)"),
    }
    assert len(found["text"]["value"]) <= 120
    assert found["many"]["shape"] == "5,000"
    assert found["array"]["size"] == 96
    assert found["frame"]["size"] >= 160
    assert (found["number"]["cell_id"], found["later"]["cell_id"]) == ("one", "two")


async def test_objects_that_do_not_want_to_be_looked_at(start: Start) -> None:
    driver = await start(None)
    code = """
class Bad:
    def __repr__(self): raise SystemExit('repr')
    def __len__(self): raise KeyboardInterrupt
    def __getattr__(self, name): raise RuntimeError(name)
class Slow:
    def __repr__(self):
        while True: pass
class Loud:
    def __repr__(self):
        print('printed by a repr')
        return 'loud'
class Liar:
    __class__ = property(lambda self: 1 / 0)
bad, loud, slow, liar = Bad(), Loud(), Slow(), Liar()
"""
    await driver.cell(code)
    found = await variables(driver)
    assert {name: found[name]["type"] for name in ("bad", "slow", "loud")} == {
        "bad": "Bad",
        "slow": "Slow",
        "loud": "Loud",
    }
    assert found["loud"]["value"] == "loud"
    outcome = await driver.cell("1 + 1")
    assert (outcome.text, outcome.stdout) == ("2", "")


async def test_many(shared: Driver) -> None:
    await shared.cell("for _n in range(2000):\n    globals()[f'v{_n}'] = _n")
    answer = json.loads(await shared.kernel.ask("variables", {}, seconds_max=60))
    assert len(answer["variables"]) == 500
    assert answer["total"] >= 2000
