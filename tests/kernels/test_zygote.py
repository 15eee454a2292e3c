"""Kernels as copies of a zygote: each as good as one that was started from nothing, and none the worse for its end."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from quire.kernels.jupyter import JupyterKernel
from quire.kernels.launchers import Launchers
from quire.kernels.protocol import KernelDied, Step
from quire.kernels.settings import KernelSettings
from quire.kernels.zygote import SUPPORTED
from tests.kernels.driver import Driver, eventually, is_gone

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not SUPPORTED, reason="this system cannot watch processes that are not its children"),
]


@pytest_asyncio.fixture(loop_scope="module")
async def launchers() -> AsyncIterator[Launchers]:
    launchers = Launchers(KernelSettings())
    yield launchers
    await launchers.close()


async def start(launchers: Launchers, settings: KernelSettings | None = None) -> Driver:
    return Driver(await JupyterKernel.start(settings or KernelSettings(), launchers))


def parent_of(driver: Driver) -> int:
    return psutil.Process(driver.kernel.pid).ppid()


async def test_copies_of_one_process_are_strangers(launchers: Launchers) -> None:
    drivers = [await start(launchers) for _ in range(3)]
    assert len({parent_of(driver) for driver in drivers}) == 1
    assert parent_of(drivers[0]) != os.getpid()
    code = "import os, random, tempfile, uuid, numpy\n"
    code += "[random.random(), numpy.random.rand(), uuid.uuid4().hex, tempfile.gettempdir(), os.getcwd(), os.getsid(0)]"
    said = [eval((await driver.cell(code)).text, {"np": __import__("numpy")}) for driver in drivers]
    for values in zip(*said, strict=True):
        assert len({str(value) for value in values}) == 3, values
    await drivers[0].cell("shared = 1")
    assert (await drivers[1].cell("shared")).error.name == "NameError"
    for driver in drivers:
        await driver.kernel.close()
        assert is_gone(driver.kernel.pid)


async def test_they_inherit_nothing_but_their_own(launchers: Launchers) -> None:
    first, second = await start(launchers), await start(launchers)
    code = "import os\nsorted(os.readlink(f'/proc/self/fd/{n}') for n in os.listdir('/proc/self/fd') if int(n) > 2 "
    code += "and os.path.exists(f'/proc/self/fd/{n}'))"
    descriptors = [set(eval((await driver.cell(code)).text)) for driver in (first, second)]
    shared = {name for name in descriptors[0] & descriptors[1] if not name.startswith(("anon_inode:", "/dev/"))}
    assert shared == set()
    await asyncio.gather(first.kernel.close(), second.kernel.close())


async def test_the_zygote_is_killed(launchers: Launchers) -> None:
    old = await start(launchers)
    zygote = parent_of(old)
    os.kill(zygote, signal.SIGKILL)
    await eventually(lambda: is_gone(zygote))
    assert (await old.cell("6 * 7")).text == "42", "its copies go on"
    new = await start(launchers)
    assert parent_of(new) not in {zygote, os.getpid()}, "there is another one"
    with pytest.raises(KernelDied, match="nobody knows how"):
        await old.events(Step("s", "import os\nos._exit(3)"))
    with pytest.raises(KernelDied, match="exit status 3"):
        await new.events(Step("s", "import os\nos._exit(3)"))
    await asyncio.gather(old.kernel.close(), new.kernel.close())


async def test_a_module_that_ends_the_zygote(tmp_path: Path) -> None:
    (tmp_path / "deadly.py").write_text("import os\nif len(__import__('sys').argv) < 2: os._exit(9)\n")
    settings = KernelSettings(preload=("deadly",), variables={"PYTHONPATH": str(tmp_path)})
    launchers = Launchers(settings)
    with capture_logs() as logs:
        driver = await start(launchers, settings)
    assert parent_of(driver) == os.getpid(), "started from nothing"
    [entry] = [entry for entry in logs if entry["event"] == "kernel_not_copied"]
    assert "could not be started" in entry["reason"]
    assert (await driver.cell("1 + 1")).text == "2"
    await driver.kernel.close()
    await launchers.close()


async def test_a_module_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("raise ValueError('broken')\n")
    settings = KernelSettings(preload=("no_such_module", "broken"), variables={"PYTHONPATH": str(tmp_path)})
    launchers = Launchers(settings)
    with capture_logs() as logs:
        driver = await start(launchers, settings)
    assert [(entry["event"], entry["module"]) for entry in logs] == [("kernel_preload_failed", "broken")]
    assert parent_of(driver) != os.getpid()
    await driver.kernel.close()
    await launchers.close()


async def test_kernels_end_with_their_server_even_if_no_python_code_can_run_in_them(tmp_path: Path) -> None:
    """A cell that keeps the interpreter to itself in compiled code keeps the kernel's own watch from running."""
    script = tmp_path / "server.py"
    running = tmp_path / "running"
    code = f"import ctypes, pathlib\npathlib.Path({str(running)!r}).touch()\nctypes.PyDLL(None).sleep(1000)"
    script.write_text(
        "import asyncio, os, psutil\n"
        "from quire.kernels.jupyter import JupyterKernel\n"
        "from quire.kernels.launchers import Launchers\n"
        "from quire.kernels.protocol import Plan, Step\n"
        "from quire.kernels.settings import KernelSettings\n"
        "async def main():\n"
        "    settings = KernelSettings()\n"
        "    kernel = await JupyterKernel.start(settings, Launchers(settings))\n"
        "    print(kernel.pid, psutil.Process(kernel.pid).ppid(), flush=True)\n"
        f"    async for batch in kernel.run(Plan('r', (Step('a', {code!r}),))):\n"
        "        pass\n"
        "asyncio.run(main())\n"
    )
    server = await asyncio.to_thread(subprocess.Popen, [sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    kernel, zygote = map(int, (await asyncio.to_thread(server.stdout.readline)).split())
    await eventually(running.exists)
    server.kill()
    server.wait()
    await eventually(lambda: is_gone(kernel) and is_gone(zygote))
    server.stdout.close()
