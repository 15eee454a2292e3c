"""Conditions on the rows of a table: what a filter's value means for its column, and the test of one value."""

import operator
import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from .questions import Refusal
from .table_frames import Column, Condition, Filter, Kind

_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}
_TEXT_KINDS: frozenset[Kind] = frozenset({"text", "category", "other"})
_OPERATORS = (*_COMPARISONS, "contains", "not_contains", "null", "not_null")
_DURATION = re.compile(r"(?:(-?\d+) days?,? \+?)?(\d+):(\d\d):(\d\d(?:\.\d+)?)")
_NOUNS: dict[Kind, str] = {
    "integer": "numbers",
    "number": "numbers",
    "boolean": "true and false",
    "time": "times",
    "duration": "durations",
}


def condition_of(asked: Filter, columns: list[Column]) -> Condition:
    """Judge a filter.

    Raises:
        Refusal: there is no such column or operator, or the value is of another type.
    """
    number, op, value = asked["column"], asked["op"], asked.get("value")
    column = columns[number]
    if op not in _OPERATORS:
        raise Refusal(f"There is no operator {op!r}. There are: {', '.join(_OPERATORS)}.")
    if op in {"null", "not_null"}:
        return Condition(number, op, None)
    if op in {"contains", "not_contains"} and column.kind not in _TEXT_KINDS:
        raise Refusal(f"Column {column.name!r} holds {_NOUNS[column.kind]}: compare them instead of searching them.")
    return Condition(number, op, _value_for(column, value))


def negative(op: str) -> bool:
    """Whether nulls meet this condition: nothing is not `x`, and does not contain it."""
    return op in {"ne", "not_contains"}


def compare(op: str, left: Any, right: Any) -> Any:
    """`left` compared with `right`, whole columns too."""
    return _COMPARISONS[op](left, right)


def test_of(condition: Condition, text_of: Callable[[Any], str]) -> Callable[[Any], bool]:
    """Whether one value, which is not null, meets the condition; for columns of Python objects."""
    op, wanted = condition.op, condition.value
    if op in {"contains", "not_contains"}:
        folded = wanted.casefold()
        return lambda value: (folded in text_of(value).casefold()) != (op == "not_contains")
    comparison = _COMPARISONS[op]
    if isinstance(wanted, str):
        return lambda value: bool(comparison(text_of(value), wanted))

    # As it was written: 0.1 is not the same number as the float.
    exact = Decimal(repr(wanted)) if isinstance(wanted, float) else wanted

    def test(value: Any) -> bool:
        if isinstance(value, Decimal):
            return bool(comparison(value, exact))
        try:
            return bool(comparison(value, wanted))
        except TypeError:
            return op == "ne"

    return test


def _value_for(column: Column, value: Any) -> Any:
    """The value in the type that its column is compared with. Times stay text: libraries read them themselves."""
    if value is None:
        raise Refusal(f"The filter of column {column.name!r} has no value.")
    found: int | float | bool | timedelta | None
    match column.kind:
        case "integer" | "number":
            found = _number(value)
        case "boolean":
            found = {"true": True, "1": True, "false": False, "0": False}.get(str(value).strip().lower())
        case "duration":
            found = _duration(value)
        case _:
            return str(value)
    if found is None:
        raise Refusal(f"{value!r} does not fit: column {column.name!r} holds {_NOUNS[column.kind]}.")
    return found


def _number(value: Any) -> int | float | None:
    """An exact integer wherever it is one."""
    text = str(value).strip()
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if number.is_finite() and abs(number.adjusted()) < 30 and number == number.to_integral_value():
        return int(number)
    return None if number.is_nan() else float(number)


def _duration(value: Any) -> timedelta | None:
    """Seconds, or a text such as `1 days 02:30:00`."""
    match = _DURATION.fullmatch(str(value).strip())
    try:
        if match is None:
            return timedelta(seconds=float(value))
        days, hours, minutes, seconds = match.groups()
        return timedelta(days=int(days or 0), hours=int(hours), minutes=int(minutes), seconds=float(seconds))
    except (TypeError, ValueError, OverflowError):
        return None
