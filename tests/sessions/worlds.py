"""Sessions on the memory engine; a kernel only where a test brings one."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from quire.blobs.memory import MemoryBlobs
from quire.kernels.protocol import Kernel, KernelUnavailable
from quire.sessions.intents import Origin
from quire.sessions.registry import Registry
from quire.sessions.session import Environment, Session
from quire.storage.memory import MemoryStore


class NoKernels:
    """For tests of what happens without a run."""

    async def acquire(self) -> Kernel:
        raise KernelUnavailable("no kernels in this test")

    async def close(self) -> None:
        return


@dataclass
class World:
    """One store, as many server instances as a test wants."""

    store: MemoryStore = field(default_factory=MemoryStore)
    blobs: MemoryBlobs = field(default_factory=MemoryBlobs)
    instances: list[Registry] = field(default_factory=list)
    clock: int = 1_800_000_000_000

    def instance(self) -> Registry:
        """One more server process."""
        environment = Environment(self.store, self.blobs, NoKernels(), f"instance-{len(self.instances)}")
        self.instances.append(Registry(environment))
        return self.instances[-1]

    def origin(self, author: str = "ada", key: str = "", request_hash: str = "h") -> Origin:
        self.clock += 1
        return Origin(author, self.clock, key, request_hash if key else "")

    async def notebook(self, registry: Registry | None = None, user_id: str = "ada") -> Session:
        """A new, empty notebook, open on the given instance."""
        registry = registry or self.instance()
        receipt = await registry.create(user_id, self.origin(user_id), name="Test")
        return await registry.open(user_id, str(receipt.answer["notebook_id"]))

    async def same(self, session: Session, registry: Registry) -> Session:
        """The same notebook on another instance."""
        return await registry.open(session.state.user_id, session.state.notebook_id)


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for `condition`, with a deadline."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)
