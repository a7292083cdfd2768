"""What an execution displays besides its last expression's value: figures, what libraries show, and `display(…)`.

Owns the limits, the collectors that libraries add, and the wire: each display is one write to a descriptor that no file
can have, so the host has it even if the interpreter ends. A write is the marshal bytes of a list: a number, and then MIME
type, data, MIME type, data … The number is 0 for a new display, else that of the display to replace, counted from 1.
An empty list removes all displays of the execution.
"""

import sys
from collections.abc import Callable
from posix import write
from typing import Any

from .display import with_text
from .values import dump

_DESCRIPTOR = 0x3FFF_FFFE
# The host takes no more (src/session/displays.ts).
_MOST_DISPLAYS = 1000
_MOST_FORMS = 101
_LONGEST_MIME_TYPE = 1000

type Forms = dict[str, str | bytes]


class Displays:
    """The displays of one execution at a time."""

    __slots__ = ("_clears", "_collectors", "_count", "_limit", "_numbers", "pending", "room")

    def __init__(self) -> None:
        self._collectors: list[tuple[Callable[[], None], Callable[[], None]]] = []
        self._limit: int | None = None
        # Displays so far, and the numbers of those that have an id.
        self._count = 0
        self._numbers: dict[str, int] = {}
        # Whether the next display removes those before it.
        self._clears = False
        # Bytes that the execution may still show; None: any number.
        self.room: int | None = None
        # Whether the start or end of an execution has anything to do here.
        self.pending = False

    def limit(self, limit_bytes: int | None) -> None:
        """From the next execution on, displays have at most so many bytes together; None: any number."""
        self._limit = self.room = limit_bytes

    def collect_with(self, collect: Callable[[], None], drop: Callable[[], None]) -> None:
        """Call `collect` at the end of every execution, to show what is open then, and `drop` to close it unseen."""
        self._collectors.append((collect, drop))
        self.pending = True

    def show(self, value: Any) -> None:
        """Add a value's rich forms, with its text."""
        self.add(with_text(value))

    def add(self, forms: Forms, display_id: str | None = None) -> None:
        """Add a display, or replace the one with that id. One for which there is no room is left out, and stderr says so."""
        self.pending = True
        number = self._numbers.get(display_id, 0) if display_id is not None else 0
        if number == 0 and self._count == _MOST_DISPLAYS:
            return _warn(f"more than {_MOST_DISPLAYS} displays of one execution: the others are left out")
        if self._clears:
            self.clear_output()
            number = 0
        shown = [form for form in forms.items() if len(form[0]) <= _LONGEST_MIME_TYPE and form[0] != "__proto__"]
        parts = [part for form in shown[:_MOST_FORMS] for part in form]
        if not self._fits(forms) or not self._send([number, *parts], forms):
            return
        if number == 0:
            self._count += 1
            if display_id is not None:
                self._numbers[display_id] = self._count

    def clear_output(self, *, later: bool = False) -> None:
        """Remove what the execution has displayed so far; `later`: as soon as it displays something else."""
        self._clears = later
        if not later and self._count:
            self._send([], {})
            self._count = 0
            self._numbers.clear()

    def begin(self) -> None:
        """An execution starts: what was shown since the last one belongs to none."""
        self._count = 0
        self._numbers.clear()
        self._clears = False
        self.room = self._limit
        self.pending = bool(self._collectors)

    def finish(self, last: Forms) -> None:
        """The execution ends: collect what is to be shown now.

        `last` are the forms of the last expression, which are shown after all others; emptied where there is no room.
        """
        for collect, _ in self._collectors:
            collect()
        if last and not self._fits(last):
            last.clear()
        self.begin()

    def clear(self) -> None:
        """Forget everything that is open."""
        for _, drop in self._collectors:
            drop()
        self.begin()

    def _fits(self, forms: Forms) -> bool:
        size = sum(_size(data) for data in forms.values())
        if self.room is not None and size > self.room:
            self._leave_out(forms, size)
            return False
        return True

    def _send(self, parts: list[Any], forms: Forms) -> bool:
        try:
            message = dump(parts)
            if self.room is not None and len(message) > self.room:
                self._leave_out(forms, len(message))
                return False
            write(_DESCRIPTOR, message)
        except (MemoryError, OSError) as error:
            _warn(f"a display ({', '.join(forms)}) was left out: {type(error).__name__}: {error}")
            return False
        if self.room is not None:
            self.room -= len(message)
        return True

    def _leave_out(self, forms: Forms, size: int) -> None:
        _warn(
            f"a display of {size} bytes ({', '.join(forms)}) was left out: displays of one execution may take"
            f" {self._limit} bytes together (limits.resultBytes)"
        )


def _size(data: str | bytes) -> int:
    if isinstance(data, str) and not data.isascii():
        return len(data.encode("utf-8", "surrogatepass"))
    return len(data)


def _warn(message: str) -> None:
    print(f"brumate: {message}", file=sys.stderr)


# One, like the kernel itself: libraries' adapters have to find it.
DISPLAYS = Displays()
