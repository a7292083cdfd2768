"""The session's state inside the interpreter, and what the host can ask of it.

Methods answer with an outcome (a tuple, see `link`) or with None while an execution awaits. They raise only
when memory runs out or by a fault of ours; `link` has the last word.
"""

import asyncio
import builtins
import contextvars
import gc
import os
from asyncio import events
from typing import Any

from . import clocks
from .callbacks import Callbacks
from .calls import CALLS
from .cell import BASE_FLAGS, Cell
from .compiling import compiled
from .description import Described, describe
from .display import bundle
from .displays import DISPLAYS
from .entropy import ENTROPY
from .execution import Execution
from .interrupts import Guard
from .loop import DEADLOCK, SessionLoop
from .namespace import HIDDEN_NAMES, Namespace
from .reading import READING
from .sources import Sources
from .texts import text_of, unprintable
from .tracebacks import INTERRUPTED, cut, failure
from .unawaited import COROUTINES, UNAWAITED
from .values import NotConvertible, convert, from_bytes, to_tree

type Outcome = tuple[Any, ...]

# No value, nothing displayed: the outcome of most cells, so `link` has its reply ready.
NOTHING: Outcome = (True, None, ..., {})
DONE: Outcome = (True,)

# A pump that never runs dry still returns to the host now and then, for host calls to be sent and answered.
_PUMP_SECONDS = 0.02
# Between two looks at the door, for tasks that made a call through it and were then left to this loop.
_DOOR_SECONDS = 0.02
# Cancelled tasks get this many turns to clean up in clearState; then they are dropped.
_CANCEL_TURNS = 100

# The user can replace what a module offers, and has no part in a snapshot.
_collect = gc.collect
_is_collecting = gc.isenabled
_stop_collecting = gc.disable
_go_on_collecting = gc.enable

_HOLD_COROUTINES = COROUTINES | {list, tuple}

# Let go when memory runs out, so that the next execution can at least delete something.
_RESERVE_BYTES = 2 * 1024 * 1024


