"""Writes plain values as msgpack, for what is read without an interpreter: a snapshot's description and its values.

No code of the user's runs: values are told apart by their exact type, and only what C code of CPython answers is asked
of them. Types are compared with `is`: a metaclass can define their hash and equality. Every document is bounded in
bytes, and in what it costs the host to read it, which also bounds the time here. The host counts the same costs
(src/shared/snapshot/cost.ts has what they mean) and refuses a document that goes over: none may be less here.

What msgpack lacks is a map with integer keys {0: kind, 1: payload}: 'int' (decimal text), 'datetime' (float64 ms since
1970), 'set' (array), 'text' (UTF-16-LE, where a str has lone surrogates and so no UTF-8), 'array' (element type, shape
or nil, and the numbers as bytes or the elements as an array; of trees only).
"""

# Bound here, so that names which the user puts into `builtins` do not reach this code.
from builtins import (
    RecursionError, UnicodeEncodeError, ValueError, bool, bytearray, bytes, dict, float, frozenset, int, len, list,
    memoryview, min, set, str, tuple, type,
)  # fmt: skip
from datetime import datetime, timezone
from struct import Struct
from types import NoneType
from typing import Any
from zoneinfo import ZoneInfo

from .values import NotConvertible, milliseconds

_MAX_DEPTH = 200
_MAX_KEPT_KEYS = 1000
# Keys of maps, as lists, that the host reads at a lower cost the next time. It remembers twice as many.
_MAX_SHAPES = 256
_LONGEST_SHAPE = 16
# Beyond this, decimal text is refused by Python or slow.
_LONGEST_INT_BITS = 8192
_SMALLEST_INT, _LARGEST_INT, _LARGEST_UNSIGNED = -(1 << 63), (1 << 63) - 1, (1 << 64) - 1

_INT_HEAD = Struct(">Bq")
_UNSIGNED_HEAD = Struct(">BQ")
_FLOAT = Struct(">Bd")
_HEAD_16 = Struct(">BH")
_HEAD_32 = Struct(">BI")

_NIL, _FALSE, _TRUE = b"\xc0", b"\xc2", b"\xc3"
_BIN, _STR = 0xC6, 0xDB
ARRAY, MAP = 0xDD, 0xDF


MEMBER, LONG, TEXT, UNICODE, BIN, ARRAY_COST, MAP_COST, KEY = 1, 4, 12, 20, 80, 5, 10, 8
NEW_MAP, NEW_KEY, DIGITS, SPECIAL, HASHED = 60, 60, 400, 30, 12
# Beyond it an integer becomes a BigInt.
_LARGEST_NUMBER = (1 << 53) - 1


class TooLarge(Exception):
    """The document would go over its bound."""


