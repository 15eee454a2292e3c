"""One round of the soak: an emulator behind a proxy that fails, three processes that write, and the verdict."""

import asyncio
import contextlib
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import msgspec

from quire.blobs.folder import FolderBlobs
from quire.notebook.changes import Commit
from quire.sessions.loading import read_commit
from quire.sessions.registry import Registry
from quire.sessions.session import Environment
from quire.storage.dynamodb.settings import DynamoSettings
from quire.storage.dynamodb.store import DynamoStore
from quire.storage.protocol import Record
from tests.emulators.processes import EmulatorMissing, start
from tests.sessions.worlds import NoKernels, World
from tests.simulation.clients import USER, Seen, Told
from tests.simulation.judging import judge_sessions
from tests.soak.plan import NOTEBOOKS, PROCESSES, REGION, WRITERS, Mode, Plan, log_of
from tests.soak.process import SavedIn
from tests.soak.reading import Observed
from tests.storage.dynamodb.faulty_proxy import FaultyProxy, faulty_proxy
from tests.storage.engines import whole_log
from tests.storage.racing import Saved, edits_in, judge

ROUND_SECONDS_MAX = 1800

FAULTY_SHARE = 0.5
"""How many of the requests may meet a fault: half of what the tests of the client meet, to come further in the time."""

T = TypeVar("T")


@dataclass
class Outcome:
    """What became of a round."""

    engine: str
    mode: Mode
    seed: int
    commits: int = 0
    acknowledged: int = 0
    refused: int = 0
    """Requests that were owed a conflict, or whose cell was gone, in `sessions`."""
    attempts: int = 0
    """Appends that writers asked of the client, which sends each up to four times."""
    crashes: int = 0
    met: Counter[str] = field(default_factory=Counter)
    """Requests by what the proxy did to them."""
    faults: dict[str, list[str]] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def requests(self) -> int:
        return sum(count for kind, count in self.met.items() if not kind.startswith("zombie "))

    def add(self, log_id: str, found: dict[str, list[str]]) -> None:
        for kind, what in found.items():
            self.faults.setdefault(kind, []).extend(f"{log_id}: {one}" for one in what)


async def run_round(engine: str, mode: Mode, seed: int, edits: int) -> Outcome:
    """Raises EmulatorMissing where this machine cannot run `engine`."""
    target = await asyncio.to_thread(start, engine)
    if isinstance(target, EmulatorMissing):
        raise target
    outcome = Outcome(engine, mode, seed)
    table = f"soak-{mode}-{seed}-{time.time_ns()}"
    began = time.monotonic()
    store = DynamoStore(DynamoSettings(table, f"{table}-commits", REGION, target))
    with TemporaryDirectory(prefix="quire-soak-") as folder:
        blobs = FolderBlobs(Path(folder) / "blobs")
        try:
            await store.create_tables()
            async with faulty_proxy(target, seed, share=FAULTY_SHARE) as proxy:
                plan = Plan(engine, mode, seed, edits, proxy.url, table, folder)
                if mode == "sessions":
                    await _create_notebooks(store, blobs)
                await _run_processes(plan, outcome, proxy)
            outcome.met = proxy.met
            await _judge(plan, store, blobs, outcome)
        finally:
            await store.close()
            await blobs.close()
    outcome.seconds = time.monotonic() - began
    return outcome


async def _create_notebooks(store: DynamoStore, blobs: FolderBlobs) -> None:
    registry = Registry(Environment(store, blobs, NoKernels(), "founder"))
    for notebook_id in NOTEBOOKS:
        await registry.create(USER, World().origin(USER), name=notebook_id, notebook_id=notebook_id)
    await registry.close()


@contextlib.asynccontextmanager
async def _process(plan: Plan, number: int) -> AsyncIterator[asyncio.subprocess.Process]:
    text = msgspec.json.encode(plan).decode()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.soak.process", text, str(number)),
        stdout=asyncio.subprocess.DEVNULL,  # the servers' logs: what the store does to them is no news here
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _run_processes(plan: Plan, outcome: Outcome, proxy: FaultyProxy) -> None:
    async with contextlib.AsyncExitStack() as stack, asyncio.timeout(ROUND_SECONDS_MAX):
        processes = [await stack.enter_async_context(_process(plan, number)) for number in range(PROCESSES)]
        endings = await asyncio.gather(*(process.communicate() for process in processes))
    await proxy.settle()
    for number, (process, (_, errors)) in enumerate(zip(processes, endings, strict=True)):
        if process.returncode:
            last = errors.decode("utf-8", "replace").strip().splitlines()[-1:]
            outcome.add(f"process {number}", {"crashed": [f"exit code {process.returncode}: {''.join(last)}"]})


def _read(path: Path, kind: type[T]) -> list[T]:
    return [msgspec.json.decode(line, type=kind) for line in path.read_bytes().splitlines()] if path.exists() else []


async def _judge(plan: Plan, store: DynamoStore, blobs: FolderBlobs, outcome: Outcome) -> None:
    """Directly at the emulator, when nothing is under way any more."""
    logs = {log_of(notebook_id): await whole_log(store, log_of(notebook_id)) for notebook_id in NOTEBOOKS}
    outcome.commits = sum(len(records) for records in logs.values())
    for number in range(PROCESSES):
        if plan.counted_by(number).exists():
            counted: dict[str, Any] = msgspec.json.decode(plan.counted_by(number).read_bytes())
            outcome.attempts += counted["attempts"]
            outcome.crashes += counted["crashes"]
        _judge_history(logs, _read(plan.seen_by(number), Observed), number, outcome)
    if plan.mode == "records":
        _judge_records(plan, logs, outcome)
    else:
        await _judge_sessions(plan, logs, blobs, outcome)


def _judge_history(logs: dict[str, list[Record]], history: list[Observed], number: int, outcome: Outcome) -> None:
    """Every history that a reader saw is a beginning of the log."""
    for log_id, records in logs.items():
        found = [(one.revision, one.commit_id) for one in history if one.log_id == log_id]
        if found != [(record.revision, record.commit_id) for record in records[: len(found)]]:
            outcome.add(log_id, {"other history": [f"reader {number} saw another log"]})


def _judge_records(plan: Plan, logs: dict[str, list[Record]], outcome: Outcome) -> None:
    told = [_read(plan.told_by(writer), SavedIn) for writer in range(WRITERS)]
    outcome.acknowledged = sum(len(writer) for writer in told)
    for log_id, records in logs.items():
        mine = [[Saved(one.edit, one.revision) for one in writer if one.log_id == log_id] for writer in told]
        outcome.add(log_id, judge(edits_in(records), mine).faults)


async def _judge_sessions(plan: Plan, logs: dict[str, list[Record]], blobs: FolderBlobs, outcome: Outcome) -> None:
    told = [_read(plan.told_by(writer), Told) for writer in range(WRITERS)]
    seen = [one for writer in range(WRITERS) for one in _read(Path(f"{plan.told_by(writer)}.seen"), Seen)]
    outcome.acknowledged = sum(not one.error for writer in told for one in writer)
    outcome.refused = sum(bool(one.error) for writer in told for one in writer)
    for notebook_id in NOTEBOOKS:
        log_id = log_of(notebook_id)
        commits: list[Commit] = [await read_commit(blobs, log_id, record) for record in logs[log_id]]
        mine = [[one for one in writer if one.request.notebook_id == notebook_id] for writer in told]
        looks = [one for one in seen if one.notebook_id == notebook_id]
        outcome.add(log_id, judge_sessions(commits, mine, looks).faults)
