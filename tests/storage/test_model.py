"""Every engine against the model: the same random operations must give the same answers."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quire.storage.memory import MemoryStore
from quire.storage.protocol import HeaderExists, InvalidCursor, ItemTooLarge, KeyExists, NotebookStore, Record
from tests.storage.engines import DYNAMODB_ENGINES, ENGINES, PERSISTENT_ENGINES, header, record

Operation = Callable[[NotebookStore], Awaitable[Any]]

LOGS = st.sampled_from(["alice/n1", "alice/n2", "bob/n1"])
USERS = st.sampled_from(["alice", "bob"])
NOTEBOOKS = st.sampled_from(["n1", "n2", "N1", "~"])
REVISIONS = st.integers(min_value=-1, max_value=12)
BODIES = st.binary(max_size=40) | st.builds(
    lambda size, seed: bytes([seed]) * size, st.sampled_from([1024, 1025, 5000, 3_000_000]), st.integers(0, 255)
)
TIMES = st.integers(min_value=0, max_value=3)


def _append(log_id: str, revision: int, body: bytes, checkpoint: bytes | None) -> Operation:
    return lambda store: store.append(log_id, record(revision, body=body, checkpoint=checkpoint))


async def _append_next_to(store: NotebookStore, log_id: str, one: Record) -> None:
    page = await store.read_newest(log_id, 1)
    head = page.records[-1].revision if page.records else 0
    await store.append(log_id, record(head + 1, body=one.body, checkpoint=one.checkpoint))


def _append_next(log_id: str, body: bytes, checkpoint: bytes | None) -> Operation:
    return lambda store: _append_next_to(store, log_id, record(1, body=body, checkpoint=checkpoint))


def _cursor_of_two(user_id: str, *, trash: bool) -> Operation:
    async def run(store: NotebookStore) -> object:
        first = await store.list_headers(user_id, limit=1, trash=trash)
        return first, await store.list_headers(user_id, limit=2, cursor=first.next_cursor, trash=trash)

    return run


OPERATIONS = st.lists(
    st.one_of(
        st.builds(_append, LOGS, REVISIONS, BODIES, st.none() | BODIES),
        st.builds(_append_next, LOGS, BODIES, st.none() | BODIES),
        st.builds(_append_next, LOGS, BODIES, st.none()),
        st.builds(lambda log, limit: lambda store: store.read_newest(log, limit), LOGS, st.integers(-1, 5)),
        st.builds(lambda log, at, n: lambda store: store.read_after(log, at, n), LOGS, REVISIONS, st.integers(1, 5)),
        st.builds(lambda log, at: lambda store: store.read_one(log, at), LOGS, REVISIONS),
        st.builds(lambda log: lambda store: store.delete_log(log), LOGS),
        st.builds(
            lambda user, notebook, name, revision: (
                lambda store: store.create_header(header(user, notebook, name=name, revision=revision))
            ),
            USERS,
            NOTEBOOKS,
            st.text(max_size=5),
            TIMES,
        ),
        st.builds(lambda user, notebook: lambda store: store.get_header(user, notebook), USERS, NOTEBOOKS),
        st.builds(
            lambda user, notebook, revision: (
                lambda store: store.refresh_header(
                    user, notebook, name=f"r{revision}", revision=revision, updated_at=revision
                )
            ),
            USERS,
            NOTEBOOKS,
            TIMES,
        ),
        st.builds(
            lambda user, notebook, at, ttl: lambda store: store.trash_header(user, notebook, deleted_at=at, ttl=ttl),
            USERS,
            NOTEBOOKS,
            TIMES,
            TIMES,
        ),
        st.builds(
            lambda user, notebook, data: lambda store: store.set_connection(user, notebook, db_conn_string=data),
            USERS,
            NOTEBOOKS,
            st.binary(max_size=9),
        ),
        st.builds(lambda user, notebook: lambda store: store.delete_header(user, notebook), USERS, NOTEBOOKS),
        st.builds(lambda notebook: lambda store: store.find_headers(notebook), NOTEBOOKS),
        st.builds(_cursor_of_two, USERS, trash=st.booleans()),
    ),
    max_size=40,
)


async def _answer(operation: Operation, store: NotebookStore) -> object:
    """What the operation returned, or its refusal as something that can be compared."""
    try:
        return await operation(store)
    except KeyExists as error:
        return "KeyExists", error.revision, error.stored
    except HeaderExists as error:
        return "HeaderExists", error.stored
    except ItemTooLarge as error:
        return "ItemTooLarge", error.size
    except InvalidCursor:
        return "InvalidCursor"


async def _compare(engine: str, folder: Path, operations: list[Operation]) -> None:
    model = MemoryStore()
    store = await ENGINES[engine](folder)
    try:
        for operation in operations:
            assert await _answer(operation, store) == await _answer(operation, model)
        scanned = {(one.user_id, one.notebook_id): one async for one in store.scan_headers()}  # in any order
        assert scanned == {(one.user_id, one.notebook_id): one async for one in model.scan_headers()}
    finally:
        await store.close()


@pytest.mark.parametrize("engine", [engine for engine in PERSISTENT_ENGINES if engine not in DYNAMODB_ENGINES])
@settings(max_examples=100, deadline=None)
@given(operations=OPERATIONS)
def test_an_engine_answers_as_the_model_does(engine: str, operations: list[Operation]) -> None:
    with TemporaryDirectory() as folder:
        asyncio.run(_compare(engine, Path(folder), operations))


@pytest.mark.parametrize("engine", DYNAMODB_ENGINES)
@settings(max_examples=25, deadline=None)  # each makes two tables
@given(operations=OPERATIONS)
def test_dynamodb_answers_as_the_model_does(engine: str, operations: list[Operation]) -> None:
    with TemporaryDirectory() as folder:
        asyncio.run(_compare(engine, Path(folder), operations))
