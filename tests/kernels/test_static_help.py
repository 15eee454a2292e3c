"""Help without a kernel, from a process that may be slow, and may die."""

import asyncio
import os
import signal

import pytest

from quire.kernels import static_help
from quire.kernels.static_help import StaticHelp

SLOW = "import asyncio\nasyncio."


async def test_an_answer() -> None:
    helper = StaticHelp()
    answer = await helper.ask("complete", "'🙂'.upp", 1, 7)
    assert answer == {"matches": [{"text": "upper", "type": "function"}], "replaces": 3}
    answer = await helper.ask("inspect", "def f(a, b): ...\nf(1, ", 2, 5)
    assert answer is not None
    assert (answer["signature"], answer["parameter"]) == ("f(a, b)", 1)
    await helper.close()


async def test_code_that_is_broken() -> None:
    helper = StaticHelp()
    for code in ("def (", "'''", "\x00", "x" * 100_000, "(" * 5_000, "%%time\n!ls"):
        assert await helper.ask("complete", code, 1, 1) is not None
        assert await helper.ask("inspect", code, 1, 1) is not None
    await helper.close()


async def test_a_worker_that_was_killed_is_replaced() -> None:
    helper = StaticHelp()
    assert await helper.ask("complete", "'a'.upp", 1, 7)
    assert helper._process is not None
    os.kill(helper._process.pid, signal.SIGKILL)
    await helper._process.wait()
    assert await helper.ask("complete", "'a'.upp", 1, 7)
    await helper.close()


async def test_one_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    helper = StaticHelp()
    assert await helper.ask("complete", "'a'.upp", 1, 7)
    assert helper._process is not None
    slow = helper._process.pid
    monkeypatch.setattr(static_help, "SECONDS_MAX", 0.05)
    os.kill(slow, signal.SIGSTOP)
    assert await helper.ask("complete", "'a'.upp", 1, 7) is None
    monkeypatch.undo()
    assert await helper.ask("complete", "'a'.upp", 1, 7)
    assert helper._process.pid != slow
    await helper.close()


async def test_too_many_at_once_are_answered_with_nothing() -> None:
    helper = StaticHelp()
    answers = await asyncio.gather(*(helper.ask("complete", SLOW, 2, 8) for _ in range(20)))
    assert sum(answer is not None for answer in answers) == static_help.WAITING_MAX
    await helper.close()
