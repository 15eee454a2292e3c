"""What a kernel's process gets to see: a folder of its own, and few environment variables."""

import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from quire.kernels.settings import KernelSettings

_KEPT = frozenset(
    {
        "CONDA_DEFAULT_ENV",
        "CONDA_PREFIX",
        "CUDA_HOME",
        "CUDA_VISIBLE_DEVICES",
        "DYLD_LIBRARY_PATH",
        "LANG",
        "LANGUAGE",
        "LD_LIBRARY_PATH",
        "LD_PRELOAD",
        "LOGNAME",
        "MKL_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "PATH",
        "REQUESTS_CA_BUNDLE",
        "SHELL",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "TZ",
        "TZDIR",
        "USER",
        "VIRTUAL_ENV",
    }
)
"""An allow-list: whatever else the server's environment holds, credentials among it, stays there."""


_PREFIX = "quire-kernel-"
_LOCK = "lock"
_UNLOCKED_S = 60.0
"""A folder is made first and locked then: a younger one without a lock may belong to a kernel that is starting."""


class KernelFolder:
    """A private temporary folder: home, working directory, sockets. Blocking: not for the event loop."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._lock = os.open(self.path / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.home = self.path / "home"
        self.work = self.path / "work"
        self.temporary = self.path / "tmp"
        self.connection_file = self.path / "connection.json"
        self.error_file = self.path / "stderr"
        for folder in (self.home, self.work, self.temporary):
            folder.mkdir()

    def remove(self) -> None:
        """Remove everything, also what a cell has made read-only."""
        _remove(self.path)
        os.close(self._lock)

    def last_words(self) -> str:
        """The end of what the process wrote to its own standard error."""
        with self.error_file.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 16 * 1024))
            return file.read().decode("utf-8", "replace").strip()


def remove_abandoned_folders() -> int:
    """Remove the folders of this user's kernels whose server was killed; how many. Blocking.

    A kernel that loses its server removes its folder itself, but not one that was killed together with it.
    """
    removed = 0
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            status = folder.lstat()  # nobody else's link into this user's files
            if stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and _abandoned(folder):
                _remove(folder)
                removed += 1
        except FileNotFoundError:
            continue  # Its kernel, or another server, was faster.
    return removed


def _abandoned(folder: Path) -> bool:
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return time.time() - folder.stat().st_mtime > _UNLOCKED_S
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True


def environment_for(folder: KernelFolder, settings: KernelSettings, server: Mapping[str, str]) -> dict[str, str]:
    """The environment of a kernel, out of the server's."""
    kept = {
        name: value
        for name, value in server.items()
        if name in _KEPT or name.startswith("LC_") or name in settings.keep_variables
    }
    own = {
        "HOME": str(folder.home),
        "TMPDIR": str(folder.temporary),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    }
    return {**kept, **own, **settings.variables}


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, onerror=_make_writable_and_retry)  # `onexc` exists from 3.12 on


def _make_writable_and_retry(function: object, path: str, _error: object) -> None:
    Path(path).parent.chmod(0o700)
    if function is os.rmdir or function is os.unlink:
        function(path)
    elif Path(path).is_dir():
        Path(path).chmod(0o700)
        shutil.rmtree(path)
