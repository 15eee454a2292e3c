from pathlib import Path

import pytest

from quire.storage.files import FilesStore
from quire.storage.memory import MemoryStore
from quire.storage.protocol import StoreUnavailable
from quire.storage.sqlite import SqliteStore
from quire.storage.urls import InvalidStoreUrl, files_path, open_store, sqlite_path


async def test_memory() -> None:
    assert isinstance(await open_store("memory:"), MemoryStore)


async def test_sqlite_makes_the_file_and_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "deep" / "quire.db"
    store = await open_store(f"sqlite://{str(path).replace(' ', '%20')}")
    assert isinstance(store, SqliteStore)
    assert str(path) in store.description
    await store.close()
    assert path.is_file()
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_sqlite_path_is_absolute_or_in_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/users/alice")
    assert sqlite_path("sqlite:///data/quire.db") == Path("/data/quire.db")
    assert sqlite_path("sqlite:////data/quire.db") == Path("/data/quire.db")
    assert sqlite_path("sqlite:///~/x/quire.db") == Path("/users/alice/x/quire.db")
    assert sqlite_path("sqlite:///a%20b/%3F%23%25.db") == Path("/a b/?#%.db")


async def test_files_makes_the_folder(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "notebooks"
    store = await open_store(f"files://{str(path).replace(' ', '%20')}/")
    assert isinstance(store, FilesStore)
    assert str(path) in store.description
    await store.close()
    assert path.stat().st_mode & 0o777 == 0o700


def test_a_folder_of_files_is_absolute_or_in_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/users/alice")
    assert files_path("files:///data/notebooks") == Path("/data/notebooks")
    assert files_path("files:///~/notebooks/") == Path("/users/alice/notebooks")
    assert files_path("files:///~") == Path("/users/alice")


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("", "begins with its kind"),
        ("/data/quire.db", "begins with its kind"),
        ("postgres://db/x", "no store is called 'postgres'"),
        ("files:data", "three slashes"),
        ("files://data/x", "three slashes"),
        ("files:///", "names a folder of its own"),
        ("files:///data%00", "three slashes"),
        ("files:///data?sync=no", "no options"),
        ("dynamodb://TABLE?region=eu-west-1&table=x", "no option 'table'"),
        ("memory:x", "write memory:"),
        ("memory://", "write memory:"),
        ("sqlite:", "three slashes"),
        ("sqlite:quire.db", "three slashes"),
        ("sqlite://data/quire.db", "three slashes"),
        ("sqlite:///", "names a file"),
        ("sqlite:///data/", "names a file"),
        ("sqlite:///data%00.db", "three slashes"),
        ("sqlite:///quire.db?mode=ro", "no options"),
    ],
)
async def test_other_urls_are_refused_with_a_hint(url: str, hint: str) -> None:
    with pytest.raises(InvalidStoreUrl, match=hint):
        await open_store(url)


async def test_a_folder_in_place_of_the_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        await open_store(f"sqlite://{tmp_path}")
