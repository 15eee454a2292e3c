"""Other programs to measure beside Quire, each in an environment of its own, so that ours stays as the lock says."""

import subprocess
import sys
from functools import cache
from pathlib import Path

from bench.serving import CACHE

INSTALL_S = 300


class NotInstallable(Exception):
    """It is not there and cannot be had; the message says why."""


@cache
def interpreter(name: str, version: str, *more: str) -> Path:
    """The Python that has the package `name` (and `more`); installed from the package index the first time.

    Raises:
        NotInstallable: no package index, say.
    """
    folder = CACHE / f"{name}-{version}"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
        _run([str(python), "-m", "pip", "install", "-q", "--retries", "1", f"{name}=={version}", *more])
        (folder / "complete").touch()
    return python


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstallable(str(error)) from error
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
        raise NotInstallable(lines[-1])
