"""What a month on AWS costs, by arithmetic: Quire's log, and the plain design of one item a notebook beside it.

Pure: asks nothing of AWS. Sizes are in bytes and KB of 1,000 bytes, prices in US dollars for us-east-1. The figures of
write units are held against DynamoDB Local by tests/test_cost.py.
"""

import math
from dataclasses import dataclass

from quire.sessions.checkpoints import COMMITS_MIN, INLINE_PACKED_MAX, INLINE_RAW_MAX, TAIL_BYTES_MAX
from quire.sessions.journal import BODY_BYTES_MAX
from quire.storage.compression import PACK_BYTES_MIN
from quire.storage.items import ITEM_OVERHEAD_BYTES
from quire.storage.protocol import PAGE_RECORDS_MAX

DAYS = 30
KB = 1000
GB = 2**30

WRITE_UNIT_BYTES = 1024
READ_UNIT_BYTES = 4096
PLAIN_ITEM_BYTES_MAX = 400 * 1024
STORED_OVERHEAD_BYTES = 100
"""What AWS adds to each item's size when it bills storage."""

KEYS_BYTES = 82
"""A log id of two UUIDs' length or so, and the commit id."""
ENVELOPE_BYTES = 230
"""A commit of one edit as JSON, without the code."""
CELLS_SHARE = 1.05
"""A notebook is its texts and 5 % more: ids, types and states of cells of about 2 KB each."""
HEADER_BYTES = 250


@dataclass(frozen=True, slots=True)
class Prices:
    """Dollars. DynamoDB on demand: a million units; a GB and month. S3 Standard: a GB and month; 1,000 requests."""

    writes: float
    reads: float
    stored: float = 0.25
    backups: float = 0.20
    s3_stored: float = 0.023
    s3_puts: float = 0.005
    s3_gets: float = 0.0004


CURRENT = Prices(writes=0.625, reads=0.125)
FORMER = Prices(writes=1.25, reads=0.25)
"""Until October 2024."""


@dataclass(frozen=True, slots=True)
class Workload:
    """Who does how much. `packed`: what compression leaves of code and text."""

    users: int
    notebooks: int
    """Of each user."""
    ops_per_day: float
    """Edits by each user."""
    notebook_kb: float = 200
    edit_kb: float = 3
    """The code of the edited cell."""
    loads_per_day: float = 10
    """Notebooks that each user opens and no server has open; each time the list is shown too."""
    packed: float = 0.4
    months: int = 12
    """Since the start: history is kept, so storage grows."""

    @property
    def edits(self) -> float:
        """In a month, by all."""
        return self.users * self.ops_per_day * DAYS

    @property
    def loads(self) -> float:
        """In a month, by all."""
        return self.users * self.loads_per_day * DAYS

    @property
    def notebook_bytes(self) -> float:
        return self.notebook_kb * KB * CELLS_SHARE


@dataclass(frozen=True, slots=True)
class Usage:
    """What is billed for a month."""

    write_units: float
    read_units: float
    stored_gb: float
    """In DynamoDB, at the end of the month."""
    s3_gb: float = 0
    s3_puts: float = 0
    s3_gets: float = 0


@dataclass(frozen=True, slots=True)
class Bill:
    """Dollars for a month. The 25 GB that AWS stores for nothing are not deducted."""

    writes: float
    reads: float
    storage: float
    s3: float
    backups: float

    @property
    def total(self) -> float:
        return self.writes + self.reads + self.storage + self.s3 + self.backups


