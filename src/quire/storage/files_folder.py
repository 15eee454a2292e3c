"""The folder of the files engine: who may use it, and what it holds.

    DIR/format      which layout this is
    DIR/lock        held (flock) by the process that uses the folder
    DIR/logs/       one file for each log
    DIR/headers/    a folder for each user, with a file for each notebook

Whole-notebook files of an older server (``DIR/NOTEBOOK.json``) may lie beside these.
"""

import fcntl
import os
import socket
from pathlib import Path
from typing import Self

from quire.storage import files_disk as disk
from quire.storage.protocol import StoreUnavailable

_FORMAT = b"quire files 1\n"
_FORMAT_KIND = b"quire files "


class FilesFolder:
    """A folder that this object alone may write to, until it is closed."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self.logs = path / "logs"
        self.headers = path / "headers"
        self._lock_path = path / "lock"
        self._lock = lock
        status = os.fstat(lock)
        self._identity = (status.st_dev, status.st_ino)

    @classmethod
    def open(cls, path: Path) -> Self:
        """The folder at `path`, made and laid out if missing.

        Raises:
            StoreUnavailable: it cannot be used, another process uses it, or a newer version wrote it.
        """
        lock = -1
        try:
            if not path.is_dir():
                disk.make_folder(path)
            lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            _lock(lock, path)
            folder = cls(path, lock)
            folder._lay_out()
        except BaseException as error:
            if lock >= 0:
                os.close(lock)
            if isinstance(error, OSError):
                raise StoreUnavailable(disk.explain(error, path)) from error
            raise
        return folder

    def check(self) -> None:
        """Raise StoreUnavailable unless the path still leads to the folder that we have locked."""
        try:
            status = os.stat(self._lock_path)  # noqa: PTH116 - runs before every write; a Path costs three times as much
        except OSError as error:
            raise StoreUnavailable(disk.explain(error, self._lock_path)) from error
        if (status.st_dev, status.st_ino) != self._identity:
            raise StoreUnavailable(f"folder {self.path} was replaced while the server ran: put it back or restart")

    def probe(self) -> None:
        """Raise StoreUnavailable unless a file can be written."""
        self.check()
        path = self.path / ".probe"
        try:
            disk.write_file(path, _FORMAT)
            path.unlink()
        except OSError as error:
            raise StoreUnavailable(disk.explain(error, path)) from error

    def close(self) -> None:
        """Let others use it."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _lay_out(self) -> None:
        marker = self.path / "format"
        found = marker.read_bytes() if marker.exists() else b""
        if found.startswith(_FORMAT_KIND) and found != _FORMAT:
            raise StoreUnavailable(
                f"folder {self.path} was written by a newer version of Quire (its layout is not "
                f"{_FORMAT.decode().strip()!r}): upgrade this server, or name another folder"
            )
        if found != _FORMAT:
            if found:
                raise StoreUnavailable(f"{marker} is another program's file: name another folder")
            for folder in (self.logs, self.headers):
                disk.make_folder(folder)
            disk.replace_file(marker, _FORMAT)  # last: a folder that has it is whole
        for folder in (self.logs, self.headers, self.path):
            disk.sync_folder(folder)


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, 200, 0).decode(errors="replace").strip() or "unknown"
        raise StoreUnavailable(
            f"folder {path} is in use by another process ({holder}): a files store is for one process at a time. "
            "Stop that one, or name another folder"
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
