"""marimo in an environment of its own, to be measured in the same run."""

import subprocess
import sys
from functools import cache
from pathlib import Path

from bench.serving import CACHE

VERSION = "0.25.2"
INSTALL_S = 300


class NotInstallable(Exception):
    """marimo is not there and cannot be had; the message says why."""


@cache
def python() -> Path:
    """The interpreter that has marimo; installed from the package index the first time. Raises NotInstallable."""
    folder = CACHE / f"marimo-{VERSION}"
    interpreter = folder / "bin" / "python"
    if not (folder / "complete").exists():
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
        _run([str(interpreter), "-m", "pip", "install", "-q", "--retries", "1", f"marimo=={VERSION}"])
        (folder / "complete").touch()
    return interpreter


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstallable(str(error)) from error
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
        raise NotInstallable(lines[-1])
