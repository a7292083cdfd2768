"""The user's namespace: the dictionary of `__main__`, which holds nothing of the kernel."""

import builtins
import keyword
import sys
import typing
import unicodedata
from types import ModuleType
from typing import Any

from _suggestions import _generate_suggestions

# What CPython puts into `__main__` before any code runs; `__builtins__` is added when code runs.
_OWN_NAMES = ("__name__", "__doc__", "__package__", "__loader__", "__spec__")
# With what CPython adds by itself when code runs: names that are nobody's variables.
HIDDEN_NAMES = frozenset(
    {*_OWN_NAMES, "__annotate__", "__annotations__", "__builtins__", "__conditional_annotations__"}
    | {"__warningregistry__"}
)


class Namespace:
    """Owns `__main__`; `names` is its dictionary, and stays the same object for the life of the interpreter."""

    __slots__ = ("_module", "_own", "names")

    def __init__(self) -> None:
        # The module is kept: its dictionary would be emptied if code took it out of sys.modules.
        self._module: ModuleType = sys.modules["__main__"]
        self.names: dict[str, Any] = self._module.__dict__
        self._own = {name: self.names.get(name) for name in _OWN_NAMES}

    def get(self, name: str) -> Any:
        """The value of a global; raises NameError."""
        try:
            return self.names[_normalized(name)]
        except KeyError:
            # Without `name=`: CPython would suggest names of this function and builtins.
            raise NameError(f"name {name!r} is not defined{self._suggestion(name)}") from None

    def _suggestion(self, name: str) -> str:
        names = [other for other in self.names if type(other) is str and other not in HIDDEN_NAMES]
        meant = _generate_suggestions(names, name)
        return "" if meant is None else f". Did you mean: {meant!r}?"

    def set(self, name: str, value: Any) -> None:
        """Assign a global; raises ValueError for what could not be assigned in Python source."""
        normalized = _normalized(name)
        if not name.isidentifier() or keyword.iskeyword(normalized):
            raise ValueError(f"not a valid Python name: {name!r}")
        self.names[normalized] = value

    def clear(self) -> None:
        """Delete every user name, and what the interpreter remembers of their values by itself."""
        self.names.clear()
        self.names.update(self._own)
        self.names["__builtins__"] = builtins
        sys.modules["__main__"] = self._module
        builtins.__dict__.pop("_", None)
        for name in ("last_exc", "last_type", "last_value", "last_traceback"):
            sys.__dict__.pop(name, None)
        for clear_cache in typing._cleanups:  # List[C] and the like keep C alive
            clear_cache()
        sys._clear_internal_caches()


def _normalized(name: str) -> str:
    # The compiler normalizes identifiers, so an unnormalized name would be out of reach for code.
    return name if name.isascii() else unicodedata.normalize("NFKC", name)
