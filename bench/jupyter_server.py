"""Jupyter Server with its file manager: installed beside Quire, started on a folder, asked over HTTP."""

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from bench.foreign import interpreter
from bench.notebooks import cell_name
from bench.serving import await_health, free_port
from bench.wire import Http

VERSION = "2.21.1"
STOP_S = 20.0

NotebookFile = dict[str, Any]


@dataclass(frozen=True, slots=True)
class JupyterServer:
    """A running one."""

    port: int
    pid: int
    files: Path
    """Its root."""


@contextmanager
def jupyter_server(folder: Path) -> Iterator[JupyterServer]:
    """A server whose files, settings and home are in `folder`. Raises NotInstallable."""
    python, port = interpreter("jupyter_server", VERSION), free_port()
    files, home = folder / "files", folder / "home"
    for made in (files, home):
        made.mkdir()
    command = [str(python), "-m", "jupyter_server", "--no-browser", "--allow-root", "--log-level=ERROR"]
    command += [f"--ServerApp.root_dir={files}", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    command += ["--ServerApp.ip=127.0.0.1", "--ServerApp.disable_check_xsrf=True", "--IdentityProvider.token="]
    private = {name: str(home) for name in ("HOME", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR")}
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ | private,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        await_health(port, "/api/status")
        yield JupyterServer(port, process.pid, files)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def notebook_file(codes: Sequence[str]) -> NotebookFile:
    """What JupyterLab sends of a notebook that was never run."""
    return {
        "cells": [
            {
                "cell_type": "code",
                "id": cell_name(number),
                "metadata": {"trusted": True},
                "execution_count": None,
                "source": code,
                "outputs": [],
            }
            for number, code in enumerate(codes)
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def save_body(notebook: NotebookFile) -> bytes:
    """The body of a PUT."""
    return msgspec.json.encode({"type": "notebook", "format": "json", "content": notebook})


def contents_path(name: str) -> str:
    return f"/api/contents/{name}"


def first_source(http: Http, path: str) -> str:
    """The code of the first cell, as the server has it."""
    return str(http.json("GET", f"{path}?content=1")["content"]["cells"][0]["source"])
