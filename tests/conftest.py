"""What tests of several folders share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.disks import CannotMount, SmallDisk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk of 16 MB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        disk = SmallDisk(folder, 16)
    except CannotMount as error:
        pytest.skip(f"no disk of its own for this test: {error}")
    yield disk
    disk.close()
