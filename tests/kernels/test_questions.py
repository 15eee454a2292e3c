"""Questions about a kernel's values: answered between plans, never in the way of one."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import aclosing

import pytest

from quire.kernels.protocol import KernelBusy, KernelDied, Plan, QuestionRefused, Step
from tests.kernels.driver import Driver, Start, eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

SLOW = 60.0


async def ask(driver: Driver, kind: str, arguments: Mapping[str, object], seconds_max: float = SLOW) -> object:
    return json.loads(await driver.kernel.ask(kind, arguments, seconds_max=seconds_max))


async def test_an_unknown_kind_is_refused(shared: Driver) -> None:
    with pytest.raises(QuestionRefused, match="no question 'weather'"):
        await ask(shared, "weather", {})
    assert (await shared.cell("1 + 1")).text == "2"


async def test_while_a_plan_runs_nothing_is_asked(shared: Driver) -> None:
    async with aclosing(shared.kernel.run(Plan("r", (Step("s", "import time\ntime.sleep(0.2)\n7"),)))) as batches:
        await anext(batches)
        with pytest.raises(KernelBusy, match="running cells"):
            await ask(shared, "weather", {})
        async for _batch in batches:
            pass


async def test_questions_of_several_clients_at_once(shared: Driver) -> None:
    outcomes = await asyncio.gather(*(ask(shared, f"k{n}", {}) for n in range(20)), return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == [f"This kernel knows no question 'k{n}'." for n in range(20)]


async def test_a_plan_interrupts_the_question_under_way(start: Start) -> None:
    driver = await start(None)
    await driver.cell(
        "import sys, time\n"
        "handlers = get_ipython().kernel.questions._handlers\n"
        "handlers['hang'] = lambda: time.sleep(600)"
    )
    asking = asyncio.create_task(ask(driver, "hang", {}))
    await eventually(driver.kernel._asking.locked)
    outcome, answer = await asyncio.gather(driver.cell("6 * 7"), asking, return_exceptions=True)
    assert not isinstance(outcome, BaseException)
    assert outcome.text == "42"
    assert isinstance(answer, KernelBusy)
    assert "about to run cells" in str(answer)
    with pytest.raises(KernelBusy, match=r"within 0\.1 s"):
        await ask(driver, "hang", {}, 0.1)
    assert (await driver.cell("1 + 1")).text == "2"


async def test_a_dead_kernel(start: Start) -> None:
    driver = await start(None)
    with pytest.raises(KernelDied):
        await driver.events(Step("s", "import os\nos._exit(1)"))
    with pytest.raises(KernelDied, match="exit status 1"):
        await ask(driver, "weather", {})
