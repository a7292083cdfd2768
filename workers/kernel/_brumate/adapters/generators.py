"""numpy.random: the generator behind its functions, which is as fresh as that of `random`."""

from types import ModuleType

from ..entropy import ENTROPY, always, has_seed


def adapt(module: ModuleType) -> None:
    """Watch the functions that let the user choose the sequence."""
    mtrand = getattr(module, "mtrand", None)
    if mtrand is None or hasattr(module.seed, "__wrapped__"):
        return  # another module of that name, or reloaded
    generator = ENTROPY.watch(module.seed)
    for name, chooses in (("seed", has_seed), ("set_state", always), ("set_bit_generator", always)):
        watched = generator.watched(getattr(mtrand, name), chooses)
        for owner in (module, mtrand):
            if hasattr(owner, name):
                setattr(owner, name, watched)
