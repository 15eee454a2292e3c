"""The main job, as a newcomer does it: open, edit, watch, kill the server, start it again, find everything."""

import re

import pytest
from playwright.sync_api import Locator, Page, WebSocketRoute, expect

from tests.servers import Server

pytestmark = pytest.mark.browser

RUN_MS = 60_000
"""The first run imports matplotlib, pandas, Plotly and Altair."""


def cell(page: Page, number: int) -> Locator:
    return page.get_by_role("main").get_by_label(re.compile(rf"^Cell {number}\b"))


def type_into(page: Page, number: int, old: str, new: str) -> None:
    """Replace `old` in a cell's code by `new`, by keyboard."""
    cell(page, number).scroll_into_view_if_needed()
    editor = cell(page, number).locator(".cm-content")
    editor.click()
    text = editor.inner_text()
    assert old in text
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text.replace(old, new, 1).rstrip("\n"))


def expect_last_cell(page: Page, x: int) -> None:
    cell(page, 6).scroll_into_view_if_needed()
    expect(cell(page, 6)).to_contain_text(f"With x = {x} and y = {x + 5}", timeout=RUN_MS)


def test_open_edit_rerun_kill_restart_nothing_lost(page: Page, server: Server) -> None:
    expect(page.get_by_role("heading", name="Demo notebook")).to_be_visible()
    expect(cell(page, 1)).to_contain_text("x = 10")

    page.get_by_role("button", name="Run all").click()
    expect_last_cell(page, 10)
    for number, shown in ((2, "img"), (4, ".js-plotly-plot"), (5, ".vega-embed, canvas, svg.marks")):
        cell(page, number).scroll_into_view_if_needed()
        expect(cell(page, number).locator(shown).first).to_be_visible(timeout=RUN_MS)
    cell(page, 3).scroll_into_view_if_needed()
    table = cell(page, 3).get_by_role("grid")
    expect(table).to_contain_text("Nordics", timeout=RUN_MS)
    expect(table).to_contain_text("900")

    cell(page, 1).scroll_into_view_if_needed()
    type_into(page, 1, "x = 10", "x = 42")
    page.keyboard.press("Shift+Enter")
    expect_last_cell(page, 42)
    expect(table).to_contain_text(str(42 * 90), timeout=RUN_MS)
    saved = page.get_by_label("Saved state")
    expect(saved).to_contain_text("Saved", timeout=RUN_MS)

    type_into(page, 1, "x = 42", "x = 43")
    expect(saved).to_contain_text("Saved", timeout=10_000)
    with server.client() as client:
        before = client.get("/api/notebooks/demo").json()
    assert "x = 43" in before["cells"][0]["code"]

    server.kill()
    expect(saved).to_contain_text("Offline", timeout=20_000)
    type_into(page, 1, "x = 43", "x = 44")
    expect(saved).to_contain_text("kept here")
    server.start()
    expect(saved).to_contain_text("Saved", timeout=20_000)
    with server.client() as client:
        after = client.get("/api/notebooks/demo").json()
    assert "x = 44" in after["cells"][0]["code"], "what was typed while the server was away arrived"
    assert [shown["outputs"] for shown in after["cells"]] == [shown["outputs"] for shown in before["cells"]]

    page.reload()
    expect(cell(page, 1)).to_contain_text("x = 44")
    expect_last_cell(page, 42)
    page.get_by_role("button", name="Run all").click()
    expect_last_cell(page, 44)


def test_text_typed_while_the_server_is_away_survives_a_reload(page: Page, server: Server) -> None:
    expect(cell(page, 1)).to_contain_text("x = 10")
    saved = page.get_by_label("Saved state")
    server.kill()
    type_into(page, 1, "x = 10", "x = 77")
    expect(saved).to_contain_text("kept here", timeout=20_000)
    # Nothing to reload from while the server is away: leave the page and come back when it is there again.
    page.goto("about:blank")
    server.start()
    page.goto(server.url)
    expect(cell(page, 1)).to_contain_text("x = 77")
    expect(page.get_by_label("Saved state")).to_contain_text("Saved", timeout=20_000)
    with server.client() as client:
        assert "x = 77" in client.get("/api/notebooks/demo").json()["cells"][0]["code"]


def test_create_rename_add_move_delete_by_keyboard_and_mouse(page: Page, server: Server) -> None:
    page.get_by_role("button", name="New notebook").click()
    page.get_by_role("heading", level=1).get_by_role("button").click()
    page.get_by_label("Notebook name").fill("Orders, weekly")
    page.keyboard.press("Enter")
    expect(page.get_by_role("navigation", name="Notebooks")).to_contain_text("Orders, weekly")
    page.get_by_role("button", name="Add the first cell").click()
    page.keyboard.insert_text("answer = 6 * 7\nanswer")
    page.keyboard.press("Shift+Enter")
    expect(cell(page, 1)).to_contain_text("42", timeout=RUN_MS)
    page.keyboard.press("Escape")
    with server.client() as client:
        listed = client.get("/api/notebooks").json()["notebooks"]
        mine = next(one["id"] for one in listed if one["name"] == "Orders, weekly")
        cells = client.get(f"/api/notebooks/{mine}").json()["cells"]
    assert cells[0]["code"] == "answer = 6 * 7\nanswer"
    assert cells[0]["status"] == "success"


class SlowLine:
    """Holds back what the page sends over its WebSocket, as a bad line does."""

    def __init__(self, page: Page) -> None:
        self.holding = False
        self._held: list[str | bytes] = []
        self._to_server: WebSocketRoute | None = None
        page.route_web_socket(re.compile("/api/ws/"), self._connect)

    def _connect(self, route: WebSocketRoute) -> None:
        self._to_server = route.connect_to_server()
        route.on_message(self._send)

    def _send(self, message: str | bytes) -> None:
        if self.holding or self._to_server is None:
            self._held.append(message)
        else:
            self._to_server.send(message)

    def release(self) -> None:
        assert self._to_server is not None
        self.holding = False
        for message in self._held:
            self._to_server.send(message)


def test_a_conflict_shows_both_texts_and_loses_none(page: Page, server: Server) -> None:
    line = SlowLine(page)
    page.reload()
    expect(cell(page, 1)).to_contain_text("x = 10")
    saved = page.get_by_label("Saved state")
    with server.client() as client:
        first = client.get("/api/notebooks/demo").json()["cells"][0]
        path = f"/api/notebooks/demo/cells/{first['id']}"
        client.put(path, json={"code": "x = 5\ny = x + 5"})
        expect(cell(page, 1)).to_contain_text("x = 5", timeout=5_000)
        line.holding = True
        type_into(page, 1, "x = 5", "x = 6")
        expect(saved).to_contain_text("Saving")
        client.put(path, json={"code": "x = 7\ny = x + 5"})
        line.release()
        conflict = cell(page, 1).get_by_label("Conflict")
        expect(conflict).to_contain_text("x = 7", timeout=20_000)
        expect(cell(page, 1).locator(".cm-content")).to_contain_text("x = 6")
        conflict.get_by_role("button", name=re.compile("mine", re.IGNORECASE)).click()
        expect(saved).to_contain_text("Saved", timeout=10_000)
        assert "x = 6" in client.get("/api/notebooks/demo").json()["cells"][0]["code"]


@pytest.mark.parametrize("width", [400, 1600])
def test_nothing_is_wider_than_the_window(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    expect(cell(page, 1)).to_contain_text("x = 10")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
