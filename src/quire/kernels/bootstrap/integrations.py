"""Libraries that must be told where they are, as soon as a cell has imported them."""

import builtins
import importlib.abc
import sys
import time
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from IPython.core.getipython import get_ipython

from .streams import Writer


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


def _tqdm(module: Any) -> None:
    """Bars as text: the ones for notebooks are widgets, which nothing here could move."""

    class Bar(module.std_tqdm):  # type: ignore[misc]  # known at run time only
        """As a console has it, with the arguments of the one for notebooks."""

        def __init__(self, *args: Any, display: bool = True, **kwargs: Any) -> None:
            if isinstance(kwargs.get("ncols"), str):
                # A width for a page, such as `100%`.
                del kwargs["ncols"]
            super().__init__(*args, **{"disable": not display, **kwargs})

    def bars(*args: int, **kwargs: Any) -> Any:
        return Bar(range(*args), **kwargs)

    module.tqdm = module.tqdm_notebook = Bar
    module.trange = module.tnrange = bars
    # Not None, which it is without ipywidgets: `tqdm.auto` would warn that they are missing.
    module.IProgress = Bar


def _rich(module: Any) -> None:
    """What rich keeps up to date is one display; in a terminal it would be escape sequences that move a cursor."""
    live = module.Live
    refresh, process = live.refresh, live.process_renderables

    def is_ours(self: Any) -> bool:
        return isinstance(self.console.file, Writer) and not self._alt_screen

    def refresh_display(self: Any) -> None:
        if self._nested or not is_ours(self):
            refresh(self)
            return
        with self._lock:
            gone = self.transient and not self._started
            with self.console.capture() as captured:
                self.console.print(self.renderable)
            update = hasattr(self, "_display_id")
            if not update:
                self._display_id = f"rich-{id(self):x}-{time.monotonic_ns():x}"
            text = "" if gone else captured.get().rstrip("\n")
            shell: Any = get_ipython()
            shell.display_pub.publish(
                {"text/plain": text}, {}, transient={"display_id": self._display_id}, update=update
            )

    def process_renderables(self: Any, renderables: list[Any]) -> list[Any]:
        found: list[Any] = renderables if is_ours(self) else process(self, renderables)
        return found

    live.refresh, live.process_renderables = refresh_display, process_renderables


_AFTER_IMPORT: dict[str, Callable[[Any], None]] = {
    "altair": _altair,
    "plotly.io": _plotly,
    "rich.live": _rich,
    "tqdm.notebook": _tqdm,
}


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
    """Tell those that will be imported, and those that are there because all kernels begin with them."""
    for name, then in _AFTER_IMPORT.items():
        if name in sys.modules:
            then(sys.modules[name])
    sys.meta_path.insert(0, _Finder())
