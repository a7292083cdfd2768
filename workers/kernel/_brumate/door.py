"""The door: host calls that are made and answered while the interpreter's thread stays inside Python code.

It is a descriptor number that no file can have. One write is one call, one read is one answer (or its id alone, which
drops the rest), seeking to the end tells how large the next answer is, and a poll waits for one. Owns the system calls;
what the bytes say is in `calls`.

An interrupt ends the wait, in `blocking`, and nothing else: what happens here happens whole (see `frames`).
"""

import errno
import marshal
import os

from .blocking import block_at

_DESCRIPTOR = 0x3FFF_FFFF

# What follows the id in an answer that there was no memory for: failure, its name and message, no fixups.
_TOO_LARGE = b"\0" + marshal.dumps(
    (["MemoryError", "there is no memory left for the result of a host call"], []), 2
)


def send(request: bytes) -> bool:
    """Hand a call to the host. False: too many are under way; there is room when an answer has been taken.

    Raises OSError where there is no host to take it, or it takes none so large.
    """
    try:
        os.write(_DESCRIPTOR, request)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise ValueError("the arguments are too large: those of one session may take 64 MiB") from None
        raise RuntimeError("host calls are not available here") from None
    return True


def take() -> bytes | None:
    """The next answer, if there is one."""
    size = os.lseek(_DESCRIPTOR, 0, os.SEEK_END)
    if size <= 0:
        return None
    try:
        return os.read(_DESCRIPTOR, size)
    except MemoryError:
        # Left where it is, it would be in the way of all others: whoever waits for it is told instead.
        return os.read(_DESCRIPTOR, 4) + _TOO_LARGE


def set_time_zone(name: str) -> None:
    """The host's calendars are those of this zone from now on. Raises ValueError if it knows no such zone."""
    try:
        os.pwrite(_DESCRIPTOR, name.encode("utf-8", "surrogateescape"), 0)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        raise ValueError(f"no such time zone: {name!r}") from None


def wait(seconds: float | None) -> None:
    """Wait until there is an answer, for at most that long."""
    block_at(_DESCRIPTOR, seconds)
