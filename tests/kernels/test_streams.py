"""What cells print."""

from pathlib import Path

import pytest

from quire.kernels.protocol import STREAM_BYTES_MAX, CellEnded, Plan, Step, StreamText
from tests.kernels.driver import Driver

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_text_lands_on_its_cell_and_stream(shared: Driver) -> None:
    first, second = await shared.run("import sys\nprint('a')\nprint('b', file=sys.stderr)", "print('c')")
    assert (first.stdout, first.stderr, second.stdout, second.stderr) == ("a\n", "b\n", "c\n", "")


async def test_warnings_and_logging_go_to_stderr(shared: Driver) -> None:
    code = "import warnings, logging\nwarnings.warn('careful')\nlogging.warning('logged')"
    first, second = await shared.run(Step("w", code), Step("w2", code))
    for outcome in (first, second, *await shared.run(Step("w", code))):
        assert "careful" in outcome.stderr
        assert "logged" in outcome.stderr


@pytest.mark.parametrize(
    "code",
    [
        "!echo low",
        "import os\nos.system('echo low');",
        "import os\nos.write(1, b'low\\n');",
        "import subprocess\nsubprocess.run(['echo', 'low']);",
        "import subprocess, sys\nsubprocess.run(['echo', 'low'], stdout=sys.stdout);",
        "import sys\nsys.stdout.buffer.write(b'low\\n');",
        "import sys\nprint('low', file=sys.__stdout__, flush=True)",
        "import os\npid = os.fork()\nif pid == 0:\n    print('low')\n    os._exit(0)\nos.waitpid(pid, 0);",
        "import multiprocessing as m\np = m.Process(target=print, args=['low'])\np.start()\np.join()",
        "import threading\nt = threading.Thread(target=print, args=('low',))\nt.start()\nt.join()",
        "%%bash\necho low",
    ],
)
async def test_output_that_does_not_come_from_print(shared: Driver, code: str) -> None:
    outcome, then = await shared.run(code, "print('next')")
    assert outcome.stdout.replace("\r", "") == "low\n", (outcome.ended, outcome.stderr)
    assert then.stdout == "next\n"


async def test_the_order_of_print_and_subprocesses(shared: Driver) -> None:
    outcome = await shared.cell("import os\nfor i in range(50):\n    print('p', i)\n    _ = os.system(f'echo s {i}')")
    assert outcome.stdout == "".join(f"p {i}\ns {i}\n" for i in range(50))


async def test_characters_cut_in_two_by_a_pipe(shared: Driver) -> None:
    outcome = await shared.cell(
        "import os\nfor byte in 'é€😀'.encode():\n    os.write(1, bytes([byte]))\nos.write(2, b'\\xff');"
    )
    assert (outcome.stdout, outcome.stderr) == ("é€😀", "\ufffd")


async def test_a_cell_that_replaces_or_closes_the_streams(shared: Driver) -> None:
    outcomes = await shared.run(
        "import sys, io\nsys.stdout = io.StringIO()\nprint('lost')",
        "print('there')",
        "sys.stdout.close()\nsys.stderr = None",
        "print('still')",
    )
    assert [outcome.stdout for outcome in outcomes] == ["", "there\n", "", "still\n"]
    redirected = await shared.cell(
        "import contextlib\nwith contextlib.redirect_stdout(io.StringIO()) as held: print('x')\nheld.getvalue()"
    )
    assert (redirected.stdout, redirected.text) == ("", "'x\\n'")


async def test_print_refuses_what_is_not_text(shared: Driver) -> None:
    assert (await shared.cell("import sys\nsys.stdout.write(b'x')")).error.name == "TypeError"


async def test_a_thread_prints_to_whatever_runs(shared: Driver) -> None:
    first, second = await shared.run(
        "import threading\ngo, gone = threading.Event(), threading.Event()\n"
        "def later():\n    go.wait(20)\n    print('from the thread')\n    gone.set()\n"
        "threading.Thread(target=later).start()",
        "go.set()\nassert gone.wait(20)",
    )
    assert (first.stdout, second.stdout) == ("", "from the thread\n")


async def test_text_arrives_while_the_cell_still_runs(shared: Driver, tmp_path: Path) -> None:
    flag = tmp_path / "flag"

    async def answer() -> None:
        flag.touch()

    [outcome] = await shared.after(
        "waiting",
        answer,
        f"import os, time\nprint('waiting')\nwhile not os.path.exists({str(flag)!r}): time.sleep(0.01)\nprint('done')",
    )
    assert outcome.stdout == "waiting\ndone\n"


async def test_a_busy_cell_does_not_hold_text_back(shared: Driver, tmp_path: Path) -> None:
    flag = tmp_path / "flag"

    async def answer() -> None:
        flag.touch()

    [outcome] = await shared.after(
        "waiting", answer, f"import os\nprint('waiting')\nwhile not os.path.exists({str(flag)!r}): sum(range(1000))"
    )
    assert outcome.status == "success"


@pytest.mark.parametrize(
    "code",
    [
        "line = 'x' * 99\nfor _ in range(1024 * 1024): print(line)",
        "print('x' * (100 * 1024 * 1024))",
        "!head -c 104857600 /dev/zero | tr '\\0' x",
        "import os\nos.system(\"head -c 104857600 /dev/zero | tr '\\\\0' x\");",
    ],
)
async def test_a_hundred_megabytes_are_cut_inside_the_kernel(shared: Driver, code: str) -> None:
    received = 0
    texts = []
    async for batch in shared.kernel.run(Plan("r", (Step("flood", code),))):
        for event in batch:
            if isinstance(event, StreamText):
                received += len(event.text)
                texts.append(event.text)
            if isinstance(event, CellEnded):
                assert event.status == "success"
    text = "".join(texts)
    note = text.splitlines()[-1]
    assert received <= STREAM_BYTES_MAX + 200
    assert text[:STREAM_BYTES_MAX].strip("x\n") == ""
    assert note.endswith("more bytes were not kept: a cell's output is kept up to 1 MB")
    assert int(note.split()[1].replace(",", "")) == 100 * 1024 * 1024 - STREAM_BYTES_MAX + (
        1 if code.startswith("print") else 0
    )
    peak = await shared.cell("import resource\nresource.getrusage(resource.RUSAGE_SELF).ru_maxrss")
    assert int(peak.text) < 700 * 1024


async def test_both_streams_have_their_own_limit_and_characters_stay_whole(shared: Driver) -> None:
    outcome = await shared.cell("import sys\nsys.stdout.write('a' + '€' * 400_000)\nsys.stderr.write('b' * 10);")
    kept = outcome.stdout.split("\n...")[0]
    assert STREAM_BYTES_MAX - 3 < len(kept.encode()) <= STREAM_BYTES_MAX
    assert set(kept) == {"a", "€"}
    assert outcome.stderr == "b" * 10


async def test_descriptors_do_not_pile_up(shared: Driver) -> None:
    count = "import os\nlen(os.listdir('/proc/self/fd'))"
    if not Path("/proc/self/fd").exists():
        pytest.skip("needs /proc")
    before = (await shared.cell(count)).text
    for _ in range(5):
        await shared.run("print('x')", "1/0", "exit()")
    assert (await shared.cell(count)).text == before
