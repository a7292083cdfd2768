"""The generators behind the functions of `random` and `numpy.random`: fresh for every session and every thaw, unless
the user seeded them.

Owns the marks that say so, which live in memory and so travel with a snapshot.
"""

import functools
import random
import tempfile
from collections.abc import Callable
from typing import Any

# What the functions that take a seed call it.
_SEEDS = ("a", "seed")


class Generator:
    """One generator that a module's functions share; instances of the user's are their own affair."""

    __slots__ = ("_draw", "seeded")

    def __init__(self, draw: Callable[[], Any]) -> None:
        # Gives it a new state from the host.
        self._draw = draw
        # Whether the sequence is one that the user chose.
        self.seeded = False

    def refresh(self) -> None:
        """Draw a new state from the host."""
        self._draw()
        self.seeded = False

    def watched(self, original: Callable[..., None], chooses: Callable[..., bool]) -> Callable[..., None]:
        """The function, which then notes whether its arguments choose the sequence."""

        @functools.wraps(original)
        def watched(*args: Any, **kwargs: Any) -> None:
            original(*args, **kwargs)
            self.seeded = chooses(*args, *(kwargs[name] for name in _SEEDS if name in kwargs))

        return watched


class Entropy:
    """Watches those generators: that of `random` from the start, others once their library is imported."""

    __slots__ = ("_generators",)

    def __init__(self) -> None:
        self._generators: list[Generator] = []

    def install(self) -> None:
        """Put watching functions into `random` and on its generator; once, when the image is built."""
        shared = random._inst
        generator = self.watch(shared.seed)
        seed = generator.watched(shared.seed, has_seed)
        setstate = generator.watched(shared.setstate, always)
        for owner in (random, shared):
            owner.seed, owner.setstate = seed, setstate

    def watch(self, draw: Callable[[], Any]) -> Generator:
        """Refresh one more generator from now on, with this function."""
        generator = Generator(draw)
        self._generators.append(generator)
        return generator

    def refresh(self) -> None:
        """A session begins: all of them."""
        for generator in self._generators:
            generator.refresh()
        tempfile._name_sequence = None  # it has a generator of its own

    def refresh_unless_seeded(self) -> None:
        """After a thaw, where others may thaw the same bytes: a sequence that the user chose goes on."""
        for generator in self._generators:
            if not generator.seeded:
                generator.refresh()
        tempfile._name_sequence = None


def has_seed(value: Any = None, *_: Any) -> bool:
    """Whether a call of `seed` with these arguments chooses the sequence."""
    return value is not None


def always(*_: Any) -> bool:
    """A call of `setstate` does, whatever its argument."""
    return True


# One, like the kernel itself: libraries' adapters have to find it.
ENTROPY = Entropy()
