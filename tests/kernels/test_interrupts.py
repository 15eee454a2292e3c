"""Interrupting: the running cell ends, the rest is skipped, the kernel stays."""

import asyncio
import os
import signal

import pytest

from quire.kernels.bootstrap.interrupts import Interrupts
from quire.kernels.protocol import CellEnded, Plan, Step
from tests.kernels.driver import Driver

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    "code",
    [
        "print('ready')\nwhile True: pass",
        "import time\nprint('ready')\ntime.sleep(100)",
        "print('ready')\nwhile True: print('x' * 50)",
        "import asyncio\nprint('ready')\nawait asyncio.sleep(100)",
        "import asyncio\nprint('ready')\nawait asyncio.sleep(0)\nwhile True: pass",
        "import asyncio\nasync def spin():\n    print('ready')\n    while True: await asyncio.sleep(0)\nawait spin()",
        "print('ready')\n!sleep 100",
        "import os\nprint('ready')\nos.system('sleep 100')\nwhile True: pass",
        "import subprocess\nprint('ready')\nsubprocess.run(['sleep', '100'])",
        "import threading\nprint('ready')\nthreading.Event().wait()",
        "h = display(0, display_id=True)\nprint('ready')\nwhile True: h.update(1)",
        "class Slow:\n    def __repr__(self):\n        print('ready')\n        while True: pass\nSlow()",
        "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\nprint('ready')\nwhile True: pass",
        "def gen():\n    print('ready')\n    while True: yield\nfor _ in gen(): pass",
    ],
)
async def test_the_running_cell_ends_and_the_rest_is_skipped(shared: Driver, code: str) -> None:
    done, running, first, second = await shared.after(
        "ready", shared.kernel.interrupt, "1", code, "print('never')", "print('never')"
    )
    assert done.status == "success"
    assert running.status == "error", running.ended
    assert (running.error.name, running.error.message) == ("KeyboardInterrupt", "The run was interrupted.")
    assert running.error.traceback == ()
    assert [first.status, second.status] == ["skipped", "skipped"]
    assert first.stdout == second.stdout == ""
    assert (await shared.cell("1")).text == "1"


async def test_a_cell_that_catches_it_goes_on_but_the_rest_is_skipped(shared: Driver) -> None:
    caught, rest = await shared.after(
        "ready",
        shared.kernel.interrupt,
        "try:\n    print('ready')\n    while True: pass\nexcept KeyboardInterrupt: print('caught')",
        "1",
    )
    assert (caught.status, caught.stdout) == ("success", "ready\ncaught\n")
    assert rest.status == "skipped"


async def test_before_the_plan_has_arrived(shared: Driver) -> None:
    steps = tuple(Step(f"early{i}", "import time\ntime.sleep(100)") for i in range(3))
    running = shared.kernel.run(Plan("r", steps))
    first = asyncio.ensure_future(anext(running))
    # The plan is sent when the first batch is asked for; the kernel may or may not have it by now.
    await asyncio.sleep(0)
    await shared.kernel.interrupt()
    events = list(await first)
    async for batch in running:
        events += batch
    ends = [event for event in events if isinstance(event, CellEnded)]
    assert len(ends) == 3
    assert {end.status for end in ends} <= {"skipped", "error"}
    assert (await shared.cell("1")).text == "1"


async def test_an_idle_kernel_does_not_mind(shared: Driver) -> None:
    await shared.kernel.interrupt()
    assert (await shared.cell("1")).text == "1"


async def test_a_signal_from_outside_does_not_end_an_idle_kernel(shared: Driver) -> None:
    os.kill(shared.kernel.pid, signal.SIGINT)
    # It may still be on its way when the first of these arrives.
    statuses = [(await shared.cell("1")).status for _ in range(20)]
    assert statuses[-1] == "success"


async def test_interrupting_many_times_at_any_moment(shared: Driver) -> None:
    """The kernel's own code must survive an interrupt at each of its points."""
    for round_number in range(30):
        steps = tuple(Step(f"m{i}", f"print('m'); display({i}); m{i} = {i}\nm{i}") for i in range(200))
        ends: list[str] = []

        async def collect(steps: tuple[Step, ...] = steps, ends: list[str] = ends) -> None:
            async for batch in shared.kernel.run(Plan("r", steps)):
                ends.extend(event.status for event in batch if isinstance(event, CellEnded))

        running = asyncio.create_task(collect())
        async with asyncio.timeout(30):
            while not running.done():
                await asyncio.sleep(0.0007 * (round_number + 1))
                await shared.kernel.interrupt()
            await running
        assert len(ends) == 200
        assert set(ends) <= {"success", "error", "skipped"}
    assert (await shared.cell("print('alive')\n1")).text == "1"


async def test_a_second_interrupt_does_not_leave_the_task_of_a_cell() -> None:
    """While what the first one raised is being caught, the second would be raised out of the task, into the loop."""
    interrupts = Interrupts()
    before = signal.getsignal(signal.SIGINT)
    interrupts.install()
    caught: list[type[BaseException]] = []

    async def cell() -> None:
        signal.raise_signal(signal.SIGINT)

    async def outermost() -> str:
        try:
            await cell()
        except KeyboardInterrupt as error:
            signal.raise_signal(signal.SIGINT)
            caught.append(type(error))
        return "done"

    try:
        interrupts.enter_cell()
        task = asyncio.create_task(outermost())
        interrupts.enter_task(task, outermost.__code__)
        assert await task == "done"
        assert caught == [KeyboardInterrupt]
        assert interrupts.cancelled
    finally:
        interrupts.leave_cell()
        signal.signal(signal.SIGINT, before)


async def test_between_a_task_and_the_event_loop(shared: Driver) -> None:
    """asyncio calls `call_soon` for a task that has just given way: raised there, it would end the loop."""
    code = """
import asyncio, os, signal
loop = asyncio.get_running_loop()
original = loop.call_soon
def once(*args, **kwargs):
    del loop.call_soon
    os.kill(os.getpid(), signal.SIGINT)
    return original(*args, **kwargs)
loop.call_soon = once
while True:
    await asyncio.sleep(0)
"""
    assert (await shared.cell(code)).error.name == "KeyboardInterrupt"
    assert (await shared.cell("1 + 1")).text == "2"
