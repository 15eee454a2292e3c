"""The REST calls that tests make again and again."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx

from tests.servers import cell_named

WAIT_S = 30.0


def new_notebook(client: httpx.Client, *, run_mode: str = "automatic") -> str:
    """An empty notebook's id."""
    answer = client.post("/api/notebooks", json={"name": "Test"})
    assert answer.status_code == 201, answer.text
    notebook = str(answer.json()["notebook_id"])
    if run_mode != "automatic":
        answer = client.put(f"/api/notebooks/{notebook}/settings", json={"run_mode": run_mode})
        assert answer.is_success, answer.text
    return notebook


def add(client: httpx.Client, notebook: str, code: str = "", **more: Any) -> str:
    """A new cell's id; last unless `after_cell_id` says otherwise."""
    answer = client.post(f"/api/notebooks/{notebook}/cells", json={"type": "python", "code": code, **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["cell_id"])


def edit(client: httpx.Client, notebook: str, cell: str, code: str) -> int:
    """The revision that has the new code."""
    answer = client.put(f"/api/notebooks/{notebook}/cells/{cell}", json={"code": code})
    assert answer.is_success, answer.text
    return int(answer.json()["revision"])


def show(client: httpx.Client, notebook: str, **params: int) -> dict[str, Any]:
    answer = client.get(f"/api/notebooks/{notebook}", params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def show_cell(client: httpx.Client, notebook: str, cell: str) -> dict[str, Any]:
    return cell_named(show(client, notebook), cell)


def run(client: httpx.Client, notebook: str, cells: Sequence[str] | None = None) -> dict[str, str]:
    """Run and wait; the status of each cell that the run concerned."""
    body = {} if cells is None else {"cell_ids": list(cells)}
    answer = client.post(f"/api/notebooks/{notebook}/run", params={"wait": "true"}, json=body)
    assert answer.status_code == 200, answer.text
    return {cell["id"]: cell["status"] for cell in answer.json()["cells"]}


def start(client: httpx.Client, notebook: str, *cells: str) -> str:
    """Start a run, without waiting; its id."""
    answer = client.post(f"/api/notebooks/{notebook}/run", json={"cell_ids": list(cells)})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["run_id"])


def interrupt(client: httpx.Client, notebook: str) -> None:
    assert client.post(f"/api/notebooks/{notebook}/interrupt").status_code == 202


def restart(client: httpx.Client, notebook: str) -> None:
    assert client.post(f"/api/notebooks/{notebook}/restart").status_code == 202


def until(condition: Callable[[], bool], what: str, seconds: float = WAIT_S) -> None:
    """Wait for `condition`, with a deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.02)


def until_status(client: httpx.Client, notebook: str, cell: str, status: str) -> dict[str, Any]:
    """Wait until the cell has this status; the cell."""
    until(lambda: show_cell(client, notebook, cell)["status"] == status, f"cell {cell} is {status}")
    return show_cell(client, notebook, cell)


def history(client: httpx.Client, notebook: str) -> list[int]:
    """Every revision in the log, newest first."""
    found: list[int] = []
    while not found or found[-1] > 1:
        params = {"limit": 500} | ({"before": found[-1]} if found else {})
        page = client.get(f"/api/notebooks/{notebook}/history", params=params).json()["commits"]
        assert page, f"the history ends at {found[-1:]}"
        found += [commit["revision"] for commit in page]
    return found
