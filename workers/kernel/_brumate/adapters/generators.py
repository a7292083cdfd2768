"""numpy.random: the generator behind its functions, which is as fresh as that of `random`."""

import os
from collections.abc import Callable
from types import ModuleType

from ..entropy import ENTROPY, always, has_seed

# Of the Mersenne Twister.
_STATE_WORDS = 624


def adapt(module: ModuleType) -> None:
    """Watch the functions that let the user choose the sequence."""
    mtrand = getattr(module, "mtrand", None)
    if mtrand is None or hasattr(module.seed, "__wrapped__"):
        return  # another module of that name, or reloaded
    generator = ENTROPY.watch(_drawing(mtrand) if hasattr(mtrand, "RandomState") else module.seed)
    for name, chooses in (("seed", has_seed), ("set_state", always), ("set_bit_generator", always)):
        watched = generator.watched(getattr(mtrand, name), chooses)
        for owner in (module, mtrand):
            if hasattr(owner, name):
                setattr(owner, name, watched)


def _drawing(mtrand: ModuleType) -> Callable[[], None]:
    """Gives the generator a state of entropy alone: `seed()` would stretch less of it, in ten times the time."""
    import numpy

    def draw() -> None:
        words = numpy.frombuffer(os.urandom(4 * _STATE_WORDS), "uint32")
        mtrand._rand.set_state(("MT19937", words, _STATE_WORDS, 0, 0.0))

    return draw
