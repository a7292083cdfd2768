"""Rich representations of a value: the MIME bundle of its `_repr_*_` methods."""

import inspect
import json
import sys
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType, NoneType
from typing import Any

_METHODS = (
    ("_repr_html_", "text/html"),
    ("_repr_markdown_", "text/markdown"),
    ("_repr_svg_", "image/svg+xml"),
    ("_repr_png_", "image/png"),
    ("_repr_jpeg_", "image/jpeg"),
    ("_repr_pdf_", "application/pdf"),
    ("_repr_latex_", "text/latex"),
    ("_repr_json_", "application/json"),
    ("_repr_javascript_", "application/javascript"),
)

# Types without such methods, so that the usual values cost one look-up.
_PLAIN = frozenset(
    {NoneType, bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset, range}
    | {FunctionType, BuiltinFunctionType, MethodType, ModuleType}
)

_TEXT = "text/plain"
# The host takes no more (src/session/outcome.ts).
_MOST_FORMS = 100

# Classes of libraries -> what makes the forms of their objects, in place of their methods. Adapters add to it.
FORMATTERS: dict[type, Callable[[Any], dict[str, str | bytes]]] = {}

# An object that has this has everything (a mock, a proxy), so its methods mean nothing.
_CANARY = "_brumate_canary_method_should_not_exist_"


def bundle(value: Any) -> dict[str, str | bytes]:
    """MIME type -> data. A method that raises loses its form only, and stderr says so."""
    if type(value) in _PLAIN or isinstance(value, type):
        return {}
    if FORMATTERS:
        for kind in type(value).__mro__:
            if kind in FORMATTERS:
                return _guarded(FORMATTERS[kind], value, kind.__name__) or {}
    if _method(value, _CANARY) is not None:
        return {}
    found: dict[str, str | bytes] = {}
    method = _method(value, "_repr_mimebundle_")
    if method is not None:
        data = _without_metadata(_guarded(_call_mimebundle, method, "_repr_mimebundle_", value))
        if isinstance(data, dict):
            for mime, content in data.items():
                if type(mime) is str:
                    _add(found, mime, content)
    for name, mime in _METHODS:
        if mime not in found and (method := _method(value, name)) is not None:
            _add(found, mime, _without_metadata(_guarded(_call, method, name, value)))
    return found


def with_text(value: Any) -> dict[str, str | bytes]:
    """The bundle with plain text, as where a value is displayed rather than returned."""
    forms = bundle(value)
    if _TEXT not in forms:
        forms[_TEXT] = str.__str__(repr(value))
    return forms


def _guarded(function: Callable[[Any], Any], argument: Any, what: str, value: Any = None) -> Any:
    try:
        return function(argument)
    except Exception as error:
        text = _text(error)
        owner = "" if value is None else f"{type(value).__name__}."
        print(f"brumate: {owner}{what} failed, so this form is left out: {text}", file=sys.stderr)
        return None


def _call(method: Any) -> Any:
    return method()


def _text(error: Exception) -> str:
    name = type(error).__name__
    try:
        return f"{name}: {error}"
    except Exception:
        return name


def _method(value: Any, name: str) -> Any:
    try:
        method = getattr(value, name, None)
    except Exception:
        return None
    return method if callable(method) else None


def _call_mimebundle(method: Any) -> Any:
    # IPython passes both arguments, yet classes that take none are common.
    try:
        inspect.signature(method).bind(include=None, exclude=None)
    except (TypeError, ValueError):
        return method()
    return method(include=None, exclude=None)


def _without_metadata(data: Any) -> Any:
    return data[0] if type(data) is tuple and len(data) == 2 else data


def _add(found: dict[str, str | bytes], mime: str, content: Any) -> None:
    if content is None or len(found) == _MOST_FORMS:
        return
    if isinstance(content, str):
        found[mime] = str.__str__(content)
    elif isinstance(content, (bytes, bytearray, memoryview)):
        found[mime] = bytes(content)
    elif mime.endswith("json"):
        data = _guarded(json.dumps, content, mime)
        if data is not None:
            found[mime] = data
    else:
        kind = type(content).__name__
        print(f"brumate: {mime} is left out: expected a str or bytes, got {kind}", file=sys.stderr)
