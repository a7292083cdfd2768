"""What calling a callback gives: to be awaited, as the coroutine of an `async def` would be, or iterated with `async for`.

Owns this object only; arguments are bound in `callbacks`, and iterables of the host are in `iterators`.
"""

from collections.abc import AsyncIterator, Awaitable, Coroutine, Generator
from types import CoroutineType
from typing import Any, Self


class ToolCall:
    """One call, made when it is first awaited or iterated."""

    # The coroutine is CPython's own, so that one that is never awaited is reported like any other.
    __slots__ = ("__weakref__", "_coroutine", "_items", "_name")

    def __init__(self, name: str, coroutine: CoroutineType[Any, Any, Any]) -> None:
        self._name = name
        self._coroutine = coroutine
        self._items: AsyncIterator[Any] | None = None

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._coroutine.__await__()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        if self._items is None:
            value = await self._coroutine
            if not isinstance(value, AsyncIterator):
                raise TypeError(
                    f"'async for' needs a callback that returns an async iterable, but {self._name}() returned"
                    f" {type(value).__name__!r}; use 'await {self._name}()'"
                )
            self._items = value
        return await self._items.__anext__()

    async def aclose(self) -> None:
        """End the iteration early: the host lets go of what it comes from."""
        if self._items is None:
            self._coroutine.close()
        else:
            await self._items.aclose()

    def __repr__(self) -> str:
        return f"<call of {self._name}()>"

    # What asyncio and inspect expect of a coroutine.

    def send(self, value: Any) -> Any:
        return self._coroutine.send(value)

    def throw(self, *error: Any) -> Any:
        return self._coroutine.throw(*error)

    def close(self) -> None:
        self._coroutine.close()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("cr_") or name in ("__name__", "__qualname__"):
            return getattr(self._coroutine, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)


ToolCall.__module__ = "brumate"
Coroutine.register(ToolCall)
Awaitable.register(ToolCall)
