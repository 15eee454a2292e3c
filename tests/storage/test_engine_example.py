"""docs/engines.md cannot rot: its example engine keeps the contract, and what it shows of the library runs."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from docs.examples.engine_example import JournalStore

from quire.storage.contract.headers import HeaderContract
from quire.storage.contract.log import LogContract
from quire.storage.contract.reopening import ReopeningContract
from quire.storage.contract.samples import LOG, fill, whole_log
from quire.storage.protocol import NotebookStore, StoreUnavailable

GUIDE = Path(__file__).parents[2] / "docs" / "engines.md"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[NotebookStore]:
    store = await JournalStore.open(tmp_path / "journal")
    yield store
    await store.close()


class JournalGround:
    def __init__(self, path: Path) -> None:
        self._path = path
        self.last: JournalStore | None = None

    async def open(self) -> NotebookStore:
        self.last = await JournalStore.open(self._path)
        return self.last


@pytest.fixture
async def ground(tmp_path: Path) -> AsyncIterator[JournalGround]:
    ground = JournalGround(tmp_path / "journal")
    yield ground
    assert ground.last is not None
    await ground.last.close()


class TestLog(LogContract):
    """Of the example."""


class TestHeaders(HeaderContract):
    """Of the example."""


class TestReopening(ReopeningContract):
    """Of the example."""


async def test_W1_a_line_that_was_torn_was_never_answered_and_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    store = await JournalStore.open(path)
    await fill(store, LOG, 2)
    await store.close()
    whole = path.read_bytes()
    await fill(store := await JournalStore.open(path), LOG, 1, after=2)
    await store.close()
    path.write_bytes(path.read_bytes()[:-5])
    again = await JournalStore.open(path)
    assert [one.revision for one in await whole_log(again, LOG)] == [1, 2]
    await again.close()
    assert path.read_bytes() == whole


async def test_a_second_one_is_kept_out(tmp_path: Path) -> None:
    first = await JournalStore.open(tmp_path / "journal")
    with pytest.raises(StoreUnavailable):
        await JournalStore.open(tmp_path / "journal")
    await first.close()


def test_the_guide_shows_the_example_as_it_is() -> None:
    text = GUIDE.read_text("utf-8")
    assert "examples/engine_example.py" in text
    source = (GUIDE.parent / "examples" / "engine_example.py").read_text("utf-8")
    shown = [block for block in blocks(text) if "def work" in block]
    assert shown
    assert all(block in source for block in shown)


def test_the_library_is_used_as_the_guide_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    [program] = [block for block in blocks(GUIDE.read_text("utf-8")) if "append_until_definite" in block]
    exec(compile(program.replace("/var/lib/quire", str(tmp_path)), str(GUIDE), "exec"), {})
    assert capsys.readouterr().out == 'True\n1 b\'{"hello": "world"}\'\n'


def blocks(text: str) -> list[str]:
    """What stands in Python's fences."""
    return re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
