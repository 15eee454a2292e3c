"""Keys for aiodynamo from botocore's chain of credentials. Everything here blocks."""

from aiodynamo.credentials import Key
from botocore.credentials import Credentials as Source
from botocore.credentials import RefreshableCredentials

from quire.aws import FAILURES, explain, find_credentials
from quire.storage.dynamodb.failures import NoCredentials

__all__ = ["Source", "expires_within", "fetch_key"]


def expires_within(source: Source, seconds: int | None = None) -> bool:
    """Whether its key does, and can be renewed; by default within botocore's own advance, 15 minutes. Never blocks."""
    return isinstance(source, RefreshableCredentials) and bool(source.refresh_needed(seconds))


def fetch_key(source: Source | None) -> tuple[Source, Key]:
    """The source of credentials, found anew unless given, and its present key.

    Raises:
        NoCredentials: there is none, or it does not answer.
    """
    try:
        source = source or find_credentials()
        frozen = source.get_frozen_credentials()
    except FAILURES as error:
        raise NoCredentials(explain(error)) from error
    return source, Key(id=frozen.access_key, secret=frozen.secret_key, token=frozen.token)
