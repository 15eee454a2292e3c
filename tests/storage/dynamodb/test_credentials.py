"""Credentials from everywhere that AWS keeps them, fetched beside the event loop."""

import asyncio
import hashlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiodynamo.credentials import Key
from aiodynamo.http.types import Request, Response

from quire.storage.dynamodb import aws_chain
from quire.storage.dynamodb.credentials import BotocoreCredentials
from quire.storage.dynamodb.failures import NoCredentials
from quire.storage.dynamodb.store import DynamoStore
from quire.storage.protocol import StoreUnavailable
from tests.storage.dynamodb.credential_endpoints import container_key, endpoint, expiry, role_key, web_identity_key
from tests.storage.dynamodb.scripted_server import OK, refusal, scripted
from tests.storage.engines import record

HOUR = 3600


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless a test puts them somewhere."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")


@pytest.fixture
def container(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """An ECS agent. Puts seconds until the expiry of each key in order, the last one for ever; none: it fails."""
    seconds = [float(HOUR)]
    asked: list[str] = []

    def answer(request: str) -> tuple[int, str]:
        asked.append(request)
        if not seconds or "secret-of-the-task" not in request:
            return 500, '{"message": "container-secret-1"}'
        return 200, container_key(len(asked), seconds.pop(0) if len(seconds) > 1 else seconds[0])

    with endpoint(answer) as url:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{url}/v1/credentials")
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "secret-of-the-task")
        yield seconds


async def no_http(request: Request) -> Response:
    raise AssertionError(request)


async def key_of(credentials: BotocoreCredentials) -> Key:
    return await credentials.get_key(no_http)


async def first_key() -> Key:
    credentials = BotocoreCredentials()
    try:
        return await key_of(credentials)
    finally:
        await credentials.close()


async def test_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "t")
    assert await first_key() == Key("AKIDENV", "s", "t")


