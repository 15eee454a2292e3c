"""What every engine does with headers. A title names the rule that the test proves."""

# ruff: noqa: N802, S311 - a title begins with the rule that it proves; the chance is that of a fixed seed

import asyncio
import random

import msgspec
import pytest

from quire.storage.contract.samples import ODD_ID, all_headers, header
from quire.storage.cursors import LIST_LIMIT_MAX
from quire.storage.protocol import HeaderExists, InvalidCursor, NotebookStore


@pytest.mark.asyncio
class HeaderContract:
    """Subclass it as ``TestHeaders``; the fixture `store` gives an empty store that nobody else uses."""

    async def test_H2_a_header_is_created_once(self, store: NotebookStore) -> None:
        first = header(name="first", revision=3)
        await store.create_header(first)
        with pytest.raises(HeaderExists) as refusal:
            await store.create_header(header(name="second"))
        assert refusal.value.stored == first
        with pytest.raises(HeaderExists):
            await store.create_header(first)
        assert await store.get_header("alice", "n1") == first

    async def test_H2_of_concurrent_creations_one_wins(self, store: NotebookStore) -> None:
        rivals = [header(name=f"rival {number}") for number in range(10)]
        answers = await asyncio.gather(*(store.create_header(one) for one in rivals), return_exceptions=True)
        winners = [one for one, answer in zip(rivals, answers, strict=True) if answer is None]
        assert len(winners) == 1
        assert all(answer.stored == winners[0] for answer in answers if isinstance(answer, HeaderExists))
        assert await store.get_header("alice", "n1") == winners[0]

    async def test_H2_a_header_in_the_trash_still_takes_its_key(self, store: NotebookStore) -> None:
        await store.create_header(header())
        await store.trash_header("alice", "n1", deleted_at=5)
        with pytest.raises(HeaderExists) as refusal:
            await store.create_header(header())
        assert refusal.value.stored.deleted_at == 5

    async def test_H1_a_refresh_sets_three_fields_and_leaves_the_others(self, store: NotebookStore) -> None:
        full = header(db_conn_string=b"\0\xffsecret", deleted_at=9, ttl=11, created_at=7)
        await store.create_header(full)
        assert await store.refresh_header("alice", "n1", name="new", revision=2, updated_at=2_000)
        assert await store.get_header("alice", "n1") == msgspec.structs.replace(
            full, name="new", revision=2, updated_at=2_000
        )

    async def test_H1_a_refresh_never_creates_a_header(self, store: NotebookStore) -> None:
        assert not await store.refresh_header("alice", "n1", name="ghost", revision=9, updated_at=1)
        assert not await store.trash_header("alice", "n1", deleted_at=1)
        assert not await store.set_connection("alice", "n1", db_conn_string=b"x")
        assert await store.get_header("alice", "n1") is None
        assert (await store.list_headers("alice")).headers == ()

    async def test_H1_a_refresh_never_goes_backwards(self, store: NotebookStore) -> None:
        await store.create_header(header(revision=1))
        assert await store.refresh_header("alice", "n1", name="r11", revision=11, updated_at=11)
        for revision in (10, 11):
            assert not await store.refresh_header(
                "alice", "n1", name=f"late r{revision}", revision=revision, updated_at=99
            )
        found = await store.get_header("alice", "n1")
        assert found is not None
        assert (found.name, found.revision, found.updated_at) == ("r11", 11, 11)

    async def test_H1_refreshes_in_any_order_leave_the_newest(self, store: NotebookStore) -> None:
        await store.create_header(header(revision=0))
        revisions = random.Random(7).sample(range(1, 30), 29)
        await asyncio.gather(
            *(store.refresh_header("alice", "n1", name=f"r{r}", revision=r, updated_at=r) for r in revisions)
        )
        found = await store.get_header("alice", "n1")
        assert found is not None
        assert (found.name, found.revision, found.updated_at) == ("r29", 29, 29)

    async def test_H3_the_trash_and_back(self, store: NotebookStore) -> None:
        await store.create_header(header())
        await store.create_header(header(notebook_id="n2"))
        assert await store.trash_header("alice", "n1", deleted_at=77, ttl=88)
        found = await store.get_header("alice", "n1")
        assert found is not None
        assert (found.deleted_at, found.ttl) == (77, 88)
        assert [one.notebook_id for one in (await store.list_headers("alice")).headers] == ["n2"]
        assert [one.notebook_id for one in (await store.list_headers("alice", trash=True)).headers] == ["n1"]
        assert await store.trash_header("alice", "n1", deleted_at=0)
        assert await store.get_header("alice", "n1") == header()
        assert (await store.list_headers("alice", trash=True)).headers == ()

    async def test_the_connection_string_is_kept_as_it_is(self, store: NotebookStore) -> None:
        await store.create_header(header())
        for encrypted in (b"\0\xff\x80" * 50, b""):
            assert await store.set_connection("alice", "n1", db_conn_string=encrypted)
            assert await store.get_header("alice", "n1") == header(db_conn_string=encrypted)

    async def test_E2_names_of_any_text_survive(self, store: NotebookStore) -> None:
        names = [
            "",
            "\0",
            "a\0b",
            "\U0001f9ea\U0010ffff",
            "e\u0301 \u2028 \ufeff",
            "'; DROP TABLE headers; --",
            "x" * 5000,
        ]
        for number, name in enumerate(names):
            await store.create_header(header(notebook_id=f"n{number}", name=name))
            assert await store.refresh_header("alice", f"n{number}", name=name + "!", revision=2, updated_at=2)
        assert [one.name for one in (await store.list_headers("alice")).headers] == [name + "!" for name in names]

    async def test_H4_deleting_a_header_takes_that_one_only(self, store: NotebookStore) -> None:
        for user_id, notebook_id in (("alice", "n1"), ("alice", "n2"), ("bob", "n1")):
            await store.create_header(header(user_id, notebook_id))
        await store.delete_header("alice", "n1")
        await store.delete_header("alice", "n1")
        assert await scanned(store) == [("alice", "n2"), ("bob", "n1")]

    async def test_H4_a_scan_visits_every_header_of_every_user(self, store: NotebookStore) -> None:
        keys = sorted((f"user{number % 7}", f"n{number:04}") for number in range(1100))
        await asyncio.gather(*(store.create_header(header(*key)) for key in random.Random(3).sample(keys, len(keys))))
        await store.trash_header(*keys[5], deleted_at=1)
        assert await scanned(store) == keys

    async def test_headers_of_an_id_are_found_whoever_owns_them(self, store: NotebookStore) -> None:
        for user_id in ("carol", "alice", "bob"):
            await store.create_header(header(user_id, "same"))
            await store.create_header(header(user_id, f"of-{user_id}"))
        assert [one.user_id for one in await store.find_headers("same")] == ["alice", "bob", "carol"]
        assert await store.find_headers("Same") == ()

    async def test_users_see_their_own_headers_only(self, store: NotebookStore) -> None:
        for user_id in ("alice", "Alice", "alice2", "alic", ODD_ID, "x" * 512):
            await store.create_header(header(user_id, ODD_ID))
        for user_id in ("alice", ODD_ID, "x" * 512):
            assert [one.user_id for one in (await store.list_headers(user_id)).headers] == [user_id]
            assert await store.get_header(user_id, ODD_ID) == header(user_id, ODD_ID)
        assert await store.get_header("ALICE", ODD_ID) is None

    @pytest.mark.parametrize("limit", [1, 7, 50, 100, 10**9, 0, -3])
    async def test_lists_are_in_order_and_whole_whatever_the_limit(self, store: NotebookStore, limit: int) -> None:
        ids = sorted(["A", "a", "a-", "a.", "aa", "b", "~", "!", "9", "10", *(f"n{number}" for number in range(40))])
        for notebook_id in random.Random(1).sample(ids, len(ids)):
            await store.create_header(header(notebook_id=notebook_id))
        found = [one.notebook_id for one in await all_headers(store, "alice", limit=limit)]
        assert found == ids
        assert len((await store.list_headers("alice", limit=limit)).headers) == max(
            1, min(limit, len(ids), LIST_LIMIT_MAX)
        )

    @pytest.mark.parametrize("seed", range(5))
    async def test_a_list_holds_what_exists_throughout_once_while_others_come_and_go(
        self, store: NotebookStore, seed: int
    ) -> None:
        dice = random.Random(seed)
        keeping = {f"{dice.randrange(10**6):06}-keep" for _ in range(60)}
        for notebook_id in keeping:
            await store.create_header(header(notebook_id=notebook_id))
        coming: list[str] = []
        found: list[str] = []
        cursor: str | None = None
        while True:
            page = await store.list_headers("alice", limit=dice.randint(1, 9), cursor=cursor)
            found += [one.notebook_id for one in page.headers]
            if page.next_cursor is None:
                break
            cursor = page.next_cursor
            coming.append(f"{dice.randrange(10**6):06}-come")
            await store.create_header(header(notebook_id=coming[-1]))
            gone = dice.choice(coming)
            if dice.random() < 0.5:
                await store.trash_header("alice", gone, deleted_at=1)
            else:
                await store.delete_header("alice", gone)
        assert len(found) == len(set(found))
        assert keeping <= set(found)

    async def test_a_cursor_is_good_for_its_user_and_list_only(self, store: NotebookStore) -> None:
        cursor = await _cursor_of(store, "alice")
        await _cursor_of(store, "bob")
        assert [one.notebook_id for one in (await store.list_headers("alice", cursor=cursor)).headers] == ["n1", "n2"]
        with pytest.raises(InvalidCursor):
            await store.list_headers("bob", cursor=cursor)
        with pytest.raises(InvalidCursor):
            await store.list_headers("alice", cursor=cursor, trash=True)

    async def test_a_mangled_cursor_is_refused(self, store: NotebookStore) -> None:
        cursor = await _cursor_of(store, "alice")
        mangled = [
            "",
            "x",
            "n1",
            "{}",
            "é",
            "\0",
            "AAAA" * 10,
            cursor[:-1],
            cursor + "A",
            cursor[::-1],
            cursor + "=====",
        ]
        for one in (*mangled, *(cursor[:i] + ("A" if cursor[i] != "A" else "B") + cursor[i + 1 :] for i in range(20))):
            with pytest.raises(InvalidCursor):
                await store.list_headers("alice", cursor=one)


async def scanned(store: NotebookStore) -> list[tuple[str, str]]:
    """The keys that a scan visits; their order is not promised."""
    return sorted([(one.user_id, one.notebook_id) async for one in store.scan_headers()])


async def _cursor_of(store: NotebookStore, user_id: str) -> str:
    for number in range(3):
        await store.create_header(header(user_id, f"n{number}"))
    cursor = (await store.list_headers(user_id, limit=1)).next_cursor
    assert cursor is not None
    return cursor
