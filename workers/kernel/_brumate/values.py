"""Values across the boundary: Python objects to trees that marshal takes exactly as they are, and back.

What is built in converts here; `forms` has the other types of the standard library and the user's classes, `FOREIGN` those
of packages.
"""

import marshal
from array import array
from builtins import round
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from types import NoneType
from typing import Any

from .arrays import array_type, from_host
from .forms import find as form_of
from .places import place_of

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
_TEXTS = frozenset({str, bytes})
_KEYS = frozenset({str})
_MOST_LOST = 10
_NOTHING_LOST: list[str] = []

type_name_of = type.__dict__["__name__"].__get__


def type_name(value: Any) -> str:
    """The name of a value's class, whatever its metaclass says."""
    return type_name_of(type(value))


_ARRAYS = frozenset({list, tuple})
_SETS = frozenset({set, frozenset})
_BUFFERS = frozenset({bytearray, memoryview})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


# Types of libraries -> what makes the tree of such a value: called with it, the converter and the depth. Adapters add to it.
FOREIGN: dict[type, Callable[[Any, "Converter", int], Any]] = {}


class NotConvertible(TypeError):
    """The value has no form in JavaScript. Its text is the rest of a sentence about the part that has none, if anything."""

    # How many containers deep that part is; -1: not known yet.
    depth = -1
    # Where it is in the whole, and the name of its type.
    place = ""
    kind: str | None = None

    def describe(self, name: str, value: Any) -> str:
        """A sentence that names the part: `name["a"][3]: complex has no JavaScript form`."""
        return f"{name}{self.place}: {self.kind or type_name(value)} {str(self) or _NO_FORM}"


_NO_FORM = "has no JavaScript form"
_TOO_LARGE = "is too large"
_TOO_DEEP = "contains itself, or is nested too deeply"


def convert(value: Any, limit_bytes: int | None = None) -> tuple[Any, list[str]]:
    """The value of an execution as a tree of plain objects, and what it lost on the way; raises NotConvertible."""
    kind = type(value)
    if kind in _ATOMS:
        if kind in _TEXTS and limit_bytes is not None and len(value) > limit_bytes:
            raise NotConvertible(_too_large_for_result(len(value), limit_bytes))
        return to_tree(value), _NOTHING_LOST
    converter = Converter(limit_bytes, value)
    return converter.whole(), converter.lost


def too_large(size: int, limit_bytes: int) -> str:
    """What is said of a value of an execution that is larger than it may be."""
    return f"value: it {_too_large_for_result(size, limit_bytes)}"


def _too_large_for_result(size: int, limit_bytes: int) -> str:
    return (
        f"has {size} bytes, and limits.resultBytes is {limit_bytes}: assign it to a variable, and get that with"
        " session.get"
    )


def to_tree(value: Any) -> Any:
    """The value as a tree of plain objects; raises NotConvertible."""
    kind = type(value)
    if kind in _ATOMS:
        if kind is int and value.bit_length() > _MAX_INT_BITS or kind is str and len(value) > _MAX_TEXT_LENGTH:
            raise NotConvertible(_TOO_LARGE)
        return value
    return Converter(None, value).whole()


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
    if kind == "map":
        return {_hashable(key): member for key, member in zip(value[::2], value[1::2], strict=True)}
    if kind == "array":
        return from_host(value, *payload)
    if kind == "iterator" and make_iterator is not None:
        return make_iterator(payload)
    raise ValueError(f"unknown kind of value: {kind!r}")


def _hashable(value: Any) -> Any:
    """A key of a map: an array of JavaScript is a tuple there, which is what becomes of tuples in turn."""
    return tuple(map(_hashable, value)) if type(value) is list else value


