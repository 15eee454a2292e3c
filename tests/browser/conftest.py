"""A real Chromium in front of a real server."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, sync_playwright

from tests.servers import Server

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


NETWORK_ERROR = re.compile(r"net::ERR_|^WebSocket connection to ")
"""What the browser itself reports when nobody answers, in whichever moment of a request the server went."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Playwright's loop would be in the way of asynchronous tests behind it, so it ends with its module."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: `apt install chromium` to run the browser tests")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path, token="browser-token").start()
    yield server
    server.close()


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """A page that has been let in; errors on its console fail the test, but for a server that is away."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    page = context.new_page()
    troubles: list[str] = []

    def console(message: ConsoleMessage) -> None:
        away = server.killed and NETWORK_ERROR.search(message.text)
        if message.type == "error" and not away:
            troubles.append(message.text)

    def failed(error: Error) -> None:
        troubles.append(str(error))

    page.on("console", console)
    page.on("pageerror", failed)
    page.goto(f"{server.url}/?token={server.token}")
    yield page
    context.close()
    assert troubles == []
