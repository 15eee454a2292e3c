"""Whole-notebook documents of older servers, in all the shapes that they left behind."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quire.interchange.legacy import LegacyCell, UnusableDocument, read_document
from quire.notebook.ids import check_id
from quire.notebook.model import CELLS_MAX, CODE_BYTES_MAX, NAME_BYTES_MAX, CellError, Output


def read(*cells: Any, **fields: Any) -> tuple[LegacyCell, ...]:
    return read_document(json.dumps({"id": "n1", "name": "Sales", "cells": cells, **fields}).encode()).cells


def test_what_a_cell_may_hold() -> None:
    (cell,) = read(
        {
            "id": "c1",
            "type": "sql",
            "code": "select 1\n",
            "status": "success",
            "stdout": "printed",
            "outputs": [
                {"mime_type": "text/html", "data": "<b>1</b>", "metadata": {"a": 1.5}},
                {"mime_type": "application/json", "data": {"rows": [1, 2.5, None]}},
                {"data": None},
            ],
            "error": None,
            "reads": ["x"],
            "unheard_of": 1,
        }
    )
    assert cell == LegacyCell(
        "c1",
        "sql",
        "select 1\n",
        "success",
        "printed",
        (
            Output("text/html", "<b>1</b>", '{"a":1.5}'),
            Output("application/json", '{"rows":[1,2.5,null]}'),
            Output("text/plain", ""),
        ),
    )


@pytest.mark.parametrize(
    ("status", "then"),
    [
        ("running", "stale"),
        ("queued", "stale"),
        ("blocked", "stale"),
        ("error", "error"),
        ("odd", "idle"),
        (None, "idle"),
        (3, "idle"),
    ],
)
def test_what_was_not_finished_is_stale(status: object, then: str) -> None:
    assert read({"code": "x", "status": status})[0].status == then


@pytest.mark.parametrize(
    ("type_", "then"),
    [("python", "python"), (None, "python"), ("sql", "sql"), ("markdown", "markdown"), ("r", "markdown")],
)
def test_a_cell_of_an_unknown_type_does_not_run(type_: object, then: str) -> None:
    assert read({"code": "x", "type": type_})[0].type == then


@pytest.mark.parametrize(
    ("error", "then"),
    [
        ("boom", CellError("Error", "boom")),
        ({"name": "KeyError", "message": "'x'"}, CellError("KeyError", "'x'")),
        ({"message": 3}, CellError("Error", "3")),
        ("", None),
        (None, None),
    ],
)
def test_errors_are_texts_or_objects(error: object, then: CellError | None) -> None:
    assert read({"code": "x", "error": error})[0].error == then


def test_ids_become_valid_and_differ() -> None:
    cells = read(
        *(
            {"id": given_id, "code": str(n)}
            for n, given_id in enumerate(["a", "a", "a b", "", None, 7, "..", "x" * 600])
        )
    )
    assert cells[0].cell_id == "a"
    assert len({cell.cell_id for cell in cells}) == 8
    for cell in cells:
        check_id(cell.cell_id, "cell_id")
    assert [cell.code for cell in cells] == [str(n) for n in range(8)]


def test_texts_that_json_cannot_hold_are_replaced_and_others_kept() -> None:
    document = b'{"name":"\\ud800 \\u0000 \\ud83d\\ude00","cells":[{"code":"a\\udfffb"}]}'
    assert read_document(document).name == "\ufffd \0 😀"
    assert read_document(document).cells[0].code == "a\ufffdb"


def test_ids_that_are_missing_are_made_the_same_way_each_time() -> None:
    twice = [read({"code": "x"}, {"code": "x"}, {"id": "", "code": "y"}) for _ in range(2)]
    assert twice[0] == twice[1]
    assert len({cell.cell_id for cell in twice[0]}) == 3
    taken = twice[0][1].cell_id
    cells = read({"code": "z", "id": taken}, {"code": "x"})
    assert len({cell.cell_id for cell in cells}) == 2, "also if another cell has that id"


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "Infinity", "-Infinity", "9" * 5000])
def test_numbers_that_json_cannot_hold_become_null(number: str) -> None:
    output = f'{{"mime_type":"application/json","data":[{number},1.5],"metadata":{{"a":{number},"b":2.5}}}}'
    (cell,) = read_document(f'{{"cells":[{{"code":"x","outputs":[{output}]}}]}}'.encode()).cells
    assert cell.outputs == (Output("application/json", "[null,1.5]", '{"a":null,"b":2.5}'),)


def test_metadata_that_is_nested_too_deeply_to_be_answered_is_dropped() -> None:
    def nested(levels: int) -> Any:
        metadata: Any = 1
        for _ in range(levels):
            metadata = {"a": metadata}
        return metadata

    (cell,) = read({"outputs": [{"metadata": nested(100)}, {"metadata": nested(101)}]})
    assert json.loads(cell.outputs[0].metadata) == nested(100)
    assert cell.outputs[1].metadata == "{}"


def test_the_digest_tells_contents_apart_and_nothing_else() -> None:
    def digest(name: str = "Sales", data: str = "1", **fields: Any) -> str:
        cell = {"id": "c1", "code": "x", "outputs": [{"data": data}]}
        return read_document(json.dumps({"name": name, "cells": [cell], **fields}).encode()).digest()

    assert digest() == digest(revision=7, updated_at=1)
    assert len({digest(), digest(data="2"), digest(name="Other")}) == 3


def test_names_are_cut_and_code_never_is() -> None:
    assert len(read_document(json.dumps({"name": "ü" * 2000, "cells": []}).encode()).name.encode()) == NAME_BYTES_MAX
    assert read_document(b'{"cells":[]}').name == "Untitled"
    assert read({"code": "x" * CODE_BYTES_MAX})[0].code == "x" * CODE_BYTES_MAX
    with pytest.raises(UnusableDocument, match="cell 2 of the older notebook has 262,145 bytes"):
        read({"code": ""}, {"code": "x" * (CODE_BYTES_MAX + 1)})
    with pytest.raises(UnusableDocument, match="10,001 cells"):
        read(*({} for _ in range(CELLS_MAX + 1)))


@pytest.mark.parametrize("document", [b"", b"[]", b"{}", b"\xff", b'{"cells":3}', b"[" * 100_000])
def test_what_is_no_notebook_is_refused(document: bytes) -> None:
    with pytest.raises(UnusableDocument, match="the older notebook is no JSON"):
        read_document(document)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
FIELDS = ("id", "type", "code", "status", "stdout", "outputs", "error", "metadata", "data", "mime_type")


@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), JSON)), JSON)
def test_anything_can_be_read(cells: list[dict[str, Any]], name: Any) -> None:
    found = read_document(json.dumps({"name": name, "cells": cells}).encode())
    assert len(found.cells) == len(cells)
    assert all(isinstance(cell.code, str) for cell in found.cells)
