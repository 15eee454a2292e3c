"""Whole-notebook files of an older server, ``DIR/NOTEBOOK.json``, beside ours: shown until they are adopted.

Of such a document the engine knows who owns it and what it is called. What else it holds is for those who know
notebooks: they write it as the first record of a log, create the header, and then have the file retired.
"""

import errno
import os
from pathlib import Path

import msgspec
import structlog

from quire.notebook.lenient_json import decode, text, whole_number
from quire.storage import files_disk as disk
from quire.storage.protocol import Header, StoreUnavailable

_ENDING = ".json"
RETIRED_ENDING = ".adopted"
"""What is appended to the name of a file that was adopted: nobody takes it for a notebook, nothing is lost."""

_log = structlog.get_logger(__name__)


class _Document(msgspec.Struct):
    """What must be known of one. Its connection string is not here: it is in the clear, and a header's is not."""

    id: str
    user_id: str
    name: str = ""
    revision: int = 0


_decoder = msgspec.json.Decoder(_Document)
"""Fast, and of most documents the whole answer; the others are read by `_leniently`."""


class LegacyFiles:
    """The documents in one folder. For several threads: two may read one document, at worst."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, tuple[tuple[int, int, int], Header | None]] = {}
        """By name: which file that was, and what it says; None: not such a document."""

    def headers(self) -> list[Header]:
        """Of all documents, in the order of their users and ids; when they were changed is what their files say."""
        found = {}
        try:
            with os.scandir(self._folder) as entries:
                for entry in entries:
                    if entry.name.endswith(_ENDING) and entry.is_file():
                        found[entry.name] = self._header(entry.name)
        except OSError as error:
            raise StoreUnavailable(disk.explain(error, self._folder)) from error
        for name in self._known.keys() - found.keys():
            self._known.pop(name, None)
        return sorted(
            (header for header in found.values() if header is not None), key=lambda one: (one.user_id, one.notebook_id)
        )

    def get(self, user_id: str, notebook_id: str) -> Header | None:
        """The header of the user's document with that id."""
        if os.path.basename(notebook_id) != notebook_id or "\0" in notebook_id:  # noqa: PTH119 - an id is no path
            return None
        try:
            header = self._header(notebook_id + _ENDING)
        except OSError as error:
            raise StoreUnavailable(disk.explain(error, self._folder / (notebook_id + _ENDING))) from error
        return header if header is not None and header.user_id == user_id else None

    def read(self, user_id: str, notebook_id: str) -> bytes | None:
        """The document."""
        if self.get(user_id, notebook_id) is None:
            return None
        path = self._folder / (notebook_id + _ENDING)
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreUnavailable(disk.explain(error, path)) from error

    def retire(self, user_id: str, notebook_id: str, document: bytes | None = None) -> bool:
        """Set the document aside, durably, if it is there and still is `document` (None: any); whether it was.

        It is looked at once it has its new name, since under the old one another process may replace it at any time;
        what is another document then gets its old name back. (A process that is killed in between leaves that one set
        aside, unread; one that writes into a file which it has opened before is not noticed.)

        Raises StoreUnavailable or OutcomeUnknown.
        """
        if self.get(user_id, notebook_id) is None:
            return False
        path = self._folder / (notebook_id + _ENDING)
        aside = path.with_name(path.name + RETIRED_ENDING)
        try:
            if document is not None and path.read_bytes() != document:
                return False
            path.rename(aside)
            same = document is None or aside.read_bytes() == document
            if not same:
                _put_back(aside, path)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise StoreUnavailable(disk.explain(error, path)) from error
        disk.sync_name(path)
        return same

    def _header(self, name: str) -> Header | None:
        try:
            status = (self._folder / name).stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                return None
            raise
        file = (status.st_ino, status.st_mtime_ns, status.st_size)
        known = self._known.get(name)
        if known is None or known[0] != file:
            known = (file, self._parse(name, status.st_mtime_ns // 1_000_000))
            self._known[name] = known
        return known[1]

    def _parse(self, name: str, modified_at: int) -> Header | None:
        try:
            document = _read((self._folder / name).read_bytes())
        except ValueError as error:
            _log.warning("not_a_notebook", file=str(self._folder / name), reason=str(error))
            return None
        if document.id + _ENDING != name:
            _log.warning("not_a_notebook", file=str(self._folder / name), reason=f"it holds {document.id!r}")
            return None
        return Header(document.user_id, document.id, document.name, document.revision, 0, modified_at)


def _read(data: bytes) -> _Document:
    """Raises ValueError: it is no notebook's document."""
    try:
        return _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        document = _leniently(decode(data))
    if document is None:
        raise ValueError("it is no JSON object with an `id` and a `user_id`")
    return document


def _leniently(found: object) -> _Document | None:
    """As tolerant as those who take the document over; but which notebook it is, and whose, is not guessed."""
    if not isinstance(found, dict):
        return None
    notebook_id, user_id = found.get("id") or found.get("notebook_id"), found.get("user_id")
    if not isinstance(notebook_id, str) or not isinstance(user_id, str):
        return None
    if (text(notebook_id), text(user_id)) != (notebook_id, user_id):
        return None  # with half a character
    return _Document(notebook_id, user_id, text(found.get("name")), whole_number(found.get("revision")))


def _put_back(aside: Path, path: Path) -> None:
    """Under its old name again, if that is still free: else there is a newer one by now."""
    try:
        path.hardlink_to(aside)
    except FileExistsError:
        return
    except OSError:  # a file system without links
        if not path.exists():
            aside.rename(path)
        return
    aside.unlink()
