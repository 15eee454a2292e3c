"""W2 and W3 request by request: what each answer of DynamoDB's means for a write."""

import asyncio
import socket

import pytest

from quire.storage.append import append_until_definite
from quire.storage.dynamodb.attributes import encode_record
from quire.storage.dynamodb.client import ATTEMPTS_MAX
from quire.storage.dynamodb.settings import DynamoSettings
from quire.storage.dynamodb.store import DynamoStore
from quire.storage.items import pack_record
from quire.storage.protocol import DamagedRecord, HeaderExists, KeyExists, OutcomeUnknown, StoreUnavailable
from tests.storage.dynamodb.scripted_server import CONDITION, CUT, OK, Answer, ScriptedServer, ok, refusal, scripted
from tests.storage.engines import header, record

LOG = "alice/n1"
FIRST = record(1, commit_id="mine", body=b'{"mine":1}')
STORED = encode_record(LOG, pack_record(LOG, FIRST))
UNKNOWN = {
    "cut": CUT,
    "500": Answer(500, b"{}"),
    "502": Answer(502, b"<html>"),
    "503": Answer(503, b""),
    "504": Answer(504, b"<html>"),
    "throttled": refusal("ThrottlingException"),
    "throughput": refusal("ProvisionedThroughputExceededException"),
    "limit": refusal("RequestLimitExceeded"),
    "conflict": refusal("TransactionConflictException"),
    "in progress": refusal("TransactionInProgressException"),
    "no JSON": Answer(200, b"<html>a hotel's login page</html>"),
    "damaged": Answer(200, b"{}", {"x-amz-crc32": "1"}),
    "a proxy's refusal": Answer(403, b"<html>"),
    "a redirect": Answer(302, b"", {"Location": "/elsewhere"}),
}


async def append(server: ScriptedServer) -> DynamoStore:
    """One append; gives the store that made it, closed, for what it counted."""
    store = DynamoStore(server.settings)
    try:
        await store.append(LOG, FIRST)
    finally:
        await store.close()
    return store


@pytest.mark.parametrize("answer", UNKNOWN.values(), ids=list(UNKNOWN))
async def test_W2_an_unknown_outcome_sends_the_very_same_bytes_again(answer: Answer) -> None:
    async with scripted(answer, answer, OK) as server:
        store = await append(server)
    assert server.actions == ["PutItem"] * 3
    assert len({one.body for one in server.asked}) == 1
    assert store.capacity.retries == {"append": 2}


@pytest.mark.parametrize("answer", UNKNOWN.values(), ids=list(UNKNOWN))
async def test_W2_a_write_that_stays_unknown_says_so_and_a_read_is_unavailable(answer: Answer) -> None:
    async with scripted(answer) as server:
        with pytest.raises(OutcomeUnknown, match="does not answer"):
            await append(server)
        assert len(server.asked) == ATTEMPTS_MAX
        store = DynamoStore(server.settings)
        with pytest.raises(StoreUnavailable, match="does not answer"):
            await store.read_newest(LOG)
        await store.close()


REFUSALS = [
    "AccessDeniedException",
    "ExpiredTokenException",
    "ResourceNotFoundException",
    "UnrecognizedClientException",
]


@pytest.mark.parametrize("code", REFUSALS)
async def test_W2_a_client_error_at_first_is_definite(code: str) -> None:
    async with scripted(refusal(code)) as server:
        with pytest.raises(StoreUnavailable):
            await append(server)


@pytest.mark.parametrize("code", REFUSALS)
async def test_W2_a_client_error_after_an_unknown_attempt_is_not(code: str) -> None:
    async with scripted(CUT, refusal(code)) as server:
        with pytest.raises(OutcomeUnknown):
            await append(server)


async def test_W2_no_connection_is_definite() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens here
        nowhere = DynamoSettings("quire", "quire-commits", "eu-west-1", f"http://127.0.0.1:{taken.getsockname()[1]}")
        store = DynamoStore(nowhere)
        with pytest.raises(StoreUnavailable, match=r"no connection to DynamoDB .*: check the network"):
            await store.append(LOG, FIRST)
        await store.close()


async def test_W2_a_server_that_does_not_answer_is_given_up() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()  # connects, and that is all
        settings = DynamoSettings("quire", "quire-commits", "eu-west-1", f"http://127.0.0.1:{silent.getsockname()[1]}")
        store = DynamoStore(settings, attempt_seconds=0.05)
        with pytest.raises(OutcomeUnknown, match=r"no answer within 0\.05 s"):
            await store.append(LOG, FIRST)
        await store.close()


