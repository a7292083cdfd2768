"""What a snapshot says about the session inside it: its globals, the host calls it waits for, the values that convert.

Runs no code of the user's, is bounded in bytes and time, and makes no garbage that needs collecting.
"""

# See msgpack: names in `builtins` are the user's to change.
from builtins import dict, frozenset, int, issubclass, len, max, object, range, repr, slice, str, tuple, type
from datetime import UTC, date, datetime, timedelta
from marshal import loads
from sys import getsizeof
from types import NoneType
from typing import Any

from .calls import HostCall, is_reserved
from .msgpack import (
    ARRAY, ARRAY_COST, DIGITS, KEY, LONG, MAP, MAP_COST, MEMBER, NEW_KEY, NEW_MAP, TEXT, UNICODE, Writer,
)  # fmt: skip
from .values import NotConvertible

# Description and values: see `link`.
type Described = tuple[bytearray, bytearray]

_MAX_DESCRIPTION_BYTES = 1024 * 1024
# Of each, to the host that reads it: src/shared/snapshot/cost.ts.
_MAX_COST = 300_000
# Parts of that: for the calls, and for the names that `values` lacks.
_PENDING_BYTES = 256 * 1024
_PENDING_COST = 100_000
_MAX_PENDING = 1000
_SKIPPED_BYTES = 64 * 1024
_SKIPPED_COST = 30_000
# More globals than these are counted, not looked at.
_MAX_GLOBALS = 50_000
_SMALLEST_MAP_BYTES = 5

_LONGEST_NAME = 1000
_LONGEST_TYPE_NAME = 100
_LONGEST_REPR = 200
_DEEPEST_REPR = 4
# Shorter than the smallest limit on decimal digits that Python lets a user set.
_LONGEST_INT_BITS = 600
_MORE = "…"
# A character takes at most four bytes.
_LARGEST_ENTRY_BYTES = 4 * (_LONGEST_NAME + _LONGEST_TYPE_NAME + _LONGEST_REPR) + 100


def _map_cost(keys: int) -> int:
    """What a map costs as a member of an array, but for its values: its keys are those of the map before it."""
    return MEMBER + MAP_COST + (MEMBER + KEY) * keys


_CALL_COST = _map_cost(3) + LONG
_GLOBAL_COST = _map_cost(4) + LONG
_LARGEST_NAME_COST = MEMBER + TEXT + UNICODE + _LONGEST_NAME
_LARGEST_GLOBAL_COST = _GLOBAL_COST + 3 * (TEXT + UNICODE) + _LARGEST_ENTRY_BYTES // 4
# The four kinds of maps that every description has, with 14 keys, and its arrays.
_DESCRIPTION_COST = 4 * (MAP_COST + NEW_MAP) + 14 * (MEMBER + KEY + NEW_KEY) + 3 * ARRAY_COST + 2 * LONG

_type_name = type.__dict__["__name__"].__get__
_plain_size = object.__sizeof__
_part = str.__getitem__  # of a name that may be a sub-class of str

_SHORT = frozenset({NoneType, bool, float, complex, type(...), type(NotImplemented), date, timedelta})
_CUT = frozenset({str, bytes, bytearray})
_BRACKETS = {list: ("[", "]"), tuple: ("(", ")"), set: ("{", "}"), frozenset: ("frozenset({", "})"), dict: ("{", "}")}
_EMPTY_SETS = {set: "set()", frozenset: "frozenset()"}
# Types whose size is told by C code of theirs; of all others it is the object's own, without what its class may add.
_MEASURED = frozenset({float, complex, bool, str, bytes, bytearray, memoryview, *_BRACKETS})


def describe(
    names: dict[str, Any],
    hidden: frozenset[str],
    calls: list[HostCall],
    awaiting: bool,
    max_value_bytes: int,
) -> Described:
    """The description, and {name: value} of the globals that convert, both as msgpack.

    The description is {'globals': [{'name', 'type', 'repr', 'sizeBytes'}], 'pending': [{'id', 'name', 'args'}],
    'skipped': [name], 'omitted': {'globals': count, 'pending': count}, 'awaiting': whether an execution awaits}. `args`
    is None where it is too large. `skipped` are globals that may convert but for their size, as far as their names fit;
    `omitted` are what was too much to describe.
    """
    description = Writer(_MAX_DESCRIPTION_BYTES, _MAX_COST, trees=True)
    values = Writer(max(max_value_bytes, _SMALLEST_MAP_BYTES), _MAX_COST)
    description.spend(_DESCRIPTION_COST)
    values.spend(MAP_COST + NEW_MAP + DIGITS)
    description.map_head(5)
    description.key("awaiting")
    description.value(awaiting, 0)
    description.key("pending")
    omitted_calls = _add_calls(description, calls)
    description.key("globals")
    skipped, omitted_globals = _add_globals(description, values, names, hidden)
    description.key("omitted")
    description.map_head(2)
    description.key("globals")
    description.value(omitted_globals, 0)
    description.key("pending")
    description.value(omitted_calls, 0)
    description.key("skipped")
    _add_names(description, skipped)
    return description.data, values.data


