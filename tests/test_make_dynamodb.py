"""DynamoDB on a developer's machine: `make dynamodb`, `make run STORE=dynamodb`, and the file for Docker."""

import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import yaml  # type: ignore[import-untyped]  # comes with moto; the names of its stubs are not worth a dependency

from tests.emulators.processes import EmulatorMissing, dynamodb_local_command, free_port

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "local-dynamodb.md").read_text("utf-8")
COMPOSE = ROOT / "docker-compose.dynamodb.yml"
START_S = 90.0

# Setting up is what whoever runs this has done.
MAKE = ["make", "--no-print-directory", "-o", "setup"]


class Made:
    """A target of the Makefile that runs until it is killed."""

    def __init__(self, *arguments: str) -> None:
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            [*MAKE, *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env=os.environ | {"QUIRE_KERNEL_POOL": "0"},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        self.lines.extend(self._process.stdout)

    def until(self, says: str) -> None:
        give_up_at = time.monotonic() + START_S
        while says not in "".join(self.lines):
            assert self._process.poll() is None, "".join(self.lines)
            assert time.monotonic() < give_up_at, "".join(self.lines)
            time.sleep(0.05)

    def kill(self) -> None:
        """All of it at once, as a crash would."""
        self._end(signal.SIGKILL)

    def interrupt(self) -> None:
        """As Ctrl-C does."""
        self._end(signal.SIGINT)

    def _end(self, number: signal.Signals) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, number)
        self._process.wait(60)
        self._reader.join(60)
        assert self._process.stdout is not None
        self._process.stdout.close()


Run = Callable[..., Made]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Starts targets on ports of their own, with their data in the test's folder."""
    made: list[Made] = []

    def start(*arguments: str) -> Made:
        made.append(Made(*arguments, f"DYNAMODB_DATA={tmp_path / 'data'}"))
        return made[-1]

    yield start
    for one in made[::-1]:
        one.kill()


@pytest.fixture
def needs_dynamodb_local() -> None:
    try:
        dynamodb_local_command()
    except EmulatorMissing as missing:
        pytest.skip(str(missing))


@pytest.mark.slow
@pytest.mark.usefixtures("needs_dynamodb_local")
def test_what_a_server_stored_is_there_after_both_were_killed(run: Run) -> None:
    ports = [f"DYNAMODB_PORT={free_port()}", f"PORT={free_port()}"]
    url = f"http://127.0.0.1:{ports[1].partition('=')[2]}"

    def start() -> tuple[Made, Made]:
        dynamodb = run("dynamodb", ports[0])
        dynamodb.until("make run STORE=dynamodb")
        server = run("run", "STORE=dynamodb", "SERVE_ARGS=--no-token", *ports)
        server.until(f" is at {url}")
        return dynamodb, server

    dynamodb, server = start()
    assert any("QUIRE_STORE=dynamodb://quire" in line for line in dynamodb.lines)
    with httpx.Client(base_url=url, timeout=60) as client:
        created = client.post("/api/notebooks", json={"name": "kept"}).raise_for_status().json()
    dynamodb.kill()
    server.kill()
    dynamodb, server = start()
    with httpx.Client(base_url=url, timeout=60) as client:
        found = client.get(f"/api/notebooks/{created['notebook_id']}").raise_for_status().json()
    assert found["name"] == "kept"
    server.interrupt()
    dynamodb.interrupt()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{ports[0].partition('=')[2]}")


def failed(*arguments: str, **environment: str) -> str:
    """What a target says that must fail."""
    done = subprocess.run(
        [*MAKE, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=os.environ | environment,
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_server_says_how_to_start_a_dynamodb_that_does_not_run() -> None:
    assert "make dynamodb" in failed("run", "STORE=dynamodb", f"DYNAMODB_PORT={free_port()}")


def test_a_store_that_make_does_not_know_is_refused() -> None:
    assert "QUIRE_STORE" in failed("run", "STORE=postgres")


def test_a_machine_without_java_is_told_what_to_install(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    for program in ("bash", "env", "sh", "make"):
        (folder / program).symlink_to(shutil.which(program) or "")
    told = failed("dynamodb", f"DYNAMODB_DATA={tmp_path}", f"DYNAMODB_PORT={free_port()}", PATH=str(folder))
    for way_out in ("Java", "apt install", "brew install", "docker compose -f docker-compose.dynamodb.yml up"):
        assert way_out in told


def test_the_file_for_docker_agrees_with_the_guide() -> None:
    compose = yaml.safe_load(COMPOSE.read_text("utf-8"))
    services = compose["services"]
    assert set(services) == {"dynamodb", "admin"}
    for service in services.values():
        assert re.fullmatch(r"[\w/-]+:\d+\.\d+\.\d+", service["image"]), "a version of its own"
        assert service["healthcheck"]["test"]
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    makefile = (ROOT / "Makefile").read_text("utf-8")
    [port] = re.findall(r"^DYNAMODB_PORT \?= (\d+)$", makefile, flags=re.MULTILINE)
    assert services["dynamodb"]["ports"] == [f"127.0.0.1:{port}:8000"]
    assert services["admin"]["environment"]["DYNAMO_ENDPOINT"] == "http://dynamodb:8000"
    assert services["admin"]["depends_on"] == {"dynamodb": {"condition": "service_healthy"}}
    [volume] = services["dynamodb"]["volumes"]
    name, _, folder = volume.partition(":")
    assert name in compose["volumes"]
    assert services["dynamodb"]["command"][-1] == folder
    for said in (
        f"http://127.0.0.1:{port}",
        services["admin"]["ports"][0].rpartition(":")[0],
        "dynamodb://quire",
        "`quire` and `quire-commits`",
        COMPOSE.name,
        ".dynamodb/",
    ):
        assert said in GUIDE
    assert "QUIRE_STORE=dynamodb://quire" in makefile
    region = services["admin"]["environment"]["AWS_REGION"]
    assert f"AWS_REGION={region}" in makefile
    assert f"AWS_REGION={region}" in GUIDE