class Kernel:
    """One session: its namespace, context, event loop and the execution that awaits, if one does."""

    __slots__ = (
        "callbacks", "calls", "context", "displays", "entropy", "execution", "flags", "guard", "held", "loop", "namespace", "reserve",
        "result_bytes", "sources",
    )  # fmt: skip

    def __init__(self) -> None:
        self.guard = Guard()
        self.namespace = Namespace()
        self.sources = Sources()
        self.callbacks = Callbacks()
        self.calls = CALLS
        self.calls.guard = self.guard
        self.displays = DISPLAYS
        # Most bytes of a result's text, of its value, and of its displays, each; None: any number.
        self.result_bytes: int | None = None
        self.entropy = ENTROPY
        self.context = contextvars.copy_context()
        self.loop = SessionLoop()
        self.flags = BASE_FLAGS
        self.execution: Execution | None = None
        # The outcome of an execution that has ended, while the host hears of calls that nobody waits for.
        self.held: Outcome | None = None
        self.reserve: bytearray | None = bytearray(_RESERVE_BYTES)

    def activate(self) -> None:
        """Take over signals, the running loop and `random`; once, when the image is built."""
        self.guard.install()
        self.entropy.install()
        self.loop.activate()

    # Executions. Frames of user code that a traceback keeps also keep the frames below them, ours included: so these
    # functions leave no value in a local variable.

    def execute(self, count: int, source: str) -> Outcome | None:
        """Run a cell. None: it awaits, and `advance` goes on with it."""
        guard = self.guard
        guard.pending = False
        if self.reserve is None:
            self._restock()
        if self.displays.pending:
            self.displays.begin()
        try:
            if self.execution is not None:
                raise RuntimeError("an execution is still awaiting")
            filename = self.sources.name(count)
            # Python keeps there which lines have warned, and lines of cells have the same numbers.
            self.namespace.names.pop("__warningregistry__", None)
            cell = compiled(source, filename, self.flags, self.sources)
            self.flags = cell.flags
            if events._get_running_loop() is not self.loop:
                self.loop.activate()
            if guard.pending:
                self.sources.drop(filename)
                raise KeyboardInterrupt
            if cell.awaits:
                self.execution = Execution(cell, self.namespace.names, self.context, self.loop)
            elif cell.result is None:
                try:
                    self.context.run(exec, cell.body, self.namespace.names)
                finally:
                    if cell.brief:
                        self.sources.leave(filename, cell.body)
                    elif cell.classes:
                        self.sources.hold_classes(filename, cell.classes, self.namespace.names)
                self._give_tasks_a_turn()
                return self._succeeded(None) if self.displays.pending else NOTHING
            else:
                return self._succeeded(self._evaluate(cell))
        except BaseException as error:
            return self._failed(error)
        return self.advance()

    def _restock(self) -> None:
        # Only from plenty: else it would take back what was just given.
        try:
            self.reserve = bytearray(4 * _RESERVE_BYTES)
            self.reserve = bytearray(_RESERVE_BYTES)
        except MemoryError:
            self.reserve = None

    def _evaluate(self, cell: Cell) -> Any:
        names = self.namespace.names
        if cell.body is not None:
            try:
                self.context.run(exec, cell.body, names)
            finally:
                if cell.classes:
                    self.sources.hold_classes(cell.body.co_filename, cell.classes, names)
        try:
            return self._noticed(self.context.run(eval, cell.result, names), cell)
        finally:
            self._give_tasks_a_turn()

    def _noticed(self, value: Any, cell: Cell) -> Any:
        # Most often of a function that the user meant to await.
        if type(value) in _HOLD_COROUTINES:
            if type(value) in COROUTINES or (value and type(value[0]) in COROUTINES):
                UNAWAITED.report(value, cell.result)
        return value

    def _give_tasks_a_turn(self) -> None:
        # Those that the cell started, and those that earlier ones left.
        if self.calls.is_awaiting_door():
            self.calls.exchange()
        if self.loop.has_work():
            self.loop.pump_once(self.guard)

    def advance(self) -> Outcome | None:
        """Pump the loop until it is idle or the execution, if there is one, is done."""
        if self.execution is None:
            self._pump_idle()
            return NOTHING
        return self._finished() if self._pump() else None

    def _pump(self) -> bool:
        """True when the execution is done, False when the host has to do something first, if only to wait."""
        guard = self.guard
        loop = self.loop
        deadline = loop.time() + _PUMP_SECONDS
        while not self.execution.task.done():
            try:
                if loop.pump_once(guard):
                    # Only with something ready: else the host would not know when to come back.
                    if loop.time() >= deadline and loop.has_ready() and not self.execution.task.done():
                        return False
                    continue
                if guard.take():
                    raise KeyboardInterrupt
                if self.calls.is_awaiting_door():
                    self.calls.exchange()
                    if loop.has_ready():
                        continue
            except KeyboardInterrupt:
                if not self.execution.task.done():
                    self.execution.throw(KeyboardInterrupt())
                continue
            if loop.seconds_to_next_timer() < float("inf") or self.calls.is_awaiting_answers():
                return False
            self.execution.throw(RuntimeError(DEADLOCK))
        return True

    def seconds_to_next_step(self) -> float:
        """When the host is to come back, if nothing else happens."""
        seconds = self.loop.seconds_to_next_timer()
        return min(seconds, _DOOR_SECONDS) if self.calls.is_awaiting_door() else seconds

    def _finished(self) -> Outcome:
        task = self.execution.task
        cell = self.execution.cell
        self.execution = None
        self.loop.script_task = None
        if cell.classes:
            self.sources.hold_classes(cell.body.co_filename, cell.classes, self.namespace.names)
        try:
            value = self._noticed(task.result(), cell)
        except BaseException as error:
            task = cell = None  # this frame is in the traceback: the error and its task would keep each other alive
            return self._failed(error)
        return self._succeeded(value)

    def interrupt(self) -> Outcome | None:
        """KeyboardInterrupt where the execution awaits; other tasks go on."""
        if self.execution is not None:
            self.execution.throw(KeyboardInterrupt())
        return self.advance()

    def answer(self, call_id: int, ok: bool, payload: Any) -> Outcome | None:
        """A host call was answered."""
        self.calls.answer(call_id, ok, payload)
        return self.advance()

    def abandon(self) -> None:
        """Give the execution up after a fault of the kernel itself; its task, if any, becomes one of many."""
        self.execution = None

    def _pump_idle(self) -> None:
        deadline = self.loop.time() + _PUMP_SECONDS
        try:
            if self.calls.is_awaiting_door():
                self.calls.exchange()
            while self.loop.pump_once(self.guard) and self.loop.time() < deadline:
                pass
        except KeyboardInterrupt:
            pass  # in a background task; nobody waits for it

    # Outcomes

    def _succeeded(self, value: Any) -> Outcome:
        try:
            if value is None:
                if self.displays.pending:
                    self.displays.finish({})
                return NOTHING
            limit = self.result_bytes
            text = text_of(value)
            if UNAWAITED.has_reported:
                UNAWAITED.replace(value)
            else:
                builtins._ = value
            try:
                text = cut(text, limit)
            except MemoryError:
                text = unprintable(value, "MemoryError")
            display = bundle(value)
            try:
                tree, lost = convert(value, limit)  # may call a tzinfo of the user's
            except NotConvertible as error:
                tree, lost = ..., [error.describe("value", value)]
            except (MemoryError, RecursionError) as error:
                tree, lost = ..., [f"value: {type(error).__name__}"]
            if display or self.displays.pending:
                self.displays.finish(display)
            return (True, text, tree, display, lost) if lost else (True, text, tree, display)
        except BaseException as error:
            return self._failed(error)

    def _failed(self, error: BaseException) -> Outcome:
        if isinstance(error, MemoryError):
            self.reserve = None
        try:
            failed = failure(error, self.result_bytes, self.callbacks)
            if self.displays.pending:
                # Drawing what is open takes time and memory, which an execution that was stopped has not.
                if isinstance(error, Exception) and not isinstance(error, MemoryError):
                    self.displays.finish({})
                else:
                    self.displays.begin()
            return failed
        except KeyboardInterrupt:  # in a `__str__` of the user's, or while a figure is drawn
            return INTERRUPTED

    # Values

    def get(self, name: str) -> Outcome:
        """The value of a global."""
        try:
            value = self.namespace.get(name)
            try:
                return (True, to_tree(value))
            except NotConvertible as error:
                raise TypeError(error.describe(name, value)) from None
        except Exception as error:
            return self._failed(error)

    def set(self, name: str, payload: Any) -> Outcome:
        """Assign a global."""
        try:
            self.namespace.set(name, from_bytes(payload))
        except Exception as error:
            return self._failed(error)
        return DONE

    # Life

    def attach(
        self,
        environment: dict[str, str],
        callbacks: list[dict[str, Any]],
        result_bytes: int | None = None,
        *,
        has_input: bool = False,
    ) -> Outcome:
        """The interpreter now belongs to a session: draw fresh entropy, take its environment and callbacks."""
        try:
            self.result_bytes = result_bytes
            self.displays.limit(result_bytes)
            self.entropy.refresh()
            clocks.refresh_time_zone()
            os.environ.update(environment)
            self.callbacks.attach(callbacks)
            READING.attach(enabled=has_input)
        except Exception as error:
            return self._failed(error)
        return DONE

    def replace_callbacks(self, callbacks: list[dict[str, Any]]) -> Outcome:
        """The session's callbacks are these now."""
        try:
            self.callbacks.attach(callbacks)
        except Exception as error:
            return self._failed(error)
        return DONE

    def restored(
        self,
        callbacks: list[dict[str, Any]],
        *,
        continues: bool,
        result_bytes: int | None = None,
        has_input: bool = False,
    ) -> Outcome:
        """The memory is a snapshot's now: what must not be as it was then, and the host calls that it waits for.

        `continues`: they are under way still, with the host that has been told of them.
        """
        try:
            self.guard.pending = False
            self.result_bytes = result_bytes
            self.displays.limit(result_bytes)
            self.entropy.refresh_unless_seeded()
            clocks.refresh_time_zone()
            self.callbacks.attach(callbacks)
            READING.attach(enabled=has_input)
            if continues:
                self.calls.move()
            else:
                # The reply names every call that is not answered, so none is left to send. Iterators of that host are lost.
                self.calls.hand_over()
        except Exception as error:
            return self._failed(error)
        return DONE

    def describe(self, max_value_bytes: int) -> Described:
        """Free what is unreachable, and say what is left. A snapshot follows, so this leaves no garbage of its own.

        Without room for values, globals are not described either.
        """
        if _collect():
            _collect()  # finalizers may have let go of more
        enabled = _is_collecting()
        try:
            # Nothing of the user's runs from here on, not even a finalizer: the namespace stands still.
            _stop_collecting()
            calls = self.calls.outstanding()
            awaiting = self.execution is not None
            names = self.namespace.names if max_value_bytes else {}
            return describe(names, HIDDEN_NAMES, calls, awaiting, max_value_bytes)
        finally:
            if enabled:
                _go_on_collecting()

    def clear(self) -> Outcome:
        """Delete the user's names, tasks and context. Modules stay loaded."""
        try:
            self._cancel_tasks()
            self.execution = None
            self.calls.forget()
            self.context = contextvars.copy_context()
            self.flags = BASE_FLAGS
            self.guard.install()
            self.displays.clear()
            self.namespace.clear()
            gc.collect()
            # Asynchronous generators that were just collected still have to be closed, by this loop.
            self._settle()
            self._replace_loop()
            gc.collect()
        except Exception as error:
            return self._failed(error)
        return DONE

    def _replace_loop(self) -> None:
        old = self.loop
        self.loop = SessionLoop()
        self.loop.activate()
        old.dispose()

    def _cancel_tasks(self) -> None:
        for task in asyncio.all_tasks(self.loop):
            task._log_destroy_pending = False
            task.cancel()
        self._settle()

    def _settle(self) -> None:
        for _ in range(_CANCEL_TURNS):
            try:
                if not self.loop.pump_once(self.guard):
                    break
            except KeyboardInterrupt:
                pass  # the tasks are to go anyway
