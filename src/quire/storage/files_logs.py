"""The logs that the files engine has open: as many as it may, those used last."""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from quire.storage.files_disk import explain
from quire.storage.files_log import LogFile
from quire.storage.files_names import encode_name
from quire.storage.protocol import StoreUnavailable

OPEN_LOGS_MAX = 128
"""Each holds a descriptor, of which a process may often have 256 or 1,024, and 16 bytes for each record it knows."""

LOG_ENDING = ".jsonl"


class OpenLogs:
    """Log files in one folder. For several threads, but one log for one of them at a time."""

    def __init__(self, folder: Path, *, open_max: int = OPEN_LOGS_MAX) -> None:
        self._folder = folder
        self._open_max = open_max
        self._idle: OrderedDict[str, LogFile] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def using(self, log_id: str) -> Iterator[LogFile]:
        """The log, verified, for as long as the context lasts.

        Raises:
            StoreUnavailable: its file cannot be opened or read, or others altered it. DamagedRecord.
        """
        path = self._path(log_id)
        with self._lock:
            log = self._idle.pop(log_id, None)
        try:
            log = log or LogFile.open(log_id, path)
            log.verify()
            yield log
        except OSError as error:
            raise StoreUnavailable(explain(error, path)) from error
        finally:
            if log is not None and log.exists:
                self._give_back(log_id, log)

    def close(self) -> None:
        with self._lock:
            for log in self._idle.values():
                log.close()
            self._idle.clear()

    def _path(self, log_id: str) -> Path:
        return self._folder / (encode_name(log_id) + LOG_ENDING)

    def _give_back(self, log_id: str, log: LogFile) -> None:
        with self._lock:
            self._idle[log_id] = log
            surplus = len(self._idle) - self._open_max
            # One whose last write is in doubt stays: opened anew it would look as if it were durable.
            for old in [name for name, idle in self._idle.items() if idle.settled][: max(0, surplus)]:
                self._idle.pop(old).close()
