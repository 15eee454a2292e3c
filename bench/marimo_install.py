"""marimo in an environment of its own, to be measured in the same run."""

from pathlib import Path

from bench.foreign import NotInstallable, interpreter

__all__ = ["VERSION", "NotInstallable", "python"]

VERSION = "0.25.2"


def python() -> Path:
    """The interpreter that has marimo. Raises NotInstallable."""
    return interpreter("marimo", VERSION)
