"""The session's callbacks: functions that live on the host's main thread, as coroutine functions in `builtins`.

Owns what they look like and how their arguments are bound; the calls under way are in `calls`, and `tools` offers them as a module.
"""

import builtins
import copy
import inspect
import keyword
from collections.abc import Callable
from typing import Any

from .asking import ask, ask_sync
from .notebook import BUILTINS
from .tool_call import ToolCall
from .values import NotConvertible, to_tree, type_name

# JSON Schema's types as a signature shows them.
_ANNOTATIONS = {
    "string": str, "integer": int, "number": float, "boolean": bool, "array": list, "object": dict, "null": None,
}  # fmt: skip


class Callbacks:
    """The callbacks attached to the session."""

    __slots__ = ("_descriptions", "_functions", "_gone")

    def __init__(self) -> None:
        self._descriptions: dict[str, dict[str, Any]] = {}
        self._functions: dict[str, Callable[..., Any]] = {}
        # Names that the session has had a callback for and has none now, as after a restore without it.
        self._gone: frozenset[str] = frozenset()

    def attach(self, descriptions: list[dict[str, Any]]) -> None:
        """Replace the callbacks. They are builtins, so that every module sees them and clearState leaves them."""
        described = {entry["name"]: entry for entry in descriptions}
        if described == self._descriptions and self._are_in_place():
            return  # as after most thaws
        functions = {entry["name"]: _function(entry) for entry in descriptions}
        for name, function in self._functions.items():
            if builtins.__dict__.get(name) is function:
                delattr(builtins, name)
                if name in BUILTINS:
                    setattr(builtins, name, BUILTINS[name])
        self._gone = (self._gone | self._functions.keys()) - functions.keys()
        self._descriptions = described
        self._functions = functions
        builtins.__dict__.update(functions)

    def _are_in_place(self) -> bool:
        return all(builtins.__dict__.get(name) is function for name, function in self._functions.items())

    def function(self, name: str) -> Callable[..., Any] | None:
        """The callback of that name, whatever `builtins` has."""
        return self._functions.get(name)

    def gone(self, name: object) -> str:
        """A sentence, if the session once had a callback of that name; else nothing."""
        if not isinstance(name, str) or name not in self._gone:
            return ""
        return f"This session had a callback named {name!r}; the host has to pass it again, in the option `callbacks`."

    def names(self) -> tuple[str, ...]:
        """In the order in which the host gave them."""
        return tuple(self._functions)

    def describe(self) -> list[dict[str, Any]]:
        """Name, description and parameters of each; a copy."""
        return copy.deepcopy([*self._descriptions.values()])

    def call_sync(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call and block until the answer is there. Raises NameError when there is no such callback."""
        if not isinstance(name, str):
            raise TypeError(f"call_sync() takes the name of a callback, not {type(name).__name__!r}")
        entry = self._descriptions.get(name)
        if entry is None:
            raise NameError(f"this session has no callback named {name!r}", name=name)
        return ask_sync(name, _arguments(name, _order(entry), args, kwargs))


def _function(entry: dict[str, Any]) -> Callable[..., Any]:
    name = entry["name"]
    order = _order(entry)

    async def call(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return await ask(name, _arguments(name, order, args, kwargs))

    def callback(*args: Any, **kwargs: Any) -> ToolCall:
        return ToolCall(name, call(args, kwargs))

    call.__name__ = call.__qualname__ = name
    inspect.markcoroutinefunction(callback)
    callback.__name__ = callback.__qualname__ = name
    callback.__module__ = "builtins"
    callback.__doc__ = entry.get("description") or None
    signature = inspect.Signature(_parameters(entry.get("parameters") or {}))
    callback.__signature__ = signature
    callback.__annotations__ = {
        parameter.name: parameter.annotation
        for parameter in signature.parameters.values()
        if parameter.annotation is not parameter.empty
    }
    return callback


def _order(entry: dict[str, Any]) -> tuple[str, ...]:
    return tuple(_properties(entry.get("parameters") or {}))


def _arguments(name: str, order: tuple[str, ...], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    if len(args) > len(order):
        takes = f"at most {len(order)} positional argument{'s' * (len(order) > 1)}" if order else "keyword arguments only"
        raise TypeError(f"{name}() takes {takes} ({len(args)} positional given)")
    named = dict(zip(order, args, strict=False))
    for key in kwargs:
        if key in named:
            raise TypeError(f"{name}() got multiple values for argument {key!r}")
    return {key: _tree(name, key, value) for key, value in (named | kwargs).items()}


def _tree(name: str, key: str, value: Any) -> Any:
    try:
        return to_tree(value)
    except NotConvertible as error:
        part = f": {error.describe(key, value)}" if error.place or str(error) else ""
        raise TypeError(
            f"{name}() argument {key!r}: cannot convert {type_name(value)!r} to a JavaScript value{part}"
        ) from None


def _properties(schema: dict[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties")
    return properties if isinstance(properties, dict) else {}


def _parameters(schema: dict[str, Any]) -> list[inspect.Parameter]:
    """In the order in which positional arguments are taken, which is the schema's."""
    properties = _properties(schema)
    named = {key: part for key, part in properties.items() if key.isidentifier() and not keyword.iskeyword(key)}
    required = schema.get("required")
    required = required if isinstance(required, list) else []
    # Python's signatures have no parameter without a default after one with.
    optional_from = max((at + 1 for at, key in enumerate(named) if key in required), default=0)
    parameters = [
        inspect.Parameter(
            key,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=_default(part) if at >= optional_from else inspect.Parameter.empty,
            annotation=_annotation(part),
        )
        for at, (key, part) in enumerate(named.items())
    ]
    # Keywords that are not declared, or cannot be a parameter's name, are the host's to judge.
    if not properties or len(named) < len(properties) or schema.get("additionalProperties"):
        name = "arguments"
        while name in named:
            name += "_"
        parameters.append(inspect.Parameter(name, inspect.Parameter.VAR_KEYWORD))
    return parameters


def _default(part: Any) -> Any:
    return part.get("default") if isinstance(part, dict) else None


def _annotation(part: Any) -> Any:
    kind = part.get("type") if isinstance(part, dict) else None
    return _ANNOTATIONS.get(kind, inspect.Parameter.empty) if isinstance(kind, str) else inspect.Parameter.empty
