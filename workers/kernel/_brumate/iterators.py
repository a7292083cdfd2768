"""Async iterables of the host: a callback answers with a number, and each step is a host call of a reserved name.

The names have a dot, so no callback can have them:
  iterator.next   {'iterator': number}  answers [True, None] at the end, else [False, value], or fails
  iterator.close  {'iterator': number}  ends it early; its answer is ignored where nobody waits for it
"""

from typing import Any, Self

from .asking import ask, ask_sync
from .calls import CALLS, LOST

_NEXT = "iterator.next"
_CLOSE = "iterator.close"


class HostIterator:
    """What a callback that returns an async iterable gives: for `async for`, or `for` in code that cannot await."""

    __slots__ = ("_ended", "_era", "_number")

    def __init__(self, number: int) -> None:
        self._number = number
        # Another host has other iterators under the same numbers.
        self._era = CALLS.era
        self._ended = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        if self._ended:
            raise StopAsyncIteration
        self._require_host()
        try:
            step = await ask(_NEXT, self._arguments())
        except Exception:
            self._ended = True
            raise
        return self._value(step, StopAsyncIteration)

    async def aclose(self) -> None:
        """End the iteration early: the host lets go of what it comes from."""
        if self._is_open():
            self._ended = True
            await ask(_CLOSE, self._arguments())

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        if self._ended:
            raise StopIteration
        self._require_host()
        try:
            step = ask_sync(_NEXT, self._arguments())
        except Exception:
            self._ended = True
            raise
        return self._value(step, StopIteration)

    def close(self) -> None:
        """As `aclose`, for code that cannot await."""
        if self._is_open():
            self._ended = True
            ask_sync(_CLOSE, self._arguments())

    def __del__(self) -> None:
        if self._is_open():
            CALLS.tell(_CLOSE, self._arguments())

    def __repr__(self) -> str:
        return "<brumate.HostIterator>"

    def _is_open(self) -> bool:
        return not self._ended and self._era == CALLS.era

    def _require_host(self) -> None:
        if self._era != CALLS.era:
            self._ended = True
            raise RuntimeError(LOST)

    def _arguments(self) -> dict[str, int]:
        return {"iterator": self._number}

    def _value(self, step: list[Any], end: type[Exception]) -> Any:
        self._ended, value = step
        if self._ended:
            raise end
        return value


HostIterator.__module__ = "brumate"
CALLS.make_iterator = HostIterator
