"""The text of a cell's value: its repr(), or what stands there where it has none."""

from typing import Any

# The name of a class, whatever its metaclass says.
_NAME = type.__dict__["__name__"]


def text_of(value: Any) -> str:
    """repr(), or a placeholder where built-in types have none: the code that made the value has succeeded."""
    try:
        return str.__str__(repr(value))
    except (ValueError, MemoryError, RecursionError, OverflowError) as error:
        # Raised in a frame of Python code: a `__repr__` of the user's fails as user code does.
        if error.__traceback__.tb_next is not None:
            raise
        reason = "MemoryError" if isinstance(error, MemoryError) else f"{type(error).__name__}: {error}"
        return unprintable(value, reason)


def unprintable(value: Any, reason: str) -> str:
    """The placeholder."""
    return f"<{_NAME.__get__(type(value))} object whose repr() raises {reason}>"
