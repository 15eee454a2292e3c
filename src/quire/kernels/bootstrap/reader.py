"""Answers questions about code, one line of JSON each, until its input ends. No kernel: a process beside the server.

jedi is slow and all of it Python: in the server's own process it would hold everybody else up. It reads code, and runs
none of it.
"""

import json
import sys
from typing import Any

import jedi

from .places import described

MATCHES_MAX = 200


def main() -> None:
    """Answer until the server closes the pipe."""
    environment = jedi.InterpreterEnvironment()
    for request in sys.stdin.buffer:
        answer = _answer(environment, **json.loads(request))
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        sys.stdout.buffer.flush()


def _answer(environment: Any, kind: str, code: str, line: int, column: int) -> dict[str, Any]:
    """`line` counts from 1, `column` code points from 0."""
    script = jedi.Script(code, environment=environment)
    try:
        if kind == "inspect":
            return described(script, line, column)
        found = script.complete(line, column)
        replaces = found[0].get_completion_prefix_length() if found else 0
        return {"matches": [{"text": one.name, "type": one.type} for one in found[:MATCHES_MAX]], "replaces": replaces}
    except Exception as error:  # noqa: BLE001 - jedi fails on some of the code that people are still writing
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return {"found": False} if kind == "inspect" else {"matches": [], "replaces": 0}


if __name__ == "__main__":
    main()
