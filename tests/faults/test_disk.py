"""Disks that are full, read-only or failing: edits are refused with the reason, reads go on, nothing is lost."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil

from tests.api.calls import add, edit, history, new_notebook, run, show, show_cell, start, until, until_status
from tests.api.follower import Follower
from tests.faults.conftest import StartServer
from tests.faults.disks import SmallDisk


def refused(client: httpx.Client, notebook: str, cell: str, code: str) -> str:
    """The reason for which an edit is refused."""
    answer = client.put(f"/api/notebooks/{notebook}/cells/{cell}", json={"code": code})
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"]
    return str(answer.json()["detail"])


def readable(client: httpx.Client, notebook: str, cell: str, code: str) -> None:
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503
    assert client.get("/readyz").json()["detail"]
    assert show_cell(client, notebook, cell)["code"] == code
    assert history(client, notebook)[0] == show(client, notebook)["revision"]
    assert client.get("/api/notebooks").status_code == 200


def test_a_full_disk_refuses_edits_until_there_is_space(start_server: StartServer, disk: SmallDisk) -> None:
    server = start_server(disk.folder)
    with server.client() as client:
        client.get("/api/notebooks")  # makes a new user's first notebooks
        notebook = new_notebook(client)
        cell, big = add(client, notebook, "x = 0"), add(client, notebook, "import os\nos.urandom(200_000).hex()")
        run(client, notebook, [cell])
        with Follower(server, notebook) as follower:
            follower.ready()
            disk.fill()
            assert "the disk is full" in refused(client, notebook, cell, "x = 1")
            failing = follower.until_type("saving", state="failing")
            assert "the disk is full" in failing["detail"]
            readable(client, notebook, cell, "x = 0")
            # A result that cannot be saved yet is kept.
            start(client, notebook, big)
            until_status(client, notebook, big, "idle")
            with Follower(server, notebook) as newcomer:
                newcomer.ready()
                assert "the disk is full" in newcomer.until_type("saving", state="failing")["detail"]
            disk.free()
            edit(client, notebook, cell, "x = 2")
            follower.until_type("saving", state="ok")
        found = until_status(client, notebook, big, "success")
        assert len(client.get(found["outputs"][0]["url"]).content) == 400_002
        assert client.get("/readyz").status_code == 200
    server.kill()
    server.start()
    with server.client() as client:
        assert show_cell(client, notebook, cell)["code"] == "x = 2"
        assert history(client, notebook) == list(range(show(client, notebook)["revision"], 0, -1))


def test_results_too_large_for_a_full_disk_are_saved_later(start_server: StartServer, disk: SmallDisk) -> None:
    """The log itself may have room while a blob has none: `saving` says so, and says when it is over."""
    server = start_server(disk.folder)
    with server.client() as client:
        client.get("/api/notebooks")  # makes a new user's first notebooks
        notebook = new_notebook(client)
        cell = add(client, notebook, "import os\nos.urandom(3_500_000).hex()")
        with Follower(server, notebook) as follower:
            follower.ready()
            disk.fill(leave=2 << 20)
            start(client, notebook, cell)
            follower.until_type("saving", state="failing")
            edit(client, notebook, add(client, notebook, ""), "small = 1")
            disk.free()
            follower.until_type("saving", state="ok")
        found = until_status(client, notebook, cell, "success")
        assert len(client.get(found["outputs"][0]["url"]).content) == 7_000_002


def test_a_read_only_disk_serves_reads(start_server: StartServer, disk: SmallDisk) -> None:
    server = start_server(disk.folder)
    with server.client() as client:
        client.get("/api/notebooks")  # makes a new user's first notebooks
        notebook = new_notebook(client)
        cell = add(client, notebook, "x = 0")
    server.kill()
    until(lambda: disk.try_remount("ro"), "nobody writes to the disk any more")
    server.start()
    with server.client() as client:
        assert "read-only" in refused(client, notebook, cell, "x = 1")
        readable(client, notebook, cell, "x = 0")
    server.kill()
    until(lambda: disk.try_remount("rw"), "the disk is writable again")
    server.start()
    with server.client() as client:
        edit(client, notebook, cell, "x = 2")
        assert show_cell(client, notebook, cell)["code"] == "x = 2"
        assert client.get("/readyz").status_code == 200


def test_W2_a_disk_that_fails_settles_what_it_was_asked(start_server: StartServer) -> None:
    """Every write fails: nobody knows what became of it, so it is tried again until that is known."""
    server = start_server()
    process = psutil.Process(server.pid)
    limits = process.rlimit(psutil.RLIMIT_FSIZE)
    with server.client() as client, server.client() as second, ThreadPoolExecutor(1) as pool:
        client.get("/api/notebooks")  # makes a new user's first notebooks
        notebook = new_notebook(client)
        cell, other = add(client, notebook, "x = 0"), add(client, notebook, "y = 0")
        process.rlimit(psutil.RLIMIT_FSIZE, (0, limits[1]))
        refusal = pool.submit(refused, second, notebook, cell, "x = 1")
        until(lambda: client.get("/readyz").status_code == 503, "the disk fails")
        readable(client, notebook, cell, "x = 0")
        with Follower(server, notebook) as newcomer:
            assert newcomer.ready().page.shown(client) == show(client, notebook)
        saved = "x = 1" if "kept" in refusal.result() else "x = 0"
        readable(client, notebook, cell, "x = 0")
        process.rlimit(psutil.RLIMIT_FSIZE, limits)
        edit(client, notebook, other, "y = 1")
        until(lambda: show_cell(client, notebook, cell)["code"] == saved, f"{refusal.result()}: {saved}")
        assert client.get("/readyz").status_code == 200
    server.kill()
    server.start()
    with server.client() as client:
        assert [each["code"] for each in show(client, notebook)["cells"]] == [saved, "y = 1"]
        assert history(client, notebook) == list(range(show(client, notebook)["revision"], 0, -1))
