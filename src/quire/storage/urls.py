"""Which store a URL means."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from quire.storage.files import FilesStore
from quire.storage.memory import MemoryStore
from quire.storage.protocol import NotebookStore
from quire.storage.sqlite import SqliteStore

_KNOWN = "sqlite:///path/to/quire.db, files:///path/to/folder, dynamodb://TABLE?region=eu-west-1 or memory:"


class InvalidStoreUrl(ValueError):
    """A store URL that this version cannot open; the message says which ones it can."""


async def open_store(url: str) -> NotebookStore:
    """The store at `url`: ``memory:``, ``sqlite:///absolute/path``, ``files:///absolute/path`` or ``dynamodb://TABLE``.

    A path may begin with ``/~/``, the home folder. DynamoDB: ``?region=``, ``&endpoint_url=`` and ``&commits_table=``
    come from the environment where the URL does not say them.

    Raises:
        InvalidStoreUrl: not a URL of a store that this version has. StoreUnavailable: it cannot be opened.
    """
    scheme = urlsplit(url).scheme
    if scheme == "memory":
        if url != "memory:":
            raise InvalidStoreUrl("the memory store has no name: write memory:")
        return MemoryStore()
    if scheme == "sqlite":
        return await SqliteStore.open(sqlite_path(url))
    if scheme == "files":
        return await FilesStore.open(files_path(url))
    if scheme == "dynamodb":
        return await _open_dynamodb(url)
    if scheme:
        raise InvalidStoreUrl(f"no store is called {scheme!r}: use {_KNOWN}")
    raise InvalidStoreUrl(f"a store URL begins with its kind: {_KNOWN}")


def same_store(one: str, other: str) -> bool:
    """Whether two URLs name the same place, however they spell it. Raises InvalidStoreUrl."""
    return one != "memory:" and _place(one) == _place(other)


def _place(url: str) -> tuple[str, str]:
    scheme = urlsplit(url).scheme
    if scheme == "sqlite":
        return scheme, str(sqlite_path(url).resolve())
    if scheme == "files":
        return scheme, str(files_path(url).resolve())
    return scheme, url


async def _open_dynamodb(url: str) -> NotebookStore:
    try:
        from quire.storage.dynamodb.settings import InvalidSettings  # noqa: PLC0415 - of the extra `aws`
        from quire.storage.dynamodb.store import DynamoStore  # noqa: PLC0415 - of the extra `aws`
    except ModuleNotFoundError as error:
        raise InvalidStoreUrl(
            f"a dynamodb: store needs the extra `aws` (there is no {error.name}): pip install 'quire[aws]'"
        ) from error
    try:
        return await DynamoStore.open(url)
    except InvalidSettings as error:
        raise InvalidStoreUrl(str(error)) from error


def sqlite_path(url: str) -> Path:
    """The database file that a ``sqlite:`` URL names; percent signs escape, ``~`` is the home folder.

    Raises:
        InvalidStoreUrl: it names none.
    """
    path = _path_of(url, "a SQLite URL", "sqlite:///path/to/quire.db")
    if path.endswith("/"):
        raise InvalidStoreUrl("a SQLite URL names a file: sqlite:///path/to/quire.db")
    return _in_place(path)


def files_path(url: str) -> Path:
    """The folder that a ``files:`` URL names; percent signs escape, ``~`` is the home folder.

    Raises:
        InvalidStoreUrl: it names none.
    """
    path = _path_of(url, "a files URL", "files:///path/to/folder").rstrip("/")
    if not path:
        raise InvalidStoreUrl("a files URL names a folder of its own: files:///path/to/folder")
    return _in_place(path)


def _path_of(url: str, kind: str, example: str) -> str:
    parts = urlsplit(url)
    path = unquote(parts.path)
    if parts.netloc or not path.startswith("/") or "\0" in path:
        raise InvalidStoreUrl(f"{kind} has three slashes and an absolute path: {example}")
    if parts.query or parts.fragment:
        raise InvalidStoreUrl(f"{kind} takes no options: write ? and # in a path as %3F and %23")
    return path


def _in_place(path: str) -> Path:
    path = path.lstrip("/")
    return Path(path).expanduser() if path == "~" or path.startswith("~/") else Path("/", path)
