"""Host calls under way: their ids, what the host is told of each, and where the answers go.

Calls of the session's loop leave in the outbox, when the kernel next returns to the host, and are answered by requests.
Calls of code that keeps the thread (`asyncio.run`, `call_sync`) go through the door and are answered there.
"""

from collections.abc import Callable
from typing import Any, Protocol

from . import door
from .errors import host_exception
from .interrupts import Guard
from .values import dump, from_bytes

# marshal's heads of a tuple of three and of an int32.
_TUPLE_OF_3 = b"(\x03\0\0\0"
_INT = b"i"
# Bytes of an answer that is an iterator.
_LONGEST_ITERATOR = 64


LOST = "the iterator no longer exists: the session was restored, but not the object in the host that the iterator reads"


def is_reserved(name: str) -> bool:
    """Whether the name is the kernel's own: with a dot, so no callback can have it."""
    return "." in name


class Settled(Protocol):
    """What an answer completes: a future, or an `Outcome`."""

    def done(self) -> bool:
        """Whether it wants no answer any more."""
        ...

    def set_result(self, value: Any, /) -> None:
        """The host function returned."""
        ...

    def set_exception(self, error: Exception, /) -> None:
        """The host function failed."""
        ...


class Outcome:
    """The answer of a call that blocks, when it has come."""

    __slots__ = ("_answered", "_error", "_value")

    def __init__(self) -> None:
        self._answered = False
        self._error: Exception | None = None
        self._value: Any = None

    def done(self) -> bool:
        """Whether the answer is there."""
        return self._answered

    def set_result(self, value: Any, /) -> None:
        """The host function returned."""
        self._answered, self._value = True, value

    def set_exception(self, error: Exception, /) -> None:
        """The host function failed."""
        self._answered, self._error = True, error

    def result(self) -> Any:
        """Return or raise what the host function did."""
        if self._error is not None:
            raise self._error
        return self._value


class HostCall:
    """One call: what the host is told, kept until it answers, and what is then completed."""

    __slots__ = ("arguments", "future", "id", "name")

    def __init__(self, call_id: int, name: str, arguments: bytes, future: Settled) -> None:
        self.id = call_id
        self.name = name
        # As marshal bytes: the caller may change the objects afterwards.
        self.arguments = arguments
        self.future = future

    def parts(self) -> tuple[bytes, bytes]:
        """Marshal bytes of (id, name, arguments), in two parts because the second may be large."""
        return _TUPLE_OF_3 + _INT + self.id.to_bytes(4, "little") + dump(self.name), self.arguments


def no_memory_for(call: HostCall) -> MemoryError:
    """The error of a call whose arguments fit into memory once, but not a second time, to be sent."""
    return MemoryError(f"there is no memory left to send the arguments of {call.name}()")


