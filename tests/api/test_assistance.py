"""Completion, hover and variables over the WebSocket: by the kernel's values, or by the code alone."""

from typing import Any

import httpx
import pytest

from tests.api.calls import add, interrupt, run, show, start, until, until_status
from tests.api.follower import Follower
from tests.servers import Server


def asked(server: Server, notebook: str, type_: str, cell: str, code: str) -> dict[str, Any]:
    """`|` in `code` is where the cursor is."""
    position = code.index("|")
    with Follower(server, notebook) as follower:
        answer = follower.ready().request(type_, cell_id=cell, code=code.replace("|", ""), position=position)
    assert answer["type"] == "ack", answer
    return answer


def by_values(server: Server, notebook: str, type_: str, cell: str, code: str) -> dict[str, Any]:
    """The kernel's answer: on a busy machine its first one may take longer than it is waited for."""
    answers: list[dict[str, Any]] = []

    def of_the_kernel() -> bool:
        answers.append(asked(server, notebook, type_, cell, code))
        return bool(answers[-1]["source"] == "kernel")

    until(of_the_kernel, "an answer by values")
    return answers[-1]


def texts(answer: dict[str, Any]) -> list[str]:
    return [match["text"] for match in answer["matches"]]


def test_by_the_code_before_anything_has_run(server: Server, client: httpx.Client, notebook: str) -> None:
    add(client, notebook, "import datetime\n\nclass Basket:\n    apples = 1\n    def fill(self, count: int): ...")
    add(client, notebook, "basket = Basket()")
    cell = add(client, notebook, "")
    answer = asked(server, notebook, "complete", cell, "x = '🙂'\nbasket.app|")
    assert (texts(answer), answer["source"]) == (["apples"], "static")
    assert (answer["start"], answer["end"]) == (15, 18)
    assert "datetime" in texts(asked(server, notebook, "complete", cell, "datetime.|"))
    hover = asked(server, notebook, "inspect", cell, "basket.fill(|")
    assert (hover["found"], hover["signature"], hover["parameter"], hover["source"]) == (
        True,
        "fill(count: int)",
        0,
        "static",
    )


def test_by_the_values_after_a_run(server: Server, client: httpx.Client, notebook: str) -> None:
    add(client, notebook, "import pandas as pd\nframe = pd.DataFrame({'apples': [1]})")
    cell = add(client, notebook, "")
    run(client, notebook)
    answer = by_values(server, notebook, "complete", cell, "frame['app|")
    assert texts(answer) == ["apples"]
    assert by_values(server, notebook, "inspect", cell, "frame.groupby(|")["name"] == "groupby"


def test_names_of_cells_that_have_not_run_yet(server: Server, client: httpx.Client, notebook: str) -> None:
    a, cell = add(client, notebook, "a = 1"), add(client, notebook, "")
    run(client, notebook, [a])
    add(client, notebook, "fresh_one = 'text'")
    answer = asked(server, notebook, "complete", cell, "fresh_one.upp|")
    assert (texts(answer), answer["source"]) == (["upper"], "static")


def test_while_the_kernel_is_busy(server: Server, client: httpx.Client, notebook: str) -> None:
    busy = add(client, notebook, "word = 'text'\nwhile True:\n    pass")
    cell = add(client, notebook, "")
    start(client, notebook, busy)
    until_status(client, notebook, busy, "running")
    answer = asked(server, notebook, "complete", cell, "word.upp|")
    assert (texts(answer), answer["source"]) == (["upper"], "static")
    interrupt(client, notebook)
    until(lambda: show(client, notebook)["kernel"] == "idle", "the end of the loop")


def test_variables(server: Server, client: httpx.Client, notebook: str) -> None:
    with Follower(server, notebook) as follower:
        problem = follower.ready().request("variables")
        assert (problem["type"], problem["status"]) == ("problem", 409)
        assert "No kernel runs" in problem["detail"]
    cell = add(client, notebook, "answer = 42")
    run(client, notebook)
    with Follower(server, notebook) as follower:
        told = follower.ready().request("variables")
    assert told["variables"] == [
        {"name": "answer", "type": "int", "shape": "", "value": "42", "size": 28, "cell_id": cell}
    ]
    assert told["total"] == 1


@pytest.mark.parametrize("position", [-1, 4, 2**40])
def test_places_that_are_not_in_the_code(server: Server, notebook: str, position: int) -> None:
    with Follower(server, notebook) as follower:
        problem = follower.ready().request("complete", cell_id="c", code="abc", position=position)
    assert (problem["type"], problem["status"]) == ("problem", 422)
    assert "position" in str(problem)
