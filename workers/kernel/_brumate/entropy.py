"""The generator behind the functions of `random`: fresh for every session and every thaw, unless the user seeded it.

Owns the mark that says so, which lives in memory and so travels with a snapshot.
"""

import functools
import random
import tempfile
from collections.abc import Callable
from typing import Any


class Entropy:
    """Watches the one generator that the module's functions share; instances of the user's are their own affair."""

    __slots__ = ("_generator", "_seed", "seeded")

    def __init__(self) -> None:
        self._generator = random._inst
        self._seed = self._generator.seed
        # Whether the sequence is one that the user chose.
        self.seeded = False

    def install(self) -> None:
        """Put watching functions into the module and on the generator; once, when the image is built."""
        seed = self._watched(self._seed, lambda value=None, *_: value is not None)
        setstate = self._watched(self._generator.setstate, lambda *_: True)
        for owner in (random, self._generator):
            owner.seed, owner.setstate = seed, setstate

    def refresh(self) -> None:
        """Draw a new state from the host."""
        self._seed()
        self.seeded = False
        tempfile._name_sequence = None  # it has a generator of its own

    def refresh_unless_seeded(self) -> None:
        """After a thaw, where others may thaw the same bytes: a sequence that the user chose goes on."""
        if not self.seeded:
            self.refresh()

    def _watched(self, original: Callable[..., None], chooses: Callable[..., bool]) -> Callable[..., None]:
        @functools.wraps(original)
        def watched(*args: Any, **kwargs: Any) -> None:
            original(*args, **kwargs)
            self.seeded = chooses(*args, *(kwargs[name] for name in ("a",) if name in kwargs))

        return watched
