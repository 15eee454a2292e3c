"""`quire cost`: its model against what DynamoDB Local really consumes, and against sums made by hand."""

import base64
import dataclasses
import random
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from quire import cost
from quire.blobs.folder import FolderBlobs
from quire.cost import CURRENT, FORMER, Bill, Log, Usage, Workload
from quire.notebook.model import Cell
from quire.sessions.cell_intents import EditCell
from quire.sessions.intents import Origin
from quire.sessions.registry import Registry
from quire.sessions.session import Environment
from quire.storage.compression import pack
from quire.storage.dynamodb.store import DynamoStore
from tests.emulators.environment import nobodys_aws
from tests.sessions.worlds import NoKernels
from tests.storage.dynamodb.grounds import open_dynamodb_in

SMALL = Workload(users=1, notebooks=1, ops_per_day=1, notebook_kb=100, edit_kb=1, loads_per_day=1, packed=0.4, months=1)
CELL_BYTES = 2000


def text(size: int) -> str:
    """A line of Python that does nothing and compresses to about three quarters."""
    return f"# {base64.b64encode(random.randbytes(size)).decode()}"[:size]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[DynamoStore]:
    with nobodys_aws():
        store = await open_dynamodb_in("dynamodb-local")(tmp_path)
        yield store
        await store.close()


@pytest.mark.parametrize(("notebook_kb", "edit_kb"), [(200, 3), (60, 8), (20, 0.5)])
async def test_C1_edits_consume_the_write_units_of_the_model(
    store: DynamoStore, tmp_path: Path, notebook_kb: int, edit_kb: float
) -> None:
    codes = [text(CELL_BYTES) for _ in range(notebook_kb * cost.KB // CELL_BYTES)]
    whole = "".join(codes).encode()
    workload = dataclasses.replace(
        SMALL, notebook_kb=notebook_kb, edit_kb=edit_kb, packed=len(pack(whole)) / len(whole)
    )
    between = Log.of(workload).commits_between
    blobs = FolderBlobs(tmp_path / "blobs")
    registry = Registry(Environment(store, blobs, NoKernels(), "test"))
    cells = tuple(Cell(f"c{number}", "python", code, code_revision=1) for number, code in enumerate(codes))
    created = await registry.create("ada", Origin("ada", 1_800_000_000_000), name="Test", cells=cells)
    session = await registry.open("ada", str(created.answer["notebook_id"]))
    before = store.capacity.units["append"]
    for at in range(1_800_000_000_000, 1_800_000_000_000 + 2 * between):
        await session.submit(EditCell(Origin("ada", at), "c0", text(int(edit_kb * cost.KB))))
    units = (store.capacity.units["append"] - before) / (2 * between)
    refreshes = store.capacity.requests["refresh_header"]
    assert store.capacity.units["refresh_header"] == refreshes
    await registry.close()
    await blobs.close()
    assert units == pytest.approx(Log.of(workload).append_units, rel=0.1)
    assert cost.edit_units(workload) == Log.of(workload).append_units + 1


def test_a_month_of_one_edit_a_day_by_hand() -> None:
    # The body: 1,000 + 230 bytes, 492 packed; the record: 182 more, one write unit. The notebook: 105,000 bytes, 42,000
    # packed, is due after 86 edits and the one that carries it: 42 units instead of 1.
    log = Log.of(SMALL)
    assert (log.record_bytes, log.checkpoint_bytes, log.commits_between) == (674, 42_000, 87)
    ours = cost.quire_usage(SMALL)
    assert ours.write_units == pytest.approx(30 * (1 + 41 / 87 + 1))
    # A load finds the checkpoint within the newest 64 records, or reads on to it: on the average 67 records of 674
    # bytes, and the checkpoint: 22 units. One for the header, one for the list.
    assert ours.read_units == 30 * (22 + 1 + 1)
    assert ours.stored_gb == pytest.approx((30 * 774 + 2 * 350 + 42_000 * (1 + 30 / 87)) / 2**30)
    # 105,000 bytes are 103 write units, twice; 26 read units at half the price, twice.
    plain = cost.plain_usage(SMALL)
    assert plain == Usage(write_units=30 * 206, read_units=30 * 26, stored_gb=2 * 105_100 / 2**30)
    assert cost.bill(plain, CURRENT, backups=False).writes == pytest.approx(0.0038625)
    assert cost.bill(plain, FORMER, backups=False).writes == pytest.approx(0.007725)


def test_a_bill_by_hand() -> None:
    usage = Usage(write_units=1e6, read_units=2e6, stored_gb=10, s3_gb=100, s3_puts=1000, s3_gets=10_000)
    assert cost.bill(usage, CURRENT, backups=True) == Bill(0.625, 0.25, 2.5, 2.3 + 0.005 + 0.004, 2.0)
    former = cost.bill(usage, FORMER, backups=False)
    assert (former.writes, former.reads, former.backups) == (1.25, 0.5, 0)
    assert former.total == pytest.approx(1.25 + 0.5 + 2.5 + 2.309)


def dollars(workload: Workload) -> float:
    return cost.bill(cost.quire_usage(workload), CURRENT, backups=True).total


@pytest.mark.parametrize("base", [SMALL, Workload(100, 10, 20), Workload(5, 3, 50, notebook_kb=5000, edit_kb=100)])
@pytest.mark.parametrize(
    "more", [{"users": 200}, {"notebooks": 30}, {"ops_per_day": 60.0}, {"loads_per_day": 40.0}, {"months": 36}]
)
def test_more_of_anything_costs_more(base: Workload, more: dict[str, float]) -> None:
    assert dollars(dataclasses.replace(base, **more)) > dollars(base)  # type: ignore[arg-type]  # one field each


def test_W6_C5_what_is_large_goes_to_s3() -> None:
    large = dataclasses.replace(SMALL, notebook_kb=5000)
    assert Log.of(large).append_units == 1
    assert cost.quire_usage(large).s3_puts == pytest.approx(30 / Log.of(large).commits_between)
    body = cost.quire_usage(dataclasses.replace(SMALL, edit_kb=100))
    assert body.s3_puts == 30
    assert cost.plain_usage(large) is None


def test_the_command_prints_the_bill_and_what_it_assumes() -> None:
    command = [sys.executable, "-m", "quire", "cost", "--users", "50", "--notebooks", "4", "--ops-per-day", "30"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    workload = Workload(50, 4, 30)
    plain = cost.plain_usage(workload)
    assert plain is not None
    totals = [
        f"{cost.bill(usage, prices, backups=False).total:,.2f}"
        for usage in (cost.quire_usage(workload), plain)
        for prices in (CURRENT, FORMER)
    ]
    lines = done.stdout.splitlines()
    assert next(line for line in lines if line.startswith("total")).split() == ["total", *totals]
    assert "Assumed:" in lines
    assert max(map(len, lines)) <= 100
