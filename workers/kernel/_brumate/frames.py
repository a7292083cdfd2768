"""Which code is the kernel's own, which the standard library's, and which the user's."""

import linecache
from types import FrameType

# Taken from code objects, not from `__file__`: a pyc compiled elsewhere keeps the path it was compiled with.
_PACKAGE = (lambda: None).__code__.co_filename.rpartition("/")[0]
_ROOT = _PACKAGE.rpartition("/")[0]
_LIBRARY = linecache.getline.__code__.co_filename.rpartition("/")[0]

_KERNEL_PREFIXES = (f"{_PACKAGE}/", f"{_ROOT}/brumate/")
_LIBRARY_PREFIXES = (f"{_LIBRARY}/", "<frozen ")

# Kernel code that waits or runs on behalf of user code: an interrupt that arrives in it is meant for that code.
_TRANSPARENT = frozenset(f"{_PACKAGE}/{name}.py" for name in ("blocking", "callbacks", "patches"))


def is_kernel_file(filename: str) -> bool:
    """True for source files of the kernel and of the public `brumate` module."""
    return filename.startswith(_KERNEL_PREFIXES)


def runs_user_code(frame: FrameType | None) -> bool:
    """True when the frame, or one that it was called from before the kernel was, is of user code."""
    while frame is not None:
        filename = frame.f_code.co_filename
        if filename in _TRANSPARENT:
            return True
        if filename.startswith(_KERNEL_PREFIXES):
            return False
        if not filename.startswith(_LIBRARY_PREFIXES):
            return True
        frame = frame.f_back
    return False
