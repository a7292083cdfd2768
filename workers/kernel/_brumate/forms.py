"""The forms that values of the standard library's types, and of the user's classes, have in JavaScript.

Owns the table and the look-up of a type's form; docs/values.md shows it to users. What is built in is in `values`, the
types of packages are in `adapters`.
"""

import sys
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import _FIELD
from datetime import date, datetime, time, timedelta, timezone
from enum import Enum
from types import MappingProxyType, SimpleNamespace
from typing import Any

type Form = Callable[[Any, Any, int], Any]

_mro = type.__dict__["__mro__"].__get__
_name = type.__dict__["__qualname__"].__get__
_module = type.__dict__["__module__"].__get__
_fields_of = "__dataclass_fields__"

_LARGEST_EXACT = 1 << 53


def _text(value: Any, converter: Any, depth: int) -> str:
    return str(value)


def _sequence(value: Any, converter: Any, depth: int) -> Any:
    return converter.convert([*value], depth)


def _mapping(value: Any, converter: Any, depth: int) -> Any:
    return converter.mapping(value, depth)


def _range(value: range, converter: Any, depth: int) -> Any:
    try:
        count = len(value)
    except OverflowError:
        count = sys.maxsize
    if count > 1_000_000:
        raise converter.refusal(depth, "is too large: an array has at most 1000000 members")
    return converter.convert([*value], depth)


def _iso(value: Any, converter: Any, depth: int) -> str:
    return value.isoformat()


def _time(value: time, converter: Any, depth: int) -> str:
    if value.tzinfo is not None and type(value.tzinfo) is not timezone:
        converter.lose("time without its time zone", depth)
    return value.isoformat()


def _duration(value: timedelta, converter: Any, depth: int) -> float:
    microseconds = (value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds
    if abs(microseconds) > _LARGEST_EXACT:
        converter.lose("timedelta without its microseconds", depth)
    return microseconds / 1000


def _row(value: Any, converter: Any, depth: int) -> Any:
    names = value.keys()
    if len({*names}) < len(names):
        converter.lose("sqlite3.Row without columns of the same name", depth)
    return converter.record(dict.fromkeys(names), lambda name: value[name], depth)


# In the image already, or not worth a look at `sys.modules`.
_FORMS: dict[type, Form] = {
    deque: _sequence,
    range: _range,
    type({}.keys()): _sequence,
    type({}.values()): _sequence,
    type({}.items()): _sequence,
    MappingProxyType: _mapping,
    OrderedDict: _mapping,
    SimpleNamespace: lambda value, converter, depth: converter.mapping(value.__dict__, depth),
    date: _iso,
    time: _time,
    timedelta: _duration,
}

# By module and name, so that a module is not imported to know its types.
_NAMED: dict[tuple[str, str], Form] = {
    ("collections", "Counter"): _mapping,
    ("collections", "defaultdict"): _mapping,
    ("decimal", "Decimal"): _text,
    ("fractions", "Fraction"): _text,
    ("pathlib", "PosixPath"): _text,
    ("pathlib", "PurePosixPath"): _text,
    ("pathlib", "PureWindowsPath"): _text,
    ("sqlite3", "Row"): _row,
    ("uuid", "UUID"): _text,
    ("zoneinfo", "ZoneInfo"): _text,
    ("ipaddress", "IPv4Address"): _text,
    ("ipaddress", "IPv4Interface"): _text,
    ("ipaddress", "IPv4Network"): _text,
    ("ipaddress", "IPv6Address"): _text,
    ("ipaddress", "IPv6Interface"): _text,
    ("ipaddress", "IPv6Network"): _text,
}


# Of a class derived from a built-in type: the part of the object that is of that type. Never asks methods of the class.
_BASES: dict[type, Callable[[Any], Any]] = {
    str: str.__str__,
    int: lambda value: int.__add__(value, 0),
    float: float.__float__,
    bytes: lambda value: bytes.__getitem__(value, slice(None)),
    bytearray: lambda value: bytearray.__getitem__(value, slice(None)),
    list: lambda value: list.__getitem__(value, slice(None)),
    tuple: lambda value: tuple.__getitem__(value, slice(None)),
    OrderedDict: lambda value: dict(OrderedDict.items(value)),
    dict: lambda value: dict(dict.items(value)),
    set: lambda value: set(set.__iter__(value)),
    frozenset: lambda value: frozenset(frozenset.__iter__(value)),
    deque: lambda value: [*deque.__iter__(value)],
    datetime: lambda value: datetime.combine(datetime.date(value), datetime.timetz(value)),
}


def find(kind: type) -> Form | None:
    """The form of a type's values; None if it has none."""
    form = _FORMS.get(kind)
    if form is not None:
        return form
    form = _named(kind)
    if form is not None:
        _FORMS[kind] = form
        return form
    bases = _mro(kind)
    if Enum in bases:
        return _member
    if tuple in bases and isinstance(_own(bases, "_fields"), tuple):
        return _named_tuple
    if isinstance(_own(bases, _fields_of), dict):
        return _data
    for base in bases[1:]:
        if base in _BASES:
            return _derived(base)
        form = _FORMS.get(base) or _named(base)
        if form is not None:
            return _lossy(form, base)
    return None


def _named(kind: type) -> Form | None:
    try:
        key = _module(kind), _name(kind)
        form = _NAMED.get(key)
    except (AttributeError, TypeError):
        return None
    # A class of the user's can have any name.
    if form is None or getattr(sys.modules.get(key[0]), key[1], None) is not kind:
        return None
    return form


def _own(bases: tuple[type, ...], name: str) -> Any:
    for base in bases:
        if name in base.__dict__:
            return base.__dict__[name]
    return None


def _member(value: Enum, converter: Any, depth: int) -> Any:
    return converter.convert(value._value_, depth)


def _named_tuple(value: Any, converter: Any, depth: int) -> Any:
    names = _own(_mro(type(value)), "_fields")
    if len(names) != tuple.__len__(value) or not {str}.issuperset(map(type, names)):
        return _derived(tuple)(value, converter, depth)
    at = {name: index for index, name in enumerate(names)}
    return converter.record(names, lambda name: tuple.__getitem__(value, at[name]), depth)


def _data(value: Any, converter: Any, depth: int) -> Any:
    missing = object()

    def get(name: str) -> Any:
        return getattr(value, name, missing)

    fields = _own(_mro(type(value)), _fields_of)
    names = [name for name, field in fields.items() if getattr(field, "_field_type", None) is _FIELD]
    present = [name for name in names if get(name) is not missing]
    if len(present) < len(names):
        converter.lose(f"{_name(type(value))} without fields that are not set", depth)
    return converter.record(present, get, depth)


def _derived(base: type) -> Form:
    part = _BASES[base]

    def form(value: Any, converter: Any, depth: int) -> Any:
        converter.lose(f"{_name(type(value))}, of which only the {base.__name__} is left", depth)
        return converter.convert(part(value), depth)

    return form


def _lossy(form: Form, base: type) -> Form:
    def reduced(value: Any, converter: Any, depth: int) -> Any:
        converter.lose(f"{_name(type(value))}, of which only the {base.__name__} is left", depth)
        return form(value, converter, depth)

    return reduced
