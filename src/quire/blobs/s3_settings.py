"""What S3 is reached with: region, endpoint and credentials, found as every AWS tool does. Everything blocks."""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.credentials import Credentials, RefreshableCredentials

from quire.aws import FAILURES, explain, find_credentials

if TYPE_CHECKING:
    from obstore.store import S3Credential  # exists for type checkers only

REGION_DEFAULT = "us-east-1"

VALID_FOR = timedelta(minutes=10)
"""Botocore renews credentials at the latest 10 minutes before they expire, so that what it gives lasts as long."""


def region_and_endpoint() -> tuple[str, str | None]:
    """The region, and the endpoint of S3 unless it is AWS's own.

    Raises:
        ValueError: a profile that does not exist, or a broken file.
    """
    session = botocore.session.Session()
    try:
        region = os.environ.get("AWS_REGION") or session.get_config_variable("region") or REGION_DEFAULT
        return region, _endpoint(session)
    except FAILURES as error:
        raise ValueError(f"AWS settings cannot be read: {explain(error)}") from error


def _endpoint(session: botocore.session.Session) -> str | None:
    if os.environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
        return None
    for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"):
        if url := os.environ.get(name):
            return url
    profile: dict[str, Any] = session.get_scoped_config()
    services: dict[str, Any] = session.full_config.get("services", {}).get(profile.get("services"), {})
    service = services.get("s3", {})
    found = (service.get("endpoint_url") if isinstance(service, dict) else None) or profile.get("endpoint_url")
    return str(found) if found else None


class CredentialProvider:
    """Gives obstore credentials whenever those it has are about to expire; asks for them in a thread."""

    def __init__(self) -> None:
        self._source: Credentials | None = None
        self.failure = ""
        """Why there were none when they were asked for last."""

    async def __call__(self) -> "S3Credential":
        try:
            credential = await asyncio.to_thread(self._fetch)
        except FAILURES as error:
            self._source = None
            self.failure = explain(error)
            raise
        self.failure = ""
        return credential

    def _fetch(self) -> "S3Credential":
        # Others are looked up anew: somebody may have replaced them in their file.
        if not isinstance(self._source, RefreshableCredentials):
            self._source = find_credentials()
        frozen = self._source.get_frozen_credentials()
        return {
            "access_key_id": frozen.access_key,
            "secret_access_key": frozen.secret_key,
            "token": frozen.token,
            "expires_at": datetime.now(UTC) + VALID_FOR,
        }
