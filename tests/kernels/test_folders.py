"""The folders of kernels, and what becomes of those whose server was killed."""

import os
import tempfile
import time
from pathlib import Path

import pytest

from quire.kernels.environment import KernelFolder, remove_abandoned_folders


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test's kernels have their folders."""
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


def left_behind(place: Path, name: str, *, age_s: float) -> Path:
    """As a server that was killed leaves it, with something that a cell has made read-only."""
    folder = place / name
    (folder / "work").mkdir(parents=True)
    (folder / "work" / "data.csv").write_text("1")
    (folder / "work").chmod(0o500)
    os.utime(folder, times=(time.time() - age_s,) * 2)
    return folder


def test_folders_of_killed_servers_are_removed_and_no_others(place: Path) -> None:
    in_use = KernelFolder()
    killed = left_behind(place, "quire-kernel-killed", age_s=5)
    (killed / "lock").touch()
    unlocked = left_behind(place, "quire-kernel-unlocked", age_s=3600)
    starting = left_behind(place, "quire-kernel-starting", age_s=0)
    foreign = left_behind(place, "something-else", age_s=3600)
    precious = left_behind(place.parent, "precious", age_s=3600)
    link = place / "quire-kernel-link"
    link.symlink_to(precious)

    assert remove_abandoned_folders() == 2

    assert not killed.exists()
    assert not unlocked.exists()
    assert (precious / "work" / "data.csv").exists()
    assert all(path.exists() for path in (in_use.path, starting, foreign, link))
    in_use.remove()
    assert not in_use.path.exists()
