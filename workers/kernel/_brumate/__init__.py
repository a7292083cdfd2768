"""The kernel: the Python half of a brumate session.

It compiles and runs code, drives asyncio, and answers the host's requests (see `link`). `prepare` is called once,
by the builder, before the image is recorded. Nothing here is a wall: the host's list of imports is.
"""

from .install import prepare
from .preload import PRELOADED

__all__ = ["PRELOADED", "prepare"]
