"""One log of the files engine: a file of lines, one for each record, that is only ever appended to.

A line is written by one write and synced before it counts. What a crash leaves behind the last whole line was
answered by nobody: it is no record, and is cut off before the next line is written.
"""

import contextlib
import os
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import structlog

from quire.storage import files_disk as disk
from quire.storage.files_lines import MARK, BrokenLine, Line, decode_line, encode_line, find_line
from quire.storage.items import pack_record, take_page
from quire.storage.protocol import DamagedRecord, KeyExists, OutcomeUnknown, Page, Record, StoreUnavailable

BLOCK_BYTES = 128 * 1024
"""Read at once when lines are looked for; a longer line takes several attempts, each of four times the size."""

TORN_ENDING = ".torn"
"""Where the bytes of a torn tail are kept when they are cut off: a disk that fails may have torn more than that."""

_log = structlog.get_logger(__name__)


class LogFile:
    """A log whose file may or may not exist. Not for two threads at once; another process must not write to it.

    It knows where the newest records lie, and looks for older ones when they are asked for: opening a log costs the
    same however long it is.
    """

    def __init__(self, log_id: str, path: Path) -> None:
        self._log_id = log_id
        self._path = path
        self._descriptor: int | None = None
        self._identity = (0, 0)
        self._head = 0
        self._end = 0
        """Where the last whole, durable line ends, and the next one begins."""
        self._starts = array("Q")
        self._sizes = array("Q")
        """Of the newest records, as far back as was looked so far; the last is the head's."""
        self._torn = False
        """Something lies behind `_end`."""
        self._found_bytes = 0
        """How much of that was there when the file was opened."""
        self._durable = True
        """All that was found when the file was opened is on the disk, and its name."""
        self._sync_failed = False

    @classmethod
    def open(cls, log_id: str, path: Path) -> Self:
        """The log in that file; empty if there is none.

        Raises:
            DamagedRecord: its last records were altered. OSError: it cannot be read.
        """
        log = cls(log_id, path)
        try:
            log._adopt(disk.open_file(path))
        except FileNotFoundError:
            return log
        try:
            log._find_head(os.fstat(log._opened).st_size)
        except BaseException:
            log.close()
            raise
        # A process that was killed may not have synced what it wrote.
        log._durable = False
        return log

    @property
    def exists(self) -> bool:
        return self._descriptor is not None

    @property
    def settled(self) -> bool:
        """Whether nothing would be forgotten if the file were closed and opened again."""
        return self._durable and not self._torn

    def verify(self) -> None:
        """Before anything is answered: the file is still ours, and what was found in it will not vanish (W2).

        Raises:
            StoreUnavailable: it was deleted or altered by others, or cannot be synced.
        """
        if self._descriptor is None:
            return
        try:
            self._check_untouched()
            self._make_durable()
        except OSError as error:
            raise StoreUnavailable(disk.explain(error, self._path)) from error

    def append(self, record: Record) -> None:
        """Write the record if the log ends just before it (W1); it is durable when this returns.

        Raises:
            KeyExists, ItemTooLarge, StoreUnavailable: nothing was written. OutcomeUnknown: see W2.
        """
        size = pack_record(self._log_id, record).size
        if record.revision != self._head + 1:
            raise KeyExists(record.revision, self.read_one(record.revision))
        line = encode_line(record, size)
        self._settle()
        try:
            if self._descriptor is None:
                self._adopt(disk.open_file(self._path, create=True))
                self._durable = False
        except OSError as error:
            raise StoreUnavailable(disk.explain(error, self._path)) from error
        self._write(line)
        self._starts.append(self._end)
        self._sizes.append(size)
        self._end += len(line)
        self._head += 1

    def read_newest(self, limit: int) -> Page:
        """See `NotebookStore.read_newest`."""
        lines, more = take_page(self._lines_backwards(), limit)
        return Page(tuple(self._records(lines[::-1])), more)

    def read_after(self, revision: int, limit: int) -> Page:
        """See `NotebookStore.read_after`."""
        first = max(revision, 0) + 1
        lines, more = take_page((self._line(number) for number in range(first, self._head + 1)), limit)
        return Page(tuple(self._records(lines)), more)

    def read_one(self, revision: int) -> Record | None:
        """See `NotebookStore.read_one`."""
        if not 1 <= revision <= self._head:
            return None
        return self._records([self._line(revision)])[0]

    def delete(self) -> None:
        """Erase the file, durably. Raises StoreUnavailable or OutcomeUnknown."""
        self.close()
        try:
            for path in (self._path.with_suffix(TORN_ENDING), self._path):
                path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreUnavailable(disk.explain(error, self._path)) from error
        disk.sync_name(self._path)

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    @property
    def _opened(self) -> int:
        assert self._descriptor is not None
        return self._descriptor

    @property
    def _first(self) -> int:
        """The oldest revision whose place is known."""
        return self._head - len(self._starts) + 1

    def _adopt(self, descriptor: int) -> None:
        self._descriptor = descriptor
        status = os.fstat(descriptor)
        self._identity = (status.st_dev, status.st_ino)

    def _check_untouched(self) -> None:
        """The path still leads to our file, and nobody else wrote to it: else edits would be answered, then lost."""
        try:
            status = os.stat(self._path)  # noqa: PTH116 - runs before every answer; a Path costs three times as much
        except FileNotFoundError:
            status = None
        if status is None or (status.st_dev, status.st_ino) != self._identity:
            raise StoreUnavailable(
                f"file {self._path} was deleted or replaced while the server ran: put it back or restart"
            )
        if status.st_size != self._end and not self._torn:
            raise StoreUnavailable(
                f"file {self._path} was altered by another program while the server ran: restart to read it anew"
            )

    def _make_durable(self) -> None:
        """Sync what was found when the file was opened.

        After a failure the last line is written again first: the system may have forgotten that it should write it,
        and the next sync would succeed without doing so. (The lines before were synced before it was written.)
        """
        if self._durable:
            return
        if self._sync_failed and self._head:
            start = self._starts[-1]
            disk.write_at(self._opened, disk.read_at(self._opened, self._end - start, start), start)
        self._sync_failed = True
        disk.sync_data(self._opened)
        disk.sync_folder(self._path.parent)
        self._sync_failed = False
        self._durable = True

    def _settle(self) -> None:
        """Cut off what lies behind the last whole line: a shorter line written over it would leave a rest of it."""
        if not self._torn:
            return
        try:
            if self._found_bytes:
                found = disk.read_at(self._opened, self._found_bytes, self._end)
                disk.write_file(self._path.with_suffix(TORN_ENDING), found)
                self._found_bytes = 0
            disk.truncate(self._opened, self._end)
            disk.sync_data(self._opened)
        except OSError as error:
            raise StoreUnavailable(disk.explain(error, self._path)) from error
        self._torn = False

    def _write(self, line: bytes) -> None:
        self._torn = True
        try:
            written = 0
            while written < len(line):  # once, unless the disk fills up: the next attempt says so
                written += disk.write_at(self._opened, line[written:], self._end + written)
        except OSError as error:
            self._take_back()
            raise disk.failure_of_write(error, self._path) from error
        try:
            disk.sync_data(self._opened)
            if not self._durable:
                disk.sync_folder(self._path.parent)
        except OSError as error:
            self._take_back()
            raise OutcomeUnknown(disk.explain(error, self._path)) from error
        self._torn = False
        self._durable = True

    def _take_back(self) -> None:
        """Cut off what was just written, as far as the disk lets us; `_settle` does it again, and syncs that.

        At once, so that not even a server that starts anew finds a line in the system's memory that a failed sync
        left there, and takes it for durable.
        """
        with contextlib.suppress(OSError):
            disk.truncate(self._opened, self._end)

    def _find_head(self, size: int) -> None:
        """Find the last whole line. Only the very last may be torn, since each was synced before the next."""
        end = size
        line: Line | None = None
        for start, data, base, _ in self._marks(size):
            try:
                line = find_line(data, start - base, base)
            except BrokenLine as error:
                if end < size or error.followed:
                    raise self._damaged(start, str(error)) from error
                end = start
                continue
            if end < size and line.end != end:
                raise self._damaged(line.end, "a line does not begin where the one before ends")
            break
        if line is None:
            if 0 < end < size:
                raise self._damaged(0, "a log does not begin so")
            end = 0
        else:
            if (line.revision == 1) != (line.start == 0):
                raise self._damaged(line.start, f"revision {line.revision} is not where it should be")
            end = line.end
            self._head = line.revision
            self._starts.append(line.start)
            self._sizes.append(line.size)
        self._end = end
        if end < size:
            _log.warning("torn_tail", file=str(self._path), after_revision=self._head, bytes=size - end)
            self._torn = True
            self._found_bytes = size - end

    def _marks(self, end: int) -> Iterator[tuple[int, bytes, int, bool]]:
        """Where lines begin, the last before `end` first.

        The place; a part of the file that holds the line, and the place of that; whether more is read to go on.
        """
        block = BLOCK_BYTES
        while end > 0:
            base = max(0, end - block)
            data = disk.read_at(self._opened, end - base, base)
            position = data.rfind(MARK)
            if position < 0 and base == 0:
                return
            block = BLOCK_BYTES if position >= 0 else block * 4
            while position >= 0:
                end = base + position
                position = data.rfind(MARK, 0, position)
                yield end, data, base, position < 0

    def _reach(self, revision: int) -> None:
        """Find the lines from `revision` on that are not known yet, and with them the others of the same block.

        Raises:
            DamagedRecord: one of them was altered.
        """
        starts, sizes = array("Q"), array("Q")
        wanted, end = self._first - 1, self._starts[0]
        reason = "it is not where it should be"
        for start, data, base, reads_on in self._marks(end):
            try:
                line = find_line(data, start - base, base)
            except BrokenLine as error:
                reason = str(error)
                break
            if line.end != end or line.revision != wanted or (wanted == 1) != (start == 0):
                break
            starts.append(start)
            sizes.append(line.size)
            wanted, end = wanted - 1, start
            if reads_on and wanted < revision:
                break
        if wanted >= revision:
            raise self._damaged(end, f"before it is no whole revision {wanted} ({reason})")
        self._starts[:0] = starts[::-1]
        self._sizes[:0] = sizes[::-1]

    def _line(self, revision: int) -> Line:
        if revision < self._first:
            self._reach(revision)
        index = revision - self._first
        end = self._starts[index + 1] if revision < self._head else self._end
        return Line(revision, self._sizes[index], self._starts[index], end)

    def _lines_backwards(self) -> Iterator[Line]:
        return (self._line(revision) for revision in range(self._head, 0, -1))

    def _records(self, lines: list[Line]) -> list[Record]:
        """The records of lines that lie side by side."""
        if not lines:
            return []
        base = lines[0].start
        data = disk.read_at(self._opened, lines[-1].end - base, base)
        return [self._record(data, line, base) for line in lines]

    def _record(self, data: bytes, line: Line, base: int) -> Record:
        try:
            record = decode_line(data, line.start - base)
        except (BrokenLine, DamagedRecord) as error:
            raise self._damaged(line.start, str(error)) from error
        if record.revision != line.revision:
            raise self._damaged(line.start, f"revision {line.revision} is not where it should be")
        return record

    def _damaged(self, offset: int, reason: str) -> DamagedRecord:
        return DamagedRecord(
            f"file {self._path} of log {self._log_id} is damaged at byte {offset:,}: {reason}. Restore it from a copy"
        )
