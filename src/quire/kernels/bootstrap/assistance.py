"""Help while somebody writes: what could stand here, and what a name is, by the values that are there."""

from typing import Any

from IPython.core.completer import provisionalcompleter, rectify_completions

from .places import described
from .private_names import is_private, prefix_of

MATCHES_MAX = 200
_ANY_CELL = "_cell_"


class Assistance:
    """Answers for code that is being written in a cell. Positions count Unicode code points.

    Nothing is called: attributes are looked up as far as that runs no code of the notebook's.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell

    def complete(self, cell_id: str, code: str, position: int) -> dict[str, Any]:
        """What could stand at `position`: `matches` to replace the text from `start` to `end`."""
        with provisionalcompleter():
            found = self._shell.Completer.completions(code, position)
            completions = list(rectify_completions(code, found))
        prefix = prefix_of(cell_id)
        start, end = (completions[0].start, completions[0].end) if completions else _word_before(code, position)
        matches = [
            {"text": completion.text, "type": completion.type}
            for completion in completions
            if not completion.text.startswith(_ANY_CELL)
        ]
        if not code[:start].endswith("."):
            # Names of this cell's own are kept under another name.
            typed = code[start:position]
            matches += [
                {"text": name, "type": "instance"}
                for name in self._private_names(prefix)
                if name.startswith(typed) and typed.startswith("_")
            ]
        return {"matches": matches[:MATCHES_MAX], "start": start, "end": end}

    def inspect(self, cell_id: str, code: str, position: int) -> dict[str, Any]:
        """The name at `position`, or the function whose arguments are written there."""
        import jedi  # noqa: PLC0415 - it takes long, and most kernels are never asked

        jedi.settings.allow_unsafe_interpreter_executions = False
        prefix = prefix_of(cell_id)
        own = {name: self._shell.user_ns[f"{prefix}{name}"] for name in self._private_names(prefix)}
        before = code[:position]
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1)
        return described(jedi.Interpreter(code, [self._shell.user_ns, own]), line, column)

    def _private_names(self, prefix: str) -> list[str]:
        names = (name[len(prefix) :] for name in list(self._shell.user_ns) if name.startswith(f"{prefix}_"))
        return [name for name in names if is_private(name)]


def _word_before(code: str, position: int) -> tuple[int, int]:
    start = position
    while start and (code[start - 1].isalnum() or code[start - 1] == "_"):
        start -= 1
    return start, position
