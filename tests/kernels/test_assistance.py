"""Completion, hover and signatures by the values that a kernel holds."""

import json
from typing import Any

import pytest

from quire.kernels.protocol import Step
from tests.kernels.driver import Driver

pytestmark = pytest.mark.asyncio(loop_scope="module")

SETUP = """
import pandas as pd
frame = pd.DataFrame({'apple': [1], 'with space': [2]})
class Thing:
    size = 1
    def grow(self, by: int, times: int = 1) -> int:
        '''Makes it larger.'''
        return by
    @property
    def trap(self):
        raise SystemExit('looked at')
thing = Thing()
_own = 5
"""


async def ask(driver: Driver, kind: str, code: str, cell_id: str = "mine") -> dict[str, Any]:
    """`|` in `code` is where the cursor is."""
    position = code.index("|")
    arguments = {"cell_id": cell_id, "code": code.replace("|", ""), "position": position}
    answer: dict[str, Any] = json.loads(await driver.kernel.ask(kind, arguments, seconds_max=60))
    return answer


async def prepared(driver: Driver) -> Driver:
    [outcome] = await driver.run(Step("mine", SETUP))
    assert outcome.status == "success"
    return driver


@pytest.mark.parametrize(
    ("code", "text", "replaced"),
    [
        ("frame.groupb|", "groupby", "groupb"),
        ("frame['app|", "apple", "app"),
        ("x = 1\nthing.gr| + 2", "grow", "gr"),
        ("thing.|", "size", ""),
        ("thi|", "thing", "thi"),
        ("'😀😀'; thi|", "thing", "thi"),
        ("import nump|", "numpy", "nump"),
        ("%%tim|", "%%timeit", "%%tim"),
        ("_ow|", "_own", "_ow"),
        ("rang|", "range", "rang"),
    ],
)
async def test_what_could_stand_there(shared: Driver, code: str, text: str, replaced: str) -> None:
    answer = await ask(await prepared(shared), "complete", code)
    assert text in [match["text"] for match in answer["matches"]]
    assert code.replace("|", "")[answer["start"] : answer["end"]] == replaced
    assert not [match for match in answer["matches"] if match["text"].startswith("_cell_")]


async def test_private_names_are_their_cells_own(shared: Driver) -> None:
    await prepared(shared)
    assert (await ask(shared, "complete", "_ow|", "other"))["matches"] == []


async def test_nothing_is_run(shared: Driver) -> None:
    await prepared(shared)
    await ask(shared, "complete", "thing.trap.|")
    await ask(shared, "inspect", "thing.tra|p")
    assert (await shared.cell("1 + 1")).text == "2"


async def test_a_signature_and_the_argument_that_is_written(shared: Driver) -> None:
    await prepared(shared)
    answer = await ask(shared, "inspect", "thing.grow(1, |")
    assert (answer["found"], answer["name"], answer["parameter"]) == (True, "grow", 1)
    assert "by: int, times: int=1" in answer["signature"]
    assert answer["doc"] == "Makes it larger."


async def test_what_a_name_is(shared: Driver) -> None:
    await prepared(shared)
    answer = await ask(shared, "inspect", "frame.grou|pby")
    assert answer["found"]
    assert "groupby" in answer["name"]
    assert answer["doc"]
    assert (await ask(shared, "inspect", "nowhere_to_be_found|"))["found"] is False


@pytest.mark.parametrize(
    "code", ["|", "(|", "'''|", "def f(:\n  x.|", "\x00|", "🙂.|", "a" * 5000 + "|", "\n" * 500 + "x.|"]
)
async def test_odd_code(shared: Driver, code: str) -> None:
    assert "matches" in await ask(shared, "complete", code)
    assert "found" in await ask(shared, "inspect", code)
