"""Processes whose parent has ended stay below the kernel, so that they can be counted, and end with it."""

import ctypes
import os
import sys

_PR_SET_CHILD_SUBREAPER = 36
"""prctl(2), of Linux."""


def adopt() -> None:
    """From now on, an orphan among the kernel's descendants becomes its child."""
    if sys.platform != "linux":
        return
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    if prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl: {os.strerror(ctypes.get_errno())}")
