"""The life of a kernel: its environment, its limits, its death and its end."""

import asyncio
import gc
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from quire.kernels.jupyter import JupyterKernel
from quire.kernels.protocol import CellEnded, KernelDied, KernelEvent, KernelUnavailable, OutputShown, Plan, Step
from quire.kernels.settings import KernelSettings
from tests.kernels.driver import Driver, Start, data_of, eventually, is_gone, is_running

pytestmark = pytest.mark.asyncio(loop_scope="module")

MIB = 1024**2


class TestEnvironment:
    async def test_nothing_of_the_servers_environment_but_what_is_allowed(self, shared: Driver) -> None:
        outcome = await shared.cell("import os\n'\\n'.join(f'{k}={v}' for k, v in os.environ.items())")
        assert "secret-of-the-server" not in outcome.text
        assert "LC_TIME=C" in outcome.text
        assert "PATH=" in outcome.text

    async def test_subprocesses_do_not_see_more(self, shared: Driver) -> None:
        assert "secret-of-the-server" not in (await shared.cell("!env")).stdout

    async def test_private_folders(self, shared: Driver) -> None:
        outcome = await shared.cell(
            "import os, tempfile\n[os.getcwd(), os.path.expanduser('~'), tempfile.gettempdir()]"
        )
        work, home, temporary = (Path(path) for path in eval(outcome.text))  # a list of strings
        assert work.parent == home.parent == temporary.parent
        assert work.parent.stat().st_mode & 0o077 == 0
        assert (work.parent / "connection.json").stat().st_mode & 0o077 == 0
        assert list(work.iterdir()) == []

    async def test_own_session(self, shared: Driver) -> None:
        assert os.getsid(shared.kernel.pid) == shared.kernel.pid != os.getsid(0)

    async def test_no_descriptors_of_the_server(self, shared: Driver) -> None:
        outcome = await shared.cell("import sys\nlen(sys.argv), 'debugpy' in sys.modules")
        assert outcome.text == "(1, False)"

    async def test_settings_reach_the_kernel(self, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ALLOWED_BY_OPERATOR", "yes")
        settings = KernelSettings(keep_variables=("ALLOWED_BY_OPERATOR",), variables={"SET_BY_OPERATOR": "too"})
        driver = await start(settings)
        outcome = await driver.cell("import os\nos.environ['ALLOWED_BY_OPERATOR'], os.environ['SET_BY_OPERATOR']")
        assert outcome.text == "('yes', 'too')"

    async def test_a_python_without_quire_will_do(self, start: Start, tmp_path: Path) -> None:
        """The interpreter's own site-packages, without the path entry that makes quire importable."""
        packages = Path(sys.executable).parent.parent / "lib"
        python = tmp_path / "python"
        [site] = packages.glob("python*/site-packages")
        python.write_text(f'#!/bin/sh\nPYTHONPATH={site} exec {sys.executable} -S "$@"\n')
        python.chmod(0o755)
        driver = await start(KernelSettings(command=(str(python),)))
        missing, there = await driver.run("import quire", "print('runs')")
        assert missing.error.name == "ModuleNotFoundError"
        assert there.stdout == "runs\n"


class TestMemory:
    async def test_a_cell_that_wants_too_much_is_told_of_the_limit(self, start: Start) -> None:
        driver = await start(KernelSettings(memory_bytes=600 * MIB))
        eater, list_eater, then = await driver.run(
            "eaten = bytearray(2 * 1024**3)", "eaten = []\nwhile True: eaten.append(bytes(10**7))", "1"
        )
        for outcome in (eater, list_eater):
            assert outcome.error.name == "MemoryError"
            assert "0.59 GB" in outcome.error.message
            assert "operator" in outcome.error.message
        assert then.text == "1"

    @pytest.mark.parametrize(
        "code",
        [
            "held = []\nwhile True: held.append(object())",
            "held = []\nwhile True: held.append(str(len(held)))",
            "held = {}\nwhile True: held[len(held)] = [1]",
            "held = []\nimport numpy as np\nwhile True: held.append(np.ones(10**5))",
            "held = []\nwhile True:\n    held.append(bytes(1000))\n    print(len(held))",
        ],
    )
    async def test_a_cell_that_uses_up_the_last_byte(self, start: Start, code: str) -> None:
        driver = await start(KernelSettings(memory_bytes=400 * MIB))
        eater, cleaner, then = await driver.run(code, "held.clear()", "1")
        assert eater.error.name == "MemoryError"
        assert (cleaner.status, then.text) == ("success", "1")

    async def test_a_cell_cannot_lift_the_limit(self, start: Start) -> None:
        driver = await start(KernelSettings(memory_bytes=600 * MIB))
        outcome = await driver.cell("import resource\nresource.setrlimit(resource.RLIMIT_DATA, (-1, -1))")
        if _may_lift_limits():
            pytest.skip("this user may lift any limit (CAP_SYS_RESOURCE)")
        assert outcome.error.name == "ValueError"

    async def test_no_limit(self, start: Start) -> None:
        driver = await start(KernelSettings(memory_bytes=0))
        outcome = await driver.cell("import resource\nresource.getrlimit(resource.RLIMIT_DATA)")
        assert outcome.text == "(-1, -1)"


class TestDeath:
    @pytest.mark.parametrize(
        ("code", "sentence"),
        [
            ("import os\nos._exit(3)", "The kernel ended with exit status 3."),
            (
                "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
                "The kernel was killed by signal 9 (SIGKILL), often a sign of too little memory.",
            ),
            (
                "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)",
                "The kernel was killed by signal 15 (SIGTERM).",
            ),
        ],
    )
    async def test_a_cell_that_ends_the_process(self, start: Start, code: str, sentence: str) -> None:
        driver = await start(None)
        with pytest.raises(KernelDied) as caught:
            await driver.run(code)
        assert str(caught.value) == sentence
        assert await driver.kernel.wait_died() == sentence
        assert not driver.kernel.alive

    async def test_a_crash_says_where(self, start: Start) -> None:
        driver = await start(None)
        with pytest.raises(KernelDied, match=r"\(SIGSEGV\): a fault in compiled code, while line 2 of cell crash ran"):
            await driver.run(Step("crash", "import ctypes\nctypes.string_at(0)"))

    async def test_what_was_shown_before_is_delivered_first(self, start: Start, tmp_path: Path) -> None:
        driver = await start(None)
        flag = tmp_path / "flag"
        events: list[KernelEvent] = []

        async def collect() -> None:
            code = f"import os\nwhile not os.path.exists({str(flag)!r}): pass\nos._exit(1)"
            async for batch in driver.kernel.run(Plan("r", (Step("a", "1"), Step("b", code)))):
                events.extend(batch)
                flag.touch()

        with pytest.raises(KernelDied):
            await collect()
        assert [data_of(event.output) for event in events if isinstance(event, OutputShown)] == ["1"]
        assert [event.cell_id for event in events if isinstance(event, CellEnded)] == ["a"]

    async def test_killed_from_outside_while_busy(self, start: Start) -> None:
        driver = await start(None)

        async def kill() -> None:
            os.kill(driver.kernel.pid, signal.SIGKILL)

        with pytest.raises(KernelDied, match="SIGKILL"):
            await driver.after("ready", kill, "print('ready')\nwhile True: pass")

    async def test_killed_from_outside_while_idle(self, start: Start) -> None:
        driver = await start(None)
        waiting = asyncio.create_task(driver.kernel.wait_died())
        os.kill(driver.kernel.pid, signal.SIGKILL)
        async with asyncio.timeout(20):
            assert "SIGKILL" in await waiting
        with pytest.raises(KernelDied, match="SIGKILL"):
            await driver.run("1")

    async def test_its_children_go_with_it(self, start: Start) -> None:
        driver = await start(None)
        outcome = await driver.cell("import subprocess\nchild = subprocess.Popen(['sleep', '1000'])\nchild.pid")
        os.kill(driver.kernel.pid, signal.SIGKILL)
        await driver.kernel.wait_died()
        await eventually(lambda: is_gone(int(outcome.text)))

    async def test_the_kernel_ends_with_its_server(self, tmp_path: Path) -> None:
        script = tmp_path / "server.py"
        script.write_text(
            "import asyncio, os, signal\n"
            "from quire.kernels.jupyter import JupyterKernel\n"
            "async def main():\n"
            "    kernel = await JupyterKernel.start()\n"
            "    print(kernel.pid, flush=True)\n"
            "    os.kill(os.getpid(), signal.SIGKILL)\n"
            "asyncio.run(main())\n"
        )
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, str(script)],
            capture_output=True,
            text=True,
            env={**os.environ, "TMPDIR": str(tmp_path)},
        )
        pid = int(done.stdout)
        await eventually(lambda: is_gone(pid))
        await eventually(lambda: not list(tmp_path.glob("quire-kernel-*")))