async def test_from_a_profile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("[profile team]\naws_access_key_id = AKIDTEAM\naws_secret_access_key = s\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "team")
    assert await first_key() == Key("AKIDTEAM", "s", None)


async def test_from_the_agent_of_ecs_with_its_token(container: list[float]) -> None:
    assert container == [HOUR]
    assert await first_key() == Key("AKID1", "container-secret-1", "container-token-1")


async def test_from_eks_pod_identity_with_its_token_file(
    container: list[float], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert container == [HOUR]
    token = tmp_path / "token"
    token.write_text("secret-of-the-task")
    monkeypatch.delenv("AWS_CONTAINER_AUTHORIZATION_TOKEN")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(token))
    assert (await first_key()).id == "AKID1"


async def test_from_the_web_identity_of_a_service_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("jwt-of-the-pod")

    def answer(request: str) -> tuple[int, str]:
        if "AssumeRoleWithWebIdentity" not in request or "jwt-of-the-pod" not in request:
            return 400, "<ErrorResponse/>"
        return 200, web_identity_key(1, HOUR)

    with endpoint(answer) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
        monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/quire")
        monkeypatch.setenv("AWS_REGION", "eu-west-1")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        assert await first_key() == Key("ASIA1", "web-secret", "web-token")


async def test_from_a_single_sign_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    start_url = "https://team.awsapps.com/start"
    config = tmp_path / "config"
    config.write_text(
        f"[profile team]\nsso_start_url = {start_url}\nsso_region = eu-west-1\nregion = eu-west-1\n"
        "sso_account_id = 123456789012\nsso_role_name = quire\n"
    )
    login = {"startUrl": start_url, "region": "eu-west-1", "accessToken": "token-of-alice", "expiresAt": expiry(HOUR)}
    # Named as `aws sso login` does; botocore looks for it in the home folder that there was when it was imported.
    token = tmp_path / f"{hashlib.sha1(start_url.encode(), usedforsecurity=False).hexdigest()}.json"
    token.write_text(json.dumps(login))
    monkeypatch.setattr("botocore.credentials.SSOProvider._SSO_TOKEN_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "team")
    with endpoint(lambda request: (200 if "token-of-alice" in request else 401, role_key(HOUR))) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SSO", url)
        assert await first_key() == Key("ASIASSO", "sso-secret", "sso-token")
    token.unlink()
    with pytest.raises(NoCredentials, match="try: aws sso login"):
        await first_key()


async def test_none_says_where_to_put_them() -> None:
    with pytest.raises(NoCredentials, match="no AWS credentials: set AWS_PROFILE, or"):
        await first_key()


async def test_a_missing_profile_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "no-such-team")
    with pytest.raises(NoCredentials, match="no-such-team"):
        await first_key()


async def test_what_an_endpoint_says_when_it_fails_is_not_quoted(container: list[float]) -> None:
    container.clear()
    with pytest.raises(NoCredentials, match="check the profile or role") as told:
        await first_key()
    assert "secret" not in str(told.value)


async def test_W2_without_credentials_nothing_was_written(container: list[float]) -> None:
    container.clear()
    async with scripted(OK) as server:
        store = DynamoStore(server.settings)
        with pytest.raises(StoreUnavailable, match="AWS credentials cannot be had"):
            await store.append("alice/n1", record(1))
        await store.close()
        assert server.asked == []


async def test_they_are_fetched_once_for_all_and_never_on_the_loop(
    container: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert container == [HOUR]
    threads: set[int] = set()

    def fetch(source: aws_chain.Source | None) -> tuple[aws_chain.Source, Key]:
        threads.add(threading.get_ident())
        return aws_chain.fetch_key(source)

    monkeypatch.setattr("quire.storage.dynamodb.credentials.fetch_key", fetch)
    credentials = BotocoreCredentials()
    keys = await asyncio.gather(*(key_of(credentials) for _ in range(30)))
    assert {key.id for key in keys} == {"AKID1"}
    assert (await key_of(credentials)).id == "AKID1"
    assert threads
    assert threading.get_ident() not in threads
    await credentials.close()


async def test_they_are_renewed_before_they_expire_while_requests_go_on(container: list[float]) -> None:
    # botocore begins to renew them 15 minutes before they expire, and asks twice when it finds such ones.
    container[:] = [800, 800, HOUR]
    credentials = BotocoreCredentials()
    assert (await key_of(credentials)).id == "AKID2"
    credentials._renew_at = 0  # the pause between attempts is over
    assert (await key_of(credentials)).id == "AKID2"  # at once
    renewal = credentials._renewal
    assert renewal is not None
    await asyncio.wait([renewal])
    assert (await key_of(credentials)).id == "AKID3"
    assert credentials._renewal is None
    await credentials.close()


async def test_a_renewal_that_fails_in_time_harms_nobody(container: list[float]) -> None:
    container[:] = [300]
    credentials = BotocoreCredentials()
    key = await key_of(credentials)
    container.clear()
    credentials._renew_at = 0
    assert await key_of(credentials) == key
    renewal = credentials._renewal
    assert renewal is not None
    await asyncio.wait([renewal])
    assert isinstance(renewal.exception(), NoCredentials)
    assert await key_of(credentials) == key
    assert credentials._renewal is None  # not again at once
    await credentials.close()


async def test_W2_credentials_that_dynamodb_calls_expired_are_fetched_anew(container: list[float]) -> None:
    assert container == [HOUR]
    async with scripted(refusal("ExpiredTokenException"), OK) as server:
        store = DynamoStore(server.settings)
        await store.append("alice/n1", record(1))
        await store.close()
    used = [one.headers["Authorization"].split("Credential=")[1].split("/")[0] for one in server.asked]
    assert used == ["AKID1", "AKID2"]
    assert [one.headers["X-Amz-Security-Token"] for one in server.asked] == ["container-token-1", "container-token-2"]


async def test_closing_while_they_are_fetched_leaves_no_task(container: list[float]) -> None:
    assert container == [HOUR]
    credentials = BotocoreCredentials()
    asked = asyncio.create_task(key_of(credentials))
    await asyncio.sleep(0)
    await credentials.close()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []
