"""A simulation: servers that crash over one store that fails, clients that go from one to the other, a verdict."""

import asyncio
import itertools
import random
from collections import Counter
from dataclasses import dataclass, field

from quire.blobs.memory import MemoryBlobs
from quire.notebook.fold import fold
from quire.notebook.ids import log_id_of
from quire.notebook.model import Notebook
from quire.sessions.errors import NotSaved
from quire.sessions.intents import Origin
from quire.sessions.loading import load, read_commits
from quire.sessions.registry import Registry
from quire.storage.protocol import NotebookStore
from tests.simulation.clients import USER, Client, Floor
from tests.simulation.judging import judge_sessions
from tests.simulation.servers import Server, note_tasks
from tests.storage.faulty import FaultyStore


@dataclass
class Simulation:
    """One run; everything in it follows from `seed`, as far as the engine's own threads and sockets allow."""

    store: NotebookStore
    seed: int
    servers: int = 3
    clients: int = 4
    steps: int = 12
    pauses: tuple[float, ...] = ()
    crash_share: float = 0.08
    """How often some server crashes after a request."""
    notebooks: tuple[str, ...] = ("n0", "n1")
    met: Counter[str] = field(default_factory=Counter)
    """Faults, crashes and refusals, by kind."""

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)
        self._blobs = MemoryBlobs()
        self._network = FaultyStore(self.store, random.Random(f"{self.seed} network"), self.pauses)
        self._names = (f"server-{number}" for number in itertools.count())
        self._up: list[Server] = []
        self._clock = 1_800_000_000_000

    async def run(self) -> dict[str, list[str]]:
        """What went wrong, by kind: nothing, it is to be hoped."""
        asyncio.get_running_loop().set_task_factory(note_tasks)
        founder = Server(self.store, self._blobs, "founder")
        await founder.ask(self._found)
        await founder.stop()
        self._up = [self._server() for _ in range(self.servers)]
        floor = Floor()
        clients = [self._client(number, floor) for number in range(self.clients)]
        await asyncio.gather(*(self._work(client) for client in clients))
        self._network.calm = True
        await self._network.settle()
        self.met.update(self._network.faults)
        faults: dict[str, list[str]] = {}
        for notebook_id in self.notebooks:
            for kind, what in (await self._judge(notebook_id, clients)).items():
                faults.setdefault(kind, []).extend(f"{notebook_id}: {one}" for one in what)
        for server in self._up:
            await server.stop()
        return faults

    async def _found(self, registry: Registry) -> None:
        for notebook_id in self.notebooks:
            await registry.create(USER, Origin(USER, self._now()), name=notebook_id, notebook_id=notebook_id)

    def _server(self) -> Server:
        return Server(self._network, self._blobs, next(self._names))

    def _client(self, number: int, floor: Floor) -> Client:
        dice = random.Random(f"{self.seed} client {number}")
        pick = lambda: dice.choice(self._up)  # noqa: E731 - a name for an argument
        return Client(f"client-{number}", dice, pick, list(self.notebooks), floor, self._now)

    def _now(self) -> int:
        self._clock += 1
        return self._clock

    async def _work(self, client: Client) -> None:
        for _ in range(self.steps):
            told = await client.step()
            self.met[told.error or "saved"] += 1
            self.met["in doubt"] += told.in_doubt
            if self._dice.random() < self.crash_share:
                await self._crash()

    async def _crash(self) -> None:
        self.met["crash"] += 1
        place = self._dice.randrange(len(self._up))
        old, self._up[place] = self._up[place], self._server()
        await old.crash()

    async def _judge(self, notebook_id: str, clients: list[Client]) -> dict[str, list[str]]:
        log_id = log_id_of(USER, notebook_id)
        loaded = await load(self.store, self._blobs, log_id)
        assert loaded is not None
        shown = await asyncio.gather(
            *(server.ask(lambda registry: _shown(registry, notebook_id)) for server in self._up)
        )
        # Servers that were still at work, for somebody whom they could not answer, may have appended meanwhile.
        loaded = await load(self.store, self._blobs, log_id)
        assert loaded is not None
        commits = (await read_commits(self.store, self._blobs, log_id, 0, loaded.state.revision))[::-1]
        self.met["commits"] += len(commits)
        told = [[one for one in client.told if one.request.notebook_id == notebook_id] for client in clients]
        seen = [one for client in clients for one in client.seen if one.notebook_id == notebook_id]
        faults = judge_sessions(commits, told, seen).faults
        if loaded.state != fold(None, commits):
            faults["load"] = ["C2: a load is not the fold of the log"]
        for state in shown:
            if state != fold(None, commits[: state.revision]):
                faults.setdefault("state", []).append(f"C4: a server shows another revision {state.revision}")
        return faults


async def _shown(registry: Registry, notebook_id: str) -> Notebook:
    """What the server shows when all that it was asked for is decided; it may still wait for an answer."""
    while True:
        try:
            session = await registry.open(USER, notebook_id, trashed=True)
            await session.settle()
            await session.refresh()
        except NotSaved:
            await asyncio.sleep(0)
            continue
        return session.state