async def test_W3_the_refusal_of_an_engine_that_gives_the_stored_item_needs_no_read() -> None:
    async with scripted(CUT, refusal(CONDITION, Item=STORED)) as server:
        with pytest.raises(KeyExists) as refused:
            await append(server)
        assert refused.value.stored == FIRST
        assert server.actions == ["PutItem", "PutItem"]
        assert server.asked[0].payload["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"


async def test_W3_an_engine_that_does_not_is_asked_once_consistently() -> None:
    async with scripted(refusal(CONDITION), ok(Item=STORED)) as server:
        with pytest.raises(KeyExists) as refused:
            await append(server)
        assert refused.value.stored == FIRST
        assert server.actions == ["PutItem", "GetItem"]
        assert server.asked[1].payload["ConsistentRead"] is True


async def test_W3_a_lost_answer_is_found_to_be_our_own_success() -> None:
    async with scripted(CUT, refusal(CONDITION), CUT, CUT, CUT, CUT, ok(Item=STORED)) as server:
        store = DynamoStore(server.settings)
        result = await append_until_definite(store, LOG, FIRST)
        await store.close()
        assert result.accepted
        assert server.actions == ["PutItem"] * 2 + ["GetItem"] * 5


async def test_W1_an_append_is_one_request_where_the_head_is_known() -> None:
    async with scripted(OK) as server:
        store = DynamoStore(server.settings)
        for revision in range(1, 20):
            await store.append(LOG, record(revision))
        await store.close()
        assert server.actions == ["PutItem"] * 19


async def test_W9_an_append_without_a_proof_of_its_head_reads_it_first(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("quire.storage.dynamodb.heads.elapsed_seconds", lambda: now)
    monkeypatch.setattr("quire.storage.dynamodb.commits.elapsed_seconds", lambda: now)
    async with scripted(OK, OK, ok(Item={"revision": {"N": "2"}}), OK, OK) as server:
        store = DynamoStore(server.settings)
        await store.append(LOG, record(1))
        now = 599.0
        await store.append(LOG, record(2))
        now += 600.0
        await store.append(LOG, record(3))
        now += 600.0
        with pytest.raises(KeyExists):  # whose predecessor is gone by now
            await store.append(LOG, record(4))
        await store.close()
        assert server.actions == ["PutItem", "PutItem", "GetItem", "PutItem", "GetItem"]


async def test_requests_are_signed_for_the_host_they_name_and_come_back_plain() -> None:
    async with scripted(OK) as server:
        await append(server)
    headers = server.asked[0].headers
    assert headers["Host"] == "127.0.0.1"
    assert "/eu-west-1/dynamodb/aws4_request, SignedHeaders=content-type;host;" in headers["Authorization"]
    assert "Accept-Encoding" not in headers  # the checksum is that of what is sent


async def test_C2_a_load_is_one_strongly_consistent_query() -> None:
    async with scripted(ok(Items=[STORED], Count=1)) as server:
        store = DynamoStore(server.settings)
        assert (await store.read_newest(LOG)).records == (FIRST,)
        await store.close()
    assert server.actions == ["Query"]
    asked = server.asked[0].payload
    assert (asked["Limit"], asked["ScanIndexForward"], asked["ConsistentRead"]) == (64, False, True)


async def test_H2_a_header_that_an_unanswered_attempt_made_is_ours() -> None:
    theirs = {"user_id": {"S": "alice"}, "notebook_id": {"S": "n1"}, "revision": {"N": "9"}}
    async with scripted(CUT, refusal(CONDITION, Item=theirs)) as server:
        store = DynamoStore(server.settings)
        with pytest.raises(HeaderExists):
            await store.create_header(header())
        await store.close()
        ours = server.asked[0].payload["Item"]
    async with scripted(CUT, refusal(CONDITION, Item=ours)) as server:
        store = DynamoStore(server.settings)
        await store.create_header(header())
        await store.close()


async def test_a_stored_item_that_is_not_ours_is_named() -> None:
    foreign = {"log_id": {"S": LOG}, "revision": {"N": "7"}, "body": {"S": "text"}}
    async with scripted(ok(Items=[foreign])) as server:
        store = DynamoStore(server.settings)
        with pytest.raises(DamagedRecord, match="revision 7 of log alice/n1"):
            await store.read_newest(LOG)
        await store.close()


async def test_W9_erasing_sends_again_what_was_not_processed() -> None:
    keys = [{"log_id": {"S": LOG}, "revision": {"N": str(number)}} for number in (1, 2)]
    rest = {"quire-commits": [{"DeleteRequest": {"Key": keys[1]}}]}
    async with scripted(ok(Items=keys), ok(UnprocessedItems=rest), OK, ok(Items=[])) as server:
        store = DynamoStore(server.settings)
        await store.delete_log(LOG)
        await store.close()
    assert server.actions == ["Query", "BatchWriteItem", "BatchWriteItem", "Query"]
    assert server.asked[2].payload["RequestItems"] == rest


async def test_closing_lets_what_was_asked_before_finish() -> None:
    async with scripted(OK) as server:
        store = DynamoStore(server.settings)
        asked = [asyncio.create_task(store.append(f"alice/{number}", FIRST)) for number in range(20)]
        await asyncio.sleep(0)  # each has begun
        await store.close()
        await asyncio.gather(*asked)
        assert len(server.asked) == 20


async def test_a_cancelled_call_leaves_nothing_behind() -> None:
    async with scripted(OK) as server:
        store = DynamoStore(server.settings)
        for _ in range(20):
            asked = asyncio.create_task(store.append(LOG, FIRST))
            await asyncio.sleep(0)
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked
        await store.append(LOG, FIRST)
        await store.close()
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []
