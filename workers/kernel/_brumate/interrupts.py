"""Turns SIGINT into a KeyboardInterrupt in user code, and only there.

CPython runs signal handlers between any two bytecodes, so also inside the kernel. The guard lets the exception out
only while user code runs; at any other moment it remembers the signal, and the kernel asks `take()` where it is safe.
"""

import signal
from types import FrameType

from .frames import defers_interrupts


class Guard:
    """`user_code` is set by the kernel around everything that may run code of the session's user."""

    __slots__ = ("handler", "pending", "user_code")

    def __init__(self) -> None:
        self.user_code = False
        self.pending = False
        self.handler = self._on_signal

    def install(self) -> None:
        """Become what `signal.default_int_handler` is: asyncio.Runner compares the current handler with that name."""
        signal.default_int_handler = self.handler
        signal.signal(signal.SIGINT, self.handler)

    def take(self) -> bool:
        """Whether a signal came in while the kernel was busy; it counts once."""
        pending = self.pending
        self.pending = False
        return pending

    def _on_signal(self, signum: int | None = None, frame: FrameType | None = None, /) -> None:
        """The default handler for SIGINT: raises KeyboardInterrupt."""
        if self.user_code and (frame is None or not defers_interrupts(frame)):
            raise KeyboardInterrupt
        self.pending = True
