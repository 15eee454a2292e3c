"""`quire new`, `history` and `restore`, beside what a server does with the same notebooks."""

from pathlib import Path

import pytest

from tests.servers import Server
from tests.test_cli import quire, store_in


def test_a_notebook_is_made_its_past_listed_and_an_earlier_revision_restored(tmp_path: Path) -> None:
    where = store_in(tmp_path)
    made = quire("new", "Orders, weekly", *where)
    assert (made.returncode, made.stderr) == (0, "")
    notebook = made.stdout.strip()
    server = Server(tmp_path).start()
    try:
        with server.client() as client:
            path = f"/api/notebooks/{notebook}"
            assert client.get(path).json()["name"] == "Orders, weekly"
            cell = client.post(f"{path}/cells", json={"type": "python", "code": "x = 1"}).json()["cell_id"]
            client.put(f"{path}/cells/{cell}", json={"code": "x = 2"})
            listed = quire("history", notebook, *where)
            assert (listed.returncode, listed.stderr) == (0, "")
            lines = [line.split("\t") for line in listed.stdout.splitlines()]
            assert [line[0] for line in lines] == ["r3", "r2", "r1"]
            assert {line[2] for line in lines} == {"local"}
            assert all(line[3] for line in lines)
            restored = quire("restore", notebook, "2", *where)
            assert (restored.returncode, restored.stdout, restored.stderr) == (0, "r4\n", "")
            shown = client.get(path).json()
            assert (shown["revision"], shown["cells"][0]["code"]) == (4, "x = 1"), "the running server sees it"
    finally:
        server.close()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("new", " "), 1, "a name is 1 to 1,024 bytes"),
        (("new", "x" * 1025), 1, "a name is 1 to 1,024 bytes"),
        (("new",), 2, "Missing argument"),
        (("history", "nowhere"), 1, "There is no notebook 'nowhere'"),
        (("restore", "nowhere", "1"), 1, "There is no notebook 'nowhere'"),
        (("restore", "nowhere", "0"), 2, "greater than or equal to 1"),
    ],
)
def test_a_mistake_is_one_clear_line(tmp_path: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    done = quire(*arguments, *store_in(tmp_path))
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    if code == 1:
        assert len(done.stderr.splitlines()) == 1


def test_a_revision_that_is_not_there_is_said(tmp_path: Path) -> None:
    notebook = quire("new", "A", *store_in(tmp_path)).stdout.strip()
    done = quire("restore", notebook, "7", *store_in(tmp_path))
    assert (done.returncode, done.stderr) == (1, "quire: There is no revision 7: the newest is 1.\n")
