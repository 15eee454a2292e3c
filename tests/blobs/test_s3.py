"""What only S3 has: a network, credentials, and answers that mean several things."""

import asyncio
import re
import threading
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import obstore
import pytest

from quire.blobs import s3 as s3_module
from quire.blobs import s3_settings
from quire.blobs.protocol import BlobMissing, BlobsUnavailable, InvalidBlobsUrl, sha256_of
from quire.blobs.s3 import S3Blobs
from tests.blobs.canned import MODIFIED_AT, canned

LOG = "alice/n1"
DATA = b"a figure"
NAME = sha256_of(DATA)
MISSING = (404, "NoSuchKey")


@pytest.fixture
async def blobs(bucket_url: str) -> AsyncIterator[S3Blobs]:
    store = await S3Blobs.open(bucket_url)
    yield store
    await store.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a retry is good for is obstore's business."""
    monkeypatch.setitem(s3_module._RETRIES, "max_retries", 1)


async def keys(s3_url: str, bucket_url: str) -> list[str]:
    async with httpx.AsyncClient() as client:
        listed = await client.get(f"{s3_url}/{bucket_url.split('/')[2]}?list-type=2")
    return re.findall(r"<Key>([^<]*)</Key>", listed.text)


async def test_W6_an_object_lies_under_its_prefix_and_its_log(blobs: S3Blobs, bucket_url: str, s3_url: str) -> None:
    await blobs.put(LOG, DATA)
    assert await keys(s3_url, bucket_url) == [f"some/prefix/{sha256_of(LOG.encode())}/{NAME}"]
    assert blobs.description.startswith(f"S3 bucket {bucket_url[5:]} (http://127.0.0.1:")
    without_prefix = await S3Blobs.open("/".join(bucket_url.split("/")[:3]))
    await without_prefix.put(LOG, DATA)
    assert f"{sha256_of(LOG.encode())}/{NAME}" in await keys(s3_url, bucket_url)


@pytest.mark.parametrize(("hours", "asked"), [(11, ["PUT", "HEAD"]), (13, ["PUT", "HEAD", "PUT"])])
async def test_B2_an_old_blob_is_written_again_and_a_young_one_is_not(
    aws: pytest.MonkeyPatch, hours: int, asked: list[str]
) -> None:
    async with canned(MISSING, (412, "PreconditionFailed"), (200, "")) as server:
        aws.setenv("AWS_ENDPOINT_URL_S3", server.url)
        blobs = await S3Blobs.open("s3://bucket", now_ms=lambda: MODIFIED_AT + hours * 3_600_000)
        await blobs.put(LOG, b"x")
        assert [one.split()[0] for one in server.asked[1:]] == asked
        puts = ["if-none-match: *" in head.lower() for head in server.heads if head.startswith("PUT")]
        assert puts == [True, False][: len(puts)]


async def test_W6_a_put_that_meets_another_one_is_tried_again(aws: pytest.MonkeyPatch) -> None:
    # 409 does not mean that the object exists: the other put may fail.
    async with canned(MISSING, (409, "ConditionalRequestConflict"), MISSING, (200, "")) as server:
        aws.setenv("AWS_ENDPOINT_URL_S3", server.url)
        blobs = await S3Blobs.open("s3://bucket/prefix")
        assert await blobs.put(LOG, DATA) == NAME
        assert [one.split()[0] for one in server.asked] == ["GET", "PUT", "HEAD", "PUT"]
        assert all("if-none-match: *" in head.lower() for head in server.heads if head.startswith("PUT"))


async def test_W6_a_put_that_meets_others_for_ever_gives_up(aws: pytest.MonkeyPatch) -> None:
    async with canned(MISSING, *((409, "ConditionalRequestConflict"), MISSING) * 20) as server:
        aws.setenv("AWS_ENDPOINT_URL_S3", server.url)
        blobs = await S3Blobs.open("s3://bucket/prefix")
        with pytest.raises(BlobsUnavailable, match="do not end"):
            await blobs.put(LOG, DATA)


