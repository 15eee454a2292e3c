import sys
from pathlib import Path

import pytest

from quire.storage.dynamodb.settings import DynamoSettings, InvalidSettings, read_settings
from quire.storage.urls import InvalidStoreUrl, open_store

REGION = {"AWS_REGION": "eu-west-1"}


def test_the_environment_completes_the_url() -> None:
    assert read_settings("dynamodb://Quire.prod_1-x", REGION) == DynamoSettings(
        "Quire.prod_1-x", "Quire.prod_1-x-commits", "eu-west-1"
    )
    everything = REGION | {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": "http://everything",
        "AWS_ENDPOINT_URL_DYNAMODB": "http://localhost:8000",
        "DYNAMODB_COMMITS_TABLE_NAME": "log",
    }
    assert read_settings("dynamodb://quire", everything) == DynamoSettings(
        "quire", "log", "eu-west-1", "http://localhost:8000"
    )
    del everything["AWS_REGION"], everything["AWS_ENDPOINT_URL_DYNAMODB"]
    assert read_settings("dynamodb://quire", everything) == DynamoSettings(
        "quire", "log", "us-east-1", "http://everything"
    )


def test_the_url_wins() -> None:
    url = "dynamodb://quire?region=eu-central-1&endpoint_url=http%3A%2F%2Flocal%3A1&commits_table=c-1"
    environ = {"AWS_REGION": "x", "AWS_ENDPOINT_URL": "http://x", "DYNAMODB_COMMITS_TABLE_NAME": "xxx"}
    assert read_settings(url, environ) == DynamoSettings("quire", "c-1", "eu-central-1", "http://local:1")


def test_the_region_of_the_profile_is_the_last_resort(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config"
    config.write_text("[profile team]\nregion = ap-south-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "team")
    assert read_settings("dynamodb://quire", {}).region == "ap-south-1"


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("dynamodb://", "3 to 255 letters"),
        ("dynamodb://ab", "3 to 255 letters"),
        ("dynamodb://qui%20re", "3 to 255 letters"),
        ("dynamodb:quire", "a DynamoDB URL is"),
        ("dynamodb://quire/x", "a DynamoDB URL is"),
        ("dynamodb://quire#x", "a DynamoDB URL is"),
        ("dynamodb://quire?regoin=eu-west-1", "no option 'regoin'"),
        ("dynamodb://quire?region=Frankfurt!", "lower-case letters"),
        ("dynamodb://quire?commits_table=quire", "two different tables"),
        ("dynamodb://quire?endpoint_url=localhost:8000", "http:// or https://"),
        ("dynamodb://quire?endpoint_url=http://me:secret@host", "without credentials"),
        ("dynamodb://AKID:secret@quire", "holds no credentials"),
    ],
)
def test_a_wrong_url_is_refused_with_a_hint_and_without_its_secrets(url: str, hint: str) -> None:
    with pytest.raises(InvalidSettings, match=hint) as refusal:
        read_settings(url, REGION)
    assert "secret" not in str(refusal.value)


async def test_no_region_says_what_to_set() -> None:
    with pytest.raises(InvalidStoreUrl, match="Set AWS_REGION"):
        await open_store("dynamodb://quire")


async def test_a_store_url_opens_the_engine_and_asks_nothing() -> None:
    store = await open_store("dynamodb://quire?region=eu-west-1&endpoint_url=http://127.0.0.1:9")
    assert store.engine == "dynamodb"
    assert store.description == "DynamoDB tables quire and quire-commits in eu-west-1 at http://127.0.0.1:9"
    await store.close()


async def test_without_the_extra_it_says_which_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(("quire.storage.dynamodb.", "aiodynamo"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "aiodynamo", None)
    with pytest.raises(InvalidStoreUrl, match=r"needs the extra `aws`.*pip install 'quire\[aws\]'"):
        await open_store("dynamodb://quire?region=eu-west-1")