class HostCalls:
    """Every call that the host has not answered."""

    __slots__ = ("_at_door", "_calls", "_last_id", "_unsent", "era", "guard", "make_iterator", "outbox", "told")

    def __init__(self) -> None:
        self.restart()
        # Counts the hosts.
        self.era = 0
        # Set by the kernel and by `iterators`.
        self.guard: Guard | None = None
        self.make_iterator: Callable[[int], Any] | None = None

    def restart(self) -> None:
        """As if no call had ever been made; for the image."""
        self._last_id = 0
        self.forget()

    def forget(self) -> None:
        """Drop every call under way; answers that come later are ignored."""
        self._calls: dict[int, HostCall] = {}
        # Not yet sent, by either way.
        self.outbox: dict[int, HostCall] = {}
        self._unsent: dict[int, HostCall] = {}
        # All that go through the door, sent or not.
        self._at_door: dict[int, HostCall] = {}
        # The outbox has a call that nobody waits for, so the host may not come for it by itself.
        self.told = False

    def add(self, name: str, tree: Any, future: Settled, *, through_door: bool) -> HostCall:
        """Make a call, to be sent at the next occasion. `discard` it when nobody waits any more."""
        call = HostCall(self._last_id + 1, name, dump(tree), future)
        self._last_id += 1
        self._calls[call.id] = call
        if through_door:
            self._at_door[call.id] = self._unsent[call.id] = call
        else:
            self.outbox[call.id] = call
        return call

    def tell(self, name: str, tree: Any) -> None:
        """Make a call whose answer nobody waits for."""
        call = HostCall(self._last_id + 1, name, dump(tree), Outcome())
        self._last_id += 1
        self.outbox[call.id] = call
        self.told = True

    def discard(self, call: HostCall) -> None:
        """Forget the call if it is not answered; unsent, it is not made."""
        if self._calls.pop(call.id, None) is None:
            return
        if self.outbox:
            self.outbox.pop(call.id, None)
        if self._at_door:
            self._at_door.pop(call.id, None)
            self._unsent.pop(call.id, None)

    def refuse(self, call: HostCall, error: Exception) -> None:
        """Fail a call that cannot be sent. It is not tried again, so that later calls can go out."""
        self._calls.pop(call.id, None)
        self.outbox.pop(call.id, None)
        self._at_door.pop(call.id, None)
        self._unsent.pop(call.id, None)
        # The error's traceback keeps the call.
        call.arguments = b""
        if call.future.done():
            return
        try:
            call.future.set_exception(error)
        except RuntimeError:
            pass  # its loop is closed

    def outstanding(self) -> list[HostCall]:
        """The calls that the host has not answered, in their order."""
        return [*self._calls.values()]

    def is_awaiting_requests(self) -> bool:
        """Whether the host still owes an answer that comes by request."""
        return len(self._calls) > len(self._at_door)

    def is_awaiting_answers(self) -> bool:
        """Whether the host still owes an answer, whichever way it comes."""
        return bool(self._calls)

    def move(self) -> None:
        """The same host, another slot: the host answers by request what was sent, and hears of the rest as of new calls."""
        self.outbox.update(self._unsent)
        self._unsent = {}
        self._at_door = {}

    def hand_over(self) -> None:
        """Another host hears of every call now, and answers by request. It has not the iterators of the one before."""
        self.era += 1
        for call in self.outstanding():
            if is_reserved(call.name):
                self.discard(call)
                if not call.future.done():
                    call.future.set_exception(RuntimeError(LOST))
        self.outbox = {}
        self._unsent = {}
        self._at_door = {}
        self.told = False

    def answer(self, call_id: int, ok: bool, payload: Any) -> None:
        """Complete the call. An id that nobody waits for is no error: the task was cancelled, or the user forged it."""
        call = self._calls.get(call_id)
        if call is None:
            if ok and len(payload) <= _LONGEST_ITERATOR:
                self._drop_iterator(payload)
            return
        self.discard(call)
        if call.future.done():
            return
        try:
            value = from_bytes(payload, self.make_iterator)
            error = None if ok else host_exception(*value)
        except Exception as failure:
            error = failure
        try:
            if error is None:
                call.future.set_result(value)
            else:
                call.future.set_exception(error)
        except RuntimeError:
            pass  # its loop is closed

    def _drop_iterator(self, payload: Any) -> None:
        # Nobody waits for the answer any more; if it is an iterator, the host closes it.
        try:
            from_bytes(payload, self.make_iterator)
        except Exception:
            return  # anything else that is small: it is dropped

    # The door

    def flush(self) -> bool:
        """Send what waits to go through the door, as far as there is room. True if a call was refused."""
        refused = False
        for call in [*self._unsent.values()]:
            try:
                if not door.send(b"".join(call.parts())):
                    break
            except MemoryError:
                self.refuse(call, no_memory_for(call))
                refused = True
            except (RuntimeError, ValueError) as error:
                self.refuse(call, error)
                refused = True
            else:
                del self._unsent[call.id]
        return refused

    def is_awaiting_door(self) -> bool:
        """Whether an answer will come through the door."""
        return bool(self._at_door)

    def turn_to_door(self) -> None:
        """The thread will block: calls that are not sent yet go through the door."""
        for call in [*self.outbox.values()]:
            if call.id in self._calls:
                del self.outbox[call.id]
                self._at_door[call.id] = self._unsent[call.id] = call

    def exchange(self) -> None:
        """Send and take what can be, without waiting."""
        self.flush()
        self.deliver()

    def deliver(self) -> None:
        """Take every answer that has come through the door. Raises KeyboardInterrupt for an interrupt meanwhile."""
        while answer := door.take():
            view = memoryview(answer)
            self.answer(int.from_bytes(view[:4], "little"), view[4:5] == b"\1", view[5:])
        if self.guard is not None and self.guard.take():
            raise KeyboardInterrupt


# One, like the kernel itself: loops that the user makes have to find it.
CALLS = HostCalls()
