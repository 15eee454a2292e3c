"""`python -m tests.soak`: rounds on each emulator, each with the next seed, until enough edits are saved.

An edit is a commit, but where a server folds several of them into one (W4). The emulators work side by side.
"""

import argparse
import asyncio
import signal
import sys

from tests.emulators.environment import nobodys_aws
from tests.emulators.processes import EMULATORS, EmulatorMissing
from tests.soak.plan import MODES
from tests.soak.rounds import Outcome, run_round
from tests.soak.tables import complaint_of, row_of, sum_of, table_of

ROUND_EDITS = 2000

SHARES = {"moto": 1}
"""Of the edits, by emulator; 3 unless said here. moto is the slowest by far."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--engine", choices=list(EMULATORS), help="this one alone")
    parser.add_argument("--mode", choices=MODES, help="this one alone")
    parser.add_argument("--seed", type=int, default=1, help="of the first round on each emulator")
    parser.add_argument("--commits", type=int, default=ROUND_EDITS, help="edits, over all rounds and emulators")
    parser.add_argument("--round", type=int, default=ROUND_EDITS, help="edits of a round, at most")
    return parser.parse_args()


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


async def _rounds(engine: str, arguments: argparse.Namespace, edits: int, outcomes: list[Outcome]) -> list[str]:
    """All rounds on one emulator; what was wrong."""
    modes = [arguments.mode] if arguments.mode else list(MODES)
    complaints = []
    seed = arguments.seed
    while edits > 0:
        share = min(edits, arguments.round)
        try:
            outcome = await run_round(engine, modes[(seed - arguments.seed) % len(modes)], seed, share)
        except EmulatorMissing as error:
            _say(f"{engine} is left out: {error}")
            break
        outcomes.append(outcome)
        _say(" ".join(row_of(outcome)))
        if outcome.faults:
            complaints.append(complaint_of(outcome, share))
            _say(complaints[-1])
        edits -= share
        seed += 1
    return complaints


async def _soak(arguments: argparse.Namespace) -> int:
    engines = [arguments.engine] if arguments.engine else list(EMULATORS)
    shares = [SHARES.get(engine, 3) for engine in engines]
    edits = [-(-arguments.commits * share // sum(shares)) for share in shares]
    outcomes: list[Outcome] = []
    found = await asyncio.gather(
        *(_rounds(engine, arguments, count, outcomes) for engine, count in zip(engines, edits, strict=True))
    )
    outcomes.sort(key=lambda outcome: (outcome.engine, outcome.seed))
    _say(table_of([*map(row_of, outcomes), sum_of(outcomes)]))
    complaints = [complaint for engine in found for complaint in engine]
    for complaint in complaints:
        _say(complaint)
    return 1 if complaints or not outcomes else 0


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # So that processes and emulators end with this one.
    with nobodys_aws():
        return asyncio.run(_soak(_arguments()))


if __name__ == "__main__":
    sys.exit(main())
