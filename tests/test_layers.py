"""Imports go downwards only: `.importlinter` says which, CONTRIBUTING.md why."""

import subprocess
import sys
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]

PROTOCOLS = {
    "quire.blobs.protocol",
    "quire.kernels.protocol",
    "quire.storage.append",
    "quire.storage.protocol",
}
"""What requests and sessions may know of blobs, kernels and storage: anything else there is one engine's business."""

CONTRACTS = ("quire.blobs.contract", "quire.storage.contract")
"""Tests that are shipped, for people who write engines."""

ENGINE_PACKAGES = ("quire.blobs", "quire.kernels", "quire.storage")


def test_imports_go_downwards_only() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_requests_and_sessions_know_protocols_and_no_engine() -> None:
    graph = grimp.build_graph("quire")
    users = [name for name in graph.modules if name.startswith(("quire.api", "quire.maintenance", "quire.sessions"))]
    assert users
    wrong = [
        f"{user} imports {imported}"
        for user in sorted(users)
        for imported in sorted(graph.find_modules_directly_imported_by(user))
        if imported.startswith(ENGINE_PACKAGES) and imported not in PROTOCOLS
    ]
    assert wrong == []


def test_only_the_contracts_need_what_tests_need_and_nothing_needs_them() -> None:
    graph = grimp.build_graph("quire", include_external_packages=True)
    contracts = {name for name in graph.modules if name.startswith(CONTRACTS)}
    assert len(contracts) > 4
    for package in ("pytest", "hypothesis", *contracts):
        assert graph.find_modules_that_directly_import(package) <= contracts
