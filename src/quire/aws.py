"""AWS's own settings and credentials, found as every AWS tool does, for the parts that talk to AWS. Everything blocks.

Credentials come from botocore's chain: environment, profile, SSO, ECS, EKS Pod Identity, IRSA, instance role.
"""

import botocore.exceptions
import botocore.session
from botocore.credentials import Credentials

FAILURES = (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError, OSError, ValueError)
"""What botocore raises; `explain` says what of it may be shown."""


def configured_region() -> str:
    """The region of the profile in use; empty: it has none. Raises ValueError if the configuration is broken."""
    try:
        return botocore.session.Session().get_config_variable("region") or ""
    except botocore.exceptions.BotoCoreError as error:
        raise ValueError(str(error)) from error


def find_credentials() -> Credentials:
    """The first source of credentials in the chain. Raises one of FAILURES."""
    source = botocore.session.Session().get_credentials()
    if source is None:
        raise botocore.exceptions.NoCredentialsError
    return source


def explain(error: Exception) -> str:
    """What may be shown: answers of AWS's services may quote credentials."""
    match error:
        case botocore.exceptions.NoCredentialsError():
            return (
                "no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
                "or give the task, pod or instance a role"
            )
        case botocore.exceptions.ClientError():
            code = error.response.get("Error", {}).get("Code", "an error")
            return f"AWS credentials cannot be had: {error.operation_name} answers {code}"
        case botocore.exceptions.SSOError():
            return f"AWS credentials cannot be had: {error}; try: aws sso login"
        case botocore.exceptions.ProfileNotFound():
            return f"AWS credentials cannot be had: {error}"
        case _:
            return (
                f"AWS credentials cannot be had: {type(error).__name__}; check the profile or role that AWS's "
                "environment variables name"
            )
