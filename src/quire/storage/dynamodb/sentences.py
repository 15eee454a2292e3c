"""What a refusal means for an operator: one sentence that says what to do, and never holds credentials."""

from quire.storage.dynamodb.failures import STALE_CREDENTIALS, Refused
from quire.storage.dynamodb.settings import DynamoSettings

_UNSIGNED = frozenset({"IncompleteSignatureException", "MissingAuthenticationTokenException"})
_MISSIGNED = frozenset({"InvalidSignatureException", "RequestExpired", "SignatureDoesNotMatch"})


def explain(refusal: Refused, settings: DynamoSettings) -> str:
    """What was refused and what to do, in one sentence without credentials."""
    code = refusal.code
    if code == "ResourceNotFoundException":
        return (
            f"table {settings.table} or {settings.commits_table} does not exist in {settings.region}: "
            "create it (docs/dynamodb.md; for local development: quire doctor --create-tables), or name another region"
        )
    if code == "ValidationException" and "index" in refusal.text.lower():
        return f"table {settings.table} has no index NotebookByIdIndex on notebook_id: add it (docs/dynamodb.md)"
    if code == "AccessDeniedException":
        return f"DynamoDB denies access: give this role the permission it names ({refusal.text})"
    if code in STALE_CREDENTIALS:
        return f"the AWS credentials are expired or unknown ({code}): renew them (aws sso login, or new keys)"
    # The text of these quotes the request that was signed, and so may hold a session token.
    if code in _MISSIGNED:
        return f"DynamoDB does not accept the signature ({code}): check the secret key and this machine's clock"
    if code in _UNSIGNED:
        return f"DynamoDB does not accept the signature ({code}): check the AWS credentials"
    return f"DynamoDB refuses a request ({code}): {refusal.text}"
