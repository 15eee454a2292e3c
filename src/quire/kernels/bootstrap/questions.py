"""Questions of the server's about the values in the namespace: asked between plans, answered in the main thread."""

from collections.abc import Callable, Mapping
from typing import Any, TypedDict

from .interrupts import Interrupts
from .recorder import encoded

ANSWER_BYTES_MAX = 4 * 1024 * 1024

Handler = Callable[..., Any]
"""Takes a question's arguments by name; gives its answer as what `json` can write. Raises Refusal."""


class Question(TypedDict):
    """What a question message carries."""

    number: int
    kind: str
    arguments: dict[str, Any]


class Refusal(Exception):
    """There is no answer; the message says why, in words for the notebook's author."""


class Questions:
    """Answers questions by their kind.

    Values of the notebook's author are looked at, and their code may run: it may fail, and is ended by an interrupt.
    """

    def __init__(self, interrupts: Interrupts, handlers: Mapping[str, Handler]) -> None:
        self._interrupts = interrupts
        self._handlers = handlers

    def answer(self, question: Question) -> bytes:
        """The answer, or the refusal, in the form of the server's `Answer`."""
        content, refusal = b"null", ""
        try:
            content = self._content(question)
        except Refusal as error:
            content, refusal = b"null", str(error)
        except BaseException as error:  # noqa: BLE001 - an author's `__getattr__` or `__repr__` may raise anything
            content, refusal = b"null", f"{type(error).__name__} was raised while the kernel looked."
        return b'{"number":%d,"answer":%b,"refusal":%b}' % (question["number"], content, encoded(refusal))

    def _content(self, question: Question) -> bytes:
        handler = self._handlers.get(question["kind"])
        if handler is None:
            raise Refusal(f"This kernel knows no question {question['kind']!r}.")
        interrupts = self._interrupts
        interrupts.install()
        try:
            try:
                interrupts.enter_cell()
                content = encoded(handler(**question["arguments"]))
            finally:
                interrupts.leave_cell()
        except BaseException:
            interrupts.leave_cell()
            raise
        if len(content) > ANSWER_BYTES_MAX:
            raise Refusal(f"The answer has {len(content):,} bytes; up to {ANSWER_BYTES_MAX:,} are sent.")
        return content
