"""What an operator decides about kernels."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

GIB = 1024**3


@dataclass(frozen=True, slots=True)
class KernelSettings:
    """How kernels are started."""

    python: str = sys.executable
    """The interpreter that runs notebooks: it needs ipykernel, not quire."""
    memory_bytes: int = 4 * GIB
    """How much memory (data, not address space) one kernel may use; 0: no limit."""
    pool_size: int = 1
    """How many kernels are started ahead of need."""
    start_seconds_max: float = 60.0
    """A kernel that takes longer to start is given up."""
    keep_variables: tuple[str, ...] = ()
    """Environment variables of the server that kernels get as well, besides those that are harmless."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Environment variables that every kernel gets."""
