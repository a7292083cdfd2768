"""Turns SIGINT into a KeyboardInterrupt in user code, and only there.

CPython runs signal handlers between any two bytecodes, so also inside the kernel, and inside the standard library when
the kernel calls it. There the signal is remembered, and the kernel asks `take()` where an exception does no harm. Where
the standard library enters a `with`, or cleans up, it is put off by a moment: a lock taken there would never be
released, an exception there would be swallowed.
"""

import _signal
import _thread
import signal
from collections.abc import Callable
from types import FrameType

from .frames import Whose, whose


class Guard:
    """The session's handler for SIGINT. `pending` is set while a signal waits for the kernel to look."""

    __slots__ = ("handler", "pending")

    def __init__(self) -> None:
        self.pending = False
        self.handler = self._make_handler()

    def install(self) -> None:
        """Become what `signal.default_int_handler` is: asyncio.Runner compares the current handler with that name."""
        _signal.default_int_handler = signal.default_int_handler = self.handler
        signal.signal(signal.SIGINT, self.handler)

    def take(self) -> bool:
        """Whether a signal waits; it counts once."""
        pending = self.pending
        self.pending = False
        return pending

    def _make_handler(self) -> Callable[[int, FrameType | None], None]:
        def default_int_handler(signalnum: int | None = None, frame: FrameType | None = None, /) -> None:
            """The default handler for SIGINT installed by Python.

            It raises KeyboardInterrupt.
            """
            match Whose.USER if frame is None else whose(frame):
                case Whose.USER:
                    raise KeyboardInterrupt
                case Whose.KERNEL:
                    self.pending = True
                case Whose.CRITICAL:
                    _thread.interrupt_main()

        # As the one that it stands for.
        default_int_handler.__module__ = "_signal"
        default_int_handler.__qualname__ = default_int_handler.__name__
        return default_int_handler
