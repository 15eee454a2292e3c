"""Every written format stays loadable for ever: stored bytes are read as what they meant, and written the same (E1)."""

from pathlib import Path
from typing import get_args

import pytest

from quire.notebook import changes as ch
from quire.notebook.codec import (
    FORMAT,
    CheckpointHead,
    decode_body,
    decode_checkpoint,
    decode_checkpoint_head,
    encode_blob_body,
    encode_checkpoint,
    encode_checkpoint_ref,
    encode_commit,
)
from quire.notebook.fold import fold
from quire.notebook.model import Notebook
from tests.notebook.golden_values import BLOB, CHANGES, EMPTY_NOTEBOOK, NOTEBOOK, commit_of

GOLDEN = Path(__file__).parent / "golden"
FOLDER = GOLDEN / "format1"
KINDS = sorted(str(kind.__struct_config__.tag) for kind in get_args(ch.Change))
OTHERS = {"blob_body.json", "checkpoint.jsonl", "checkpoint_empty.jsonl", "checkpoint_ref.jsonl"}


def golden(name: str) -> bytes:
    path = FOLDER / name
    assert path.exists(), f"{path} is missing: put the bytes there that this version writes, and never alter them"
    return path.read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_E1_every_kind_of_change_has_a_golden_file(kind: str) -> None:
    assert kind in CHANGES, f"tell in golden_values.py what {kind}.json says"
    assert {ch.kind_of(change) for change in CHANGES[kind]} == {kind}
    data = golden(f"{kind}.json")
    assert decode_body(data) == commit_of(kind)
    assert encode_commit(commit_of(kind)) == data


def test_E1_a_body_in_the_blob_store() -> None:
    assert decode_body(golden("blob_body.json")) == BLOB
    assert encode_blob_body(BLOB) == golden("blob_body.json")


@pytest.mark.parametrize(
    ("name", "state", "previous"), [("checkpoint.jsonl", NOTEBOOK, 7), ("checkpoint_empty.jsonl", EMPTY_NOTEBOOK, 0)]
)
def test_E1_a_checkpoint(name: str, state: Notebook, previous: int) -> None:
    lines = golden(name).splitlines(keepends=True)
    loaded = decode_checkpoint(lines)
    assert loaded == state
    assert list(loaded.cells) == list(state.cells)
    assert decode_checkpoint_head(lines[0]).previous == previous
    assert encode_checkpoint(state, previous=previous) == golden(name)


def test_E1_a_checkpoint_in_the_blob_store() -> None:
    expected = CheckpointHead(format=1, min_reader=1, previous=7, blob=BLOB, revision=14)
    assert decode_checkpoint_head(golden("checkpoint_ref.jsonl")) == expected
    assert encode_checkpoint_ref(BLOB, revision=14, previous=7) == golden("checkpoint_ref.jsonl")


def test_E1_golden_files_can_be_folded() -> None:
    """Not only read: the meaning of each change is still known."""
    created = ch.Commit(revision=1, commit_id="c1", changes=CHANGES["notebook_created"][:1])
    later = [kind for kind in KINDS if kind != "notebook_created"]
    log = [created] + [ch.Commit(revision, f"c{revision}", CHANGES[kind]) for revision, kind in enumerate(later, 2)]
    state = fold(None, log)
    assert state is not None
    assert state.revision == len(KINDS)


def test_E1_every_golden_file_is_tested_and_every_format_has_its_folder() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {f"{kind}.json" for kind in KINDS} | OTHERS
    assert sorted(path.name for path in GOLDEN.iterdir() if path.is_dir()) == [f"format{n + 1}" for n in range(FORMAT)]
