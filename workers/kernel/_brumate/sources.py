"""Source lines of executed cells for tracebacks and `inspect.getsource`, for as long as code of the cell is alive."""

import linecache
import weakref
from collections.abc import Iterator
from functools import partial
from io import StringIO
from sys import getrefcount
from types import CodeType
from typing import Any

from .cell import Cell


# What the code of functions has, and that of a class's body has not.
_CO_OPTIMIZED = 1

# Qualified name and first line.
type Class = tuple[str, int]


class Sources:
    """Puts each cell's text into `linecache` and takes it out when the last code object compiled from it dies."""

    __slots__ = ("_alive", "_unkept")

    def __init__(self) -> None:
        # file name -> [number of code objects alive, weak references that count them down]
        self._alive: dict[str, list] = {}
        # What `leave` counts for a code object that only its cell refers to.
        cell = Cell(compile("x = 1", "<cell>", "exec"), None, 0)
        self._unkept = self._references(cell.body)

    def name(self, count: int) -> str:
        """The file name of the session's cell of this number. Code of a restored snapshot may come from another cell of that number."""
        filename = f"<cell {count}>"
        times = 1
        while filename in self._alive:
            times += 1
            filename = f"<cell {count}.{times}>"
        return filename

    def add(self, filename: str, source: str) -> None:
        """Register the text; before compiling, so that the compiler's warnings show their line."""
        # Every line ends with a newline, as linecache has them.
        text = source if source.endswith("\n") else source + "\n"
        lines = StringIO(text, newline=None).readlines() if "\n" in source or "\r" in source else [text]
        linecache.cache[filename] = (len(source), None, lines, filename)

    def hold(self, filename: str, *codes: CodeType | None) -> tuple[Class, ...]:
        """Keep the text until none of these code objects, nor one nested in them, is alive.

        Returns the classes that they define, for `hold_classes`.
        """
        entry: list = [0]
        classes: tuple[Class, ...] = ()
        release = partial(self._release, filename)
        for code in codes:
            if code is not None:
                entry.append(weakref.ref(code, release))
                for nested in _nested(code):
                    entry.append(weakref.ref(nested, release))
                    if not nested.co_flags & _CO_OPTIMIZED:
                        classes += ((nested.co_qualname, nested.co_firstlineno),)
        entry[0] = len(entry) - 1
        self._alive[filename] = entry
        return classes

    def hold_classes(self, filename: str, classes: tuple[Class, ...], names: dict[str, Any]) -> None:
        """After the cell has run: keep its text for its classes, too. The code of a class's body is not kept by it."""
        entry = self._alive.get(filename)
        if entry is None:
            return
        for qualified, line in classes:
            members = names
            for name in qualified.split("."):
                found = members.get(name)
                if not isinstance(found, type):
                    break
                members = type.__dict__["__dict__"].__get__(found)
            else:
                if members.get("__firstlineno__") == line and members.get("__module__") == "__main__":
                    entry.append(weakref.ref(found, partial(self._release, filename)))
                    entry[0] += 1

    def file_of(self, kind: type) -> str | None:
        """Of the cell that defines the class, if one does and its text is still there."""
        for filename, entry in self._alive.items():
            if any(reference() is kind for reference in entry[1:]):
                return filename
        # In a function, or not at the name that it was given: its methods know.
        for member in [*vars(kind).values()]:
            function = getattr(member, "__func__", getattr(member, "fget", member))
            code = getattr(function, "__code__", None)
            if type(code) is CodeType and code.co_filename in self._alive:
                if code.co_qualname.startswith(f"{kind.__qualname__}."):
                    return code.co_filename
        return None

    def leave(self, filename: str, code: CodeType) -> None:
        """After a brief cell: its text goes with it at once, unless something has kept the code, a traceback say."""
        if getrefcount(code) > self._unkept:
            self.hold(filename, code)
        else:
            self.drop(filename)

    def _references(self, code: CodeType) -> int:
        return getrefcount(code)

    def drop(self, filename: str) -> None:
        """Forget a text from which nothing was compiled."""
        if filename not in self._alive:
            linecache.cache.pop(filename, None)

    def _release(self, filename: str, reference: weakref.ref) -> None:
        entry = self._alive.get(filename)
        if entry is None:
            return
        entry[0] -= 1
        if entry[0] <= 0:
            del self._alive[filename]
            linecache.cache.pop(filename, None)


def _nested(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if type(constant) is CodeType:
            yield constant
            yield from _nested(constant)
