"""From what a cell shows to one output: the richest MIME type of a bundle, as text."""

import base64
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ipykernel.displayhook import ZMQShellDisplayHook
from ipykernel.zmqshell import ZMQDisplayPublisher
from IPython.core.formatters import DisplayFormatter
from IPython.display import Video

from .recorder import Event, Recorder
from .tables import MIME_TYPE as TABLE
from .tables import Tables
from .widgets import widget_text

_PREFERRED = (
    # First what the page draws itself. Of what is left, the order of Jupyter's own front ends.
    "application/vnd.quire.",
    "application/vnd.plotly.v1+json",
    "application/vnd.vegalite.",
    "application/vnd.vega.",
    "text/html",
    "text/markdown",
    "text/latex",
    "image/svg+xml",
    "image/",
    "audio/",
    "video/",
    "application/json",
    "application/geo+json",
    "application/pdf",
    "text/plain",
)
"""MIME types, or beginnings of them, from richest to poorest. Others are taken only if there is nothing else."""

_PLAIN_TYPES = frozenset({bool, complex, float, int, str})
METADATA_BYTES_MAX = 64 * 1024
_VIDEO_BYTES_MAX = 5 * 1024 * 1024
"""As base64 it takes a third more, and must stay below what is kept of one output."""


class CellDisplayFormatter(DisplayFormatter):
    """What a value shows itself as. Tables are not asked: they would write HTML that nobody sees."""

    tables: Tables | None = None

    def format(self, obj: Any, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """All representations of a value: by MIME type, and what is said of them."""
        own = self._own(obj)
        if own and not (include and own.keys().isdisjoint(include)) and own.keys().isdisjoint(exclude or ()):
            return own, {}
        ask_all: Any = super().format
        found: tuple[dict[str, Any], dict[str, Any]] = ask_all(obj, include=include, exclude=exclude)
        return found

    def _own(self, value: Any) -> dict[str, Any]:
        """As what only we can show; empty for all else, and if the notebook has its own way."""
        if self.tables is None or type(value) in self.formatters["text/html"].type_printers:
            return {}
        try:
            table = self.tables.show(value)
        except Exception as error:  # noqa: BLE001 - the author's own class, or one that is broken: it has other forms
            sys.stderr.write(f"Not shown as a table: {type(error).__name__}: {error}\n")
            return {}
        if table is not None:
            return {TABLE: table}
        if isinstance(value, Video):
            return _embedded(value)
        widget = widget_text(value)
        return {"text/plain": widget} if widget else {}


def _embedded(video: Any) -> dict[str, Any]:
    """A film from a file of the kernel's, which a page cannot load from there; empty if it is none."""
    path = Path(video.filename or "")
    if video.embed or not path.is_file():
        return {}
    if path.stat().st_size > _VIDEO_BYTES_MAX:
        size, limit = path.stat().st_size / 1024**2, _VIDEO_BYTES_MAX // 1024**2
        return {"text/plain": f"{path.name} is {size:.1f} MB; films of up to {limit} MB are shown. Make it smaller."}
    make: Any = Video
    whole = make(
        filename=str(path),
        embed=True,
        mimetype=video.mimetype,
        width=video.width,
        height=video.height,
        html_attributes=video.html_attributes,
    )
    return {"text/html": whole._repr_html_()}


class CellDisplayPublisher(ZMQDisplayPublisher):
    """Where `display()` ends: the recorder, instead of a message of its own."""

    recorder: Recorder

    def publish(  # type: ignore[override]  # as ipykernel: without IPython's deprecated `source`
        self,
        data: Any,
        metadata: Any = None,
        *,
        transient: Any = None,
        update: bool = False,
        **_unused: Any,
    ) -> None:
        """Record one display, or the change of one."""
        display_id = str((transient or {}).get("display_id") or "")
        output = output_of(data, metadata or {}, display_id)
        if output is None:
            return
        if update:
            self.recorder.replace(output)
        else:
            self.recorder.show(output)

    def clear_output(self, wait: bool = False) -> None:  # noqa: FBT001, FBT002 - IPython's signature
        self.recorder.clear(wait=wait)


class CellDisplayHook(ZMQShellDisplayHook):
    """Shows a cell's last value. Unlike IPython's, it keeps no reference to it (no `Out`, no `_`)."""

    def __call__(self, result: Any = None) -> None:
        if result is None:
            return
        shell: Any = self.shell
        if self.exec_result is not None:
            # `%%time` and other magics that run code hand the value on.
            self.exec_result.result = result
        data, metadata = _format(shell.display_formatter, result)
        if data:
            shell.display_pub.publish(data, metadata)


def _format(formatter: Any, value: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """All representations of a value. The simplest have only one: to ask everybody would cost most of a short cell."""
    kind = type(value)
    formatters = formatter.formatters
    if kind in _PLAIN_TYPES and not any(
        kind in one.type_printers for mime_type, one in formatters.items() if mime_type != "text/plain"
    ):
        return {"text/plain": formatters["text/plain"](value)}, {}
    data, metadata = formatter.format(value)
    return data, metadata


def output_of(data: Mapping[str, Any], metadata: Mapping[str, Any], display_id: str) -> Event | None:
    """The richest representation in a bundle that can be written; None if there is none."""
    for mime_type in sorted(data, key=_rank):
        text = _as_text(mime_type, data[mime_type])
        if text is not None:
            return {
                "mime_type": mime_type,
                "data": text,
                "metadata": _metadata_text(metadata, mime_type),
                "display_id": display_id,
            }
    return None


def _rank(mime_type: str) -> int:
    for rank, beginning in enumerate(_PREFERRED):
        if mime_type.startswith(beginning):
            return rank
    return len(_PREFERRED)


def _as_text(mime_type: str, value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode("ascii")
    if mime_type.endswith(("/json", "+json", ".json")):
        return _json_text(value)
    if isinstance(value, list | tuple):
        # Lines, as notebook files keep them.
        return "".join(map(str, value))
    return value if isinstance(value, str) else str(value)


def _json_text(value: Any) -> str | None:
    """JSON as its standard has it: without NaN, with what numpy and others add made plain; None if it has no end."""
    if isinstance(value, str):
        try:
            json.loads(value, parse_constant=_refuse_constant)
        except ValueError:
            return json.dumps(value, ensure_ascii=False)
        return value
    try:
        try:
            return _dumps(value)
        except (TypeError, ValueError):
            return _dumps(_plain_value(value))
    except RecursionError:
        return None


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _plain_value(value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, float):
        return float(value) if float("-inf") < value < float("inf") else None
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else str(key): _plain_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain_value(item) for item in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode("ascii")
    if hasattr(value, "tolist"):
        # numpy's scalars and arrays, and all that behaves like them.
        return _plain_value(value.tolist())
    return str(value)


def _metadata_text(metadata: Mapping[str, Any], mime_type: str) -> str:
    """What was said of this MIME type and of the display as a whole; nothing if that is too long."""
    chosen = {key: value for key, value in metadata.items() if isinstance(key, str) and "/" not in key}
    own = metadata.get(mime_type)
    if isinstance(own, Mapping):
        chosen.update(own)
    text = _json_text(chosen) if chosen else None
    return text if text is not None and len(text) <= METADATA_BYTES_MAX else "{}"