async def test_W6_an_altered_object_is_missing(blobs: S3Blobs) -> None:
    await blobs.put(LOG, DATA)
    await obstore.put_async(blobs._store, f"{sha256_of(LOG.encode())}/{NAME}", b"other")
    with pytest.raises(BlobMissing, match="damaged: it has 5 bytes"):
        await blobs.get(LOG, NAME)
    await blobs.put(LOG, DATA)  # of another size, so it is put again
    assert await blobs.get(LOG, NAME) == DATA


async def test_W6_a_stream_of_an_altered_object_never_gives_all_of_it(blobs: S3Blobs) -> None:
    await blobs.put(LOG, DATA)
    await obstore.put_async(blobs._store, f"{sha256_of(LOG.encode())}/{NAME}", bytes(3_000_000))
    stream = await blobs.stream(LOG, NAME)
    seen: list[bytes] = []

    async def read() -> None:
        async for part in stream.parts:
            seen.append(part)  # noqa: PERF401 - what came before the error counts

    with pytest.raises(BlobMissing, match="damaged"):
        await read()
    assert sum(map(len, seen)) < stream.size == 3_000_000


async def test_more_blobs_than_one_answer_lists_are_all_listed(blobs: S3Blobs) -> None:
    names = await asyncio.gather(*(blobs.put(LOG, b"%d" % number) for number in range(130)))
    assert {blob.sha256 async for blob in blobs.list(LOG)} == set(names)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ((404, "NoSuchBucket"), "no such bucket: create it"),
        ((403, "AccessDenied"), "s3:GetObject, s3:PutObject"),
        ((403, "InvalidAccessKeyId"), "AWS does not know these credentials"),
        ((403, "SignatureDoesNotMatch"), "the secret access key is wrong"),
        ((400, "ExpiredToken"), "the credentials have expired"),
        ((301, "PermanentRedirect"), "another region: set AWS_REGION"),
        ((400, "AuthorizationHeaderMalformed"), "another region: set AWS_REGION"),
        ((503, "SlowDown"), "slow down"),
        ((400, "SomethingNew"), "it answers SomethingNew"),
        ((500, ""), "status 500"),
    ],
)
async def test_what_s3_refuses_is_said_clearly_and_without_credentials(
    aws: pytest.MonkeyPatch, answer: tuple[int, str], hint: str
) -> None:
    async with canned(answer) as server:
        aws.setenv("AWS_ENDPOINT_URL_S3", server.url)
        with pytest.raises(BlobsUnavailable, match=hint) as refusal:
            await S3Blobs.open("s3://bucket/prefix")
        check_hides(refusal.value)
    async with canned(MISSING, answer) as server:
        aws.setenv("AWS_ENDPOINT_URL_S3", server.url)
        blobs = await S3Blobs.open("s3://bucket/prefix")
        for asking in (blobs.put(LOG, DATA), blobs.get(LOG, NAME), listing(blobs), blobs.check()):
            with pytest.raises(BlobsUnavailable, match=hint) as refusal:
                await asking
            check_hides(refusal.value)


async def listing(blobs: S3Blobs) -> None:
    async for _ in blobs.list(LOG):
        pass


def check_hides(error: BaseException) -> None:
    assert error.__cause__ is None
    assert error.__suppress_context__
    assert "AKIDTEST" not in str(error)
    assert "secret" not in str(error).replace("the secret access key", "")


async def test_a_bucket_that_does_not_exist_is_named(bucket_url: str) -> None:
    other = bucket_url.replace("s3://quire-", "s3://never-")
    with pytest.raises(BlobsUnavailable, match=r"S3 bucket never-.*there is no such bucket"):
        await S3Blobs.open(other)


async def test_an_endpoint_that_nobody_serves_is_said_so(aws: pytest.MonkeyPatch) -> None:
    aws.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    with pytest.raises(BlobsUnavailable, match="cannot be reached: check the network"):
        await S3Blobs.open("s3://bucket/prefix")


