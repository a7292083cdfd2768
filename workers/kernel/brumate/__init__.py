"""What a session's code can ask of the host it runs in."""

import sys
from typing import Any

from _brumate.errors import HostError
from _brumate.iterators import HostIterator
from _brumate.link import KERNEL as _KERNEL
from _brumate.packages import installed as _installed

__all__ = ["HostError", "HostIterator", "call_sync", "callbacks", "packages", "set_figure_formats"]


def callbacks() -> list[dict[str, Any]]:
    """The callbacks of this session: name, description and parameters (JSON Schema) of each."""
    return _KERNEL.callbacks.describe()


def call_sync(name: str, /, *args: Any, **kwargs: Any) -> Any:
    """Call a callback and block until it answers; for code that cannot await."""
    return _KERNEL.callbacks.call_sync(name, args, kwargs)


def packages() -> dict[str, str]:
    """Name -> version of the packages that this session can import, besides the standard library."""
    return _installed()


def set_figure_formats(*formats: str) -> None:
    """How matplotlib's figures are shown from now on: any of "png" (the default), "svg", "jpeg" and "pdf"."""
    if "matplotlib.pyplot" not in sys.modules:
        import matplotlib.pyplot
    from _brumate.adapters.figures import set_formats

    set_formats(formats)
