"""Whole-notebook files of an older server in the folder of the files engine."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from quire.storage.files import FilesStore
from quire.storage.files_legacy import LegacyFiles
from quire.storage.protocol import Header, HeaderExists, OlderNotebook
from tests.storage.engines import all_headers, fill, header, record, whole_log

MODIFIED_AT = 1_700_000_000_123

SAYS: dict[str, Any] = {"name": "Sales", "revision": 1, "updated_at": 1}
"""What a header says from then on."""


def put(folder: Path, notebook_id: str, user_id: str = "alice", **fields: Any) -> bytes:
    document = {
        "id": notebook_id,
        "user_id": user_id,
        "name": f"Old {notebook_id}",
        "db_conn_string": "postgresql://u:secret@db/x",
        "revision": 7,
        "cells": [{"id": "c1", "type": "python", "code": "x = 1", "outputs": [{"deep": [1.5, None]}]}],
    } | fields
    data = json.dumps(document).encode()
    path = folder / f"{notebook_id}.json"
    path.write_bytes(data)
    os.utime(path, ns=(MODIFIED_AT * 1_000_000, MODIFIED_AT * 1_000_000))
    return data


def shown(notebook_id: str, user_id: str = "alice", revision: int = 7) -> Header:
    return Header(user_id, notebook_id, f"Old {notebook_id}", revision, 0, MODIFIED_AT)


async def test_legacy_documents_are_listed_found_and_read_in_place(tmp_path: Path) -> None:
    data = put(tmp_path, "n2")
    put(tmp_path, "demo-Bob", "Bob")
    store = await FilesStore.open(tmp_path)
    await store.create_header(header(notebook_id="n1"))
    await store.create_header(header(notebook_id="n3"))
    assert await all_headers(store, "alice", limit=1) == [
        header(notebook_id="n1"),
        shown("n2"),
        header(notebook_id="n3"),
    ]
    assert await all_headers(store, "Bob", limit=9) == [shown("demo-Bob", "Bob")]
    assert await all_headers(store, "alice", limit=9, trash=True) == []
    assert await store.find_headers("demo-Bob") == (shown("demo-Bob", "Bob"),)
    assert await store.get_header("alice", "n2") == shown("n2")
    assert [(one.user_id, one.notebook_id) async for one in store.scan_headers()] == [
        ("Bob", "demo-Bob"),
        ("alice", "n1"),
        ("alice", "n2"),
        ("alice", "n3"),
    ]
    assert await store.read_older("alice", "n2") == OlderNotebook(data, 7, 1)
    assert (tmp_path / "n2.json").read_bytes() == data
    await store.close()


async def test_another_users_document_is_not_shown_or_read(tmp_path: Path) -> None:
    put(tmp_path, "n1", "bob")
    store = await FilesStore.open(tmp_path)
    assert await store.get_header("alice", "n1") is None
    assert await store.read_older("alice", "n1") is None
    theirs = await store.read_older("bob", "n1")
    assert theirs is not None
    assert not await store.retire_older("alice", "n1", theirs, **SAYS)
    await store.delete_header("alice", "n1")
    assert await store.get_header("bob", "n1") == shown("n1", "bob")
    await store.close()


@pytest.mark.parametrize("notebook_id", ["../x", "/etc/passwd", "logs/../n1", "a\0b", "x" * 512, ""])
async def test_an_id_is_no_path(tmp_path: Path, notebook_id: str) -> None:
    put(tmp_path, "x")
    (tmp_path / "store").mkdir()
    store = await FilesStore.open(tmp_path / "store")
    assert await store.get_header("alice", notebook_id) is None
    assert await store.read_older("alice", notebook_id) is None
    await store.close()


async def test_an_adopted_document_gives_way_and_is_kept(tmp_path: Path) -> None:
    data = put(tmp_path, "n1")
    store = await FilesStore.open(tmp_path)
    await store.append("alice/n1", record(1, checkpoint=data))
    await store.create_header(header(name="mine"))
    with pytest.raises(HeaderExists):
        await store.create_header(header(name="again"))
    assert (await store.list_headers("alice")).headers == (header(name="mine"),)
    assert await store.find_headers("n1") == (header(name="mine"),)
    older = OlderNotebook(data, 7, 1)
    assert not await store.retire_older("alice", "n1", OlderNotebook(data + b" ", 7, 1), **SAYS)
    assert await store.read_older("alice", "n1") == older
    assert await store.retire_older("alice", "n1", older, **SAYS)
    assert await store.read_older("alice", "n1") is None
    assert not await store.retire_older("alice", "n1", older, **SAYS)
    assert (tmp_path / "n1.json.adopted").read_bytes() == data
    assert [one.checkpoint for one in await whole_log(store, "alice/n1")] == [data]
    await store.close()


async def test_H3_an_erased_notebook_does_not_come_back_as_its_old_document(tmp_path: Path) -> None:
    put(tmp_path, "n1")
    store = await FilesStore.open(tmp_path)
    await fill(store, "alice/n1", 1)
    await store.create_header(header())
    await store.delete_log("alice/n1")
    await store.delete_header("alice", "n1")
    assert await store.get_header("alice", "n1") is None
    assert (await store.list_headers("alice")).headers == ()
    await store.close()


async def test_a_document_that_changes_is_read_anew_and_one_that_goes_is_forgotten(tmp_path: Path) -> None:
    put(tmp_path, "n1")
    store = await FilesStore.open(tmp_path)
    assert (await store.list_headers("alice")).headers == (shown("n1"),)
    (tmp_path / "n1.json").unlink()
    put(tmp_path, "n1", revision=1000)
    assert (await store.list_headers("alice")).headers == (shown("n1", revision=1000),)
    (tmp_path / "n1.json").unlink()
    assert (await store.list_headers("alice")).headers == ()
    await store.close()


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"\xff", b'{"id":"n1","user_id":7}', b'{"id":"n9","user_id":"alice"}']
)
async def test_other_json_files_are_named_once_and_left_alone(tmp_path: Path, data: bytes) -> None:
    put(tmp_path, "n0")
    (tmp_path / "n1.json").write_bytes(data)
    store = await FilesStore.open(tmp_path)
    with capture_logs() as logs:
        for _ in range(3):
            assert (await store.list_headers("alice")).headers == (shown("n0"),)
    assert [one["file"] for one in logs] == [str(tmp_path / "n1.json")]
    assert (tmp_path / "n1.json").read_bytes() == data
    await store.close()


@pytest.mark.parametrize(
    ("fields", "name", "revision"),
    [
        ('"name": null, "revision": 7', "", 7),
        ('"name": 3, "revision": null', "3", 0),
        ('"name": "n", "revision": 7.0', "n", 7),
        ('"name": "n", "revision": "7"', "n", 7),
        ('"name": "n", "revision": 1e999', "n", 0),
        ('"name": "n", "revision": true', "n", 0),
        ('"name": "n", "revision": 7, "cells": [NaN, -Infinity, Infinity]', "n", 7),
        ('"name": "n\\ud800", "revision": 7', "n\ufffd", 7),
        ('"name": "n", "revision": 7, "cells": [{"stdout": "\\udfff"}]', "n", 7),
        ('"name": "n", "revision": %s' % ("9" * 5000), "n", 0),
    ],
)
async def test_what_an_older_server_wrote_loosely_is_listed(
    tmp_path: Path, fields: str, name: str, revision: int
) -> None:
    (tmp_path / "n1.json").write_text(f'{{"id": "n1", "user_id": "alice", {fields}}}', "utf-8")
    store = await FilesStore.open(tmp_path)
    (found,) = (await store.list_headers("alice")).headers
    assert (found.notebook_id, found.name, found.revision) == ("n1", name, revision)
    older = await store.read_older("alice", "n1")
    assert older is not None
    assert await store.retire_older("alice", "n1", older, **SAYS)
    await store.close()


@pytest.mark.parametrize("links", [True, False])
async def test_a_document_that_is_replaced_while_it_is_set_aside_gets_its_name_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, links: bool
) -> None:
    old = put(tmp_path, "n1")
    legacy = LegacyFiles(tmp_path)
    rename = Path.rename
    newer: list[bytes] = []

    def overtaken(self: Path, target: Path) -> Path:
        if not newer:
            newer.append(put(tmp_path, "n1", revision=8))
        return rename(self, target)

    def refused(self: Path, target: Path) -> None:
        raise PermissionError(f"no links: {self} to {target}")

    monkeypatch.setattr(Path, "rename", overtaken)
    if not links:
        monkeypatch.setattr(Path, "hardlink_to", refused)
    assert not legacy.retire("alice", "n1", old)
    assert legacy.read("alice", "n1") == newer[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["n1.json"]
    assert legacy.retire("alice", "n1", newer[0])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["n1.json.adopted"]


async def test_the_newest_of_two_replacements_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = put(tmp_path, "n1")
    legacy = LegacyFiles(tmp_path)
    rename = Path.rename

    def overtaken_twice(self: Path, target: Path) -> Path:
        put(tmp_path, "n1", revision=8)
        renamed = rename(self, target)
        put(tmp_path, "n1", revision=9)
        return renamed

    monkeypatch.setattr(Path, "rename", overtaken_twice)
    assert not legacy.retire("alice", "n1", old)
    kept = legacy.read("alice", "n1")
    assert kept is not None
    assert json.loads(kept)["revision"] == 9