async def test_without_credentials_it_says_how_to_give_some(aws: pytest.MonkeyPatch) -> None:
    aws.delenv("AWS_ACCESS_KEY_ID")
    async with canned((200, "")) as server:
        aws.setenv("AWS_ENDPOINT_URL_S3", server.url)
        with pytest.raises(BlobsUnavailable, match="no AWS credentials: set AWS_PROFILE"):
            await S3Blobs.open("s3://bucket")
        assert server.asked == []


async def test_a_profile_that_does_not_exist_is_named(aws: pytest.MonkeyPatch) -> None:
    aws.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(BlobsUnavailable, match="nobody"):
        await S3Blobs.open("s3://bucket")


async def test_credentials_of_a_profile_sign_and_are_asked_for_in_a_thread(
    aws: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with canned(MISSING) as server:
        config = tmp_path / "config"
        config.write_text(
            "[profile ann]\naws_access_key_id = AKIDANN\naws_secret_access_key = x\nregion = eu-west-3\n"
            f"endpoint_url = {server.url}\n"
        )
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            aws.delenv(name)
        aws.setenv("AWS_CONFIG_FILE", str(config))
        aws.setenv("AWS_PROFILE", "ann")
        threads = []
        real = s3_settings.CredentialProvider._fetch

        def watched(provider: s3_settings.CredentialProvider) -> object:
            threads.append(threading.current_thread())
            return real(provider)

        aws.setattr(s3_settings.CredentialProvider, "_fetch", watched)
        blobs = await S3Blobs.open("s3://bucket")
        await asyncio.gather(*(blobs.check() for _ in range(5)))
        assert all("Credential=AKIDANN/" in head and "/eu-west-3/s3/" in head for head in server.heads)
        assert len(threads) == 1
        assert threads[0] is not threading.main_thread()


async def test_credentials_that_fail_later_work_again_when_they_are_back(aws: pytest.MonkeyPatch) -> None:
    async with canned(MISSING) as server:
        aws.setenv("AWS_ENDPOINT_URL_S3", server.url)
        aws.setattr(s3_settings, "VALID_FOR", timedelta(0))
        blobs = await S3Blobs.open("s3://bucket")
        with aws.context() as patch:
            patch.delenv("AWS_ACCESS_KEY_ID")
            with pytest.raises(BlobsUnavailable, match="no AWS credentials"):
                await blobs.check()
        await blobs.check()


def test_settings_are_found_as_every_aws_tool_does(aws: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[default]\nregion = eu-north-1\nendpoint_url = http://all\nservices = mine\n"
        "[services mine]\ns3 =\n  endpoint_url = http://s3\n[profile plain]\nregion = us-west-2\n"
    )
    assert s3_settings.region_and_endpoint() == ("us-east-1", None)
    aws.setenv("AWS_CONFIG_FILE", str(config))
    assert s3_settings.region_and_endpoint() == ("eu-north-1", "http://s3")
    aws.setenv("AWS_PROFILE", "plain")
    assert s3_settings.region_and_endpoint() == ("us-west-2", None)
    aws.setenv("AWS_DEFAULT_REGION", "us-east-2")
    assert s3_settings.region_and_endpoint()[0] == "us-east-2"
    aws.setenv("AWS_REGION", "eu-west-1")
    aws.setenv("AWS_ENDPOINT_URL", "http://general")
    assert s3_settings.region_and_endpoint() == ("eu-west-1", "http://general")
    aws.setenv("AWS_ENDPOINT_URL_S3", "http://special")
    assert s3_settings.region_and_endpoint() == ("eu-west-1", "http://special")
    aws.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    assert s3_settings.region_and_endpoint() == ("eu-west-1", None)


@pytest.mark.parametrize(
    "url", ["s3://", "s3://b", "s3://Bucket/x", "s3://bucket/a b", "s3://bucket/../x", "s3://bucket//x", "s3:bucket"]
)
async def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(InvalidBlobsUrl, match="s3://bucket/prefix"):
        await S3Blobs.open(url)