def _add_calls(out: Writer, calls: list[HostCall]) -> int:
    """Returns how many there was no room for."""
    at = out.reserve_count(ARRAY)
    count = omitted = 0
    least_room = out.room() - _PENDING_BYTES
    least_cost = out.cost_left() - _PENDING_COST
    for call in calls:
        if is_reserved(call.name):
            continue  # of no use to anybody else
        if out.room() < least_room or out.cost_left() < least_cost or count == _MAX_PENDING:
            omitted += 1
            continue
        out.spend(_CALL_COST)
        out.map_head(3)
        out.key("id")
        out.value(call.id, 0)
        out.key("name")
        out.text(call.name[:_LONGEST_NAME])
        out.key("args")
        if not _add_arguments(out, call.arguments):
            out.value(None, 0)
        count += 1
    out.fill_count(at, count)
    return omitted


def _add_arguments(out: Writer, arguments: bytes) -> bool:
    """Returns whether they were small enough. They convert, but may be nested deeper than is written."""
    if len(arguments) > _PENDING_BYTES:
        return False
    try:
        return out.attempt(loads(arguments, allow_code=False), max_bytes=_PENDING_BYTES)
    except NotConvertible:
        return False


def _add_globals(
    out: Writer, values: Writer, names: dict[str, Any], hidden: frozenset[str]
) -> tuple[list[str], int]:
    """Returns the names whose values were too large, and how many names were not described."""
    described_at = out.reserve_count(ARRAY)
    valued_at = values.reserve_count(MAP)
    described = valued = omitted = 0
    skipped = []
    left = len(names)
    for name, value in names.items():
        if described + omitted == _MAX_GLOBALS:
            omitted += left
            break
        left -= 1
        if type(name) is not str or name in hidden:
            continue
        fits = out.room() > _SKIPPED_BYTES + _LARGEST_ENTRY_BYTES
        if fits and out.cost_left() > _SKIPPED_COST + _LARGEST_GLOBAL_COST:
            _add_global(out, name, value)
            described += 1
        else:
            omitted += 1
        try:
            if values.attempt(value, max_bytes=values.room(), name=name):
                valued += 1
            else:
                skipped.append(name)
        except NotConvertible:
            pass
    out.fill_count(described_at, described)
    values.fill_count(valued_at, valued)
    return skipped, omitted


def _add_global(out: Writer, name: str, value: Any) -> None:
    out.spend(_GLOBAL_COST)
    out.map_head(4)
    out.key("name")
    out.text(name[:_LONGEST_NAME])
    out.key("type")
    out.text(_short_type_name(value))
    out.key("repr")
    out.text(_cut(_repr(value, 0)))
    out.key("sizeBytes")
    out.value(_size(value), 0)


def _add_names(out: Writer, names: list[str]) -> None:
    at = out.reserve_count(ARRAY)
    count = 0
    for name in names:
        if out.room() < 4 * _LONGEST_NAME + 100 or out.cost_left() < _LARGEST_NAME_COST:
            break
        out.spend(MEMBER)
        out.text(name[:_LONGEST_NAME])
        count += 1
    out.fill_count(at, count)


def _short_type_name(value: Any) -> str:
    return _part(_type_name(type(value)), slice(_LONGEST_TYPE_NAME))


def _size(value: Any) -> int:
    kind = type(value)
    if type(kind) is type and kind in _MEASURED:
        return getsizeof(value)
    if issubclass(kind, int):
        return int.__sizeof__(value)
    return _plain_size(value)


def _repr(value: Any, depth: int) -> str:
    """repr() of what is made of exact built-in types, and not much longer than it may be; of others the type's name."""
    kind = type(value)
    if type(kind) is not type:  # a metaclass of the user's can define its hash
        return f"<{_short_type_name(value)}>"
    if kind in _SHORT:
        return repr(value)
    if kind is int:
        bits = value.bit_length()
        return repr(value) if bits <= _LONGEST_INT_BITS else f"<int of {bits} bits>"
    if kind in _CUT:
        text = repr(value[:_LONGEST_REPR])
        return text if len(value) <= _LONGEST_REPR else text[:_LONGEST_REPR] + _MORE
    if kind in _BRACKETS:
        return _EMPTY_SETS[kind] if not value and kind in _EMPTY_SETS else _repr_of_container(value, kind, depth)
    if kind is range:
        return f"range({', '.join(_repr(part, depth) for part in (value.start, value.stop, value.step))})"
    if kind is datetime and (value.tzinfo is None or value.tzinfo is UTC):
        return repr(value)
    return f"<{_short_type_name(value)}>"


def _repr_of_container(value: Any, kind: type, depth: int) -> str:
    start, end = _BRACKETS[kind]
    if depth == _DEEPEST_REPR and value:
        return f"{start}{_MORE}{end}"
    parts = []
    length = 0
    for member in value:
        if length > _LONGEST_REPR:
            parts.append(_MORE)
            break
        text = _repr(member, depth + 1)
        if kind is dict:
            text += f": {_repr(value[member], depth + 1)}"
        parts.append(text)
        length += len(text) + 2
    comma = "," if kind is tuple and len(value) == 1 else ""
    return f"{start}{', '.join(parts)}{comma}{end}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_REPR else text[: _LONGEST_REPR - 1] + _MORE