class TestClosing:
    async def test_nothing_is_left(self) -> None:
        kernel = await JupyterKernel.start()
        outcome = await Driver(kernel).cell(
            "from subprocess import Popen\n"
            "print(Popen(['sleep', '1000']).pid, Popen(['sleep', '1000'], start_new_session=True).pid)"
        )
        first, second = (int(pid) for pid in outcome.stdout.split())
        folder = Path(f"/proc/{kernel.pid}/cwd").resolve().parent
        assert folder.is_dir()
        await kernel.close()
        await kernel.close()
        assert not is_running(kernel.pid)
        assert not folder.exists()
        await eventually(lambda: is_gone(first) and is_gone(second))
        assert await kernel.wait_died() == "The kernel was stopped."

    async def test_while_a_plan_runs(self) -> None:
        kernel = await JupyterKernel.start()

        async def run() -> None:
            async for _batch in kernel.run(Plan("r", (Step("a", "while True: pass"),))):
                pass

        running = asyncio.create_task(run())
        await asyncio.sleep(0)
        await kernel.close()
        with pytest.raises(KernelDied, match="stopped"):
            await running

    async def test_after_it_died(self) -> None:
        kernel = await JupyterKernel.start()
        os.kill(kernel.pid, signal.SIGKILL)
        await kernel.wait_died()
        await kernel.close()

    async def test_folders_that_a_cell_made_unreadable(self) -> None:
        kernel = await JupyterKernel.start()
        folder = Path(f"/proc/{kernel.pid}/cwd").resolve().parent
        async for _batch in kernel.run(
            Plan("r", (Step("a", "import os\nos.makedirs('a/b')\nos.chmod('a/b', 0)\nos.chmod('a', 0)"),))
        ):
            pass
        await kernel.close()
        assert not folder.exists()

    async def test_descriptors_and_warnings(self) -> None:
        await (await JupyterKernel.start()).close()
        gc.collect()
        before = _descriptors()
        for _ in range(3):
            await (await JupyterKernel.start()).close()
        gc.collect()
        assert _descriptors() <= before


