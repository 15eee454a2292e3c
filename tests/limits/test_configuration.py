"""Faults of configuration on DynamoDB and S3, as an operator meets them: one clear error that says what to do."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from quire.storage.dynamodb.client import DynamoClient
from quire.storage.dynamodb.settings import DynamoSettings
from quire.storage.dynamodb.tables import INDEX
from tests.blobs.canned import canned
from tests.emulators.environment import nobodys_aws
from tests.emulators.processes import EmulatorMissing, start
from tests.storage.dynamodb.scripted_server import refusal, scripted

KEY, SECRET, TOKEN = "AKIDOFNOBODY0000", "not-to-be-printed-0000", "session-token-not-to-be-printed"

Environment = dict[str, str]


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """Of `quire`, with credentials that must not be printed, and no settings of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "QUIRE_", "DYNAMODB_"))}
    return kept | {
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_SESSION_TOKEN": TOKEN,
        "AWS_REGION": "eu-west-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "QUIRE_STORE": f"sqlite://{tmp_path}/quire.db",
        "QUIRE_BLOBS": str(tmp_path / "blobs"),
        "QUIRE_KERNEL_POOL": "0",
    }


def emulator(name: str) -> str:
    url = start(name)
    if isinstance(url, EmulatorMissing):
        pytest.skip(f"{name}: {url}")
    return url


def closed_port() -> str:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def no_table(environment: Environment) -> None:
    environment |= {"QUIRE_STORE": f"dynamodb://none-{uuid4()}", "AWS_ENDPOINT_URL_DYNAMODB": emulator("moto")}


def no_dynamodb(environment: Environment) -> None:
    environment |= {"QUIRE_STORE": "dynamodb://quire", "AWS_ENDPOINT_URL_DYNAMODB": closed_port()}


def no_name_of_dynamodb(environment: Environment) -> None:
    environment |= {"QUIRE_STORE": "dynamodb://quire", "AWS_ENDPOINT_URL_DYNAMODB": "http://nowhere.invalid:8000"}


def no_credentials(environment: Environment) -> None:
    no_table(environment)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        del environment[name]


def no_bucket(environment: Environment) -> None:
    environment |= {"QUIRE_BLOBS": f"s3://none-{uuid4()}/x", "AWS_ENDPOINT_URL_S3": emulator("moto")}


def no_s3(environment: Environment) -> None:
    environment |= {"QUIRE_BLOBS": "s3://quire-bucket/x", "AWS_ENDPOINT_URL_S3": closed_port()}


def no_name_of_s3(environment: Environment) -> None:
    environment |= {"QUIRE_BLOBS": "s3://quire-bucket/x", "AWS_ENDPOINT_URL_S3": "http://nowhere.invalid:8000"}


FAULTS: dict[str, tuple[Callable[[Environment], None], str, tuple[str, ...]]] = {
    "no table": (no_table, "store", ("does not exist", "create it", "--create-tables")),
    "no DynamoDB": (no_dynamodb, "store", ("127.0.0.1", "AWS_ENDPOINT_URL_DYNAMODB")),
    "DynamoDB's name unknown": (no_name_of_dynamodb, "store", ("nowhere.invalid", "AWS_ENDPOINT_URL_DYNAMODB")),
    "no credentials": (no_credentials, "store", ("credentials", "AWS_ACCESS_KEY_ID")),
    "no bucket": (no_bucket, "blobs", ("no such bucket", "create it")),
    "no S3": (no_s3, "blobs", ("cannot be reached", "AWS_ENDPOINT_URL_S3")),
    "S3's name unknown": (no_name_of_s3, "blobs", ("cannot be reached", "AWS_ENDPOINT_URL_S3")),
}
"""How to make it; the part that `quire doctor` blames; what must be said."""


def quire(environment: Environment, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "quire", *arguments],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
        env=environment,
    )
    assert_keeps_secrets(done.stdout + done.stderr)
    return done


def assert_keeps_secrets(text: str) -> None:
    assert "Traceback" not in text
    for secret in (KEY, SECRET, TOKEN):
        assert secret not in text


@pytest.mark.parametrize("fault", FAULTS)
def test_doctor_names_the_part_and_the_way_out(environment: Environment, fault: str) -> None:
    make, part, says = FAULTS[fault]
    make(environment)
    done = quire(environment, "doctor")
    assert done.returncode == 1
    [failed] = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    assert failed.startswith(f"FAILED  {part}: ")
    for word in says:
        assert word in failed


@pytest.mark.parametrize("fault", FAULTS)
def test_a_command_fails_with_one_line_that_says_the_way_out(environment: Environment, fault: str) -> None:
    make, _, says = FAULTS[fault]
    make(environment)
    done = quire(environment, "list")
    assert done.returncode == 1
    [line] = [line for line in done.stderr.splitlines() if line.startswith("quire: ")]
    for word in says:
        assert word in line


