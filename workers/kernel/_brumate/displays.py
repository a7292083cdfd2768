"""What an execution displays besides its last expression's value, in order: figures, and what libraries show.

Owns the list, its limits, and the collectors that libraries add to it.
"""

import sys
from collections.abc import Callable
from typing import Any

from .display import bundle

# The host takes no more (src/session/displays.ts).
_MOST_DISPLAYS = 1000

type Forms = dict[str, str | bytes]


class Displays:
    """The displays of one execution at a time."""

    __slots__ = ("_collectors", "_items", "_limit", "pending", "room")

    def __init__(self) -> None:
        self._items: list[list[str | bytes]] = []
        self._collectors: list[tuple[Callable[[], None], Callable[[], None]]] = []
        self._limit: int | None = None
        # Bytes that the execution may still show; None: any number.
        self.room: int | None = None
        # Whether the end of an execution has anything to do here.
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
        self.add(bundle(value) or {"text/plain": repr(value)})

    def add(self, forms: Forms) -> None:
        """Add a display. One for which there is no room is left out, and stderr says so."""
        if len(self._items) == _MOST_DISPLAYS:
            _warn(f"more than {_MOST_DISPLAYS} displays of one execution: the others are left out")
        elif self._fits(forms):
            self._items.append([part for form in forms.items() for part in form])
            self.pending = True

    def begin(self) -> None:
        """An execution starts: what was shown since the last one belongs to none."""
        self._items.clear()
        self.room = self._limit

    def finish(self, last: Forms) -> list[list[str | bytes]]:
        """The execution ends: collect what is to be shown now, and hand everything over.

        `last` are the forms of the last expression, which are shown after all others; emptied where there is no room.
        """
        for collect, _ in self._collectors:
            collect()
        if last and not self._fits(last):
            last.clear()
        return self.take()

    def take(self) -> list[list[str | bytes]]:
        """Everything shown so far, each display as [MIME type, data, MIME type, data …]."""
        items = self._items
        self._items = []
        self.room = self._limit
        self.pending = bool(self._collectors)
        return items

    def clear(self) -> None:
        """Forget everything that is open or was shown."""
        for _, drop in self._collectors:
            drop()
        self.take()

    def _fits(self, forms: Forms) -> bool:
        if self.room is None:
            return True
        size = sum(_size(data) for data in forms.values())
        if size > self.room:
            _warn(
                f"a display of {size} bytes ({', '.join(forms)}) was left out: displays of one execution may take"
                f" {self._limit} bytes together (limits.outputBytes)"
            )
            return False
        self.room -= size
        return True


def _size(data: str | bytes) -> int:
    if isinstance(data, str) and not data.isascii():
        return len(data.encode("utf-8", "surrogatepass"))
    return len(data)


def _warn(message: str) -> None:
    print(f"brumate: {message}", file=sys.stderr)


# One, like the kernel itself: libraries' adapters have to find it.
DISPLAYS = Displays()
