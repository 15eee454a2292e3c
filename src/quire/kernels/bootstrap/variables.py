"""The notebook's variables: what each is, how large, and which cell made it."""

import sys
import types
from typing import Any

from .namespace import Namespace
from .short_repr import Describer, shortened

VARIABLES_MAX = 500
VALUE_CHARS_MAX = 120
_COLUMNS_SHOWN = 10
_ARRAYS = frozenset({"cupy", "numpy", "pandas", "polars", "pyarrow", "scipy", "torch", "xarray"})
"""Libraries whose objects have a `shape` that costs nothing, and a `repr` that may cost much."""
_SIZED = (str, bytes, bytearray, list, tuple, dict, set, frozenset, range)


class Variables:
    """Tells of the names that cells have defined."""

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace

    def list(self) -> dict[str, Any]:
        """Of each: `name, type, shape, value, size, cell_id`; `size` in bytes, or null."""
        describer = Describer()
        defined = [
            (name, cell_id, value)
            for name, cell_id, value in self._namespace.defined()
            if not issubclass(type(value), types.ModuleType)  # `isinstance` would ask the object
        ]
        shown = [_variable(name, cell_id, value, describer) for name, cell_id, value in defined[:VARIABLES_MAX]]
        return {"variables": shown, "total": len(defined)}


def _variable(name: str, cell_id: str, value: Any, describer: Describer) -> dict[str, Any]:
    try:
        shape, text, size = _shape_of(value), _value_of(value, describer), _size_of(value)
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - an author's or a library's object may raise anything when it is looked at
        shape, text, size = "", "", None
    return {
        "name": name,
        "type": _type_of(value),
        "shape": shape,
        "value": shortened(text, VALUE_CHARS_MAX),
        "size": size,
        "cell_id": cell_id,
    }


def _type_of(value: Any) -> str:
    kind = type(value)
    library = _library_of(value)
    return f"{library}.{kind.__name__}" if library in _ARRAYS else str(kind.__name__)


def _library_of(value: Any) -> str:
    module = getattr(type(value), "__module__", "")
    return module.partition(".")[0] if isinstance(module, str) else ""


def _shape_of(value: Any) -> str:
    if _library_of(value) in _ARRAYS:
        shape = getattr(value, "shape", None)
        if isinstance(shape, tuple):
            return " x ".join(f"{int(length):,}" for length in shape)
    return f"{len(value):,}" if type(value) in _SIZED else ""


def _value_of(value: Any, describer: Describer) -> str:
    if _library_of(value) in _ARRAYS and not _is_scalar(value):
        names = [str(name) for name in list(getattr(value, "columns", ()))[: _COLUMNS_SHOWN + 1]]
        return ", ".join(names[:_COLUMNS_SHOWN]) + (", ..." if len(names) > _COLUMNS_SHOWN else "")
    if issubclass(type(value), types.FunctionType | type):
        return ""
    return describer.describe(value)


def _is_scalar(value: Any) -> bool:
    return getattr(value, "shape", ()) == ()


def _size_of(value: Any) -> int | None:
    if _library_of(value) not in _ARRAYS:
        return sys.getsizeof(value) if type(value) in (*_SIZED, int, float, complex, bool) else None
    if isinstance(size := getattr(value, "nbytes", None), int):
        return size
    if callable(usage := getattr(value, "memory_usage", None)):
        found = usage(deep=False)
        return int(found.sum()) if hasattr(found, "sum") else int(found)
    if callable(estimate := getattr(value, "estimated_size", None)):
        return int(estimate())
    return None
