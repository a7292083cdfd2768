"""ctypes: Python functions cannot be called by C code here, and making a callback of one says so.

C code calls entries of the function table, which is the image's: it has none for functions that a session makes.
"""

from types import ModuleType
from typing import Any

_MESSAGE = (
    "C code cannot call Python functions in brumate sessions, so ctypes cannot make a callback of {}. Calls the other"
    " way, from Python to C, work; use a function of the library that needs no callback"
)


def adapt(module: ModuleType) -> None:
    """Put a class between ctypes' prototypes and their base class, which would make a null pointer of a callback."""
    base = module._CFuncPtr

    class CFuncPtr(base):
        """A C function. The base class of every prototype."""

        _flags_ = module._FUNCFLAG_CDECL

        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            # Functions of libraries come as an address or a tuple, neither of which can be called.
            if len(args) == 1 and callable(args[0]):
                raise NotImplementedError(_MESSAGE.format(repr(args[0])[:200]))
            return base.__new__(cls, *args, **kwargs)

    CFuncPtr.__module__, CFuncPtr.__qualname__ = base.__module__, base.__name__
    module._CFuncPtr = CFuncPtr
    # Prototypes made so far have the base class itself.
    module._c_functype_cache.clear()