@dataclass(frozen=True, slots=True)
class Log:
    """The shape of the log that a workload leaves behind."""

    record_bytes: float
    """An edit's record as stored, without a checkpoint."""
    body_in_blob: bool
    """An edit above 64 KB is a blob that the record names (W6)."""
    checkpoint_bytes: float
    """As stored, compressed."""
    checkpoint_in_blob: bool
    """A large one is a blob too (C5)."""
    commits_between: int
    """From one checkpoint to the next (C1)."""

    @classmethod
    def of(cls, workload: Workload) -> "Log":
        body = workload.edit_kb * KB + ENVELOPE_BYTES
        in_blob = body > BODY_BYTES_MAX
        if in_blob:
            body = ENVELOPE_BYTES
        packed_body = body * workload.packed if body > PACK_BYTES_MIN else body
        raw, packed = workload.notebook_bytes, workload.notebook_bytes * workload.packed
        large = raw > INLINE_RAW_MAX or packed > INLINE_PACKED_MAX
        enough = max(COMMITS_MIN, math.ceil((packed if large else raw) / body) + 1)
        return cls(
            record_bytes=ITEM_OVERHEAD_BYTES + KEYS_BYTES + packed_body,
            body_in_blob=in_blob,
            checkpoint_bytes=packed,
            checkpoint_in_blob=large,
            commits_between=min(enough, math.ceil(TAIL_BYTES_MAX / body) + 1),
        )

    @property
    def append_units(self) -> float:
        """Write units of an edit, its share of the checkpoints included."""
        plain = _units(self.record_bytes, WRITE_UNIT_BYTES)
        if self.checkpoint_in_blob:
            return plain
        carrying = _units(self.record_bytes + self.checkpoint_bytes, WRITE_UNIT_BYTES)
        return plain + (carrying - plain) / self.commits_between

    @property
    def load_units(self) -> float:
        """Read units of a load, at the mean distance from a checkpoint: the records behind it, and the header (C2)."""
        between = self.commits_between
        page = PAGE_RECORDS_MAX
        records = page if between <= page else (page * page + (between * between - page * page) / 2) / between
        checkpoint = 0 if self.checkpoint_in_blob else self.checkpoint_bytes
        return _units(records * self.record_bytes + checkpoint, READ_UNIT_BYTES) + 1


def edit_units(workload: Workload) -> float:
    """Write units of one edit of Quire's: the commit, its share of checkpoints, and a refresh of the header.

    Edits that follow each other within 2 s share a refresh; here each has its own.
    """
    return Log.of(workload).append_units + 1


def plain_edit_units(workload: Workload) -> float:
    """Write units of one edit in the plain design: the whole item, and again for the index that projects ALL."""
    return 2 * _units(workload.notebook_bytes, WRITE_UNIT_BYTES)


def quire_usage(workload: Workload) -> Usage:
    """A month of Quire's."""
    log = Log.of(workload)
    checkpoints = workload.edits / log.commits_between
    blobs = checkpoints if log.checkpoint_in_blob else 0
    held = workload.users * workload.notebooks
    # Every notebook has the checkpoint that it began with; all later ones stay, as history does.
    stored = workload.edits * workload.months * (log.record_bytes + STORED_OVERHEAD_BYTES)
    stored += held * 2 * (HEADER_BYTES + STORED_OVERHEAD_BYTES)
    kept = (held + checkpoints * workload.months) * log.checkpoint_bytes
    in_s3 = kept if log.checkpoint_in_blob else 0
    if log.body_in_blob:
        blobs += workload.edits
        in_s3 += workload.edits * workload.months * workload.edit_kb * KB
    listed = _units(workload.notebooks * HEADER_BYTES, READ_UNIT_BYTES)
    return Usage(
        write_units=workload.edits * edit_units(workload),
        read_units=workload.loads * (log.load_units + listed),
        stored_gb=(stored + (0 if log.checkpoint_in_blob else kept)) / GB,
        s3_gb=in_s3 / GB,
        s3_puts=blobs,
        s3_gets=workload.loads if log.checkpoint_in_blob else 0,
    )


def plain_usage(workload: Workload) -> Usage | None:
    """A month of the plain design; None: its items cannot hold such notebooks.

    Kindly reckoned: it reads at half the price (eventually consistent), and never before an edit.
    """
    if workload.notebook_bytes > PLAIN_ITEM_BYTES_MAX:
        return None
    held = workload.users * workload.notebooks
    load = _units(workload.notebook_bytes, READ_UNIT_BYTES) / 2
    listed = _units(workload.notebooks * workload.notebook_bytes, READ_UNIT_BYTES) / 2
    return Usage(
        write_units=workload.edits * plain_edit_units(workload),
        read_units=workload.loads * (load + listed),
        stored_gb=held * 2 * (workload.notebook_bytes + STORED_OVERHEAD_BYTES) / GB,
    )


def bill(usage: Usage, prices: Prices, *, backups: bool) -> Bill:
    """What `usage` costs; `backups`: with point-in-time recovery of the tables."""
    return Bill(
        writes=usage.write_units * prices.writes / 1e6,
        reads=usage.read_units * prices.reads / 1e6,
        storage=usage.stored_gb * prices.stored,
        s3=usage.s3_gb * prices.s3_stored
        + usage.s3_puts * prices.s3_puts / 1000
        + usage.s3_gets * prices.s3_gets / 1000,
        backups=usage.stored_gb * prices.backups if backups else 0,
    )


def _units(size: float, unit: int) -> float:
    return max(1, math.ceil(size / unit))