class TestStarting:
    async def test_no_such_interpreter(self) -> None:
        with pytest.raises(KernelUnavailable, match="/no/such/python could not be started"):
            await JupyterKernel.start(KernelSettings(command=("/no/such/python",)))

    async def test_without_ipykernel(self, tmp_path: Path) -> None:
        python = tmp_path / "python"
        python.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
        python.chmod(0o755)
        with pytest.raises(KernelUnavailable, match="No module named 'ipykernel'"):
            await JupyterKernel.start(KernelSettings(command=(str(python),)))

    async def test_one_that_does_not_answer_is_given_up(self, tmp_path: Path) -> None:
        python = tmp_path / "python"
        python.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 1000\n")
        python.chmod(0o755)
        with pytest.raises(KernelUnavailable, match=r"did not start within 0\.5 s"):
            await JupyterKernel.start(KernelSettings(command=(str(python),), start_seconds_max=0.5))
        assert not is_running(int((tmp_path / "pid").read_text()))

    async def test_cancelling_a_start_leaves_nothing(self) -> None:
        before = _children()
        starting = asyncio.create_task(JupyterKernel.start())
        await eventually(lambda: _children() != before)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        await eventually(lambda: _children() == before)


class TestMisbehaviour:
    async def test_a_cell_that_forges_events(self, start: Start) -> None:
        driver = await start(None)
        with pytest.raises(KernelDied, match="messages were broken: one is missing"):
            await driver.run(
                "kernel = get_ipython().kernel\n"
                'forged = b\'{"plan":2,"sequence":99,"done":true,"interrupted":false,"events":[]}\'\n'
                "kernel.session.send(kernel.iopub_socket, 'quire_events', forged, ident=b'quire')\n"
                "import time\ntime.sleep(20)"
            )

    async def test_a_second_plan_at_the_same_time_is_refused(self, shared: Driver) -> None:
        first = shared.kernel.run(Plan("r", (Step("a", "1"),)))
        await anext(first)
        with pytest.raises(RuntimeError, match="one plan at a time"):
            await anext(shared.kernel.run(Plan("r", ())))
        await first.aclose()
        assert (await shared.cell("2")).text == "2"


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _may_lift_limits() -> bool:
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("CapEff")]
    return bool(int(line.split()[1], 16) & 1 << 24)


def _children() -> set[int]:
    return {int(pid) for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()}
