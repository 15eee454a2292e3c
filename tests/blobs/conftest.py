import os
from uuid import uuid4

import httpx
import pytest

from tests.emulators.processes import EmulatorMissing, start

pytest.register_assert_rewrite("quire.blobs.contract")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Nobody's credentials, and no settings of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDTEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-nobody")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    return monkeypatch


@pytest.fixture
def s3_url() -> str:
    """Where moto serves S3."""
    url = start("moto")
    if isinstance(url, EmulatorMissing):
        pytest.skip(str(url))
    return url


@pytest.fixture
def bucket_url(aws: pytest.MonkeyPatch, s3_url: str) -> str:
    """A place in a bucket of moto's, which the environment leads to."""
    aws.setenv("AWS_ENDPOINT_URL_S3", s3_url)
    bucket = f"quire-{uuid4()}"
    httpx.put(f"{s3_url}/{bucket}").raise_for_status()
    return f"s3://{bucket}/some/prefix"
