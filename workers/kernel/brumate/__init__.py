"""What a session's code can ask of the host it runs in."""

from typing import Any

from _brumate.callbacks import HostError
from _brumate.link import KERNEL as _KERNEL

__all__ = ["HostError", "call_sync", "callbacks"]


def callbacks() -> list[dict[str, Any]]:
    """The callbacks of this session: name, description and parameters (JSON Schema) of each."""
    return [dict(entry) for entry in _KERNEL.callbacks.descriptions]


def call_sync(name: str, /, **arguments: Any) -> Any:
    """Call a callback and block until it answers; for code that cannot await."""
    if not any(entry["name"] == name for entry in _KERNEL.callbacks.descriptions):
        raise NameError(f"this session has no callback named {name!r}", name=name)
    raise NotImplementedError("brumate.call_sync is not available yet; use `await` instead")
