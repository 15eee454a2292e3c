"""A full disk, as the person at the screen sees it: said in words, the text kept, saved when there is space again."""

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.test_outcome import cell, type_into
from tests.faults.disks import SmallDisk
from tests.servers import Server

pytestmark = pytest.mark.browser


def test_a_full_disk_is_said_and_what_was_typed_is_saved_later(browser: Browser, disk: SmallDisk) -> None:
    server = Server(disk.folder).start()
    context = browser.new_context()
    page = context.new_page()
    try:
        page.goto(f"{server.url}/n/demo-local")
        saved = page.get_by_label("Saved state")
        expect(saved).to_contain_text("Saved")
        disk.fill()
        type_into(page, 1, "x = 10", "x = 31")
        expect(saved).to_contain_text("Not saved", timeout=20_000)
        expect(saved).to_contain_text("disk is full")
        expect(cell(page, 1)).to_contain_text("x = 31")
        disk.free()
        expect(saved).to_have_attribute("data-kind", "saved", timeout=30_000)
        with server.client() as client:
            assert "x = 31" in client.get("/api/notebooks/demo").json()["cells"][0]["code"]
    finally:
        context.close()
        server.close()
