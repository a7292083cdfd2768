"""Which code is the kernel's own: its frames are not shown in tracebacks, and most of them defer interrupts."""

from types import FrameType

# Taken from a code object, not from `__file__`: a pyc compiled elsewhere keeps the path it was compiled with.
_PACKAGE = (lambda: None).__code__.co_filename.rpartition("/")[0]
_ROOT = _PACKAGE.rpartition("/")[0]

KERNEL_PREFIXES = (_PACKAGE + "/", _ROOT + "/brumate/")

# Kernel code that waits, or runs as a part of user code, and so must let a KeyboardInterrupt out at once.
_TRANSPARENT = frozenset(f"{_PACKAGE}/{name}.py" for name in ("blocking", "patches", "callbacks"))


def is_kernel_file(filename: str) -> bool:
    """True for source files of the kernel and of the public `brumate` module."""
    return filename.startswith(KERNEL_PREFIXES)


def defers_interrupts(frame: FrameType) -> bool:
    """True when a signal that arrives in this frame must wait, because the kernel's own state is in motion."""
    filename = frame.f_code.co_filename
    return filename.startswith(KERNEL_PREFIXES[0]) and filename not in _TRANSPARENT
