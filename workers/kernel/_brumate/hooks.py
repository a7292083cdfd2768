"""What the kernel adds to libraries that packages bring, at the moment they are imported: in the image or in a session.

Owns the table of modules and the loaders that notice their import. A session that imports none of them pays for a
look-up at each import of a module.
"""

import os
import sys
import warnings
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import spec_from_loader
from types import ModuleType
from typing import Any

# Module -> the adapter whose `adapt` gets the module once it has been executed.
_ADAPTED = {
    "altair": "vega",
    "IPython.core.display_functions": "ipython",
    "ctypes": "callbacks",
    "concurrent.futures.process": "processes",
    "getpass": "getpass",
    "matplotlib.pyplot": "figures",
    "numpy": "numeric",
    "numpy.random": "generators",
    "pandas": "tables",
    "pdb": "pdb",
    "PIL.Image": "images",
    "plotly.basedatatypes": "plotly",
    "plotly.io._renderers": "plotly",
}
# Modules that need JavaScript -> the adapter whose `fill` makes the module in their place.
_REPLACED = {
    "httpx._transports.jsfetch": "httpx",
    "urllib3.contrib.emscripten": "urllib3",
}
# Modules that an image may lack -> the adapter whose `fill` makes the module then.
_STANDING_IN = dict.fromkeys(
    ("IPython", "IPython.core", "IPython.core.display", "IPython.core.display_functions", "IPython.display"), "ipython"
)
# Module -> environment variables that it is to find, unless the session has its own.
_ENVIRONMENT = {"matplotlib": ("MPLBACKEND", "agg")}

_HOOKED = frozenset({*_ADAPTED, *_REPLACED, *_ENVIRONMENT})


def find_hooked(fullname: str, path: Any, target: ModuleType | None) -> ModuleSpec | None:
    """The spec of a module that needs something of the kernel's; None for all others."""
    if fullname not in _HOOKED:
        return None
    if fullname in _REPLACED:
        return spec_from_loader(fullname, _Replacement(_REPLACED[fullname]), is_package=True)
    spec = PathFinder.find_spec(fullname, path, target)
    if spec is None or not hasattr(spec.loader, "exec_module"):
        return spec
    spec.loader = _Noticing(spec.loader)
    return spec


class StandIns:
    """A finder behind all others: what the image has comes first."""

    @classmethod
    def find_spec(cls, fullname: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname not in _STANDING_IN or (path is not None and not _is_made_here(fullname.rpartition(".")[0])):
            return None
        return spec_from_loader(fullname, _Replacement(_STANDING_IN[fullname]), is_package=True)


def _is_made_here(name: str) -> bool:
    return isinstance(getattr(sys.modules.get(name), "__loader__", None), _Replacement)


def warm_up() -> None:
    """Let the libraries that are imported do once what sessions want of them; while an image is built."""
    for name, adapter in _ADAPTED.items():
        warm = getattr(_adapter(adapter), "warm_up", None) if name in sys.modules else None
        if warm is not None:
            warm()


class _Noticing:
    """Stands for a module's loader until the module is executed."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        # From here on everybody sees the loader that knows the module's files.
        module.__spec__.loader = module.__loader__ = self._loader
        name = module.__name__
        if name in _ENVIRONMENT:
            os.environ.setdefault(*_ENVIRONMENT[name])
        self._loader.exec_module(module)
        if name in _ADAPTED:
            _adapt(name, module)


class _Replacement:
    """Makes a module of the kernel's under the name of one that is not here."""

    def __init__(self, adapter: str) -> None:
        self._name = adapter

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        _adapter(self._name).fill(module)


def _adapter(name: str) -> ModuleType:
    return import_module(f"_brumate.adapters.{name}")


def _adapt(name: str, module: ModuleType) -> None:
    try:
        _adapter(_ADAPTED[name]).adapt(module)
    except Exception as error:
        # The library works without, and another version of it may have moved what the adapter needs.
        warnings.warn(
            f"{name} works, but what brumate adds to it (displays, values) does not: {type(error).__name__}: {error}",
            RuntimeWarning,
            stacklevel=1,
        )
