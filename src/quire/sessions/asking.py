"""Questions about the values that a notebook's kernel holds."""

from collections.abc import Mapping

from quire.kernels import protocol as kp
from quire.sessions.errors import NotAnswered


async def ask(kernel: kp.Kernel | None, kind: str, arguments: Mapping[str, object], seconds_max: float) -> bytes:
    """The answer as JSON.

    Raises:
        NotAnswered: there is no kernel, it is busy or dead, it took too long, or it has no answer.
    """
    if kernel is None:
        raise NotAnswered("No kernel runs, so there are no values to look at: run the cell again.")
    try:
        return await kernel.ask(kind, arguments, seconds_max=seconds_max)
    except kp.KernelBusy as error:
        raise NotAnswered(f"{error} Try again when it is idle.") from error
    except (kp.KernelDied, kp.QuestionRefused) as error:
        raise NotAnswered(str(error)) from error
