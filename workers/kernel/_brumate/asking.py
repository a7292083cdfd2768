"""Asking the host and waiting for its answer: in a coroutine, or with the thread."""

import asyncio
from typing import Any

from . import door
from .calls import CALLS, Outcome


async def ask(name: str, tree: Any) -> Any:
    """Ask, and let other tasks run until the answer is there."""
    loop = asyncio.get_running_loop()
    # A loop that the kernel does not pump blocks the thread while it waits.
    through_door = not getattr(loop, "is_pumped", False)
    call = CALLS.add(name, tree, loop.create_future(), through_door=through_door)
    try:
        return await call.future
    finally:
        CALLS.discard(call)


def ask_sync(name: str, tree: Any) -> Any:
    """Ask, and block until the answer is there or an interrupt comes. Nothing else runs meanwhile."""
    outcome = Outcome()
    call = CALLS.add(name, tree, outcome, through_door=True)
    try:
        CALLS.flush()
        while not outcome.done():
            door.wait(None)
            CALLS.deliver()
            CALLS.flush()
        return outcome.result()
    finally:
        CALLS.discard(call)
