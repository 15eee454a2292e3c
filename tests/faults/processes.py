"""Kernels as the operating system sees them, whatever has become of their server."""

from pathlib import Path

import psutil


def kernels_below(pid: int) -> set[psutil.Process]:
    """The kernel processes of a server, and all that they have started."""
    try:
        return set(psutil.Process(pid).children(recursive=True))
    except psutil.NoSuchProcess:
        return set()


def alive(processes: set[psutil.Process]) -> set[psutil.Process]:
    """Those of them that still run."""
    return {process for process in processes if process.is_running() and process.status() != psutil.STATUS_ZOMBIE}


def kernel_folders(temporary: Path) -> list[str]:
    """What kernels have left in the folder for temporary files."""
    return [folder.name for folder in temporary.glob("quire-kernel-*")]
