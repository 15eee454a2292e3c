"""What jedi says about one place in code."""

from typing import Any

TEXT_CHARS_MAX = 10_000


def described(script: Any, line: int, column: int) -> dict[str, Any]:
    """What jedi says about a place: `parameter` is the index of the argument that is being written, or null."""
    for signature in script.get_signatures(line, column):
        return {
            "found": True,
            "name": signature.name,
            "kind": signature.type,
            "signature": signature.to_string(),
            "doc": signature.docstring(raw=True)[:TEXT_CHARS_MAX],
            "parameter": signature.index,
        }
    for name in script.help(line, column) or script.infer(line, column):
        signatures = name.get_signatures()
        return {
            "found": True,
            "name": name.full_name or name.name,
            "kind": name.type,
            "signature": signatures[0].to_string() if signatures else "",
            "doc": name.docstring(raw=True)[:TEXT_CHARS_MAX],
            "parameter": None,
        }
    return {"found": False, "name": "", "kind": "", "signature": "", "doc": "", "parameter": None}
