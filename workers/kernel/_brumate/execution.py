"""An execution that awaits: its task, and the means to throw an exception at the point where it awaits."""

import asyncio
from asyncio import events
from contextvars import Context
from typing import Any

from .cell import Cell, drive
from .loop import SessionLoop


class Execution:
    """Owns the task of one awaiting cell from its start to its outcome."""

    __slots__ = ("_context", "_loop", "_wakeup", "cell", "task")

    def __init__(self, cell: Cell, namespace: dict[str, Any], context: Context, loop: SessionLoop) -> None:
        self.cell = cell
        self._loop = loop
        self._context = context
        start = loop.create_future()
        # The eager step runs up to `await start`, and so leaves the task's own wake-up method on that future: the one
        # way to step a task with an exception of our choice. Task.cancel() would also cancel what the task awaits.
        self.task = asyncio.Task(drive(start, cell, namespace), loop=loop, context=context, eager_start=True)
        loop.script_task = self.task if cell.is_script else None
        self._wakeup = start._callbacks[0][0]
        start.set_result(None)

    def throw(self, error: BaseException) -> None:
        """Raise the error where the task awaits, at the next pump. What it awaited goes on."""
        task = self.task
        awaited = task._fut_waiter
        if awaited is not None:
            awaited.remove_done_callback(self._wakeup)
            asyncio.future_discard_from_awaited_by(awaited, task)
        for handle in self._loop._ready:
            if getattr(handle._callback, "__self__", None) is task:
                handle.cancel()
        failed = self._loop.create_future()
        failed.set_exception(error)
        self._loop._ready.appendleft(events.Handle(self._wakeup, (failed,), self._loop, self._context))
