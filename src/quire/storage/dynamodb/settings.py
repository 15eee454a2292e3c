"""Which tables, where: the URL of the store, and the environment where the URL is silent."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from quire.aws import configured_region

_FORM = "dynamodb://TABLE?region=eu-west-1&endpoint_url=http://localhost:8000&commits_table=TABLE-commits"
_OPTIONS = frozenset({"region", "endpoint_url", "commits_table"})
_TABLE = re.compile(r"[A-Za-z0-9_.-]{3,255}")
_REGION = re.compile(r"[a-z0-9-]{1,63}")


class InvalidSettings(ValueError):
    """The URL or the environment does not say which tables to use; the message says what to write."""


@dataclass(frozen=True, slots=True)
class DynamoSettings:
    """`region` is also what requests are signed for; `endpoint_url` is None for AWS's own."""

    table: str
    commits_table: str
    region: str
    endpoint_url: str | None = None

    @property
    def description(self) -> str:
        """For people; holds no secrets."""
        place = f" at {self.endpoint_url}" if self.endpoint_url else ""
        return f"DynamoDB tables {self.table} and {self.commits_table} in {self.region}{place}"


def read_settings(url: str, environ: Mapping[str, str] | None = None) -> DynamoSettings:
    """What `url` says, completed from the environment (`environ`, or the process's) and AWS's configuration files.

    Reads files: call it in a thread.

    Raises:
        InvalidSettings: a part is missing, unknown or malformed.
    """
    environ = os.environ if environ is None else environ
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise InvalidSettings("a DynamoDB URL holds no credentials: they come from the environment or a profile")
    if parts.path not in {"", "/"} or parts.fragment:
        raise InvalidSettings(f"a DynamoDB URL is {_FORM}")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := sorted(set(options) - _OPTIONS):
        raise InvalidSettings(f"a DynamoDB URL has no option {unknown[0]!r}: {_FORM}")
    table = _checked_table(unquote(parts.netloc))
    commits = options.get("commits_table") or environ.get("DYNAMODB_COMMITS_TABLE_NAME") or f"{table}-commits"
    if _checked_table(commits) == table:
        raise InvalidSettings("headers and commits need two different tables")
    endpoint = (
        options.get("endpoint_url") or environ.get("AWS_ENDPOINT_URL_DYNAMODB") or environ.get("AWS_ENDPOINT_URL")
    )
    return DynamoSettings(
        table=table,
        commits_table=commits,
        region=_checked_region(options.get("region") or _default_region(environ)),
        endpoint_url=None if endpoint is None else _checked_endpoint(endpoint),
    )


def _checked_table(name: str) -> str:
    if not _TABLE.fullmatch(name):
        raise InvalidSettings(f"a DynamoDB table's name has 3 to 255 letters, digits, and _ . -: {_FORM}")
    return name


def _checked_region(region: str) -> str:
    if not region:
        raise InvalidSettings("which AWS region? Set AWS_REGION, or write dynamodb://TABLE?region=eu-west-1")
    if not _REGION.fullmatch(region):
        raise InvalidSettings("an AWS region has lower-case letters, digits and hyphens, as eu-west-1")
    return region


def _checked_endpoint(endpoint: str) -> str:
    parts = urlsplit(endpoint)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise InvalidSettings("endpoint_url is http:// or https://, a host, and perhaps a port, without credentials")
    return endpoint


def _default_region(environ: Mapping[str, str]) -> str:
    if region := environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION"):
        return region
    try:
        return configured_region()
    except ValueError as error:
        raise InvalidSettings(f"the AWS configuration cannot be read: {error}") from error
