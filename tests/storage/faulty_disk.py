"""A disk that fails when told to: a layer (VFS) between SQLite and the files."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import apsw

Fault = Callable[[], apsw.Error]


class _File(apsw.VFSFile):
    def __init__(self, disk: "FaultyDisk", filename: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__("", filename, flags)
        self._disk = disk
        self._name = filename.filename() if isinstance(filename, apsw.URIFilename) else filename or ""

    def xRead(self, amount: int, offset: int) -> bytes:
        self._disk.meet("read", self._name)
        return super().xRead(amount, offset)

    def xWrite(self, data: bytes, offset: int) -> None:
        self._disk.meet("write", self._name)
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        self._disk.meet("sync", self._name)
        super().xSync(flags)


class FaultyDisk(apsw.VFS):
    """Give `name` as the `vfs`. While a fault is on, that operation raises it on files whose name ends so."""

    def __init__(self) -> None:
        self.name = f"faulty-{uuid4()}"
        self._faults: dict[tuple[str, str], Fault] = {}
        self.met: list[str] = []
        self.done: Counter[tuple[str, str]] = Counter()
        """Operations by kind and by the ending of the file's name."""
        super().__init__(self.name, "")

    def xOpen(self, filename: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        name = filename.filename() if isinstance(filename, apsw.URIFilename) else filename or ""
        self.meet("open", name)
        return _File(self, filename, flags)

    def meet(self, operation: str, name: str) -> None:
        self.done[operation, "-wal" if name.endswith("-wal") else ".db"] += 1
        for (failing, ending), fault in self._faults.items():
            if failing == operation and name.endswith(ending):
                self.met.append(operation)
                raise fault()

    @contextmanager
    def failing(self, operation: str, ending: str, fault: Fault) -> Iterator[None]:
        self._faults[operation, ending] = fault
        try:
            yield
        finally:
            del self._faults[operation, ending]
