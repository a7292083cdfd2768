"""What a session's code can ask of the host it runs in."""

from typing import Any

from _brumate.errors import HostError
from _brumate.iterators import HostIterator
from _brumate.link import KERNEL as _KERNEL

__all__ = ["HostError", "HostIterator", "call_sync", "callbacks"]


def callbacks() -> list[dict[str, Any]]:
    """The callbacks of this session: name, description and parameters (JSON Schema) of each."""
    return _KERNEL.callbacks.describe()


def call_sync(name: str, /, *args: Any, **kwargs: Any) -> Any:
    """Call a callback and block until it answers; for code that cannot await."""
    return _KERNEL.callbacks.call_sync(name, args, kwargs)
