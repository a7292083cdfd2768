"""The asyncio event loops of a session. They watch no descriptors: what they wait for are timers and host calls.

`EventLoop` is what `asyncio.new_event_loop()` gives: it runs to completion and blocks while only timers are left.
`SessionLoop` is the one that the session's code finds running: the kernel pumps it and returns to the host when idle.
"""

import asyncio
import heapq
import sys
from asyncio import base_events, events, format_helpers
from collections.abc import Callable
from typing import Any

from . import door
from .blocking import block
from .calls import CALLS
from .interrupts import Guard

DEADLOCK = "deadlock: the code awaits something that no task, timer or host call can complete"
_OUT_OF_REACH = (
    "the code waits for a call that was made before it blocked the thread, and its result cannot arrive until then:"
    " await the task instead"
)

# As asyncio has them: `patches` changes what they are in BaseEventLoop, for loops of other classes.
_run_forever = base_events.BaseEventLoop.run_forever
_run_until_complete = base_events.BaseEventLoop.run_until_complete
_run_once = base_events.BaseEventLoop._run_once

# asyncio's own thresholds for sweeping cancelled timers out of the middle of the heap.
_SWEEP_ABOVE_COUNT = 100
_SWEEP_ABOVE_FRACTION = 0.5


class _Wake(BaseException):
    """Ends a blocking wait from inside a signal handler; never leaves `_Timers.select`."""


class _Timers:
    """Stands where BaseEventLoop expects a selector: it waits for the next timer, and for host calls at the door."""

    __slots__ = ("_blocking", "_woken")

    def __init__(self) -> None:
        self._blocking = False
        self._woken = False

    def select(self, timeout: float | None) -> tuple[()]:
        refused = CALLS.flush()
        expecting = CALLS.is_awaiting_door()
        if timeout is None and not expecting and not refused:
            raise RuntimeError(_OUT_OF_REACH if CALLS.is_awaiting_requests() else DEADLOCK)
        if not refused and (timeout is None or timeout > 0):
            try:
                self._blocking = True
                if not self._woken:
                    door.wait(timeout) if expecting else block(timeout)
            except _Wake:
                pass
            finally:
                self._blocking = False
        if expecting:
            CALLS.deliver()
        self._woken = False
        return ()

    def wake(self) -> None:
        """End the wait, or the next one. With one thread, a loop that waits is reached by signal handlers only."""
        self._woken = True
        if self._blocking:
            raise _Wake


def complete(loop: base_events.BaseEventLoop) -> None:
    """Give a loop what BaseEventLoop leaves to its subclasses."""
    selector = _Timers()
    loop._selector = selector
    loop._process_events = lambda events: None
    loop._write_to_self = selector.wake


class OutsideSessionLoop:
    """Steps out of the session's loop while synchronous code runs a loop of its own, as a plain script would.

    Inside a task of the session's loop it changes nothing, so asyncio refuses as it does everywhere. The task of a cell
    that the user wrote without `await` is no such task (see `scripts`).
    """

    __slots__ = ("_loop", "_task")

    def __init__(self) -> None:
        self._loop: SessionLoop | None = None
        self._task: asyncio.Task[Any] | None = None

    def __enter__(self) -> None:
        running = events._get_running_loop()
        if not isinstance(running, SessionLoop):
            return
        task = asyncio.current_task(running)
        if task is None or task is running.script_task:
            self._loop = running
            self._task = task
            if task is not None:
                asyncio.tasks._swap_current_task(running, None)
            events._set_running_loop(None)

    def __exit__(self, *_: object) -> None:
        if self._loop is not None:
            events._set_running_loop(self._loop)
            if self._task is not None:
                asyncio.tasks._swap_current_task(self._loop, self._task)


class EventLoop(base_events.BaseEventLoop):
    """An event loop for `asyncio.run`, `asyncio.Runner` and `run_until_complete`."""

    # By the kernel, which returns to the host where other loops block.
    is_pumped = False

    def __init__(self, selector: object = None) -> None:
        # asyncio.SelectorEventLoop takes a selector; there is nothing to select from.
        super().__init__()
        self._selector = _Timers()

    def _process_events(self, event_list: object) -> None:
        """There are no descriptors, so there are no events."""

    def _write_to_self(self) -> None:
        # Called by call_soon_threadsafe.
        self._selector.wake()

    def _run_once(self) -> None:
        _run_once(self)

    def run_forever(self) -> None:
        with OutsideSessionLoop():
            _run_forever(self)

    def run_until_complete(self, future: Any) -> Any:
        with OutsideSessionLoop():
            return _run_until_complete(self, future)

    async def _make_subprocess_transport(self, *_: object, **__: object) -> Any:
        from .absent import NO_PROCESSES

        raise NotImplementedError(NO_PROCESSES)

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        """With the default executor the function runs here and now: a session has one thread."""
        if executor is not None:
            return super().run_in_executor(executor, func, *args)
        self._check_closed()
        future = self.create_future()
        running = events._get_running_loop()
        task = asyncio.tasks._swap_current_task(running, None) if running is not None else None
        events._set_running_loop(None)
        try:
            future.set_result(func(*args))
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            future.set_exception(error)
        finally:
            events._set_running_loop(running)
            if running is not None:
                asyncio.tasks._swap_current_task(running, task)
        return future


