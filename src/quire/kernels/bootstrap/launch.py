"""Entry point of a kernel's process: `python launch.py OPTIONS`, with the options as JSON."""

import importlib
import importlib.util
import json
import sys
from pathlib import Path

PACKAGE = "quire_kernel"


def main() -> None:
    """Load this folder as a package of its own name, and start the kernel, or what kernels are copied from."""
    folder = Path(__file__).resolve().parent
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != folder]
    options = json.loads(sys.argv[1])
    sys.argv[1:] = []
    spec = importlib.util.spec_from_file_location(
        PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{folder} is not a package")
    package = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)
    app = importlib.import_module(f"{PACKAGE}.app")
    if "zygote" in options:
        options = importlib.import_module(f"{PACKAGE}.zygote").serve(**options["zygote"])
    app.start(options)


if __name__ == "__main__":
    main()
