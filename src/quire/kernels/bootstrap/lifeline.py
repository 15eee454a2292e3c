"""Ends the kernel when its server is gone, however that ended."""

import os
import shutil
import signal
import threading
from pathlib import Path


def hold(descriptor: int, folder: Path) -> None:
    """Watch a pipe whose other end only the server has: when it closes, remove the folder, and end the whole group."""
    threading.Thread(target=_wait, args=(descriptor, folder), name="quire-lifeline", daemon=True).start()


def _wait(descriptor: int, folder: Path) -> None:
    while os.read(descriptor, 1):
        # Nothing is ever sent.
        continue
    shutil.rmtree(folder, ignore_errors=True)
    os.killpg(os.getpgrp(), signal.SIGKILL)
