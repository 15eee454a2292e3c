"""stdout, stderr and stdin of a kernel: of Python, and of all that writes to the file descriptors directly."""

import codecs
import fcntl
import io
import os
import select
import sys
import threading
from collections.abc import Iterable
from typing import IO, NoReturn

from .recorder import Recorder, StreamName

PIPE_BYTES = 1024 * 1024
"""C code that prints while it holds the GIL must not fill the pipe: nobody could empty it."""


class FileDescriptors:
    """Descriptors 1 and 2, replaced by pipes: subprocesses and C libraries write there.

    `drain` records what has been written so far, so that it lands on the right cell and in the right place.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._lock = threading.RLock()
        self._names: dict[int, StreamName] = {}
        self._decoders: dict[int, codecs.IncrementalDecoder] = {}
        self._poll = select.poll()
        # For tracebacks of a crash: the server reads it when the process is gone.
        self.original_stderr = os.dup(2)
        for descriptor, name in ((1, "stdout"), (2, "stderr")):
            self._replace(descriptor, "stdout" if name == "stdout" else "stderr")
        threading.Thread(target=self._watch, name="quire-streams", daemon=True).start()

    def _replace(self, descriptor: int, name: StreamName) -> None:
        reader, writer = os.pipe()
        os.dup2(writer, descriptor)
        os.close(writer)
        os.set_blocking(reader, False)
        if hasattr(fcntl, "F_SETPIPE_SZ"):
            try:
                fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
            except OSError as error:
                # The user's quota for pipes is used up; the default of 64 KB works as well.
                os.write(self.original_stderr, f"pipe size: {error}\n".encode())
        self._names[reader] = name
        self._decoders[reader] = codecs.getincrementaldecoder("utf-8")("replace")
        self._poll.register(reader, select.POLLIN)

    def drain(self) -> None:
        with self._lock:
            for reader, _event in self._poll.poll(0):
                self._read(reader)

    def _read(self, reader: int) -> None:
        try:
            data = os.read(reader, PIPE_BYTES)
        except BlockingIOError:
            return
        self._recorder.text(self._names[reader], self._decoders[reader].decode(data))

    def _watch(self) -> None:
        poll = select.poll()
        for reader in self._names:
            poll.register(reader, select.POLLIN)
        while True:
            poll.poll()
            self.drain()


class Writer(io.TextIOBase):
    """`sys.stdout` or `sys.stderr`: text goes to the cell that runs. In a forked child, to the descriptor."""

    def __init__(self, name: StreamName, recorder: Recorder, descriptors: FileDescriptors) -> None:
        super().__init__()
        self.name = name
        self.mode = "w"
        self._stream: StreamName = name
        self._recorder = recorder
        self._descriptors = descriptors
        self._descriptor = 1 if name == "stdout" else 2
        self._forked = False
        # Nothing is buffered, hence `flush` has nothing to do.
        self.buffer: IO[bytes] = os.fdopen(self._descriptor, "wb", buffering=0, closefd=False)
        os.register_at_fork(after_in_child=self._fork)

    @property
    def encoding(self) -> str:  # type: ignore[override]  # a plain attribute in typeshed, read-only at run time
        return "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]  # a plain attribute in typeshed, read-only at run time
        return "replace"

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if self._forked:
            os.write(self._descriptor, text.encode("utf-8", "replace"))
        elif not self._recorder.drop(self._stream, text):
            self._descriptors.drain()
            self._recorder.text(self._stream, text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:  # type: ignore[override]  # typeshed wants Buffer too
        for line in lines:
            self.write(line)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def close(self) -> None:
        """Stay open: other cells print as well."""

    def _fork(self) -> None:
        self._forked = True


class NoInput(io.TextIOBase):
    """`sys.stdin`: nobody can answer."""

    name = "<stdin>"

    def readable(self) -> bool:
        return True

    def readline(self, _size: int = -1) -> str:  # type: ignore[override]  # typeshed: positional-only
        refuse_input()

    def read(self, _size: int | None = -1) -> str:
        refuse_input()

    def fileno(self) -> int:
        return 0

    def close(self) -> None:
        """Stay open: `exit()` closes it, and descriptor 0 would be given to the next file."""


def refuse_input(*_args: object, **_kwargs: object) -> NoReturn:
    """What `input()` and `getpass()` do here."""
    raise RuntimeError(
        "input() is not possible here: nobody can answer while a notebook runs. Assign a variable instead."
    )


def install(recorder: Recorder, descriptors: FileDescriptors) -> tuple[Writer, Writer]:
    """Replace Python's streams."""
    sys.stdin = NoInput()
    return Writer("stdout", recorder, descriptors), Writer("stderr", recorder, descriptors)
