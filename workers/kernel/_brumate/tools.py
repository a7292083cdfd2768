"""`tools`: the session's callbacks as a module, `from tools import search`, and as a namespace without an import, `tools.search()`.

Owns the module and how it is found. A module of the user's with this name comes first.
"""

import builtins
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from .callbacks import Callbacks

NAME = "tools"


class Tools(ModuleType):
    """Its names are the callbacks that the session has now."""

    def __init__(self, callbacks: Callbacks) -> None:
        super().__init__(NAME, "The functions that the host offers to this session. Await them.")
        self.__dict__["_callbacks"] = callbacks

    def __getattr__(self, name: str) -> Any:
        callbacks = self.__dict__["_callbacks"]
        function = callbacks.function(name)
        if function is not None:
            return function
        if name == "__all__":
            return [*callbacks.names()]
        if name.startswith("__"):
            raise AttributeError(f"module {NAME!r} has no attribute {name!r}", name=name, obj=self)
        names = ", ".join(callbacks.names()) or "none"
        gone = callbacks.gone(name)
        text = f"this session has no tool named {name!r}; it has: {names}{gone and f'. {gone}'}"
        raise AttributeError(text, name=name, obj=self)

    def __dir__(self) -> list[str]:
        return [*self.__dict__["_callbacks"].names()]

    def __repr__(self) -> str:
        return f"<module {NAME!r} of the host: {', '.join(dir(self)) or 'no tools'}>"


class _Finder:
    """The last of all finders, and a loader."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def find_spec(self, fullname: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        return ModuleSpec(NAME, self, origin="the host") if fullname == NAME else None

    def create_module(self, spec: ModuleSpec) -> Tools:
        return self._tools

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to run."""


def install(callbacks: Callbacks) -> None:
    """Offer the callbacks as `tools`; once."""
    tools = Tools(callbacks)
    sys.meta_path.append(_Finder(tools))
    builtins.__dict__[NAME] = tools
