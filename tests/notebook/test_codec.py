"""Bytes of commits and checkpoints."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given

from quire.notebook import changes as ch
from quire.notebook.codec import (
    DEPTH_MAX,
    FORMAT,
    CheckpointHead,
    CodecError,
    NewerFormat,
    checkpoint_lines,
    decode_body,
    decode_checkpoint,
    decode_checkpoint_head,
    encode_blob_body,
    encode_checkpoint,
    encode_checkpoint_ref,
    encode_commit,
)
from quire.notebook.model import BlobRef, CellConfig, Notebook, Output
from tests.notebook.history import NOW, History, commit, edited, inserted
from tests.notebook.strategies import TRICKY_INTEGERS, TRICKY_TEXT, commits, values_of

BLOB = BlobRef(sha256="ab" * 32, size=400_000)


def lines_of(checkpoint: bytes) -> list[bytes]:
    return checkpoint.splitlines(keepends=True)


def altered(body: bytes, alter: Callable[[Any], None]) -> bytes:
    """The body with its JSON altered, as another version or a damaged disk might have written it."""
    value = json.loads(body)
    alter(value)
    return json.dumps(value).encode()


@given(commits)
def test_E1_E2_a_commit_is_read_as_it_was_written(written: ch.Commit) -> None:
    data = encode_commit(written)
    assert decode_body(data) == written
    assert b"\n" not in data


@given(values_of(BlobRef))
def test_W6_a_body_can_name_a_blob_instead(blob: BlobRef) -> None:
    assert decode_body(encode_blob_body(blob)) == blob


@given(values_of(Notebook))
def test_C1_E2_a_checkpoint_is_read_as_it_was_written(state: Notebook) -> None:
    cells = {cell.cell_id: cell for cell in state.cells.values()}
    state = msgspec.structs.replace(state, cells=cells)
    loaded = decode_checkpoint(lines_of(encode_checkpoint(state, previous=7)))
    assert loaded == state
    assert list(loaded.cells) == list(cells)


@pytest.mark.parametrize("text", TRICKY_TEXT)
def test_E2_text_survives(text: str) -> None:
    log = History("a")
    written = commit(2, edited("a", text), ch.NotebookRenamed(name=text, author=text, at=NOW))
    log.commit(*written.changes)
    assert decode_body(encode_commit(written)) == written
    assert decode_checkpoint(lines_of(encode_checkpoint(log.state, previous=0))) == log.state


@pytest.mark.parametrize("integer", TRICKY_INTEGERS)
def test_E2_integers_survive(integer: int) -> None:
    written = commit(2, inserted("a", at=integer))
    assert decode_body(encode_commit(written)) == written


def test_E2_json_output_is_kept_as_text_however_odd() -> None:
    data = '{"a": NaN, "a": -0.0, "b": 123456789012345678901234567890, "deep": ' + "[" * 2000 + "]" * 2000 + "}"
    log = History("a")
    ran = msgspec.structs.replace(log.ran("a"), outputs=(Output(mime_type="application/json", data=data),))
    loaded = decode_body(encode_commit(commit(2, ran)))
    assert isinstance(loaded, ch.Commit)
    assert loaded.changes == (ran,)


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\ude00\ud83d"])
def test_E2_a_lone_surrogate_is_refused(text: str) -> None:
    with pytest.raises(CodecError, match="cannot be stored"):
        encode_commit(commit(2, edited("a", text)))


@pytest.mark.parametrize("text", [b'"\\ud800"', b'"\xed\xa0\x80"', b'"\xff"'])
def test_E2_a_lone_surrogate_in_stored_bytes_is_an_error(text: bytes) -> None:
    body = encode_commit(commit(2, edited("a", "MARK"))).replace(b'"MARK"', text)
    with pytest.raises(CodecError, match="not a record of a format we know"):
        decode_body(body)


@pytest.mark.parametrize("at", [float("nan"), float("inf"), 1.5, "1", None])
def test_E2_what_is_not_of_the_declared_type_is_refused_when_it_is_written(at: Any) -> None:
    with pytest.raises(CodecError, match="cannot be stored"):
        encode_commit(commit(2, inserted("a", at=at)))


@pytest.mark.parametrize(
    "alter",
    [
        lambda body: body.update(colour="red"),
        lambda body: body["commit"].update(colour="red"),
        lambda body: body["commit"]["changes"][0].update(colour="red"),
        lambda body: body["commit"]["changes"][0]["config"].update(colour="red"),
    ],
    ids=["body", "commit", "change", "value"],
)
def test_E1_an_unknown_field_is_an_error_at_every_level(alter: Callable[[Any], None]) -> None:
    change = msgspec.structs.replace(inserted("a"), config=CellConfig(disabled=True))
    with pytest.raises(CodecError, match="unknown field"):
        decode_body(altered(encode_commit(commit(2, change)), alter))


@pytest.mark.parametrize("line", [0, 1])
def test_E1_an_unknown_field_of_a_checkpoint_is_an_error(line: int) -> None:
    lines = lines_of(encode_checkpoint(History("a").state, previous=0))
    lines[line] = altered(lines[line], lambda value: value.update(colour="red"))
    with pytest.raises(CodecError, match="unknown field"):
        decode_checkpoint(lines)


def test_E1_an_unknown_change_is_an_error() -> None:
    body = encode_commit(commit(2, inserted("a")))
    with pytest.raises(CodecError, match="cell_painted"):
        decode_body(body.replace(b'"cell_inserted"', b'"cell_painted"'))


def test_E1_a_newer_format_is_named_even_if_nothing_else_of_it_is_understood() -> None:
    body = json.dumps({"format": FORMAT + 2, "min_reader": FORMAT + 1, "pages": [{"kind": "new"}]}).encode()
    for decode in (decode_body, decode_checkpoint_head, lambda data: decode_checkpoint([data])):
        with pytest.raises(NewerFormat, match="newer version of Quire") as caught:
            decode(body)
        assert caught.value.min_reader == FORMAT + 1


def test_E1_a_newer_writer_that_stays_readable_is_read() -> None:
    written = commit(2, inserted("a"))
    body = altered(encode_commit(written), lambda value: value.update(format=FORMAT + 1))
    assert decode_body(body) == written


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\x28\xb5\x2f\xfd",
        b'{"format":1}',
        b'{"format":1,"min_reader":1}',
        b'{"format":1,"min_reader":1,"commit":{}}',
        b'{"format":1,"min_reader":1,"commit":{"revision":1,"commit_id":"c","changes":[{}]}}',
        b'{"format":"1","min_reader":1}',
        b"[" * 100_000,
        b'{"format":1,"min_reader":1,"commit":' + b"[" * 100_000,
    ],
)
def test_E1_other_bytes_are_an_error(data: bytes) -> None:
    with pytest.raises(CodecError):
        decode_body(data)


def test_E2_stored_json_is_shallow_whatever_users_send() -> None:
    """What users and kernels send as JSON is text to the codec, so the depth it meets is that of its own types."""
    log = History("a")
    ran = msgspec.structs.replace(log.ran("a"), outputs=(Output(mime_type="text/plain", data=BLOB),))
    depth = deepest = 0
    for byte in encode_commit(commit(2, ran)):
        depth += {ord("{"): 1, ord("["): 1, ord("}"): -1, ord("]"): -1}.get(byte, 0)
        deepest = max(deepest, depth)
    assert deepest < DEPTH_MAX / 10


# -- checkpoints


def test_C1_a_checkpoint_names_the_one_before() -> None:
    head = decode_checkpoint_head(lines_of(encode_checkpoint(History("a").state, previous=64))[0])
    assert (head.previous, head.blob, head.cells) == (64, None, 1)


def test_C5_a_checkpoint_has_one_line_per_cell() -> None:
    state = History("a", "b", "c").commit(edited("b", "line one\nline two\u2028line three"))
    lines = list(checkpoint_lines(state, previous=0))
    assert len(lines) == 4
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in lines)
    assert b"".join(lines) == encode_checkpoint(state, previous=0)
    assert [json.loads(line)["cell_id"] for line in lines[1:]] == ["a", "b", "c"]


def test_C5_a_checkpoint_can_lie_in_the_blob_store() -> None:
    line = encode_checkpoint_ref(BLOB, revision=128, previous=64)
    assert decode_checkpoint_head(line) == CheckpointHead(
        format=FORMAT, min_reader=1, previous=64, blob=BLOB, revision=128
    )
    with pytest.raises(CodecError, match="without a state"):
        decode_checkpoint([line])


def test_C1_lines_may_come_without_their_newlines() -> None:
    state = History("a", "b").state
    assert decode_checkpoint(encode_checkpoint(state, previous=0).split(b"\n")) == state


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_C1_a_checkpoint_cut_short_is_an_error(kept: int) -> None:
    lines = lines_of(encode_checkpoint(History("a", "b").state, previous=0))
    with pytest.raises(CodecError, match="a checkpoint"):
        decode_checkpoint(lines[:kept])


def test_C1_a_checkpoint_with_a_line_too_many_is_an_error() -> None:
    lines = lines_of(encode_checkpoint(History("a", "b").state, previous=0))
    with pytest.raises(CodecError, match="of 2 cells that holds 3"):
        decode_checkpoint([*lines, lines[-1].replace(b'"b"', b'"c"')])
    with pytest.raises(CodecError, match="of 2 cells that holds 1"):
        decode_checkpoint([*lines[:2], lines[1]])
