"""E2: numbers that JSON can write and that mean nothing here."""

import httpx
import pytest

from tests.api.calls import add, show
from tests.limits.answers import refusal

ODD_NUMBERS = [
    "-1",
    "1.5",
    "9007199254740993",
    "9223372036854775808",
    "1e400",
    "NaN",
    "Infinity",
    "-0.0",
    '"1"',
    "true",
    "[]",
]
HUGE = "1" + "0" * 5000


@pytest.mark.parametrize("number", [*ODD_NUMBERS, HUGE], ids=[*ODD_NUMBERS, "5,000 digits"])
def test_E2_a_number_that_is_no_revision_is_refused(client: httpx.Client, notebook: str, number: str) -> None:
    cell = add(client, notebook, "x = 1")
    before = show(client, notebook)
    headers = {"Content-Type": "application/json"}
    for path, body in (
        (f"cells/{cell}", f'{{"code": "x = 2", "expected_revision": {number}}}'),
        ("restore", f'{{"revision": {number}}}'),
        ("restore", f'{{"revision": 1, "expected_revision": {number}}}'),
        ("name", f'{{"name": {number if number != chr(34) + "1" + chr(34) else "1"}}}'),
        (f"cells/{cell}/config", f'{{"disabled": {number if number != "true" else "1"}}}'),
    ):
        method = "POST" if path == "restore" else "PUT"
        answer = client.request(method, f"/api/notebooks/{notebook}/{path}", content=body, headers=headers)
        assert "limit" not in refusal(answer) or answer.json()["limit"] in {0, 1, 2**53}
    for query in ("revision", "before", "limit"):
        path = "" if query == "revision" else "/history"
        refusal(client.get(f"/api/notebooks/{notebook}{path}", params={query: number.strip('"') + "x"}))
        refusal(client.get(f"/api/notebooks/{notebook}{path}", params={query: "-1"}))
        refusal(client.get(f"/api/notebooks/{notebook}{path}", params={query: str(2**63)}))
    assert show(client, notebook) == before


@pytest.mark.parametrize("revision", [0, 2**53])
def test_E2_the_ends_of_what_a_revision_can_be(client: httpx.Client, notebook: str, revision: int) -> None:
    cell = add(client, notebook, "x = 1")
    answer = client.put(
        f"/api/notebooks/{notebook}/cells/{cell}", json={"code": "x = 2", "expected_revision": revision}
    )
    assert answer.status_code == (409 if revision == 0 else 200)
