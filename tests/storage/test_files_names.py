"""W1: no two ids share a file, on any file system."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quire.storage.files_names import NAME_BYTES_MAX, decode_name, encode_name, is_name
from tests.storage.engines import ODD_ID

IDS = st.text(st.sampled_from(ODD_ID + "%/\0é"), max_size=8) | st.text(st.sampled_from("aA~%.-0"), max_size=600)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("alice/n1", "alice%2fn1"),
        ("Alice", "%41lice"),
        ("ann@example.com", "ann@example.com"),
        (".hidden", "%2ehidden"),
        ("..", "%2e."),
        ("100%", "100%25"),
        ("a~b", "a%7eb"),
        ("\0", "%00"),
        ("é", "%c3%a9"),
    ],
)
def test_W1_names_can_be_read_by_people(text: str, name: str) -> None:
    assert encode_name(text) == name
    assert decode_name(name) == text


@given(first=IDS, second=IDS)
def test_W1_different_ids_have_different_names_whatever_the_case(first: str, second: str) -> None:
    names = encode_name(first), encode_name(second)
    assert (names[0].casefold() == names[1].casefold()) == (first == second)


@given(text=IDS)
def test_W1_a_name_is_short_plain_and_tells_its_id_if_it_can(text: str) -> None:
    name = encode_name(text)
    assert re.fullmatch(r"[a-z0-9_@%\-][a-z0-9_@.%~\-]*|~[0-9a-f]{64}", name)
    assert len(name.encode()) <= NAME_BYTES_MAX
    assert is_name(name)
    assert decode_name(name) in (text, None)
    if decode_name(name) is None:
        assert "~" in name


def test_W1_what_is_too_long_keeps_a_beginning_and_a_hash() -> None:
    longest = ODD_ID * 6
    name = encode_name(longest)
    assert name.startswith("%21%24")
    assert len(name) == 100 + 1 + 64
    assert encode_name(longest + "x") != name
    assert encode_name("") != encode_name("~")


@pytest.mark.parametrize("name", [".new", "Alice", "a%2Fb", "a b", "%", "%4", "é", "a~b", "a%61"])
def test_other_files_are_not_taken_for_ours(name: str) -> None:
    assert decode_name(name) is None
    assert not is_name(name)
