"""Host calls: functions that live on the host's main thread, as coroutine functions in `builtins`.

Owns the ids, the calls not yet sent (the outbox) and the futures that wait for answers.
"""

import asyncio
import builtins
import inspect
from collections.abc import Callable
from typing import Any

from .loop import SessionLoop
from .values import NotConvertible, dump, from_bytes, to_tree



class HostCall:
    """One call: what the host is told, kept until it answers, and the future that then completes."""

    __slots__ = ("arguments", "future", "id", "name")

    def __init__(self, call_id: int, name: str, arguments: bytes, future: asyncio.Future) -> None:
        self.id = call_id
        self.name = name
        # As marshal bytes: the caller may change the objects afterwards.
        self.arguments = arguments
        self.future = future


class HostError(Exception):
    """An error of a host function whose class Python does not have; `name` is its JavaScript name."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message


HostError.__module__ = "brumate"  # where it is public


class Callbacks:
    """The callbacks attached to the session, and the host calls under way."""

    __slots__ = ("_calls", "_functions", "_next_id", "descriptions", "outbox")

    def __init__(self) -> None:
        self.descriptions: list[dict[str, Any]] = []
        self.outbox: list[HostCall] = []
        self._functions: dict[str, Callable[..., Any]] = {}
        self._calls: dict[int, HostCall] = {}
        self._next_id = 1

    def attach(self, descriptions: list[dict[str, Any]]) -> None:
        """Replace the callbacks. They are builtins, so that every module sees them and clearState leaves them."""
        for name, function in self._functions.items():
            if builtins.__dict__.get(name) is function:
                delattr(builtins, name)
        self.descriptions = descriptions
        self._functions = {entry["name"]: self._function(entry) for entry in descriptions}
        builtins.__dict__.update(self._functions)

    def is_waiting(self) -> bool:
        """Whether the host still owes an answer."""
        return bool(self._calls)

    def outstanding(self) -> list[HostCall]:
        """The calls that the host has not answered, in their order."""
        return [*self._calls.values()]

    def forget(self) -> None:
        """Drop every call under way; answers that come later are ignored."""
        self._calls.clear()
        self.outbox = []

    def answer(self, call_id: int, ok: bool, payload: Any) -> None:
        """Complete the call's future. An id that is not awaited any more is not an error: the task was cancelled."""
        call = self._calls.pop(call_id, None)
        if call is None or call.future.done():
            return
        future = call.future
        try:
            value = from_bytes(payload)
        except Exception as error:
            future.set_exception(error)
            return
        if ok:
            future.set_result(value)
        else:
            future.set_exception(_host_exception(*value))

    async def call(self, name: str, arguments: dict[str, Any]) -> Any:
        """Ask the host and wait for its answer."""
        loop = asyncio.get_running_loop()
        if not isinstance(loop, SessionLoop):
            raise RuntimeError(f"{name}() can not be called inside asyncio.run(); use top-level await")
        tree = {key: _argument(name, key, value) for key, value in arguments.items()}
        call = HostCall(self._next_id, name, dump(tree), loop.create_future())
        self._next_id += 1
        self._calls[call.id] = call
        self.outbox.append(call)
        try:
            return await call.future
        finally:
            self._calls.pop(call.id, None)
            if call in self.outbox:
                self.outbox.remove(call)

    def _function(self, entry: dict[str, Any]) -> Callable[..., Any]:
        name = entry["name"]
        order = tuple((entry.get("parameters") or {}).get("properties") or ())

        async def callback(*args: Any, **kwargs: Any) -> Any:
            return await self.call(name, _named(name, order, args, kwargs))

        callback.__name__ = callback.__qualname__ = name
        callback.__module__ = "builtins"
        callback.__doc__ = entry.get("description") or None
        del callback.__annotations__
        callback.__signature__ = _signature(entry.get("parameters") or {})
        return callback


def _named(name: str, order: tuple[str, ...], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    if len(args) > len(order):
        takes = f"at most {len(order)} positional arguments" if order else "keyword arguments only"
        raise TypeError(f"{name}() takes {takes} ({len(args)} positional given)")
    named = dict(zip(order, args, strict=False))
    for key in kwargs:
        if key in named:
            raise TypeError(f"{name}() got multiple values for argument {key!r}")
    return named | kwargs


def _argument(name: str, key: str, value: Any) -> Any:
    try:
        return to_tree(value)
    except NotConvertible:
        raise TypeError(
            f"{name}() argument {key!r}: cannot convert {type(value).__name__!r} to a JavaScript value"
        ) from None


def _signature(parameters: dict[str, Any]) -> inspect.Signature:
    properties = parameters.get("properties")
    if not properties:
        return inspect.Signature([inspect.Parameter("arguments", inspect.Parameter.VAR_KEYWORD)])
    required = parameters.get("required") or ()
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Signature(
        [inspect.Parameter(key, kind) for key in properties if key in required]
        + [inspect.Parameter(key, kind, default=None) for key in properties if key not in required]
    )


def _host_exception(name: str, message: str) -> Exception:
    kind = builtins.__dict__.get(name)
    if isinstance(kind, type) and issubclass(kind, Exception):
        try:
            return kind(message)
        except TypeError:
            pass  # a class that takes more than a message, as UnicodeDecodeError
    return HostError(name, message)
