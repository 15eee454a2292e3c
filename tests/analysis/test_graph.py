"""Edges, order, problems and changes of the graph."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quire.analysis.graph import Graph
from quire.analysis.names import CellNames
from quire.analysis.problems import CELLS_MAX
from quire.analysis.python import analyse_python

IDS = [f"c{number}" for number in range(8)]
NAMES = [f"n{number}" for number in range(6)]

some_names = st.builds(
    lambda free, writes: CellNames(free=tuple(sorted(free - writes)), writes=tuple(sorted(writes))),
    st.sets(st.sampled_from(NAMES), max_size=3),
    st.sets(st.sampled_from(NAMES), max_size=2),
)
some_cells = st.dictionaries(st.sampled_from(IDS), some_names).flatmap(
    lambda cells: st.permutations(list(cells.items()))
)


def cells(**code: str) -> list[tuple[str, CellNames]]:
    return [(cell_id, analyse_python(text)) for cell_id, text in code.items()]


def chain(length: int) -> list[tuple[str, CellNames]]:
    return [(f"c{n}", CellNames(free=(f"x{n - 1}",) if n else (), writes=(f"x{n}",))) for n in range(length)]


def edges_of(names: Mapping[str, CellNames]) -> set[tuple[str, str]]:
    """(parent, child) pairs, by looking at every pair."""
    return {
        (parent, child)
        for parent, defined in names.items()
        for child, read in names.items()
        if parent != child and set(defined.writes) & set(read.free)
    }


def reach(start: set[str], edges: set[tuple[str, str]]) -> set[str]:
    found = set(start)
    while more := {child for parent, child in edges if parent in found} - found:
        found |= more
    return found


# Edges and order


def test_cells_are_linked_by_name() -> None:
    graph = Graph.build(cells(c="z = y", a="x = 1", b="y = x + x"))
    assert graph.parents("c") == ("b",)
    assert graph.children("a") == ("b",)
    assert graph.descendants(["a"]) == ("b", "c")
    assert graph.ancestors(["c"]) == ("a", "b")
    assert graph.order("abc") == ("a", "b", "c")
    assert graph.order("ca") == ("c", "a")
    assert graph.definitions == {"x": ("a",), "y": ("b",), "z": ("c",)}


def test_a_builtin_links_only_where_a_cell_defines_it() -> None:
    graph = Graph.build(cells(a="x = sum([1])", b="y = len(x)"))
    assert graph.parents("a") == ()
    assert graph.reads("a") == ()
    graph = graph.inserted("c", analyse_python("def sum(values): ..."), None)
    assert graph.parents("a") == ("c",)
    assert graph.reads("a") == ("sum",)
    assert graph.reads("b") == ("x",)


def test_cells_without_dependencies_keep_page_order() -> None:
    graph = Graph.build(cells(late="q = p", d="x = 1", c="y = 1", b="p = x", a="z = 1"))
    assert graph.order(graph.cells) == ("d", "c", "b", "late", "a")


def test_unknown_cells_are_refused() -> None:
    graph = Graph.build(cells(a="x = 1"))
    for ask in (graph.parents, graph.children, graph.reads, graph.conflicts, graph.cycle_of, graph.removed):
        with pytest.raises(KeyError):
            ask("b")
    for ask_many in (graph.order, graph.ancestors, graph.descendants):
        with pytest.raises(KeyError):
            ask_many(["a", "b"])


@given(some_cells)
def test_edges_are_those_of_every_pair(built: list[tuple[str, CellNames]]) -> None:
    graph = Graph.build(built)
    edges = edges_of(graph.cells)
    assert {(parent, cell) for cell in graph.cells for parent in graph.parents(cell)} == edges
    assert {(cell, child) for cell in graph.cells for child in graph.children(cell)} == edges


@given(some_cells, st.sets(st.sampled_from(IDS)))
def test_what_is_reached_is_what_edges_reach(built: list[tuple[str, CellNames]], wanted: set[str]) -> None:
    graph = Graph.build(built)
    start = wanted & set(graph.cells)
    edges = edges_of(graph.cells)
    assert set(graph.descendants(start)) == reach(start, edges) - start
    assert set(graph.ancestors(start)) == reach(start, {(child, parent) for parent, child in edges}) - start


@given(some_cells, st.sets(st.sampled_from(IDS)))
def test_order_takes_the_first_cell_on_the_page_that_can_run(
    built: list[tuple[str, CellNames]], wanted: set[str]
) -> None:
    graph = Graph.build(built)
    page = [cell_id for cell_id in graph.cells if cell_id in wanted]
    cycles = {cell_id: graph.cycle_of(cell_id) for cell_id in page}
    within = {(a, b) for a, b in edges_of(graph.cells) if a in page and b in page}
    if any(cycles.values()):
        assert sorted(graph.order(page)) == sorted(page)
        return
    expected: list[str] = []
    while len(expected) < len(page):
        waiting = [cell_id for cell_id in page if cell_id not in expected]
        expected.append(next(c for c in waiting if not any((parent, c) in within for parent in waiting)))
    assert graph.order(page) == tuple(expected)


def test_a_long_chain_needs_no_deep_stack() -> None:
    length = 10_000
    graph = Graph.build(reversed(chain(length)))
    expected = tuple(f"c{number}" for number in range(length))
    assert graph.order(graph.cells) == expected
    assert graph.descendants(["c0"]) == expected[1:]
    assert graph.ancestors([expected[-1]]) == expected[:-1]
    assert not graph.blocked
    circle = graph.replaced("c0", CellNames(free=(f"x{length - 1}",), writes=("x0",)))
    assert set(circle.cycle_of("c5")) == set(expected)
    assert len(circle.blocked) == length


def test_many_cells_that_share_a_name_are_no_square() -> None:
    """Five million edges: enumerating them would take longer than the time-out of a test."""
    built = [(f"w{number}", CellNames(writes=("x",))) for number in range(5_000)]
    built += [(f"r{number}", CellNames(free=("x",))) for number in range(5_000)]
    graph = Graph.build(built)
    for _ in range(20):
        assert len(graph.descendants(["w0"])) == 5_000
        assert len(graph.order(graph.cells)) == 10_000
    assert len(graph.blocked) == 5_000


# Problems


def test_a_name_with_two_definitions_blocks_both_cells() -> None:
    graph = Graph.build(cells(a="x = 1; q = 1", b="x = 2", c="y = x", d="_t = 1", e="_t = 2"))
    assert graph.conflicts("a") == (("x", ("b",)),)
    assert graph.conflicts("c") == ()
    assert list(graph.blocked) == ["a", "b"]
    problem = graph.blocked["b"]
    assert problem.kind == "MultipleDefinitions"
    assert problem.cells == ("a",)
    assert problem.message.startswith("`x` is also defined by cell a.")
    assert graph.parents("c") == ("a", "b")
    assert not graph.removed("b").blocked


def test_double_definitions_name_all_names_and_cells() -> None:
    graph = Graph.build(cells(b="x = 1", a="x = y = 1", c="y = x = 2"))
    assert graph.conflicts("a") == (("x", ("b", "c")), ("y", ("c",)))
    assert graph.blocked["a"].message.startswith("`x` and `y` are also defined by cells b and c.")


def test_changing_a_name_in_another_cell_is_a_double_definition() -> None:
    graph = Graph.build(cells(a="x = 1", b="x += 1"))
    assert graph.parents("b") == ()
    assert graph.blocked["b"].kind == "MultipleDefinitions"


def test_a_cycle_blocks_its_cells_only() -> None:
    graph = Graph.build(cells(before="a = 1", one="x = z + a", two="y = x", three="z = y", after="w = z"))
    assert graph.cycle_of("two") == ("one", "two", "three")
    assert graph.cycle_of("after") == ()
    assert list(graph.blocked) == ["one", "two", "three"]
    problem = graph.blocked["two"]
    assert problem.kind == "Cycle"
    assert problem.cells == ("one", "three")
    assert "cells one and three" in problem.message
    assert "`x`, `y` and `z`" in problem.message
    assert graph.order(graph.cells) == ("before", "one", "two", "three", "after")


def test_two_cycles_are_told_apart() -> None:
    graph = Graph.build(cells(a="a = b", b="b = a", c="c = d + a", d="d = c"))
    assert graph.cycle_of("b") == ("a", "b")
    assert graph.cycle_of("d") == ("c", "d")


def test_a_cell_that_uses_its_own_names_is_no_cycle() -> None:
    graph = Graph.build([*cells(a="def f(n): return f(n - 1)"), ("b", CellNames(free=("x",), writes=("x",)))])
    assert not graph.blocked
    assert graph.parents("b") == ()


def test_double_definitions_come_before_cycles() -> None:
    graph = Graph.build(cells(a="x = y", b="y = x", c="x = 1"))
    assert [problem.kind for problem in graph.blocked.values()] == [
        "MultipleDefinitions",
        "Cycle",
        "MultipleDefinitions",
    ]


def test_code_that_cannot_be_parsed_is_no_problem_of_the_graph() -> None:
    graph = Graph.build(cells(a="x = (", b="x = 1"))
    assert not graph.blocked


def test_problems_stay_small() -> None:
    graph = Graph.build([(f"c{number}", CellNames(writes=tuple(sorted(NAMES)))) for number in range(100)])
    problem = graph.blocked["c3"]
    assert len(problem.cells) == CELLS_MAX
    assert "and others" in problem.message
    assert len(problem.message) < 400


@given(some_cells)
def test_cycles_are_the_cells_that_reach_each_other(built: list[tuple[str, CellNames]]) -> None:
    graph = Graph.build(built)
    edges = edges_of(graph.cells)
    after = {cell: reach({child for parent, child in edges if parent == cell}, edges) for cell in graph.cells}
    for cell in graph.cells:
        expected = tuple(other for other in graph.cells if other in after[cell] and cell in after[other])
        assert graph.cycle_of(cell) == (expected if len(expected) > 1 else ())


# Changes


def test_an_edit_without_new_names_changes_nothing() -> None:
    graph = Graph.build(cells(a="x = 1", b="y = x"))
    assert graph.replaced("a", analyse_python("x = 2")) is graph
    assert graph.reordered("ab") is graph


def test_changes_leave_the_graph_before_as_it_was() -> None:
    graph = Graph.build(cells(a="x = 1", b="y = x"))
    assert graph.replaced("a", analyse_python("z = 1")).parents("b") == ()
    assert list(graph.inserted("c", analyse_python("x = 3"), "a").cells) == ["a", "c", "b"]
    assert list(graph.inserted("c", analyse_python("x = 3"), None).cells) == ["c", "a", "b"]
    assert graph.removed("a").parents("b") == ()
    assert graph.parents("b") == ("a",)
    assert not graph.blocked


def test_impossible_changes_are_refused() -> None:
    graph = Graph.build(cells(a="x = 1", b="y = x"))
    with pytest.raises(ValueError, match="already"):
        graph.inserted("a", CellNames(), None)
    with pytest.raises(KeyError):
        graph.inserted("c", CellNames(), "gone")
    with pytest.raises(KeyError):
        graph.replaced("c", CellNames())
    for order in ("a", "abc", "aab", "aa", ""):
        with pytest.raises(ValueError, match="every cell once"):
            graph.reordered(order)


def everything(graph: Graph) -> object:
    """All that a graph answers."""
    per_cell = [
        (c, graph.parents(c), graph.children(c), graph.conflicts(c), graph.cycle_of(c), graph.reads(c))
        for c in graph.cells
    ]
    return dict(graph.definitions), per_cell, list(graph.blocked.items()), graph.order(graph.cells)


@given(some_cells, st.data())
@settings(max_examples=200)
def test_a_changed_graph_equals_one_built_anew(built: list[tuple[str, CellNames]], data: st.DataObject) -> None:
    graph = Graph.build(built)
    for _ in range(data.draw(st.integers(1, 6))):
        present = list(graph.cells)
        absent = [cell_id for cell_id in IDS if cell_id not in graph.cells]
        change = data.draw(
            st.sampled_from(["replaced", "removed", "reordered"] * bool(present) + ["inserted"] * bool(absent))
        )
        if change == "replaced":
            graph = graph.replaced(data.draw(st.sampled_from(present)), data.draw(some_names))
        elif change == "removed":
            graph = graph.removed(data.draw(st.sampled_from(present)))
        elif change == "reordered":
            graph = graph.reordered(data.draw(st.permutations(present)))
        else:
            after = data.draw(st.sampled_from([None, *present]))
            graph = graph.inserted(data.draw(st.sampled_from(absent)), data.draw(some_names), after)
        assert everything(graph) == everything(Graph.build(graph.cells.items()))
