"""What AWS's own configuration says: botocore's chain for credentials and region. Everything here blocks."""

import botocore.exceptions
import botocore.session
from aiodynamo.credentials import Key
from botocore.credentials import Credentials as Source
from botocore.credentials import RefreshableCredentials

from quire.storage.dynamodb.failures import NoCredentials

__all__ = ["Source", "configured_region", "expires_within", "fetch_key"]


def configured_region() -> str:
    """The region of the profile in use; empty: it has none. Raises ValueError if the configuration is broken."""
    try:
        return botocore.session.Session().get_config_variable("region") or ""
    except botocore.exceptions.BotoCoreError as error:
        raise ValueError(str(error)) from error


def expires_within(source: Source, seconds: int | None = None) -> bool:
    """Whether its key does, and can be renewed; by default within botocore's own advance, 15 minutes. Never blocks."""
    return isinstance(source, RefreshableCredentials) and bool(source.refresh_needed(seconds))


def fetch_key(source: Source | None) -> tuple[Source, Key]:
    """The source of credentials, found anew unless given, and its present key.

    Raises:
        NoCredentials: there is none, or it does not answer.
    """
    try:
        source = source or botocore.session.Session().get_credentials()
        if source is None:
            raise NoCredentials(
                "no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
                "or give the task, pod or instance a role"
            )
        frozen = source.get_frozen_credentials()
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError, OSError, ValueError) as error:
        raise NoCredentials(f"AWS credentials cannot be had: {_reason(error)}") from error
    return source, Key(id=frozen.access_key, secret=frozen.secret_key, token=frozen.token)


def _reason(error: Exception) -> str:
    """What may be shown: other errors quote answers that may hold credentials."""
    if isinstance(error, botocore.exceptions.ClientError):
        return f"{error.operation_name} answers {error.response.get('Error', {}).get('Code', 'an error')}"
    if isinstance(error, botocore.exceptions.SSOError):
        return f"{error}; try: aws sso login"
    if isinstance(error, botocore.exceptions.ProfileNotFound):
        return str(error)
    return f"{type(error).__name__}; check the profile or role that AWS's environment variables name"