class Writer:
    """One document of at most `max_bytes` and `max_cost`, written value by value.

    With `trees` the values are what `to_tree` made.
    """

    __slots__ = ("_cost_left", "_keys", "_max_bytes", "_shapes", "_shapes_left", "_trees", "data")

    def __init__(self, max_bytes: int, max_cost: int, *, trees: bool = False) -> None:
        self.data = bytearray()
        # Records repeat their keys.
        self._keys: dict[str, bytes] = {}
        self._shapes: dict[tuple[str, ...], None] = {}
        self._shapes_left = _MAX_SHAPES
        self._max_bytes = max_bytes
        self._cost_left = max_cost
        self._trees = trees

    def room(self) -> int:
        """How many bytes may still be written."""
        return self._max_bytes - len(self.data)

    def cost_left(self) -> int:
        """What may still be spent."""
        return self._cost_left

    def spend(self, cost: int) -> None:
        """Count what is written with the methods below, which do not look at the bounds."""
        self._cost_left -= cost

    def map_head(self, count: int) -> None:
        """Begin a map of that many pairs."""
        self.data += bytes((0x80 | count,)) if count < 16 else _HEAD_32.pack(MAP, count)

    def array_head(self, count: int) -> None:
        """Begin an array of that many members."""
        self.data += bytes((0x90 | count,)) if count < 16 else _HEAD_32.pack(ARRAY, count)

    def reserve_count(self, head: int) -> int:
        """Leave space for a head whose count is not known yet; `fill_count` writes it."""
        self.data += _HEAD_32.pack(head, 0)
        return len(self.data) - 4

    def fill_count(self, at: int, count: int) -> None:
        """Complete a reserved head."""
        self.data[at : at + 4] = count.to_bytes(4, "big")

    def key(self, name: str) -> None:
        """Write a short ASCII key."""
        self.data.append(0xA0 | len(name))
        self.data += name.encode()

    def text(self, value: str) -> None:
        """Write a str, and count it; where it has no UTF-8 it is not quite itself."""
        data = value.encode("utf-8", "replace")
        self._cost_left -= TEXT if value.isascii() else TEXT + UNICODE + (len(data) >> 2)
        self._sized(0xA0, 32, 0xD9, _STR, data)

    def attempt(self, value: Any, *, max_bytes: int, name: str | None = None) -> bool:
        """Write this value, after its name in a large map, or nothing.

        False when it takes more room than there is, or than `max_bytes`, or costs more than half of what is left. Raises
        NotConvertible, having written nothing, for what is not in the table of values.
        """
        mark = len(self.data)
        shapes = len(self._shapes)
        bound = self._max_bytes
        cost_left = self._cost_left
        self._max_bytes = min(bound, mark + max_bytes)
        # One value must not use up the time of all.
        kept = cost_left // 2
        self._cost_left -= kept + MEMBER
        whole = False
        try:
            if name is not None:
                self._cost_left -= KEY + NEW_KEY
                self._key(name)
            self.value(value, 0)
            whole = True
        except TooLarge:
            pass
        except RecursionError:  # the limit is the user's to set
            raise NotConvertible from None
        finally:
            self._max_bytes = bound
            if whole:
                self._cost_left += kept
            else:
                self._cost_left = cost_left
                del self.data[mark:]
                # The host will not have seen them.
                while len(self._shapes) > shapes:
                    self._shapes.popitem()
        return whole

    def value(self, value: Any, depth: int) -> None:
        """Write a value; raises NotConvertible or TooLarge with a part of it written."""
        kind = type(value)
        if kind is str:
            if len(value) < 32 and value.isascii():
                self._cost_left -= TEXT
                self.data.append(0xA0 | len(value))
                self.data += value.encode()
            else:
                self._text(value)
        elif kind is int:
            self._int(value)
        elif kind is float:
            self.data += _FLOAT.pack(0xCB, value)
        elif kind is bool:
            self.data += _TRUE if value else _FALSE
        elif kind is NoneType:
            self.data += _NIL
        elif kind is bytes or kind is bytearray:
            self._bytes(value)
        elif kind is list or kind is tuple:
            if self._trees and kind is tuple and len(value) > 2 and value[0] is ...:
                self._tree(value, depth)
            else:
                self._members(value, depth)
        elif kind is set or kind is frozenset:
            self._set(value, depth)
        elif kind is dict:
            self._dict(value, depth)
        elif kind is datetime:
            zone = type(value.tzinfo)
            if zone is not NoneType and zone is not timezone and zone is not ZoneInfo:
                raise NotConvertible  # it would answer with code of the user's
            self._tagged("datetime", milliseconds(value))
        elif kind is memoryview:
            self._memoryview(value)
        else:
            raise NotConvertible
        if len(self.data) > self._max_bytes or self._cost_left < 0:
            raise TooLarge

    def _text(self, value: str) -> None:
        if len(value) > self.room():
            raise TooLarge
        try:
            data = value.encode()
        except UnicodeEncodeError:
            self._cost_left -= SPECIAL
            self.data += b"\x82\x00\xa4text\x01"
            self._sized(0, 0, 0xC4, _BIN, value.encode("utf-16-le", "surrogatepass"))
            return
        self._cost_left -= TEXT if value.isascii() else TEXT + UNICODE + (len(data) >> 2)
        self._sized(0xA0, 32, 0xD9, _STR, data)

    def _bytes(self, value: bytes | bytearray | memoryview) -> None:
        self._cost_left -= BIN
        self._sized(0, 0, 0xC4, _BIN, value)

    def _sized(self, tiny: int, tiny_below: int, small: int, large: int, data: bytes | bytearray | memoryview) -> None:
        size = len(data)
        if size > self.room():
            raise TooLarge
        if size < tiny_below:
            self.data.append(tiny | size)
        elif size < 0x100:
            self.data += bytes((small, size))
        elif size < 0x10000:
            self.data += _HEAD_16.pack(large - 1, size)
        else:
            self.data += _HEAD_32.pack(large, size)
        self.data += data

    def _int(self, value: int) -> None:
        if 0 <= value < 0x80:
            self.data.append(value)
        elif -0x20 <= value < 0:
            self.data.append(value + 0x100)
        else:
            self._large_int(value)

    def _large_int(self, value: int) -> None:
        if _SMALLEST_INT <= value <= _LARGEST_INT:
            self._cost_left -= LONG
            self.data += _INT_HEAD.pack(0xD3, value)
        elif _LARGEST_INT < value <= _LARGEST_UNSIGNED:
            self._cost_left -= LONG
            self.data += _UNSIGNED_HEAD.pack(0xCF, value)
        elif value.bit_length() > _LONGEST_INT_BITS:
            raise TooLarge
        else:
            try:
                digits = str(value)
            except ValueError:  # the user allows fewer digits
                raise TooLarge from None
            self._cost_left -= len(digits) * len(digits) // 900
            self._tagged("int", digits)

    def _tagged(self, kind: str, payload: str | float) -> None:
        self._cost_left -= SPECIAL
        self.data += b"\x82\x00"
        self.key(kind)
        self.data += b"\x01"
        self.value(payload, 0)

    def _tree(self, tree: tuple, depth: int) -> None:
        if tree[1] == "datetime":
            self._tagged("datetime", tree[2])
        elif tree[1] != "array":
            raise NotConvertible  # a Map, or a Set with members that are arrays or objects
        else:
            self._cost_left -= SPECIAL
            self.data += b"\x82\x00\xa5array\x01"
            self._members(tree[2:], depth)

    def _members(self, values: list | tuple | set | frozenset, depth: int) -> None:
        self._enter(len(values), ARRAY_COST + MEMBER * len(values), depth)
        self.array_head(len(values))
        for member in values:
            self.value(member, depth + 1)

    def _set(self, values: set | frozenset, depth: int) -> None:
        self._enter(len(values), SPECIAL + HASHED * len(values), depth)
        # Where the hashes of numbers collide, as many as there are pairs of them are compared.
        numbers = large = 0
        for member in values:
            kind = type(member)
            if kind is int and not -_LARGEST_NUMBER <= member <= _LARGEST_NUMBER:
                large += 1
            elif kind is int or kind is float:
                numbers += 1
        self._cost_left -= numbers * numbers // 6 + large * large
        self.data += b"\x82\x00\xa3set\x01"
        self._members(values, depth)

    def _dict(self, values: dict, depth: int) -> None:
        self._enter(2 * len(values), MAP_COST + (MEMBER + KEY) * len(values), depth)
        self.map_head(len(values))
        for key, member in values.items():
            if type(key) is not str:
                raise NotConvertible
            written = self._keys.get(key)
            if written is None:
                self._key(key)
            else:
                self.data += written
            self.value(member, depth + 1)
        if values:
            self._shape(tuple(values))

    def _shape(self, keys: tuple[str, ...]) -> None:
        """Count keys that the host has not seen together, in this order."""
        if keys in self._shapes:
            return
        self._cost_left -= NEW_MAP + NEW_KEY * len(keys)
        has_digits = False
        for key in keys:
            if "0" <= key[:1] <= "9":
                has_digits = True
        if has_digits:
            self._cost_left -= DIGITS
        if len(keys) <= _LONGEST_SHAPE:
            self._shapes_left -= len(keys)
            if not has_digits and self._shapes_left >= 0:
                self._shapes[keys] = None

    def _key(self, key: str) -> None:
        if not is_well_formed(key) or key == "__proto__":
            raise NotConvertible
        if len(key) > self.room():
            raise TooLarge
        at = len(self.data)
        data = key.encode()
        is_ascii = key.isascii()
        if not is_ascii:
            self._cost_left -= UNICODE + (len(data) >> 2)
        self._sized(0xA0, 32, 0xD9, _STR, data)
        if is_ascii and len(self._keys) < _MAX_KEPT_KEYS and len(key) < 32:
            self._keys[key] = bytes(self.data[at:])

    def _memoryview(self, value: memoryview) -> None:
        try:
            if value.nbytes > self.room():
                raise TooLarge
            self._bytes(value.tobytes())
        except ValueError:  # released
            raise NotConvertible from None

    def _enter(self, parts: int, cost: int, depth: int) -> None:
        # Each part takes at least a byte, so most of what is too large is seen before any of it is written.
        if parts > self.room() or cost > self._cost_left:
            raise TooLarge
        self._cost_left -= cost
        if depth > _MAX_DEPTH:
            raise NotConvertible


def is_well_formed(text: str) -> bool:
    """Whether the text has UTF-8: no lone surrogates."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
