"""Nesting of JSON texts (E2)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quire.notebook.depth import nesting_of

values = st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


def depth_of(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max((depth_of(inner) for inner in value.values()), default=0)
    if isinstance(value, list):
        return 1 + max((depth_of(inner) for inner in value), default=0)
    return 0


@given(values)
def test_E2_a_text_is_as_deep_as_its_value(value: object) -> None:
    text = json.dumps(value)
    limit = text.count("[") + text.count("{") - 1
    if limit >= 0:
        assert nesting_of(text, limit) == min(depth_of(value), limit + 1)


@pytest.mark.parametrize("text", ['"[[[["', r'"\"[[["', "[]" * 50])
def test_brackets_in_strings_and_side_by_side_do_not_nest(text: str) -> None:
    assert nesting_of(text, 2) <= 1


def test_counting_stops_above_the_limit() -> None:
    assert nesting_of("[" * 100_000, 100) == 101
