"""Which interpreter runs notebooks."""

import json
import sys
from pathlib import Path

import pytest

from quire.kernels.jupyter import JupyterKernel
from quire.kernels.kernelspec import NoSuchKernel, find_kernel
from quire.kernels.launchers import Launchers
from quire.kernels.settings import KernelSettings
from tests.kernels.driver import Driver


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of kernels that are installed on this machine, empty."""
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "kernels"


def kernel(folder: Path, name: str, *argv: str, **env: str) -> None:
    (folder / name).mkdir(parents=True)
    spec = {"argv": argv, "display_name": name, "language": "python", "env": env}
    (folder / name / "kernel.json").write_text(json.dumps(spec))


def test_the_servers_own() -> None:
    assert find_kernel("").command == (sys.executable,)


def test_a_path() -> None:
    assert find_kernel(sys.executable).command == (sys.executable,)
    with pytest.raises(NoSuchKernel, match="/no/such/python is not a program"):
        find_kernel("/no/such/python")


def test_a_name(install: Path) -> None:
    kernel(install, "mine", "/usr/bin/env", "A=1", sys.executable, "-m", "ipykernel_launcher", "-f", "{file}", B="2")
    found = find_kernel("mine")
    assert found.command == ("/usr/bin/env", "A=1", sys.executable)
    assert dict(found.variables) == {"B": "2"}


def test_names_that_do_not_work(install: Path) -> None:
    kernel(install, "other", "R", "--slave", "-e", "IRkernel::main()")
    kernel(install, "gone", "/no/such/python", "-m", "ipykernel_launcher", "-f", "{file}")
    with pytest.raises(NoSuchKernel, match=r"no Jupyter kernel 'nothing'.*gone, other"):
        find_kernel("nothing")
    with pytest.raises(NoSuchKernel, match="'other' does not run"):
        find_kernel("other")
    with pytest.raises(NoSuchKernel, match="/no/such/python, which is not there"):
        find_kernel("gone")


@pytest.mark.parametrize("forked", [True, False])
async def test_it_runs_cells(install: Path, *, forked: bool) -> None:
    kernel(install, "mine", "/usr/bin/env", sys.executable, "-m", "ipykernel_launcher", "-f", "{file}", FROM_SPEC="yes")
    found = find_kernel("mine")
    settings = KernelSettings(command=found.command, variables=found.variables, forked=forked, preload=())
    launchers = Launchers(settings)
    driver = Driver(await JupyterKernel.start(settings, launchers))
    assert (await driver.cell("import os\nos.environ['FROM_SPEC']")).text == "'yes'"
    await driver.kernel.close()
    await launchers.close()
