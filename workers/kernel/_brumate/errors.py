"""Errors of host functions as Python exceptions: of the class that has the same name, where Python has one."""

import builtins
import functools
from typing import Any, Self


class HostError(Exception):
    """An error of a host function whose class Python does not have; `name` is its JavaScript name."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(name, message)
        self.name = name
        self.message = message

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[type[Self], tuple[str, str]]:
        return type(self), (self.name, self.message)


def naming_host_errors(init: Any) -> Any:
    """For `TracebackException.__init__`: a traceback names the JavaScript error, which the exception's text does not."""

    @functools.wraps(init)
    def initialize(self: Any, exc_type: Any, exc_value: Any, *args: Any, **kwargs: Any) -> None:
        init(self, exc_type, exc_value, *args, **kwargs)
        if isinstance(exc_value, HostError) and isinstance(exc_value.name, str):
            self._str = f"{exc_value.name}: {self._str}" if self._str else exc_value.name

    return initialize


HostError.__module__ = "brumate"  # where it is public

# A future does not take them, and a coroutine that raises them fails in another way.
_END_ITERATION = (StopIteration, StopAsyncIteration)


def host_exception(name: str, message: str) -> Exception:
    """The exception for an error of a host function."""
    kind = builtins.__dict__.get(name)
    if isinstance(kind, type) and issubclass(kind, Exception) and not issubclass(kind, _END_ITERATION):
        try:
            return kind(message)
        except TypeError:
            pass  # a class that takes more than a message, as UnicodeDecodeError
    return HostError(name, message)
