"""Which code is the kernel's own, which the standard library's, and which the user's."""

import linecache
from enum import Enum, auto
from opcode import opmap
from types import FrameType

# Taken from code objects, not from `__file__`: a pyc compiled elsewhere keeps the path it was compiled with.
_PACKAGE = (lambda: None).__code__.co_filename.rpartition("/")[0]
_ROOT = _PACKAGE.rpartition("/")[0]
_LIBRARY = linecache.getline.__code__.co_filename.rpartition("/")[0]

_KERNEL_PREFIXES = (f"{_PACKAGE}/", f"{_ROOT}/brumate/")
_LIBRARY_PREFIXES = (f"{_LIBRARY}/", "<frozen ")

_CALL = opmap["CALL"]
_LOAD_SPECIAL = opmap["LOAD_SPECIAL"]

_TRANSPARENT_MODULES = (
    "absent", "asking", "blocking", "callbacks", "clocks", "display", "displays", "entropy", "hooks", "iterators",
    "local_names", "network", "notebook", "packages", "patches", "reading", "scripts", "tool_call", "tools",
    "adapters/callbacks", "adapters/chart", "adapters/figures", "adapters/httpx", "adapters/plotly", "adapters/urllib3",
)  # fmt: skip
# Kernel code that waits or runs on behalf of user code: an interrupt that arrives in it is meant for that code.
_TRANSPARENT = frozenset(
    {f"{_PACKAGE}/{name}.py" for name in _TRANSPARENT_MODULES}
    | {f"{_ROOT}/brumate/__init__.py"}
)


def is_kernel_file(filename: str) -> bool:
    """True for source files of the kernel and of the public `brumate` module."""
    return filename.startswith(_KERNEL_PREFIXES)


class Whose(Enum):
    """Whom an interrupt hits that arrives in a frame."""

    USER = auto()
    KERNEL = auto()
    # The standard library, called by user code, where an exception would leave a lock taken or be swallowed.
    CRITICAL = auto()


def whose(frame: FrameType | None) -> Whose:
    """Walk from the frame down to the first that is not the standard library's."""
    critical = False
    while frame is not None:
        filename = frame.f_code.co_filename
        if filename.startswith(_LIBRARY_PREFIXES):
            critical = critical or frame.f_code.co_name == "__del__" or _is_entering_with(frame)
        elif filename.startswith(_KERNEL_PREFIXES) and filename not in _TRANSPARENT:
            return Whose.KERNEL
        else:
            return Whose.CRITICAL if critical else Whose.USER
        frame = frame.f_back
    return Whose.KERNEL


def _is_entering_with(frame: FrameType) -> bool:
    # `with` calls __enter__ before its exception handler is in force; the call is LOAD_SPECIAL 0, CALL.
    at = frame.f_lasti
    code = frame.f_code.co_code
    return at >= 2 and code[at] == _CALL and code[at - 2] == _LOAD_SPECIAL and code[at - 1] == 0
