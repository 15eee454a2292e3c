"""`quire migrate` as an operator uses it, killed on the way included."""

import asyncio
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from quire.blobs.folder import FolderBlobs
from quire.maintenance.migrate import Place
from quire.storage.files import FilesStore
from quire.storage.sqlite import SqliteStore
from tests.maintenance.places import add, contents, fill_place
from tests.storage.engines import header

NOTEBOOKS = 150
KILLS = 4


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "quire", "migrate", *arguments]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), capture_output=True, text=True, timeout=120, check=False)


async def source_in(folder: Path, notebooks: int = 0) -> str:
    """A SQLite store with blobs beside it; its URL."""
    folder.mkdir()
    where = Place(await SqliteStore.open(folder / "quire.db"), FolderBlobs(folder / "blobs"))
    await fill_place(where)
    for number in range(notebooks):
        await add(where, header("dora", f"n{number}"), records=5, blobs=1)
    await where.blobs.close()
    await where.store.close()
    return f"sqlite://{folder}/quire.db"


async def same_contents(source: Path, target: Path) -> bool:
    here = Place(await SqliteStore.open(source / "quire.db"), FolderBlobs(source / "blobs"))
    there = Place(await FilesStore.open(target), FolderBlobs(Path(f"{target}-blobs")))
    same = await contents(here) == await contents(there)
    for where in (here, there):
        await where.blobs.close()
        await where.store.close()
    return same


async def test_it_tells_what_it_did_and_exits_with_0(tmp_path: Path) -> None:
    source, target = await source_in(tmp_path / "a"), f"files://{tmp_path}/b"
    done = run("--from", source, "--to", target)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("copied and compared 7 notebooks in ")
    assert "81 records and 4 blobs" in done.stdout
    assert await same_contents(tmp_path / "a", tmp_path / "b")
    compared = run("--from", target, "--to", source, "--verify-only")
    assert (compared.returncode, compared.stderr) == (0, "")
    assert compared.stdout.startswith("compared 7 notebooks in ")


async def test_what_is_not_in_the_target_is_said_and_exits_with_1(tmp_path: Path) -> None:
    source = await source_in(tmp_path / "a")
    compared = run("--from", source, "--to", f"sqlite://{tmp_path}/empty.db", "--verify-only")
    assert compared.returncode == 1
    assert "skipped n1 of alice: the target has nothing at revision 1" in compared.stderr
    assert compared.stderr.splitlines()[-1] == "quire: 7 notebooks are not in the target as they are in the source"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "Missing option"),
        (("--from", "sqlite:///tmp/q.db", "--to", "sqlite:////tmp/x/../q.db"), 1, "are the same store"),
        (("--from", "oracle://a", "--to", "sqlite:///tmp/q.db"), 1, "no store is called 'oracle'"),
        (("--from", "sqlite:///tmp/q/a.db", "--to", "sqlite:///tmp/q/b.db"), 1, "--from-blobs and --to-blobs"),
    ],
)
def test_a_mistake_is_one_clear_line(arguments: tuple[str, ...], code: int, said: str) -> None:
    done = run(*arguments)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


async def test_killed_again_and_again_it_still_completes(tmp_path: Path) -> None:
    source, target = await source_in(tmp_path / "a", NOTEBOOKS), f"files://{tmp_path}/b"
    arguments = ("--from", source, "--to", target)
    dice = random.Random(os.urandom(8))
    for _ in range(KILLS):
        process = await asyncio.create_subprocess_exec(*command(*arguments), stderr=subprocess.DEVNULL)
        await asyncio.sleep(0.8 + dice.random())  # most of it is Python starting
        if process.returncode is None:
            process.kill()
        await process.wait()
    done = run(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert await same_contents(tmp_path / "a", tmp_path / "b")
