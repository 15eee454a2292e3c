"""Takes the pictures of the README: `python -m tests.browser.pictures`."""

import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.servers import Server

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"

SIZES: dict[str, tuple[int, int, Literal["light", "dark"]]] = {
    "light": (1600, 1100, "light"),
    "dark": (1600, 1100, "dark"),
    "narrow": (400, 860, "light"),
}


def take(browser: Browser, server: Server, name: str) -> None:
    """One picture of the demo notebook, with every result on it."""
    width, height, scheme = SIZES[name]
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    page.goto(f"{server.url}/n/demo-local")
    expect(page.get_by_label("Saved state")).to_contain_text("Saved")
    expect(page.get_by_label("Cell 2").locator("img").last).to_be_visible()
    page.evaluate("document.fonts.ready")
    page.screenshot(path=FOLDER / f"{name}.png")
    page.close()


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = Server(Path(folder)).start()
        try:
            with server.client() as client:
                answer = client.post("/api/notebooks/demo/run", params={"wait": "true"}, json={})
                answer.raise_for_status()
                first = client.get("/api/notebooks/demo").json()["cells"][0]
                for x in (12, 30, 10):
                    code = first["code"].replace("x = 10", f"x = {x}")
                    client.put(f"/api/notebooks/demo/cells/{first['id']}", json={"code": code}).raise_for_status()
                    client.post("/api/notebooks/demo/run", params={"wait": "true"}, json={}).raise_for_status()
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            for name in SIZES:
                take(browser, server, name)
            browser.close()
        finally:
            server.close()


if __name__ == "__main__":
    main()
