"""Waiting without running: the host serves a poll of no descriptors, or of the door, with a wait that uses no CPU and
that an interrupt ends. Frames of this file let KeyboardInterrupt out (see `frames`)."""

import operator
import select
import time
from collections.abc import Callable

_LONGEST_WAIT_SECONDS = 86_400.0
_SHORTEST_WAIT_SECONDS = 0.001
# Beyond this CPython's own sleep refuses (nanoseconds in 64 bits), so it is left to say so.
_LONGEST_SLEEP_SECONDS = 9_000_000_000

_monotonic = time.monotonic
_poll = select.poll
_READABLE = select.POLLIN


def block(seconds: float) -> None:
    """Wait for at most that long, in steps of a millisecond; less than one is not waited for."""
    _poll().poll(int(min(seconds, _LONGEST_WAIT_SECONDS) * 1000))


def block_at(descriptor: int, seconds: float | None) -> None:
    """Wait until there is something to read, for at most that long."""
    poll = _poll()
    poll.register(descriptor, _READABLE)
    poll.poll(None if seconds is None else int(min(seconds, _LONGEST_WAIT_SECONDS) * 1000))


def make_sleep(original: Callable[[float], None]) -> Callable[[float], None]:
    """`time.sleep` over `block`. The original spins, so it gets only what is below the resolution of `block`,
    and the arguments that it refuses."""

    def sleep(seconds: float, /) -> None:
        if type(seconds) is not float and type(seconds) is not int and not isinstance(seconds, float):
            try:
                seconds = operator.index(seconds)
            except TypeError:
                return original(seconds)  # which says what it takes
        if not _SHORTEST_WAIT_SECONDS < seconds < _LONGEST_SLEEP_SECONDS:
            return original(seconds)
        deadline = _monotonic() + seconds
        while (left := deadline - _monotonic()) > _SHORTEST_WAIT_SECONDS:
            block(left)
        if left > 0:
            original(left)

    sleep.__doc__ = original.__doc__
    sleep.__module__ = "time"
    sleep.__qualname__ = "sleep"
    return sleep
