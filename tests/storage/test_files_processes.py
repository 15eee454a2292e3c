"""The files engine between processes: one at a time, and one that is killed at any moment."""

import random
import sys
from asyncio.subprocess import PIPE, Process, create_subprocess_exec
from pathlib import Path

import pytest

from quire.storage.files import FilesStore
from quire.storage.protocol import StoreUnavailable
from tests.storage.engines import whole_log

SCRIPT = Path(__file__).with_name("appending_process.py")
LOG = "alice/n1"


async def start(folder: Path, writer: str) -> Process:
    """A writer that appends until it is killed."""
    return await create_subprocess_exec(
        sys.executable, str(SCRIPT), f"files://{folder}", LOG, writer, "0", stdout=PIPE, stderr=PIPE
    )


async def kill(process: Process) -> bytes:
    """What it had printed."""
    process.kill()
    output, _ = await process.communicate()
    return output


def acknowledged_in(output: bytes) -> dict[int, str]:
    """Revision to edit; a last line that was cut off by the kill does not count."""
    lines = output.decode().split("\n")[:-1]
    return {int(revision): edit for revision, edit in (line.split() for line in lines)}


@pytest.mark.parametrize("seed", range(8))
async def test_W2_what_a_killed_process_was_told_is_there(tmp_path: Path, seed: int) -> None:
    """A failing seed is in the title."""
    dice = random.Random(seed)
    acknowledged: dict[int, str] = {}
    for round_ in range(3):
        process = await start(tmp_path, f"victim{round_}")
        assert process.stdout is not None
        output = b""
        for _ in range(dice.randrange(1, 60)):
            output += await process.stdout.readline()
        told = acknowledged_in(output + await kill(process))
        assert len(told) >= 1
        acknowledged |= told
        file = tmp_path / "logs" / "alice%2fn1.jsonl"
        data = file.read_bytes()
        if dice.random() < 0.5:  # a write that the kill, or a power cut, cut short
            part = data.splitlines(keepends=True)[-1]
            file.write_bytes(data + part[: dice.randrange(1, len(part))])
        store = await FilesStore.open(tmp_path)
        records = await whole_log(store, LOG)
        await store.close()
        assert [one.revision for one in records] == list(range(1, len(records) + 1)), "a gap"
        edits = {one.revision: one.body.decode().rstrip(".") for one in records}
        assert {revision: edits.get(revision) for revision in acknowledged} == acknowledged, "lost"
        assert len(records) <= max(acknowledged) + 1, "more than was asked"
        assert len(set(edits.values())) == len(edits), "doubled"


async def test_a_folder_in_use_by_another_process_is_refused_until_that_ends(tmp_path: Path) -> None:
    process = await start(tmp_path, "holder")
    assert process.stdout is not None
    await process.stdout.readline()
    with pytest.raises(StoreUnavailable, match=rf"in use by another process \(process {process.pid} on "):
        await FilesStore.open(tmp_path)
    await kill(process)
    store = await FilesStore.open(tmp_path)
    assert len(await whole_log(store, LOG)) >= 1
    await store.close()
