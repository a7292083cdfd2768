"""Writes plain values as msgpack, for what is read without an interpreter: a snapshot's description and its values.

No code of the user's runs: values are told apart by their exact type, and only what C code of CPython answers is asked
of them. Types are compared with `is`: a metaclass can define their hash and equality. Every document is bounded in
bytes, and in members, which bound its time.

What msgpack lacks is a map with integer keys {0: kind, 1: payload}: 'int' (decimal text), 'datetime' (float64 ms since
1970), 'set' (array), 'text' (UTF-16-LE, where a str has lone surrogates and so no UTF-8).
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


class TooLarge(Exception):
    """The document would go over its bound."""


class Writer:
    """One document of at most `max_bytes`, written value by value. With `trees` the values are what `to_tree` made."""

    __slots__ = ("_keys", "_max_bytes", "_members_left", "_trees", "data")

    def __init__(self, max_bytes: int, max_members: int, *, trees: bool = False) -> None:
        self.data = bytearray()
        # Records repeat their keys.
        self._keys: dict[str, bytes] = {}
        self._max_bytes = max_bytes
        self._members_left = max_members
        self._trees = trees

    def room(self) -> int:
        """How many bytes may still be written."""
        return self._max_bytes - len(self.data)

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

    def text(self, value: str) -> None:
        """A str; where it has no UTF-8 it is not quite itself."""
        self._sized(0xA0, 32, 0xD9, _STR, value.encode("utf-8", "replace"))

    def attempt(self, *values: Any, max_bytes: int) -> bool:
        """Write these values or nothing: False when they take more room than there is, or than `max_bytes`.

        Raises NotConvertible, having written nothing, for what is not in the table of values.
        """
        mark = len(self.data)
        bound = self._max_bytes
        self._max_bytes = min(bound, mark + max_bytes)
        # One value must not use up the time of all.
        kept_members = self._members_left // 2
        self._members_left -= kept_members
        whole = False
        try:
            for value in values:
                self.value(value, 0)
            whole = True
        except TooLarge:
            pass
        except RecursionError:  # the limit is the user's to set
            raise NotConvertible from None
        finally:
            self._max_bytes = bound
            self._members_left += kept_members
            if not whole:
                del self.data[mark:]
        return whole

    def value(self, value: Any, depth: int) -> None:
        """Write a value; raises NotConvertible or TooLarge with a part of it written."""
        kind = type(value)
        if kind is str:
            if len(value) < 32 and value.isascii():
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
            if self._trees and kind is tuple and len(value) == 3 and value[0] is ...:
                self._tagged("datetime", value[2])
            else:
                self._members(value, depth)
        elif kind is set or kind is frozenset:
            self.data += b"\x82\x00\xa3set\x01"
            self._members(value, depth)
        elif kind is dict:
            self._dict(value, depth)
        elif kind is datetime:
            zone = type(value.tzinfo)
            if zone is not NoneType and zone is not timezone and zone is not ZoneInfo:
                raise NotConvertible  # it would answer with code of the user's
            self._count(10, depth)
            self._tagged("datetime", milliseconds(value))
        elif kind is memoryview:
            self._memoryview(value)
        else:
            raise NotConvertible
        if len(self.data) > self._max_bytes:
            raise TooLarge

    def _text(self, value: str) -> None:
        if len(value) > self.room():
            raise TooLarge
        try:
            data = value.encode()
        except UnicodeEncodeError:
            self.data += b"\x82\x00\xa4text\x01"
            self._bytes(value.encode("utf-16-le", "surrogatepass"))
            return
        self._sized(0xA0, 32, 0xD9, _STR, data)

    def _bytes(self, value: bytes | bytearray | memoryview) -> None:
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
            self.data += _INT_HEAD.pack(0xD3, value)
        elif _LARGEST_INT < value <= _LARGEST_UNSIGNED:
            self.data += _UNSIGNED_HEAD.pack(0xCF, value)
        elif value.bit_length() > _LONGEST_INT_BITS:
            raise TooLarge
        else:
            try:
                self._tagged("int", str(value))
            except ValueError:  # the user allows fewer digits
                raise TooLarge from None

    def _tagged(self, kind: str, payload: str | float) -> None:
        self.data += b"\x82\x00"
        self._text(kind)
        self.data += b"\x01"
        self.value(payload, 0)

    def _members(self, values: list | tuple | set | frozenset, depth: int) -> None:
        self._count(len(values), depth)
        self.array_head(len(values))
        for member in values:
            self.value(member, depth + 1)

    def _dict(self, values: dict, depth: int) -> None:
        self._count(2 * len(values), depth)
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

    def _key(self, key: str) -> None:
        if not is_well_formed(key):
            raise NotConvertible
        at = len(self.data)
        self._text(key)
        if len(self._keys) < _MAX_KEPT_KEYS and len(key) < 32:
            self._keys[key] = bytes(self.data[at:])

    def _memoryview(self, value: memoryview) -> None:
        try:
            if value.nbytes > self.room():
                raise TooLarge
            self._bytes(value.tobytes())
        except ValueError:  # released
            raise NotConvertible from None

    def _count(self, members: int, depth: int) -> None:
        # Each member takes at least a byte, so most of what is too large is seen before any of it is written.
        if members > self.room() or members >= self._members_left:
            raise TooLarge
        self._members_left -= members + 1
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