@pytest.fixture
def serving(environment: Environment) -> Iterator[Callable[[], str]]:
    """Starts a server; its address."""
    started: list[subprocess.Popen[str]] = []

    def serve() -> str:
        process = subprocess.Popen(
            [sys.executable, "-m", "quire", "serve", "--no-token", "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        )
        started.append(process)
        assert process.stdout is not None
        for line in process.stdout:
            assert_keeps_secrets(line)
            if " is at http://" in line:
                return line.partition(" is at ")[2].strip().rstrip("/")
        raise AssertionError("the server did not start")

    yield serve
    for process in started:
        process.terminate()
        said, _ = process.communicate(timeout=60)
        assert_keeps_secrets(said)


STORE_FAULTS = [fault for fault, (_, part, _) in FAULTS.items() if part == "store"]


@pytest.mark.parametrize("fault", STORE_FAULTS)
def test_a_server_starts_and_says_why_it_is_not_ready(
    environment: Environment, serving: Callable[[], str], fault: str
) -> None:
    make, _, says = FAULTS[fault]
    make(environment)
    with httpx.Client(base_url=serving(), timeout=110) as client:
        assert client.get("/healthz").status_code == 200
        for answer in (client.get("/readyz"), client.post("/api/notebooks", json={"name": "x"})):
            assert answer.status_code == 503, answer.text
            assert answer.headers["content-type"] == "application/problem+json"
            assert_keeps_secrets(answer.text)
            for word in says:
                assert word in answer.json()["detail"]


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault not in STORE_FAULTS])
def test_a_server_without_its_blobs_does_not_start(environment: Environment, fault: str) -> None:
    make, _, says = FAULTS[fault]
    make(environment)
    done = quire(environment, "serve", "--no-token", "--port", "0")
    assert done.returncode == 1
    [line] = [line for line in done.stderr.splitlines() if line.startswith("quire: ")]
    for word in says:
        assert word in line


DYNAMODB_REFUSALS = {
    "UnrecognizedClientException": "renew them",
    "ExpiredTokenException": "renew them",
    "InvalidSignatureException": "check the secret key",
}
S3_REFUSALS = {
    "InvalidAccessKeyId": "does not know these credentials",
    "ExpiredToken": "have expired",
    "SignatureDoesNotMatch": "secret access key is wrong",
}


@pytest.mark.parametrize("code", DYNAMODB_REFUSALS)
async def test_credentials_that_dynamodb_refuses(environment: Environment, code: str) -> None:
    async with scripted(refusal(code, message=f"about {KEY} {SECRET} {TOKEN}")) as server:
        environment |= {"QUIRE_STORE": "dynamodb://quire", "AWS_ENDPOINT_URL_DYNAMODB": server.url}
        doctor, listed = await both(environment)
    assert code in doctor
    assert DYNAMODB_REFUSALS[code] in doctor
    assert DYNAMODB_REFUSALS[code] in listed


@pytest.mark.parametrize("code", S3_REFUSALS)
async def test_credentials_that_s3_refuses(environment: Environment, code: str) -> None:
    async with canned((403, code)) as server:
        environment |= {"QUIRE_BLOBS": "s3://quire-bucket/x", "AWS_ENDPOINT_URL_S3": server.url}
        doctor, listed = await both(environment)
    assert S3_REFUSALS[code] in doctor
    assert S3_REFUSALS[code] in listed


async def both(environment: Environment) -> tuple[str, str]:
    """What `doctor` finds, and how another command fails; one line each."""
    doctor = await asyncio.to_thread(quire, environment, "doctor")
    [failed] = [line for line in doctor.stdout.splitlines() if line.startswith("FAILED")]
    listed = await asyncio.to_thread(quire, environment, "list")
    assert doctor.returncode == listed.returncode == 1
    [line] = [line for line in listed.stderr.splitlines() if line.startswith("quire: ")]
    return failed, line


async def test_a_table_without_its_index_is_named(environment: Environment) -> None:
    settings = DynamoSettings(f"quire-{uuid4()}", f"quire-{uuid4()}-commits", "eu-west-1", emulator("dynamodb-local"))
    environment |= {
        "QUIRE_STORE": f"dynamodb://{settings.table}",
        "DYNAMODB_COMMITS_TABLE_NAME": settings.commits_table,
        "AWS_ENDPOINT_URL_DYNAMODB": str(settings.endpoint_url),
    }
    await asyncio.to_thread(quire, environment, "doctor", "--create-tables")
    with nobodys_aws():
        client = DynamoClient(settings)
        change = {"Delete": {"IndexName": INDEX}}
        await client.write(
            "test", "UpdateTable", {"TableName": settings.table, "GlobalSecondaryIndexUpdates": [change]}
        )
        while (await client.read("test", "DescribeTable", {"TableName": settings.table}))["Table"].get(
            "GlobalSecondaryIndexes"
        ):
            await asyncio.sleep(0.05)
        await client.close()
    doctor = await asyncio.to_thread(quire, environment, "doctor")
    [failed] = [line for line in doctor.stdout.splitlines() if line.startswith("FAILED")]
    assert f"no index {INDEX} on notebook_id: add it" in failed
