"""Settings, from the environment; command-line flags win."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote, unquote

AuthMode = Literal["local", "jwt"]
RunMode = Literal["automatic", "lazy"]

_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


class ConfigError(Exception):
    """A setting that cannot be used; the message names it and says what it may be."""


@dataclass(frozen=True, slots=True)
class Config:
    """How this server runs. `token`: the local token; empty: none is asked for."""

    host: str = "127.0.0.1"
    port: int = 8000
    store: str = ""
    blobs: str = ""
    auth: AuthMode = "local"
    token: str = ""
    run_mode: RunMode = "automatic"
    kernel: str = ""
    """What runs notebooks: an interpreter's path or the name of a Jupyter kernel; empty: the server's interpreter."""
    kernel_preload: tuple[str, ...] = ("numpy", "pandas")
    kernel_memory_bytes: int = 4 << 30
    kernel_processes_max: int = 256
    kernel_nice: int = 5
    kernel_idle_s: float = 0
    kernel_pool: int = 1
    cell_seconds_max: float = 0
    log_format: Literal["text", "json"] = "text"


def data_folder(environ: Mapping[str, str]) -> Path:
    """Where the embedded store is kept unless told otherwise: `$XDG_DATA_HOME/quire`."""
    base = environ.get("XDG_DATA_HOME") or str(Path(environ.get("HOME", "~")).expanduser() / ".local" / "share")
    return Path(base) / "quire"


def store_url(environ: Mapping[str, str]) -> str:
    """`QUIRE_STORE`, else the DynamoDB table, else SQLite in the data folder."""
    if url := environ.get("QUIRE_STORE"):
        return url
    if table := environ.get("DYNAMODB_TABLE_NAME"):
        return f"dynamodb://{table}"
    return f"sqlite://{quote(str(data_folder(environ) / 'quire.db'))}"


def blobs_url(environ: Mapping[str, str], store: str) -> str:
    """`QUIRE_BLOBS`, else a folder beside the embedded store."""
    if url := environ.get("QUIRE_BLOBS"):
        return url
    scheme, _, path = store.partition("://")
    if scheme == "sqlite":
        return str(_in_place(unquote(path)).with_name("blobs"))
    if scheme == "files":
        return f"{_in_place(unquote(path))}-blobs"
    if store.startswith("memory:"):
        return "memory:"
    return str(data_folder(environ) / "blobs")


def _in_place(path: str) -> Path:
    """As in a store's URL: ``/~/`` is the home folder."""
    return Path(path[1:]).expanduser() if path.startswith("/~/") else Path(path)


def load_config(environ: Mapping[str, str] = os.environ, **flags: str | int | bool | None) -> Config:
    """The settings of `environ`, with `flags` that are not None in their place.

    Raises:
        ConfigError: a value that cannot be used.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    store = str(given.get("store") or store_url(environ))
    auth = str(given.get("auth") or environ.get("QUIRE_AUTH") or "local")
    if auth not in {"local", "jwt"}:
        raise ConfigError(f"QUIRE_AUTH (--auth) is 'local' or 'jwt', not {auth!r}")
    run_mode = str(given.get("run_mode") or environ.get("QUIRE_RUN_MODE") or "automatic")
    if run_mode not in {"automatic", "lazy"}:
        raise ConfigError(f"QUIRE_RUN_MODE (--run-mode) is 'automatic' or 'lazy', not {run_mode!r}")
    preload = environ.get("QUIRE_KERNEL_PRELOAD", "numpy,pandas")
    log_format = environ.get("QUIRE_LOG_FORMAT", "text")
    if log_format not in {"text", "json"}:
        raise ConfigError(f"QUIRE_LOG_FORMAT is 'text' or 'json', not {log_format!r}")
    return Config(
        host=str(given.get("host", "127.0.0.1")),
        port=int(given.get("port", 8000)),
        store=store,
        blobs=str(given.get("blobs") or blobs_url(environ, store)),
        auth="jwt" if auth == "jwt" else "local",
        token="" if given.get("no_token") else environ.get("QUIRE_TOKEN", ""),
        run_mode="lazy" if run_mode == "lazy" else "automatic",
        kernel=environ.get("QUIRE_KERNEL", ""),
        kernel_preload=tuple(filter(None, map(str.strip, preload.split(",")))),
        kernel_memory_bytes=_number(environ, "QUIRE_KERNEL_MEMORY_MB", 4096) << 20,
        kernel_processes_max=_number(environ, "QUIRE_KERNEL_PROCESSES", 256),
        kernel_nice=min(19, _number(environ, "QUIRE_KERNEL_NICE", 5)),
        kernel_idle_s=60 * _decimal(environ, "QUIRE_KERNEL_IDLE_MINUTES"),
        kernel_pool=_number(environ, "QUIRE_KERNEL_POOL", 1),
        cell_seconds_max=_decimal(environ, "QUIRE_CELL_SECONDS"),
        log_format="json" if log_format == "json" else "text",
    )


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name, "")
    if not text:
        return default
    if not text.isdecimal():
        raise ConfigError(f"{name} is a whole number, 0 or more, not {text!r}")
    return int(text)


def _decimal(environ: Mapping[str, str], name: str) -> float:
    text = environ.get(name, "")
    if not text:
        return 0
    if not _DECIMAL.fullmatch(text):
        raise ConfigError(f"{name} is a number, 0 (no limit) or more, not {text!r}")
    return float(text)
