"""JSON as older servers wrote it: with NaN, infinities, lone surrogates, and numbers as text."""

import json
import math
from decimal import Decimal
from typing import Any

_WHOLE_MAX = 2**53


def decode(data: bytes) -> Any:
    """The value in `data`; numbers that no JSON can hold, or that have thousands of digits, are None.

    Raises:
        ValueError: it is no JSON, or nested too deeply.
    """
    try:
        # Not by msgspec, which refuses what is named above.
        return json.loads(data, parse_constant=lambda _: None, parse_float=_finite, parse_int=_integer)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def text(value: object) -> str:
    """Text as it is, nothing as the empty text, and anything else as JSON. Lone surrogates become U+FFFD."""
    if value is None:
        return ""
    if not isinstance(value, str):
        value = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def whole_number(value: object) -> int:
    """A count, be it a number or text; without a fraction. 0: it is none from 1 to 2**53."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return 0
    try:
        exact = Decimal(value)
        return int(exact) if 0 < exact <= _WHOLE_MAX else 0
    except ArithmeticError:
        return 0


def _finite(digits: str) -> float | None:
    value = float(digits)
    return value if math.isfinite(value) else None


def _integer(digits: str) -> int | None:
    try:
        return int(digits)
    except ValueError:  # Python converts up to 4,300 digits.
        return None