class SessionLoop(EventLoop):
    """The loop that runs during every execution, and between them stands still."""

    def __init__(self) -> None:
        super().__init__()
        # Synchronous code runs the loop, and keeps the thread meanwhile.
        self._is_driven = False
        # Of a cell that awaits although the user wrote no `await` (see `scripts`).
        self.script_task: asyncio.Task[Any] | None = None

    @property
    def is_pumped(self) -> bool:
        """Whether the kernel runs the loop, which returns to the host when there is nothing to do."""
        return not self._is_driven

    def is_running(self) -> bool:
        return events._get_running_loop() is self

    def run_forever(self) -> None:
        """For synchronous code: host calls that tasks make meanwhile go through the door."""
        with OutsideSessionLoop():
            CALLS.turn_to_door()
            self._is_driven = True
            try:
                _run_forever(self)
            finally:
                self._is_driven = False

    def run_until_complete(self, future: Any) -> Any:
        """As everywhere, but a task that is made here ends with this call: this loop would go on with it later."""
        is_new = not asyncio.isfuture(future)
        with OutsideSessionLoop():
            self._check_running()
            task = asyncio.ensure_future(future, loop=self)
            if is_new:
                task._log_destroy_pending = False
            try:
                return _run_until_complete(self, task)
            except BaseException:
                if is_new and not task.done():
                    task.cancel()
                raise

    async def complete(self, future: Any) -> Any:
        """`run_until_complete` for code that can await."""
        is_new = not asyncio.isfuture(future)
        task = asyncio.ensure_future(future, loop=self)
        try:
            return await task
        finally:
            if is_new and not task.done():
                task.cancel()

    def close(self) -> None:
        """Scripts close the loop that they have used. The session goes on to need this one."""
        with OutsideSessionLoop():
            if self.is_running():
                super().close()  # which refuses

    def dispose(self) -> None:
        """Close it for good."""
        super().close()

    def activate(self) -> None:
        """Make this the running loop, for good."""
        events._set_running_loop(self)
        sys.set_asyncgen_hooks(firstiter=self._asyncgen_firstiter_hook, finalizer=self._asyncgen_finalizer_hook)

    def has_work(self) -> bool:
        """Whether pumping could run anything at all, now or later."""
        return bool(self._ready or self._scheduled)

    def has_ready(self) -> bool:
        """Whether something can run right now."""
        return bool(self._ready)

    def seconds_to_next_timer(self) -> float:
        """0 when something is ready, infinity when there is no timer."""
        if self._ready:
            return 0.0
        self._drop_cancelled_timers()
        if not self._scheduled:
            return float("inf")
        return max(0.0, self._scheduled[0]._when - self.time())

    def pump_once(self, guard: Guard) -> int:
        """Run what is ready and due, but nothing that becomes so meanwhile; return how many callbacks were due.

        Raises KeyboardInterrupt when one is interrupted; the others stay queued.
        """
        if self._scheduled:
            self._queue_due_timers()
        ready = self._ready
        due = len(ready)
        for _ in range(due):
            if not ready:
                break
            handle = ready.popleft()
            if not handle._cancelled:
                self._run_handle(handle)
            handle = None  # a traceback keeps this frame, and the handle would keep the failed task
            if guard.take():
                raise KeyboardInterrupt
        return due

    def _run_handle(self, handle: events.Handle) -> None:
        # As Handle._run, but an interrupt between taking the handle and running it cannot lose it (see Guard), and
        # SystemExit ends the task that raised it rather than the loop.
        try:
            handle._context.run(handle._callback, *handle._args)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            if not (isinstance(error, SystemExit) and _is_step_of_a_task(handle)):
                callback = format_helpers._format_callback_source(handle._callback, handle._args)
                self.call_exception_handler(
                    {"message": f"Exception in callback {callback}", "exception": error, "handle": handle}
                )
        finally:
            handle = None  # as above

    def _queue_due_timers(self) -> None:
        self._drop_cancelled_timers()
        scheduled = self._scheduled
        end = self.time() + self._clock_resolution
        while scheduled and scheduled[0]._when < end:
            handle = heapq.heappop(scheduled)
            handle._scheduled = False
            self._ready.append(handle)

    def _drop_cancelled_timers(self) -> None:
        scheduled = self._scheduled
        count = len(scheduled)
        if count > _SWEEP_ABOVE_COUNT and self._timer_cancelled_count / count > _SWEEP_ABOVE_FRACTION:
            for handle in scheduled:
                handle._scheduled = not handle._cancelled
            scheduled[:] = [handle for handle in scheduled if not handle._cancelled]
            heapq.heapify(scheduled)
            self._timer_cancelled_count = 0
        while scheduled and scheduled[0]._cancelled:
            self._timer_cancelled_count -= 1
            heapq.heappop(scheduled)._scheduled = False


def _is_step_of_a_task(handle: events.Handle) -> bool:
    return isinstance(getattr(handle._callback, "__self__", None), asyncio.Task)
