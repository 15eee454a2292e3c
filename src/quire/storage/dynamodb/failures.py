"""What can go wrong between us and DynamoDB, and what each means for a write (W2)."""

from aiodynamo.types import DynamoItem


class Unsent(Exception):
    """Nothing reached DynamoDB, so nothing was written. The message says what to do, without credentials."""


class NoCredentials(Unsent):
    """There is nothing to sign with. botocore has tried long enough: asking it again at once is in vain."""


class Unanswered(Exception):
    """The request may or may not have been carried out: time-out, reset, 5xx, throttling (W2)."""


class Refused(Exception):
    """DynamoDB refused the request and did nothing: a 4xx. `text` is its message, `item` what ALL_OLD gave."""

    def __init__(self, code: str, text: str, item: DynamoItem | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.text = text
        self.item = item


class ConditionFailed(Exception):
    """The condition of a write did not hold.

    `item` is what is stored, where the engine says it. `undecided`: an earlier attempt of the same call went
    unanswered, so that the condition may have failed because of our own success (W3).
    """

    def __init__(self, item: DynamoItem | None, *, undecided: bool) -> None:
        super().__init__("the condition of a write did not hold")
        self.item = item
        self.undecided = undecided


CONDITION_FAILED = "ConditionalCheckFailedException"

PASSING = frozenset(
    {
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "RequestTimeoutException",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
"""4xx codes that another attempt may not meet. W2 counts them as unanswered."""

STALE_CREDENTIALS = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"}
)
"""The credentials were replaced or have expired: worth one look at where they come from."""
