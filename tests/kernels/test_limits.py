"""Limits that end a kernel: too long in spite of an interrupt, too many processes."""

import pytest

from quire.kernels import overtime
from quire.kernels.pool import KernelPool
from quire.kernels.protocol import KernelDied, Plan, Step
from quire.kernels.settings import KernelSettings
from tests.kernels.driver import Driver, Start, eventually, is_gone, is_running

pytestmark = pytest.mark.asyncio(loop_scope="module")

BOMB = "import os\nwhile True:\n    os.fork()"
DETACHED_BOMB = """
import subprocess, sys
line = "import os, time; [os.fork() or os.setsid() for _ in range(9)]; time.sleep(600)"
for _ in range(2):
    subprocess.Popen([sys.executable, '-c', line], start_new_session=True)
import time
while True:
    time.sleep(0.01)
"""


async def test_each_cell_of_a_plan_has_the_whole_time(start: Start) -> None:
    driver = await start(KernelSettings(cell_seconds_max=3.0))
    outcomes = await driver.run(*["import time\ntime.sleep(1.0)"] * 4)
    assert [outcome.status for outcome in outcomes] == ["success"] * 4
    long, behind = await driver.run("import time\ntime.sleep(30)", "1 + 1")
    assert long.error.name == "TimeLimit"
    assert behind.status == "skipped"
    assert (await driver.cell("1 + 1")).text == "2"


async def test_a_cell_that_does_not_heed_the_interrupt(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overtime, "GRACE_S", 0.5)
    driver = await start(KernelSettings(cell_seconds_max=0.3))
    with pytest.raises(KernelDied, match=r"0\.3 s.*QUIRE_CELL_SECONDS.*did not end"):
        await driver.events(Step("s", "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"))


@pytest.mark.parametrize("code", [BOMB, DETACHED_BOMB], ids=["forks", "sessions of their own"])
async def test_a_kernel_with_too_many_processes_is_ended(code: str) -> None:
    pool = KernelPool(KernelSettings(pool_size=0, processes_max=64))
    kernel, other = await pool.acquire(), await pool.acquire()
    with pytest.raises(KernelDied, match=r"had started [0-9,]+ processes, and 64 is the limit.*QUIRE_KERNEL_PROCESSES"):
        async for _batch in kernel.run(Plan("r", (Step("s", code),))):
            pass
    assert (await Driver(other).cell("1 + 1")).text == "2"
    await pool.close()


async def test_orphans_end_with_the_kernel(start: Start) -> None:
    driver = await start(None)
    code = "import subprocess\nsubprocess.check_output(['sh', '-c', 'setsid sleep 1000 >/dev/null & echo $!'])"
    orphan = int(eval((await driver.cell(code)).text))
    assert is_running(orphan)
    await driver.kernel.close()
    await eventually(lambda: is_gone(orphan))


async def test_ordinary_use_of_processes(start: Start) -> None:
    pool = KernelPool(KernelSettings(pool_size=0, processes_max=64))
    driver = Driver(await pool.acquire())
    code = "import multiprocessing\nwith multiprocessing.get_context('fork').Pool(20) as pool:\n"
    code += "    total = sum(pool.map(abs, range(-1000, 0)))\ntotal"
    assert (await driver.cell(code)).text == "500500"
    await pool.close()
