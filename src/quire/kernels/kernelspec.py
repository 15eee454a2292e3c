"""Which interpreter runs notebooks: a path, or a Jupyter kernel that is installed on this machine."""

import os
import shutil
import sys
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from jupyter_client import kernelspec

_MODULES = ("ipykernel_launcher", "ipykernel")
"""What the `argv` of an ipykernel's `kernel.json` runs: everything before it starts the interpreter."""


class FoundKernel(NamedTuple):
    """How the interpreter is started, and environment variables that it gets."""

    command: tuple[str, ...]
    variables: Mapping[str, str]


class NoSuchKernel(Exception):
    """The message says what was looked for, and what there is."""


def find_kernel(name: str) -> FoundKernel:
    """The kernel called `name`: empty for the server's own interpreter, a path to one, or a Jupyter kernel's name.

    Blocking: reads a few small files.

    Raises:
        NoSuchKernel: there is none, or it is not a Python kernel of ipykernel's.
    """
    if not name:
        return FoundKernel((sys.executable,), {})
    if os.sep in name:
        path = Path(name).expanduser()
        if not os.access(path, os.X_OK) or path.is_dir():
            raise NoSuchKernel(f"{name} is not a program: give the path of a Python interpreter that has ipykernel")
        return FoundKernel((str(path),), {})
    manager = kernelspec.KernelSpecManager(ensure_native_kernel=False)
    try:
        spec = manager.get_kernel_spec(name)
    except kernelspec.NoSuchKernel:
        known = ", ".join(sorted(manager.find_kernel_specs())) or "none"
        raise NoSuchKernel(f"there is no Jupyter kernel {name!r} on this machine. There are: {known}") from None
    argv = [part.replace("{resource_dir}", spec.resource_dir) for part in spec.argv]
    at = next((at for at, (flag, module) in enumerate(pairwise(argv)) if flag == "-m" and module in _MODULES), 0)
    if not at:
        raise NoSuchKernel(
            f"the Jupyter kernel {name!r} does not run `python -m ipykernel_launcher`: only kernels of ipykernel's do"
        )
    command = argv[:at]
    if shutil.which(command[0]) is None:
        raise NoSuchKernel(f"the Jupyter kernel {name!r} is started with {command[0]}, which is not there")
    return FoundKernel(tuple(command), dict(spec.env))
