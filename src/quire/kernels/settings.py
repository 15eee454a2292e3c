"""What an operator decides about kernels."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

GIB = 1024**3


@dataclass(frozen=True, slots=True)
class KernelSettings:
    """How kernels are started, and how much each may use. 0: no limit."""

    command: tuple[str, ...] = (sys.executable,)
    """The interpreter that runs notebooks, after what starts it: it needs ipykernel, not quire."""
    forked: bool = True
    """Whether kernels are copies of one process that has imported everything, where the system can do that."""
    preload: tuple[str, ...] = ("numpy", "pandas")
    """Modules that this process imports as well, where they are installed."""
    memory_bytes: int = 4 * GIB
    """How much memory (data, not address space) one kernel may use."""
    nice: int = 5
    """How much processor time a kernel leaves to others, the server among them: 0 (none) to 19."""
    processes_max: int = 256
    """How many processes one kernel's cells may have running."""
    cell_seconds_max: float = 0
    """How long one cell may run."""
    pool_size: int = 1
    """How many kernels are started ahead of need."""
    start_seconds_max: float = 60.0
    """A kernel that takes longer to start is given up."""
    keep_variables: tuple[str, ...] = ()
    """Environment variables of the server that kernels get as well, besides those that are harmless."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Environment variables that every kernel gets."""
