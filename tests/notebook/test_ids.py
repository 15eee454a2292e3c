"""Identifiers."""

import string
import time
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quire.notebook.ids import ID_BYTES_MAX, InvalidId, check_id, log_id_of, new_cell_id, new_commit_id, new_notebook_id
from tests.notebook.history import NOW

ALLOWED = string.ascii_letters + string.digits + "!$&'()*+,-.:;=@_|~"
PARTITION_KEY_BYTES_MAX = 2048
"""DynamoDB's limit."""

ids = st.text(ALLOWED, min_size=1, max_size=40).filter(lambda value: value not in {".", ".."})


@pytest.mark.parametrize(
    "value",
    [
        "local",
        "demo-local",
        "auth0|5f7c8ec7c33c6c004bbafe82",
        "user@example.com",
        "a.b",
        "...",
        "~",
        ALLOWED,
        "x" * 512,
    ],
)
def test_an_id_is_returned_as_it_is(value: str) -> None:
    assert check_id(value, "user_id") is value


@pytest.mark.parametrize(
    "value", ["", ".", "..", "a/b", "a b", "a\n", "\0", "é", "a%20b", "a?b", "a#b", "a\\b", '"', "[", "x" * 513]
)
def test_what_is_no_id_is_refused_by_name(value: str) -> None:
    with pytest.raises(InvalidId, match="notebook_id: an id is 1 to 512"):
        check_id(value, "notebook_id")


@given(st.characters())
def test_the_character_set_is_the_documented_one(character: str) -> None:
    try:
        check_id(f"a{character}", "id")
    except InvalidId:
        assert character not in ALLOWED
    else:
        assert character in ALLOWED


@given(st.tuples(ids, ids), st.tuples(ids, ids))
def test_W1_no_two_notebooks_share_a_log(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert (log_id_of(*one) == log_id_of(*other)) == (one == other)


def test_W1_the_owner_is_quoted_so_that_it_ends_where_the_notebook_begins() -> None:
    assert log_id_of("auth0|a@b", "demo-auth0|a@b") == "auth0%7Ca%40b/demo-auth0|a@b"


@pytest.mark.parametrize("character", ["a", "|", "~", "!"])
def test_W1_a_log_of_any_user_with_a_demo_and_a_blank_notebook_can_be_a_partition_key(character: str) -> None:
    user_id = character * (ID_BYTES_MAX - len("blank-"))
    notebook_id = check_id(f"blank-{user_id}", "notebook_id")
    assert len(log_id_of(user_id, notebook_id)) <= PARTITION_KEY_BYTES_MAX


def test_commit_ids_are_version_7_and_start_with_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: NOW * 1_000_000 + 999_999)
    made = {uuid.UUID(new_commit_id()) for _ in range(1000)}
    assert len(made) == 1000
    assert all(value.version == 7 and value.variant == uuid.RFC_4122 for value in made)
    assert {value.int >> 80 for value in made} == {NOW}


def test_new_ids_are_valid_and_unlike_each_other() -> None:
    cells = {check_id(new_cell_id(), "cell_id") for _ in range(1000)}
    assert len(cells) == 1000
    assert all(len(cell_id) == 10 and not set("lo01") & set(cell_id) for cell_id in cells)
    assert check_id(new_notebook_id(), "notebook_id") != new_notebook_id()
