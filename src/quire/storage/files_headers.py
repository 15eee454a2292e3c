"""The headers of the files engine: one small JSON file for each notebook, replaced as a whole.

``headers/USER/NOTEBOOK.json``, so that a user's list is one folder and an id is found by one look in each. They are
files of their own and not derived from the logs: a list must not open logs, the connection string is in no log (H1),
and a header outlives its log as a tombstone (H3). Whether and what to replace is judged by the one thread that works
on a user's headers.
"""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from quire.storage import files_disk as disk
from quire.storage.files_legacy import LegacyFiles
from quire.storage.files_names import decode_name, encode_name, is_name
from quire.storage.protocol import DamagedRecord, Header, HeaderExists, StoreUnavailable

_ENDING = ".json"


class _Stored(Header, frozen=True, forbid_unknown_fields=True):
    """A header as it is read: an unknown field is refused and not lost at the next replacement (E1)."""


_decoder = msgspec.json.Decoder(_Stored)


class HeaderFiles:
    """Headers in one folder. For several threads, but one user for one of them at a time, except for reading."""

    def __init__(self, folder: Path, legacy: LegacyFiles) -> None:
        self._folder = folder
        self._legacy = legacy
        self._durable: set[Path] = set()
        """Users' folders of which this process knows that they are durable, with all that is in them."""

    def get(self, user_id: str, notebook_id: str) -> Header | None:
        return self._read(self._path(user_id, notebook_id)) or self._legacy.get(user_id, notebook_id)

    def create(self, header: Header) -> None:
        """Put the header if there is no file of it; a legacy document does not count: this is how it is adopted.

        Raises HeaderExists, StoreUnavailable, OutcomeUnknown.
        """
        path = self._path(header.user_id, header.notebook_id)
        stored = self._read(path)
        if stored is not None:
            raise HeaderExists(stored)
        data = msgspec.json.encode(header)
        with _unavailable(path):
            if path.parent not in self._durable:
                disk.make_folder(path.parent)
        self._replace(path, data)

    def update(self, user_id: str, notebook_id: str, change: Callable[[Header], Header | None]) -> bool:
        """Replace the header by what `change` makes of it; whether there was one, and `change` gave another."""
        path = self._path(user_id, notebook_id)
        stored = self._read(path)
        changed = None if stored is None else change(stored)
        if changed is None:
            return False
        self._replace(path, msgspec.json.encode(changed))
        return True

    def delete(self, user_id: str, notebook_id: str) -> None:
        path = self._path(user_id, notebook_id)
        with _unavailable(path):
            if not path.parent.is_dir():
                return
            path.unlink(missing_ok=True)
        self._durable.discard(path.parent)
        disk.sync_name(path)
        self._durable.add(path.parent)

    def find(self, notebook_id: str) -> tuple[Header, ...]:
        """The headers with that id, of all users."""
        name = encode_name(notebook_id) + _ENDING
        found = {one.user_id: one for one in self._legacy.headers() if one.notebook_id == notebook_id}
        for header in self._read_all(folder / name for folder in self._user_folders()):
            found[header.user_id] = header
        return tuple(found[user_id] for user_id in sorted(found))

    def users(self) -> list[str]:
        """Who has headers, in order."""
        users = {header.user_id for header in self._legacy.headers()}
        for folder in self._user_folders():
            user_id = decode_name(folder.name)
            if user_id is None:
                header = next(self._read_all(folder / name for name in self._files(folder).values()), None)
                user_id = None if header is None else header.user_id
            if user_id is not None:
                users.add(user_id)
        return sorted(users)

    def of_user(self, user_id: str, after: str = "") -> Iterator[Header]:
        """The user's headers whose id comes after that one, in order, read as they are taken."""
        folder = self._folder / encode_name(user_id)
        names = self._files(folder)
        legacy = {header.notebook_id: header for header in self._legacy.headers() if header.user_id == user_id}
        for notebook_id in sorted(names.keys() | legacy.keys()):
            if notebook_id > after:
                header = self._read(folder / names[notebook_id]) if notebook_id in names else legacy[notebook_id]
                if header is not None:
                    yield header

    def settle(self, user_id: str) -> None:
        """Before anything is answered: what is there must not vanish (W2).

        A process that was killed may not have synced it, or a sync of ours may have failed. Raises StoreUnavailable.
        """
        folder = self._folder / encode_name(user_id)
        if folder in self._durable or not folder.is_dir():
            return
        with _unavailable(folder):
            disk.sync_folder(folder)
            disk.sync_folder(self._folder)
        self._durable.add(folder)

    def _path(self, user_id: str, notebook_id: str) -> Path:
        return self._folder / encode_name(user_id) / (encode_name(notebook_id) + _ENDING)

    def _replace(self, path: Path, data: bytes) -> None:
        self._durable.discard(path.parent)
        disk.replace_file(path, data + b"\n")
        self._durable.add(path.parent)

    def _user_folders(self) -> list[Path]:
        with _unavailable(self._folder), os.scandir(self._folder) as entries:
            return [self._folder / entry.name for entry in entries if entry.is_dir() and is_name(entry.name)]

    def _files(self, folder: Path) -> dict[str, str]:
        """The ids of one user's headers, and the names of their files (a Path for each would take most of the time)."""
        found = {}
        with _unavailable(folder), contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name.removesuffix(_ENDING)
                if name == entry.name:
                    continue
                notebook_id = decode_name(name)
                if notebook_id is None and is_name(name):
                    header = self._read(folder / entry.name)
                    notebook_id = None if header is None else header.notebook_id
                if notebook_id is not None:
                    found[notebook_id] = entry.name
        return found

    def _read_all(self, paths: Iterable[Path]) -> Iterator[Header]:
        return (header for header in map(self._read, paths) if header is not None)

    def _read(self, path: Path) -> Header | None:
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreUnavailable(disk.explain(error, path)) from error
        try:
            header = Header(**msgspec.structs.asdict(_decoder.decode(data)))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise DamagedRecord(f"file {path} is not a header: {error}. Restore it from a copy") from error
        if self._path(header.user_id, header.notebook_id) != path:
            raise DamagedRecord(
                f"file {path} holds the header of notebook {header.notebook_id} of {header.user_id}, which has another"
            )
        return header


@contextlib.contextmanager
def _unavailable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(disk.explain(error, path)) from error
