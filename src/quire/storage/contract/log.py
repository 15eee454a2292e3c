"""What every engine does with logs. A title names the rule that the test proves."""

# ruff: noqa: N802 - a title begins with the rule that it proves

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quire.notebook.ids import check_id, log_id_of
from quire.storage.compression import UNPACKED_BYTES_MAX
from quire.storage.contract.samples import LOG, ODD_ID, fill, incompressible, record, whole_log
from quire.storage.items import item_bytes
from quire.storage.protocol import (
    ITEM_BYTES_MAX,
    PAGE_BYTES_MAX,
    PAGE_RECORDS_MAX,
    ItemTooLarge,
    KeyExists,
    NotebookStore,
    Record,
    StoreUnavailable,
)

ODD_BYTES = [
    b"",
    b"\0",
    b"{\0\0}",
    '{"text":"\U0001f9ea\U0010ffff e\u0301 \u2028 \ufffd"}'.encode(),
    b"\xff\xfe\x80",
    bytes(range(256)) * 40,
    b"\x28\xb5\x2f\xfd",
    b"\x28\xb5\x2f\xfd" + b"not a frame" * 300,
    b"{" + b" " * 1023,
    b"{" + b" " * 1024,
    b"{" + b" " * 400_000,
]


@pytest.mark.asyncio
class LogContract:
    """Subclass it as ``TestLog``; the fixture `store` gives an empty store that nobody else uses."""

    async def test_W1_a_log_begins_at_revision_1(self, store: NotebookStore) -> None:
        for revision in (0, -1, 2, 7):
            with pytest.raises(KeyExists) as refusal:
                await store.append(LOG, record(revision))
            assert refusal.value.revision == revision
            assert refusal.value.stored is None
        assert (await store.read_newest(LOG)).records == ()
        await store.append(LOG, record(1))

    async def test_W1_a_taken_revision_is_refused_and_left_as_it_is(self, store: NotebookStore) -> None:
        await fill(store, LOG, 3)
        before = await whole_log(store, LOG)
        for revision in (1, 2, 3):
            with pytest.raises(KeyExists):
                await store.append(LOG, record(revision, commit_id="other", body=b'{"other":1}'))
        assert await whole_log(store, LOG) == before

    async def test_W1_a_gap_is_refused(self, store: NotebookStore) -> None:
        await fill(store, LOG, 3)
        for revision in (5, 6, 100):
            with pytest.raises(KeyExists):
                await store.append(LOG, record(revision))
        assert [found.revision for found in await whole_log(store, LOG)] == [1, 2, 3]

    async def test_W1_of_concurrent_appends_to_one_revision_exactly_one_wins(self, store: NotebookStore) -> None:
        await fill(store, LOG, 1)
        rivals = [record(2, commit_id=f"rival-{number}") for number in range(20)]
        answers = await asyncio.gather(*(store.append(LOG, rival) for rival in rivals), return_exceptions=True)
        winners = [rival for rival, answer in zip(rivals, answers, strict=True) if answer is None]
        assert len(winners) == 1
        for answer in answers:
            if answer is not None:
                assert isinstance(answer, KeyExists)
                assert answer.stored == winners[0]
        assert (await store.read_one(LOG, 2)) == winners[0]

    async def test_W1_a_refused_append_does_not_harm_those_beside_it(self, store: NotebookStore) -> None:
        await fill(store, "alice/taken", 1)
        logs = [f"alice/{number}" for number in range(30)]
        answers = await asyncio.gather(
            *(store.append(log, record(1)) for log in logs[:15]),
            store.append("alice/taken", record(1)),
            store.append("alice/taken", record(9)),
            *(store.append(log, record(1)) for log in logs[15:]),
            return_exceptions=True,
        )
        assert sum(isinstance(answer, KeyExists) for answer in answers) == 2
        assert sum(answer is None for answer in answers) == 30
        for log in logs:
            assert len(await whole_log(store, log)) == 1

    async def test_W1_logs_of_different_users_and_notebooks_are_apart(self, store: NotebookStore) -> None:
        pairs = [
            ("alice", "n"),
            ("bob", "n"),
            ("Alice", "n"),
            ("alice", "N"),
            ("alice", "n_"),
            ("alice", "n%"),
            ("a", "lice"),
        ]
        for number, (user_id, notebook_id) in enumerate(pairs):
            await store.append(log_id_of(user_id, notebook_id), record(1, commit_id=f"of-{number}"))
        for number, (user_id, notebook_id) in enumerate(pairs):
            found = await whole_log(store, log_id_of(user_id, notebook_id))
            assert [one.commit_id for one in found] == [f"of-{number}"]

    async def test_W1_ids_of_every_allowed_character_and_the_full_length(self, store: NotebookStore) -> None:
        longest = (ODD_ID * 7)[:512]
        for user_id, notebook_id in ((ODD_ID, ODD_ID), (longest, longest), ("|" * 512, "~" * 512)):
            log_id = log_id_of(check_id(user_id, "user_id"), check_id(notebook_id, "notebook_id"))
            await fill(store, log_id, 2)
            assert [one.revision for one in await whole_log(store, log_id)] == [1, 2]
            assert (await store.read_one(log_id, 2)) is not None
            with pytest.raises(KeyExists):
                await store.append(log_id, record(2))

    async def test_W3_the_refusal_carries_the_stored_record(self, store: NotebookStore) -> None:
        first = record(1, body=incompressible(3000), checkpoint=b'{"state":"' + b"x" * 5000 + b'"}')
        await store.append(LOG, first)
        await fill(store, LOG, 3, after=1)
        with pytest.raises(KeyExists) as refusal:
            await store.append(LOG, record(1, commit_id="other"))
        assert refusal.value.stored in (first, None)
        assert await store.read_one(LOG, 1) == first

    @pytest.mark.parametrize("in_checkpoint", [False, True])
    async def test_W7_a_record_at_the_limit_is_kept_and_one_byte_more_is_refused(
        self, store: NotebookStore, *, in_checkpoint: bool
    ) -> None:
        def sized(revision: int, size: int) -> Record:
            data = incompressible(size)
            return record(revision, body=b"" if in_checkpoint else data, checkpoint=data if in_checkpoint else None)

        room = ITEM_BYTES_MAX - item_bytes(LOG, "commit-1", b"", None)
        for size in (room + 1, room + 50_000):
            with pytest.raises(ItemTooLarge) as refusal:
                await store.append(LOG, sized(1, size))
            assert refusal.value.size == ITEM_BYTES_MAX + size - room
            assert (await store.read_newest(LOG)).records == ()
        largest = sized(1, room)
        await store.append(LOG, largest)
        await store.append(LOG, sized(2, room - 1))
        assert await store.read_one(LOG, 1) == largest

    async def test_W7_a_record_counts_as_it_is_stored_not_as_it_was_before(self, store: NotebookStore) -> None:
        state = b'{"cells":"' + b"abcdefgh" * 200_000 + b'"}'
        assert len(state) > ITEM_BYTES_MAX
        await store.append(LOG, record(1, checkpoint=state))
        found = await store.read_one(LOG, 1)
        assert found is not None
        assert found.checkpoint == state

    async def test_W7_a_value_that_could_not_be_read_again_is_refused(self, store: NotebookStore) -> None:
        with pytest.raises(ItemTooLarge):
            await store.append(LOG, record(1, body=b"{" + bytes(UNPACKED_BYTES_MAX)))
        assert (await store.read_newest(LOG)).records == ()

    async def test_C2_pages_are_in_ascending_order_and_bounded_in_records(self, store: NotebookStore) -> None:
        await fill(store, LOG, 150)
        newest = await store.read_newest(LOG)
        assert [one.revision for one in newest.records] == list(range(150 - PAGE_RECORDS_MAX + 1, 151))
        assert newest.more
        after = await store.read_after(LOG, 10)
        assert [one.revision for one in after.records] == list(range(11, 11 + PAGE_RECORDS_MAX))
        assert after.more
        assert len((await store.read_newest(LOG, 1000)).records) == PAGE_RECORDS_MAX

    @pytest.mark.parametrize("limit", [1, 5, 63, 64])
    async def test_C2_a_limit_is_kept_and_more_says_whether_the_log_goes_on(
        self, store: NotebookStore, limit: int
    ) -> None:
        await fill(store, LOG, 64)
        newest = await store.read_newest(LOG, limit)
        assert [one.revision for one in newest.records] == list(range(64 - limit + 1, 65))
        assert newest.more == (limit < 64)
        after = await store.read_after(LOG, 64 - limit, limit)
        assert [one.revision for one in after.records] == list(range(64 - limit + 1, 65))
        assert not after.more
        before = await store.read_after(LOG, 0, limit)
        assert [one.revision for one in before.records] == list(range(1, limit + 1))
        assert before.more == (limit < 64)

    async def test_C2_reading_past_the_end_or_an_unknown_log_gives_an_empty_page(self, store: NotebookStore) -> None:
        await fill(store, LOG, 3)
        for page in (
            await store.read_after(LOG, 3),
            await store.read_after(LOG, 99),
            await store.read_newest("bob/none"),
        ):
            assert page.records == ()
            assert not page.more
        assert len((await store.read_after(LOG, -5)).records) == 3
        for revision in (0, 4, -1):
            assert await store.read_one(LOG, revision) is None
        assert await store.read_one("bob/none", 1) is None

    async def test_C2_pages_are_bounded_in_stored_bytes(self, store: NotebookStore) -> None:
        size = 100_000
        await fill(store, LOG, 25, size=size)
        fitting = PAGE_BYTES_MAX // item_bytes(LOG, "commit-1", bytes(size), None)
        newest = await store.read_newest(LOG)
        assert [one.revision for one in newest.records] == list(range(25 - fitting + 1, 26))
        assert newest.more
        assert len((await store.read_after(LOG, 0)).records) == fitting
        assert [one.revision for one in await whole_log(store, LOG)] == list(range(1, 26))

    async def test_C2_the_newest_page_holds_the_newest_even_beside_large_ones(self, store: NotebookStore) -> None:
        await fill(store, LOG, 1)
        await fill(store, LOG, 4, size=340_000, after=1)
        await fill(store, LOG, 2, after=5)
        newest = await store.read_newest(LOG)
        assert [one.revision for one in newest.records] == [3, 4, 5, 6, 7]
        assert newest.more

    async def test_C3_records_are_contiguous_while_a_writer_appends(self, store: NotebookStore) -> None:
        await fill(store, LOG, 1)
        writer = asyncio.create_task(fill(store, LOG, 200, after=1))
        heads = []
        while not writer.done():
            revisions = [one.revision for one in (await store.read_newest(LOG, 10)).records]
            assert revisions == list(range(revisions[0], revisions[-1] + 1))
            heads.append(revisions[-1])
            await asyncio.sleep(0)
        await writer
        assert heads == sorted(heads)

    async def test_C6_a_read_sees_every_append_that_was_answered(self, store: NotebookStore) -> None:
        for revision in range(1, 50):
            await store.append(LOG, record(revision))
            assert (await store.read_newest(LOG, 1)).records == (record(revision),)
            assert await store.read_one(LOG, revision) == record(revision)

    async def test_E2_any_bytes_survive(self, store: NotebookStore) -> None:
        kept = []
        for revision, data in enumerate(ODD_BYTES, start=1):
            kept.append(record(revision, commit_id=f"\0\U0001f9ea-{revision}", body=data, checkpoint=data))
            await store.append(LOG, kept[-1])
        assert await whole_log(store, LOG) == kept
        assert await store.read_one(LOG, 1) == kept[0]  # an empty checkpoint is not a missing one

    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
    )
    @given(values=st.lists(st.tuples(st.binary(max_size=3000), st.none() | st.binary(max_size=3000)), max_size=4))
    async def test_E2_random_bytes_survive(
        self, store: NotebookStore, values: list[tuple[bytes, bytes | None]]
    ) -> None:
        await store.delete_log(LOG)  # one store serves all examples
        kept = [record(number, body=body, checkpoint=state) for number, (body, state) in enumerate(values, start=1)]
        for one in kept:
            await store.append(LOG, one)
        assert await whole_log(store, LOG) == kept

    async def test_W9_an_erased_log_keeps_stale_writers_out(self, store: NotebookStore) -> None:
        await fill(store, LOG, 5)
        await store.delete_log(LOG)
        assert (await store.read_newest(LOG)).records == ()
        # A writer that still holds the old head does not follow the log that is no longer there.
        with pytest.raises(KeyExists) as refusal:
            await store.append(LOG, record(6))
        assert refusal.value.stored is None
        assert await store.read_one(LOG, 6) is None

    async def test_W9_erasing_a_long_log_leaves_other_logs_alone(self, store: NotebookStore) -> None:
        for log_id in ("alice/before", LOG, "alice/nn", "bob/n1"):
            await fill(store, log_id, 3)
        await fill(store, LOG, 600, after=3)
        await store.delete_log(LOG)
        await store.delete_log(LOG)
        await store.delete_log("nobody/nothing")
        assert await whole_log(store, LOG) == []
        for log_id in ("alice/before", "alice/nn", "bob/n1"):
            assert len(await whole_log(store, log_id)) == 3
        await fill(store, "alice/new", 2)  # which must find nothing of the erased one
        assert [one.revision for one in await whole_log(store, "alice/new")] == [1, 2]

    async def test_a_closed_store_refuses(self, store: NotebookStore) -> None:
        await fill(store, LOG, 1)
        await store.check()
        await store.close()
        await store.close()
        with pytest.raises(StoreUnavailable):
            await store.append(LOG, record(2))
        with pytest.raises(StoreUnavailable):
            await store.read_newest(LOG)
        with pytest.raises(StoreUnavailable):
            await store.check()

    async def test_the_description_names_the_engine(self, store: NotebookStore) -> None:
        assert store.engine in store.description.lower()