class Converter:
    """One conversion: counts containers and members over the whole value, and notes what is lost."""

    __slots__ = ("_at", "_containers", "_limit", "_array_bytes_left", "_members", "_root", "lost")

    def __init__(self, max_array_bytes: int | None, root: Any) -> None:
        self._limit = self._array_bytes_left = max_array_bytes
        self._containers = 0
        self._members = 0
        self._root = root
        # Of each container on the way to the current value: the iterator over its members, by depth.
        self._at: dict[int, Any] = {}
        self.lost: list[str] = []

    def whole(self) -> Any:
        """The tree of the whole value; raises NotConvertible, which names the part that is at fault."""
        try:
            return self.convert(self._root, 0)
        except RecursionError:
            raise NotConvertible(_TOO_DEEP) from None
        except NotConvertible as error:
            error.place, error.kind = self._place(error.depth)
            raise

    def convert(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind in _ATOMS:
            return value
        if kind in _ARRAYS:
            self._count(len(value), _MAX_ITEMS, 1, depth)
            if _ATOMS.issuperset(map(type, value)):
                return value
            self._at[depth] = rest = iter(value)
            members = [self.convert(member, depth + 1) for member in rest]
            return members if kind is list else tuple(members)
        if kind in _SETS:
            self._count(len(value), _MAX_HASHED_ITEMS, _HASHED_MEMBER, depth)
            if _ATOMS.issuperset(map(type, value)):
                return value
            return self._set(value, depth)
        if kind is dict:
            return self.mapping(value, depth)
        if kind is datetime:
            return self.date_time(value, depth)
        if kind in _BUFFERS:
            try:
                # marshal takes a contiguous buffer as bytes, without a copy.
                return value if kind is bytearray or value.c_contiguous else value.tobytes()
            except ValueError:
                raise self.refusal(depth) from None
        if kind is array:
            return self.array(array_type(value), None, value, value.itemsize * len(value), depth)
        form = FOREIGN.get(kind) or form_of(kind)
        if form is None:
            raise self.refusal(depth)
        try:
            return form(value, self, depth)
        except NotConvertible as error:
            if error.depth < 0:
                error.depth = depth
            raise

    def refusal(self, depth: int, reason: str = "") -> NotConvertible:
        """The exception for the current value; to be raised by the caller, whose frame it must not be a part of."""
        error = NotConvertible(reason) if reason else NotConvertible()
        error.depth = depth
        return error

    def _place(self, depth: int) -> tuple[str, str]:
        place, part = place_of(self._root, self._at, depth)
        return place, type_name(part)

    def lose(self, what: str, depth: int) -> None:
        """Note what the current value loses: `datetime without its time zone`."""
        if len(self.lost) < _MOST_LOST:
            self.lost.append(f"value{place_of(self._root, self._at, depth)[0]}: {what}")

    def mapping(self, value: Any, depth: int) -> Any:
        """The tree of a dict, or of what has the methods of one."""
        self._count(len(value), _MAX_HASHED_ITEMS, _HASHED_MEMBER, depth)
        if not _KEYS.issuperset(map(type, value)) or "__proto__" in value:
            return self._map(value, depth)
        if _ATOMS.issuperset(map(type, value.values())):
            return value if type(value) is dict else dict(value.items())
        self._at[depth] = rest = iter(value.items())
        return {key: self.convert(member, depth + 1) for key, member in rest}

    def _map(self, value: Any, depth: int) -> Any:
        # To the host it is a list of keys and values. Unlike a dict's, its keys may be lists or dicts in turn.
        self._count(3, _MAX_ITEMS, 1, depth)
        members: list[Any] = []
        self._at[depth] = rest = iter(value.items())
        for key, member in rest:
            members += (self.convert(key, depth + 1), self.convert(member, depth + 1))
        if not _ATOMS.issuperset(map(type, value)):
            keys = [key for key in members[::2] if type(key) in _ATOMS]
            if len({*keys}) < len(keys):
                self.lose(f"{type_name(value)} without keys that are equal in JavaScript", depth)
        return (..., "map", members)

    def record(self, names: Iterable[str], get: Callable[[str], Any], depth: int) -> Any:
        """The tree of an object with fields."""
        names = [*names]
        self._count(len(names), _MAX_HASHED_ITEMS, _HASHED_MEMBER, depth)
        self._at[depth] = rest = iter(names)
        return {name: self.convert(get(name), depth + 1) for name in rest}

    def _set(self, value: Any, depth: int) -> Any:
        self._at[depth] = rest = iter(value)
        members = [self.convert(member, depth + 1) for member in rest]
        try:
            distinct = type(value)(members)
        except TypeError:  # a member that was hashable became one that is not
            self._count(3, _MAX_ITEMS, 1, depth)
            return (..., "set", members)
        if len(distinct) != len(members):
            self.lose(f"{type_name(value)} without members that are equal in JavaScript", depth)
        return distinct

    def date_time(self, value: datetime, depth: int) -> Any:
        """The tree of a Date, which has milliseconds and no time zone."""
        if value.microsecond % 1000:
            self.lose("datetime without its microseconds", depth)
        zone = value.tzinfo
        if zone is not None and zone is not UTC:
            try:
                if value.utcoffset():
                    self.lose("datetime without its time zone", depth)
            except Exception:
                raise self.refusal(depth) from None
        return self.moment(milliseconds(value), depth)

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
                raise NotConvertible(_too_large_for_result(size, self._limit))
        # marshal has no place for a buffer without members.
        return (..., "array", dtype, shape, data if size or type(data) is list else b"")

    def _count(self, members: int, most: int, weight: int, depth: int) -> None:
        self._containers += 1
        self._members += weight * members
        if depth > _MAX_DEPTH:
            raise self.refusal(0, _TOO_DEEP)
        if (
            members > most
            or self._containers > _MAX_CONTAINERS
            or self._members > _MAX_MEMBERS
        ):
            raise self.refusal(depth, _TOO_LARGE)


def milliseconds(moment: datetime) -> float:
    """Milliseconds since the epoch; a naive datetime is local time, as in datetime.timestamp()."""
    try:
        if moment.utcoffset() is None:
            return round(moment.timestamp() * 1_000_000) / 1000
        return (moment - _EPOCH) // _MICROSECOND / 1000
    except Exception as error:
        raise NotConvertible from error
