"""Values across the boundary: Python objects to trees that marshal takes exactly as they are, and back.

Only exact types convert: a subclass is more than its base, so it stays in Python. Types of libraries are in `FOREIGN`.
"""

import marshal
from array import array
from builtins import round
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import NoneType
from typing import Any

from .arrays import array_type, from_host

_MARSHAL_VERSION = 2

# Deep enough for data, far from the limits of marshal (2,000) and of the recursion here (1,000 frames).
_MAX_DEPTH = 500
# Containers can share members, and marshal version 2 writes each one out: bound the work, not only the depth. The host has the
# same bounds (src/shared/values/value.ts, src/shared/values/weight.ts) and ends an interpreter that sends more.
_MAX_CONTAINERS = 500_000
_MAX_MEMBERS = 4_000_000
# What is hashed costs the host more.
_HASHED_MEMBER = 4
# Of one list or tuple, and of one dict or set: the host lets each grow in one step.
_MAX_ITEMS = 1_000_000
_MAX_HASHED_ITEMS = 100_000
# One number and one text. Those inside containers the host leaves out by itself.
_MAX_INT_BITS = 15 * 279_620
_MAX_TEXT_LENGTH = 2**28

_ATOMS = frozenset({NoneType, bool, int, float, str, bytes})
_KEYS = frozenset({str})
_ARRAYS = frozenset({list, tuple})
_SETS = frozenset({set, frozenset})
_BUFFERS = frozenset({bytearray, memoryview})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


# Types of libraries -> what makes the tree of such a value: called with it, the converter and the depth. Adapters add to it.
FOREIGN: dict[type, Callable[[Any, "Converter", int], Any]] = {}


class NotConvertible(TypeError):
    """The value is not in the table of values. Its text is what a message about that goes on with, if anything."""


_TOO_LARGE = ": it is too large"
_TOO_DEEP = ": it contains itself, or is nested too deeply"


def to_tree(value: Any, max_array_bytes: int | None = None) -> Any:
    """The value as a tree of plain objects; raises NotConvertible.

    `max_array_bytes`: of all arrays in it together.
    """
    kind = type(value)
    if kind in _ATOMS:
        if kind is int and value.bit_length() > _MAX_INT_BITS or kind is str and len(value) > _MAX_TEXT_LENGTH:
            raise NotConvertible(_TOO_LARGE)
        return value
    return Converter(max_array_bytes).convert(value, 0)


def is_block(tree: Any) -> bool:
    """Whether the tree is that of an array of numbers, whose last member is the block of their bytes."""
    return type(tree) is tuple and len(tree) == 5 and tree[0] is ... and type(tree[4]) is not list


def dump(tree: Any) -> bytes:
    """The bytes of a tree. Version 2 of marshal: no references, binary floats."""
    try:
        return marshal.dumps(tree, _MARSHAL_VERSION, allow_code=False)
    except ValueError:
        # Everything in a tree can be written: this is how marshal says that its buffer cannot grow.
        raise MemoryError from None


def from_bytes(data: Any, make_iterator: Callable[[int], Any] | None = None) -> Any:
    """A value that the host encoded: marshal of (value, fixups), a fixup being (path, kind, payload)."""
    value, fixups = marshal.loads(data, allow_code=False)
    for path, kind, payload in fixups:
        if not path:
            value = _fixed(value, kind, payload, make_iterator)
            continue
        holder = value
        for key in path[:-1]:
            holder = holder[key]
        holder[path[-1]] = _fixed(holder[path[-1]], kind, payload, make_iterator)
    return value


def _fixed(value: Any, kind: str, payload: Any, make_iterator: Callable[[int], Any] | None) -> Any:
    if kind == "datetime":
        return _EPOCH + timedelta(milliseconds=payload)
    if kind == "set":
        return set(value)
    if kind == "array":
        return from_host(value, *payload)
    if kind == "iterator" and make_iterator is not None:
        return make_iterator(payload)
    raise ValueError(f"unknown kind of value: {kind!r}")


class Converter:
    """One conversion: counts containers and members over the whole value."""

    __slots__ = ("_array_bytes_left", "_containers", "_members")

    def __init__(self, max_array_bytes: int | None) -> None:
        self._array_bytes_left = max_array_bytes
        self._containers = 0
        self._members = 0

    def convert(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind in _ATOMS:
            return value
        if kind in _ARRAYS:
            self._count(len(value), _MAX_ITEMS, 1, depth)
            if _ATOMS.issuperset(map(type, value)):
                return value
            members = [self.convert(member, depth + 1) for member in value]
            return members if kind is list else tuple(members)
        if kind in _SETS:
            self._count(len(value), _MAX_HASHED_ITEMS, _HASHED_MEMBER, depth)
            if _ATOMS.issuperset(map(type, value)):
                return value
            return kind([self.convert(member, depth + 1) for member in value])
        if kind is dict:
            self._count(len(value), _MAX_HASHED_ITEMS, _HASHED_MEMBER, depth)
            if not _KEYS.issuperset(map(type, value)):
                raise NotConvertible
            if _ATOMS.issuperset(map(type, value.values())):
                return value
            return {key: self.convert(member, depth + 1) for key, member in value.items()}
        if kind is datetime:
            return self.moment(milliseconds(value), depth)
        if kind in _BUFFERS:
            try:
                # marshal takes a contiguous buffer as bytes, without a copy.
                return value if kind is bytearray or value.c_contiguous else value.tobytes()
            except ValueError as error:
                raise NotConvertible from error
        if kind is array:
            return self.array(array_type(value), None, value, value.itemsize * len(value), depth)
        if kind in FOREIGN:
            return FOREIGN[kind](value, self, depth)
        raise NotConvertible

    def moment(self, epoch_ms: float, depth: int) -> Any:
        """The tree of a Date. To the host it is a container, so it is one here."""
        self._count(3, _MAX_ITEMS, 1, depth)
        return (..., "datetime", epoch_ms)

    def array(self, dtype: str | None, shape: tuple[int, ...] | None, data: Any, size: int, depth: int) -> Any:
        """The tree of numbers in one block: `data` is a contiguous buffer of so many bytes, or a list of values.

        Without a shape it is a typed array in JavaScript, else an NdArray.
        """
        if dtype is None:
            raise NotConvertible
        self._count(5, _MAX_ITEMS, 1, depth)
        if shape is not None:
            self._count(len(shape), _MAX_ITEMS, 1, depth)
        if self._array_bytes_left is not None:
            self._array_bytes_left -= size
            if self._array_bytes_left < 0:
                raise NotConvertible(_TOO_LARGE)
        # marshal has no place for a buffer without members.
        return (..., "array", dtype, shape, data if size or type(data) is list else b"")

    def _count(self, members: int, most: int, weight: int, depth: int) -> None:
        self._containers += 1
        self._members += weight * members
        if depth > _MAX_DEPTH:
            raise NotConvertible(_TOO_DEEP)
        if (
            members > most
            or self._containers > _MAX_CONTAINERS
            or self._members > _MAX_MEMBERS
        ):
            raise NotConvertible(_TOO_LARGE)


def milliseconds(moment: datetime) -> float:
    """Milliseconds since the epoch; a naive datetime is local time, as in datetime.timestamp()."""
    try:
        if moment.utcoffset() is None:
            return round(moment.timestamp() * 1_000_000) / 1000
        return (moment - _EPOCH) // _MICROSECOND / 1000
    except Exception as error:
        raise NotConvertible from error
