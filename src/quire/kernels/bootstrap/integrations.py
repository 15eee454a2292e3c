"""Libraries that must be told where they are, as soon as a cell has imported them."""

import builtins
import importlib.abc
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


def _altair(module: Any) -> None:
    """Charts as Vega-Lite specifications: the default is a page that loads scripts from elsewhere."""
    module.renderers.enable("mimetype")


def _plotly(module: Any) -> None:
    """Figures as JSON, without plotly.js in each.

    Not plotly's own `plotly_mimetype`: `figure.show()` would want nbformat, which nothing else here needs.
    """
    bundle_of = module.base_renderers.PlotlyRenderer().to_mimebundle

    class Renderer(module.base_renderers.ExternalRenderer):  # type: ignore[misc]  # known at run time only
        def render(self, figure: dict[str, Any]) -> None:
            builtins.display(bundle_of(figure), raw=True)  # type: ignore[attr-defined]  # IPython put it there

    module.renderers["quire"] = Renderer()
    module.renderers.default = "quire"


_AFTER_IMPORT: dict[str, Callable[[Any], None]] = {"altair": _altair, "plotly.io": _plotly}


class _Loader(importlib.abc.Loader):
    def __init__(self, loader: importlib.abc.Loader, then: Callable[[Any], None]) -> None:
        self._loader = loader
        self._then = then

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        # From here on the module is as if we had not been there: `module.__loader__` serves resources and sources.
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._then(module)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds modules as everybody else does, and has some of them set up when they are loaded."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        then = _AFTER_IMPORT.get(name)
        if then is None:
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                spec.loader = _Loader(spec.loader, then)
                return spec
        return None


def install() -> None:
    sys.meta_path.insert(0, _Finder())
