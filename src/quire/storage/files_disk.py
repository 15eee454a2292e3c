"""What the files engine asks of the operating system. Every call blocks: for threads, not for the event loop."""

import errno
import fcntl
import os
import sys
from pathlib import Path

from quire.storage.protocol import OutcomeUnknown, StorageError, StoreUnavailable

_NOTHING_WRITTEN = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}
"""Errors of a write that say why not a byte of it was taken."""


def explain(error: OSError, path: Path) -> str:
    """What went wrong, and what to do about it."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            reason = "the disk is full: make room on it"
        case errno.EROFS:
            reason = "the disk is read-only"
        case errno.EACCES | errno.EPERM:
            reason = "permission denied: check the permissions of the file and of its folder"
        case errno.EIO:
            reason = "the disk reports an error (it may be failing)"
        case errno.EMFILE | errno.ENFILE:
            reason = "too many open files: raise the limit (ulimit -n)"
        case _:
            reason = "the system refuses"
    return f"file {path}: {reason} ({error})"


def failure_of_write(error: OSError, path: Path) -> StorageError:
    """The error of a write that was not taken whole: definite only if the system says why (W2)."""
    kind = StoreUnavailable if error.errno in _NOTHING_WRITTEN else OutcomeUnknown
    return kind(explain(error, path))


def open_file(path: Path, *, create: bool = False) -> int:
    """A descriptor for reading and writing; `create`: the file must not exist yet."""
    return os.open(path, os.O_RDWR | (os.O_CREAT | os.O_EXCL if create else 0), 0o600)


def write_at(descriptor: int, data: bytes, offset: int) -> int:
    """How many of the bytes were taken: a disk that fills up takes a part."""
    return os.pwrite(descriptor, data, offset)


def truncate(descriptor: int, size: int) -> None:
    os.ftruncate(descriptor, size)


def read_at(descriptor: int, size: int, offset: int) -> bytes:
    """The bytes from `offset` on, fewer only where the file ends."""
    parts = []
    while size > 0:
        part = os.pread(descriptor, size, offset)
        if not part:
            break
        parts.append(part)
        size -= len(part)
        offset += len(part)
    return b"".join(parts)


def sync_data(descriptor: int) -> None:
    """Return when the file's data and its length are on the disk."""
    if sys.platform == "darwin":
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)  # through the drive's cache
    else:
        os.fdatasync(descriptor)


def sync_folder(folder: Path) -> None:
    """Return when the names in the folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder (0700) and those above it that are missing, durable."""
    for made in [*[parent for parent in folder.parents if not parent.is_dir()][::-1], folder]:
        made.mkdir(mode=0o700, exist_ok=True)
        sync_folder(made.parent)


def write_file(path: Path, data: bytes) -> None:
    """Write a new file, or write over one that is there; durable but for its name."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        offset = 0
        while offset < len(data):
            offset += write_at(descriptor, data[offset:], offset)
        sync_data(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, data: bytes) -> None:
    """Put a file in place, whole or not at all. Only one thread may do so in one folder at a time.

    Raises:
        StoreUnavailable: what was there is still there. OutcomeUnknown: the new one may be there.
    """
    temporary = path.with_name(".new")  # of a fixed name: what a crash leaves is written over
    try:
        write_file(temporary, data)
        temporary.replace(path)
    except OSError as error:
        raise StoreUnavailable(explain(error, path)) from error
    sync_name(path)


def sync_name(path: Path) -> None:
    """Make what was done to the name of a file durable. Raises OutcomeUnknown."""
    try:
        sync_folder(path.parent)
    except OSError as error:
        raise OutcomeUnknown(explain(error, path.parent)) from error
