"""Widgets of ipywidgets: there is no front end here that could make them interactive."""

from typing import Any

from .short_repr import Describer

_NOTE = "Widgets are not interactive here. This one stays as the code has set it:"


def widget_text(value: object) -> str:
    """What is shown instead of a widget; empty if `value` is none."""
    if not any(kind.__name__ == "Widget" and kind.__module__.startswith("ipywidgets.") for kind in type(value).__mro__):
        return ""
    return "\n".join([_NOTE, *_lines(value, 1)])


def _lines(widget: Any, depth: int) -> list[str]:
    """A widget and those in it, one line each."""
    told = [type(widget).__name__]
    description = getattr(widget, "description", "")
    if description:
        told.append(f"{description!s}")
    if hasattr(widget, "value"):
        told.append(f"= {Describer().describe(widget.value)}")
    lines = ["  " * depth + " ".join(told)]
    for child in getattr(widget, "children", ()) if depth < _DEPTH_MAX else ():
        lines += _lines(child, depth + 1)
    return lines[:_LINES_MAX]


_DEPTH_MAX = 6
_LINES_MAX = 100
