"""A small disk of one's own, that can be filled and made read-only."""

import contextlib
import os
import subprocess
from pathlib import Path
from typing import Literal


class CannotMount(Exception):
    """This system or user cannot mount a disk; the message says why."""


class SmallDisk:
    """A tmpfs. The folder below it is empty again after `close`."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        """Raises CannotMount."""
        self.folder = folder
        self._ballast = folder / "ballast"
        self._mount("-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs")

    def _mount(self, *options: str) -> None:
        try:
            subprocess.run(["mount", *options, str(self.folder)], check=True, capture_output=True, text=True)
        except FileNotFoundError as error:
            raise CannotMount("there is no `mount` here") from error
        except subprocess.CalledProcessError as error:
            raise CannotMount(error.stderr.strip()) from error

    def fill(self, *, leave: int = 0) -> None:
        """Leave no space, or about `leave` bytes."""
        with self._ballast.open("ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                with contextlib.suppress(OSError):
                    while True:
                        os.write(file.fileno(), bytes(size))
            file.truncate(max(0, file.tell() - leave))

    def free(self) -> None:
        """Give the space back."""
        self._ballast.unlink()

    def try_remount(self, mode: Literal["ro", "rw"]) -> bool:
        """Whether it was possible: not while a file is open for writing."""
        try:
            self._mount("-o", f"remount,{mode}")
        except CannotMount:
            return False
        return True

    def close(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True, capture_output=True)
