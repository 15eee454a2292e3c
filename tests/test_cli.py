"""The `quire` command as a person uses it: what it prints, and its exit codes."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from quire.config import Config, ConfigError, load_config
from tests.api.calls import until
from tests.emulators.processes import EmulatorMissing, dynalite
from tests.servers import Server


def quire(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "quire", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **environment},
    )


def store_in(folder: Path) -> tuple[str, ...]:
    return ("--store", f"sqlite://{folder}/quire.db", "--blobs", f"{folder}/blobs")


def test_serve_prints_its_address_with_the_token_and_which_store_is_in_use(tmp_path: Path) -> None:
    server = Server(tmp_path, token="secret-token").start()
    try:
        printed = "".join(server.lines)
        assert f"http://127.0.0.1:{server.port}/?token=secret-token" in printed
        serving = next(line for line in server.lines if "serving" in line)
        assert f"{tmp_path}/quire.db" in serving
        assert f"{tmp_path}/blobs" in serving
        assert "auth=local" in serving
        assert "secret-token" not in serving
        assert server.stop() == 0
    finally:
        server.close()


def test_list_and_trash_show_what_a_server_has_stored(tmp_path: Path) -> None:
    server = Server(tmp_path).start()
    try:
        with server.client() as client:
            client.get("/api/notebooks")
            client.post("/api/notebooks", json={"name": "Orders, weekly"})
            client.delete("/api/notebooks/blank")
        listed = quire("list", *store_in(tmp_path))
        assert listed.returncode == 0
        assert "Orders, weekly" in listed.stdout
        assert "demo-local\tr1\t" in listed.stdout
        assert "blank-local" not in listed.stdout
        until(
            lambda: quire("trash", *store_in(tmp_path)).stdout.startswith("blank-local\tr2\t"),
            "the header that follows the log (H1)",
        )
    finally:
        server.close()


def test_doctor_checks_every_part(tmp_path: Path) -> None:
    found = quire("doctor", *store_in(tmp_path))
    assert found.returncode == 0, found.stdout + found.stderr
    subjects = [line.split(":")[0].split()[-1] for line in found.stdout.splitlines()]
    assert subjects == ["configuration", "store", "blobs", "page", "kernel"]


def test_doctor_says_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "quire.db").write_text("this is no database, and it is long enough to look like one" * 100)
    found = quire("doctor", *store_in(tmp_path))
    assert found.returncode == 1
    failed = [line for line in found.stdout.splitlines() if line.startswith("FAILED")]
    assert len(failed) == 1
    assert "store" in failed[0]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("serve", "--store", "postgres://x"), "postgres"),
        (("serve", "--auth", "magic"), "magic"),
        (("serve", "--auth", "jwt"), "jwt"),
        (("serve", "--host", "0.0.0.0"), "on this machine only"),
        (("serve", "--store", "sqlite:///proc/nowhere/quire.db"), "/proc/nowhere"),
        (("list", "--store", "sqlite://relative.db"), "three slashes"),
    ],
)
def test_a_failure_is_one_clear_line_and_exit_code_1(arguments: tuple[str, ...], says: str) -> None:
    failed = quire(*arguments, "--port", "0") if arguments[0] == "serve" else quire(*arguments)
    assert failed.returncode == 1, failed.stderr
    lines = [line for line in failed.stderr.splitlines() if line.startswith("quire: ")]
    assert len(lines) == 1, failed.stderr
    assert says in lines[0]
    assert "Traceback" not in failed.stderr


def test_a_port_that_is_taken_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        failed = quire("serve", "--port", str(taken.getsockname()[1]), "--store", "memory:")
    assert failed.returncode == 1
    assert "--port" in failed.stderr


@pytest.mark.parametrize("arguments", [("serve", "--nonsense"), ("nonsense",), ("serve", "--port", "many")])
def test_usage_errors_exit_with_2(arguments: tuple[str, ...]) -> None:
    assert quire(*arguments).returncode == 2


def test_settings_come_from_the_environment_and_flags_win() -> None:
    environ = {"HOME": "/users/ada", "QUIRE_TOKEN": "t"}
    assert load_config(environ).store == "sqlite:///users/ada/.local/share/quire/quire.db"
    assert load_config(environ).blobs == "/users/ada/.local/share/quire/blobs"
    assert load_config({**environ, "XDG_DATA_HOME": "/data"}).store == "sqlite:///data/quire/quire.db"
    assert load_config({**environ, "QUIRE_STORE": "memory:"}).blobs == "memory:"
    home = Path("~").expanduser()
    assert load_config({**environ, "QUIRE_STORE": "sqlite:///~/q.db"}).blobs == f"{home}/blobs"
    assert load_config({**environ, "QUIRE_STORE": "files:///~/notebooks/"}).blobs == f"{home}/notebooks-blobs"
    assert load_config({**environ, "QUIRE_STORE": "sqlite:///a/q.db"}, store="sqlite:///b/q.db").blobs == "/b/blobs"
    assert load_config({**environ, "DYNAMODB_TABLE_NAME": "notebooks"}).store == "dynamodb://notebooks"
    assert load_config(environ, no_token=True).token == ""
    assert Config().host == "127.0.0.1"
    for name in ("QUIRE_KERNEL_MEMORY_MB", "QUIRE_KERNEL_POOL"):
        with pytest.raises(ConfigError, match=name):
            load_config({**environ, name: "-3"})


def test_doctor_makes_the_tables_of_a_local_dynamodb(tmp_path: Path) -> None:
    try:
        endpoint = dynalite()
    except EmulatorMissing as missing:
        pytest.skip(str(missing))
    environment = {
        "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "not-to-be-printed",
        "DYNAMODB_TABLE_NAME": "doctors-notebooks",
        "QUIRE_BLOBS": str(tmp_path),
    }
    before = quire("doctor", **environment)
    assert before.returncode == 1
    assert "--create-tables" in before.stdout
    made = quire("doctor", "--create-tables", **environment)
    assert made.returncode == 0, made.stdout + made.stderr
    assert "not-to-be-printed" not in before.stdout + before.stderr + made.stdout + made.stderr
    refused = quire("doctor", "--create-tables", "--store", "memory:")
    assert refused.returncode == 1
    assert "DYNAMODB_TABLE_NAME" in refused.stderr
