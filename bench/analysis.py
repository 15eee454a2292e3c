"""What the dependency graph costs: from cold, after an edit, and to ask what a run needs."""

from bench.notebooks import chain
from bench.samples import Effort, Samples, repeated, timed
from bench.tables import Table
from quire.analysis.graph import Graph
from quire.analysis.python import analyse_python

CELLS = 1000

NOTE = (
    "In process. *Long cells*: functions, comprehensions, `with` and loops, ten lines each. A run of the first cell "
    "asks for all that depends on it, one of the last but nine for nine cells."
)


def measure(effort: Effort) -> list[Table]:
    table = Table(
        f"Analysis of {CELLS:,} cells: ms",
        ("", "from cold", "edit", "run of the first", "run of the last ten"),
        note=NOTE,
    )
    for name, codes in (("a chain", chain(CELLS)), ("a chain of long cells", _long_cells())):
        graph = Graph.build([(f"c{number}", analyse_python(code)) for number, code in enumerate(codes)])
        table.add(name, *_costs(codes, graph, effort.rounds))
    return [table]


def _costs(codes: list[str], graph: Graph, rounds: int) -> tuple[Samples, ...]:
    def cold(_number: int) -> None:
        Graph.build([(f"c{number}", analyse_python(code)) for number, code in enumerate(codes)])

    def edit(number: int) -> None:
        graph.replaced("c500", analyse_python(f"{codes[500]}\nnew{number} = 1"))

    def run(first: str, cells: int) -> None:
        if len(graph.descendants([first])) != cells:
            raise RuntimeError(f"{first}: not {cells} cells depend on it")

    return (
        repeated(timed(cold), rounds),
        repeated(timed(edit), rounds),
        repeated(timed(lambda _: run("c0", CELLS - 1)), rounds),
        repeated(timed(lambda _: run(f"c{CELLS - 10}", 9)), rounds),
    )


def _long_cells() -> list[str]:
    return ["x0 = 1", *map(_long_cell, range(1, CELLS))]


def _long_cell(n: int) -> str:
    return (
        f"def f{n}(a, b=2):\n    c = [q for q in range(a) if q % b]\n    return sum(c) + x{n - 1}\n"
        f"x{n} = f{n}(3) + x{n - 1}\nwith open('/dev/null') as handle{n}:\n    data{n} = handle{n}.read()\n"
        f"for k{n} in range(3):\n    print(k{n}, data{n})\nx{n}"
    )
