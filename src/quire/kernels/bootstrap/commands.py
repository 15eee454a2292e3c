"""`!command`: IPython's own way reads all of the output again for each new piece of it."""

import codecs
import os
import pty
import select
import subprocess
import sys
import termios
from typing import Any

CHUNK_BYTES = 64 * 1024
POLL_MS = 50
"""How often to look whether the command has ended: what it left in the background may keep the terminal open."""


def run_command(shell: Any, command: str) -> None:
    """Run a line of shell, printing what it writes as it comes; its exit status becomes `_exit_code`.

    The command has a terminal, so that it does not hold its output back, and is in the kernel's process group, so that
    an interrupt reaches it.
    """
    ours, theirs = pty.openpty()
    try:
        _keep_line_ends(theirs)
        expanded = shell.var_expand(command, depth=1)
        process = subprocess.Popen(  # noqa: S602 - a shell is what the author asked for
            expanded, shell=True, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        theirs = -1
        try:
            _print_output(ours, process)
        except BaseException:
            process.kill()
            process.wait()
            raise
    finally:
        os.close(ours)
        if theirs >= 0:
            os.close(theirs)
    shell.user_ns["_exit_code"] = process.returncode


def _print_output(terminal: int, process: "subprocess.Popen[bytes]") -> None:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    poll = select.poll()
    poll.register(terminal, select.POLLIN)
    while True:
        ended = process.poll() is not None
        if poll.poll(0 if ended else POLL_MS):
            try:
                data = os.read(terminal, CHUNK_BYTES)
            except OSError:
                # How Linux says that nobody has the other side open any more.
                break
            if not data:
                break
            sys.stdout.write(decoder.decode(data))
        elif ended:
            break
    process.wait()
    sys.stdout.write(decoder.decode(b"", final=True))


def _keep_line_ends(terminal: int) -> None:
    """A terminal puts a carriage return before each new line; here no cursor moves."""
    attributes = termios.tcgetattr(terminal)
    attributes[1] &= ~termios.OPOST
    termios.tcsetattr(terminal, termios.TCSANOW, attributes)
