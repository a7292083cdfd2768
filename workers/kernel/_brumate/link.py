"""The link to the host: one request in bytes, one reply in bytes. Owns the wire format and nothing else.

Numbers are little-endian, marshal is version 2 (no references, binary floats).

A request is one byte, its operation, and then
  1 EXECUTE    u32 execution count, u8 flags (1: the code is UTF-16-LE with lone surrogates, else UTF-8), code
  2 STEP       nothing: a timer may be due
  3 ANSWER     u32 id of the host call, u8 success, marshal of (value, fixups); value is (name, message) for a failure
  4 GET        name
  5 SET        u32 bytes of name, name, marshal of (value, fixups)
  6 CLEAR      nothing
  7 ATTACH     marshal of {'env': {str: str}, 'callbacks': [{'name', 'description', 'parameters'}], 'resultBytes': the
               most that text, value and displays of a result may take, each, or None, 'input': whether the host answers input()}
  8 INTERRUPT  nothing: KeyboardInterrupt where the execution awaits
  9 DESCRIBE   u32 bytes that the values may take: a snapshot of memory follows
 10 RESTORED   as ATTACH: the memory is a snapshot's now; its environment stays. With 'continues': True the host is the one
               that was told of the calls not yet answered, and they are under way
 11 CALLBACKS  marshal of the list of callbacks, which replaces the one there is

A reply is u8 status, f64 seconds, payload, which is marshal unless it says otherwise:
  0 done     (True, repr | None, value | ..., {mime: data}) of an execution, with one more member where the value lost
             something: [what, as text]; (True, value) of GET, (True, [host call]) of RESTORED with the calls not yet
             answered, (True,) of others, or a failure (see `tracebacks`)
  1 waiting  seconds to the next timer, and the new host calls, each (id, name, {argument: value})
  3 described  of DESCRIBE: u32 bytes of description, description, values, both msgpack (see `description`)

Every call returns a reply, whatever happens: code can be interrupted at any bytecode, memory can run out anywhere.
"""

import marshal
import struct

# The user can change what these names mean in `builtins`.
from builtins import (
    BaseException, MemoryError, ValueError, bool, bytearray, bytes, dict, isinstance, len, memoryview, str, type,
)  # fmt: skip
from collections.abc import Collection, Iterator
from typing import Any

from .calls import HostCall, no_memory_for
from .kernel import DONE, NOTHING, Kernel, Outcome
from .tracebacks import OUT_OF_MEMORY, failure
from .values import dump, is_block, too_large

_EXECUTE, _STEP, _ANSWER, _GET, _SET, _CLEAR, _ATTACH, _INTERRUPT, _DESCRIBE, _RESTORED, _CALLBACKS = (
    range(1, 12)
)
_NO_MEMORY = "value: there is no memory left to send it"
_OF_AN_EXECUTION = (_EXECUTE, _STEP, _ANSWER, _INTERRUPT)
_SOURCE_IS_UTF16 = 1

# Host calls in one reply. The host reads a reply in one go, and has others to serve; the rest goes with the next one.
_MOST_CALLS = 1000

# Above this a value of bytes is framed by hand: marshal would copy it once more while its buffer grows.
_LARGE_BYTES = 65_536

# As marshal writes it: a type code and a length.
_NO_BYTES = b"s\0\0\0\0"

_U32 = struct.Struct("<I")
_DONE = struct.pack("<Bd", 0, float("inf"))
_WAITING = struct.Struct("<Bd")
_DESCRIBED = struct.Struct("<BdI")


def _done(outcome: Outcome) -> bytes:
    return _DONE + dump(outcome)


_NOTHING_REPLY = _done(NOTHING)
_OUT_OF_MEMORY_REPLY = _done(OUT_OF_MEMORY)

KERNEL = Kernel()


def dispatch(request: bytes) -> bytes:
    """Serve one request. Called by the host through PyObject_CallOneArg."""
    try:
        operation = request[0]
        if operation == _EXECUTE:
            KERNEL.held = None
            return _reply(KERNEL.execute(_U32.unpack_from(request, 1)[0], _source(request)))
        return _serve(operation, memoryview(request))
    except BaseException as error:
        return _last_resort(request, error)


def _serve(operation: int, request: memoryview) -> bytes:
    if KERNEL.held is not None and operation in _OF_AN_EXECUTION:
        return _release(operation, request)
    if operation == _STEP:
        return _reply(KERNEL.advance())
    if operation == _ANSWER:
        return _reply(KERNEL.answer(*_answer(request)))
    if operation == _GET:
        return _value_reply(KERNEL.get(str(request[1:], "utf-8", "surrogatepass")))
    if operation == _SET:
        end = 5 + _U32.unpack_from(request, 1)[0]
        return _done(KERNEL.set(str(request[5:end], "utf-8", "surrogatepass"), request[end:]))
    if operation == _CLEAR:
        return _done(KERNEL.clear())
    if operation == _ATTACH:
        session = marshal.loads(request[1:], allow_code=False)
        outcome = KERNEL.attach(
            session["env"],
            session["callbacks"],
            session.get("resultBytes"),
            has_input=session.get("input", False),
        )
        return _done(outcome)
    if operation == _INTERRUPT:
        return _reply(KERNEL.interrupt())
    if operation == _DESCRIBE:
        description, values = KERNEL.describe(_U32.unpack_from(request, 1)[0])
        return b"".join((_DESCRIBED.pack(3, 0.0, len(description)), description, values))
    if operation == _RESTORED:
        session = marshal.loads(request[1:], allow_code=False)
        outcome = KERNEL.restored(
            session["callbacks"],
            continues=session.get("continues", False),
            result_bytes=session.get("resultBytes"),
            has_input=session.get("input", False),
        )
        if outcome is not DONE:
            return _done(outcome)
        return b"".join((_DONE, b"(\x02\0\0\0T", *_packed(KERNEL.calls.outstanding())))
    if operation == _CALLBACKS:
        return _done(KERNEL.replace_callbacks(marshal.loads(request[1:], allow_code=False)))
    raise ValueError(f"unknown operation: {operation}")


def _answer(request: memoryview) -> tuple[int, bool, memoryview]:
    return _U32.unpack_from(request, 1)[0], bool(request[5]), request[6:]


def _reply(outcome: Outcome | None) -> bytes:
    if outcome is None:
        return _waiting()
    if KERNEL.calls.told:
        # An iterator was dropped, and the host may have to stop making its values: it is told before it hears that the code has ended.
        KERNEL.held = outcome
        return _waiting()
    if outcome is NOTHING:
        return _NOTHING_REPLY
    return _result(outcome)


def _release(operation: int, request: memoryview) -> bytes:
    """The execution has ended before this request, which is at most an answer for a task in the background."""
    outcome = KERNEL.held
    KERNEL.held = None
    if operation == _ANSWER:
        KERNEL.calls.answer(*_answer(request))
    return _reply(outcome)


def _result(outcome: Outcome) -> bytes:
    """Of an execution. One that has succeeded is not lost because its value is too large to be told: that is left out."""
    try:
        return _within_limit(_done(outcome), outcome)
    except MemoryError:
        if not outcome[0]:
            raise
    try:
        return _done((True, outcome[1], ..., {}, [_NO_MEMORY]))
    except MemoryError:
        return _done((True, "<object that does not fit into memory twice>", ..., {}, [_NO_MEMORY]))


def _within_limit(reply: bytes, outcome: Outcome) -> bytes:
    """The reply, without the value if that is larger than it may be."""
    limit = KERNEL.result_bytes
    if limit is None or len(reply) <= limit or not outcome[0] or outcome[2] is ...:
        return reply
    size = len(dump(outcome[2])) - len(_NO_BYTES)
    if size <= limit:
        return reply
    return _done((True, outcome[1], ..., outcome[3], [too_large(size, limit)]))


def _source(request: bytes) -> str:
    if request[5] & _SOURCE_IS_UTF16:
        return str(request[6:], "utf-16-le", "surrogatepass")
    return str(request[6:], "utf-8")


def _waiting() -> bytes:
    """The execution awaits: send the new host calls and the time to the next timer."""
    most = _MOST_CALLS
    while True:
        calls = KERNEL.calls.outbox
        delay = KERNEL.seconds_to_next_step() if KERNEL.held is None else 0.0
        some, rest = calls, {}
        if len(calls) > most:
            pairs = [*calls.items()]
            some, rest = dict(pairs[:most]), dict(pairs[most:])
            delay = 0.0
        try:
            reply = b"".join((_WAITING.pack(1, delay), *_packed(some.values())))
        except MemoryError:
            # They stay in the outbox, so they would fail every later host call. Send fewer at once, and refuse one that does not
            # fit even alone.
            if len(some) > 1:
                most = len(some) // 2
                continue
            while some:
                call = some.popitem()[1]
                KERNEL.calls.refuse(call, no_memory_for(call))
            # These names would keep the arguments in memory.
            call = some = rest = calls = pairs = None
            if KERNEL.held is not None:
                return _result(KERNEL.held)
            outcome = KERNEL.advance()
            if outcome is not None:
                return _result(outcome)
            continue
        KERNEL.calls.outbox = rest
        KERNEL.calls.told = KERNEL.held is not None and bool(rest)
        # Nothing is called from here to the return, so no signal can come in after the look at `pending`.
        if not KERNEL.guard.pending or KERNEL.held is not None:
            return reply
        KERNEL.calls.outbox = calls
        KERNEL.guard.pending = False
        outcome = KERNEL.interrupt()
        if outcome is not None:
            return _result(outcome)


def _packed(calls: Collection[HostCall]) -> Iterator[bytes]:
    """A list of calls as marshal would write it, with the arguments, which may be large, as they are."""
    yield b"[" + _U32.pack(len(calls))
    for call in calls:
        yield from call.parts()


def _value_reply(outcome: Outcome) -> bytes:
    if outcome[0] and isinstance(outcome[1], (bytes, bytearray, memoryview)):
        value: Any = outcome[1]
        size = len(value) if not isinstance(value, memoryview) else value.nbytes
        if size > _LARGE_BYTES:
            return b"".join((_DONE, b"(\x02\x00\x00\x00Ts", _U32.pack(size), value))
    if outcome[0] and is_block(outcome[1]):
        *head, block = outcome[1]
        with memoryview(block) as view:
            if view.nbytes > _LARGE_BYTES:
                # The block comes last, so an empty one shows where it goes.
                start = dump((True, (*head, b"")))[: -len(_NO_BYTES)]
                return b"".join((_DONE, start, b"s", _U32.pack(view.nbytes), view))
    return _done(outcome)


def _last_resort(request: bytes, error: BaseException) -> bytes:
    # Memory ran out, the recursion limit is too low for us, or a signal handler of the user's raised in our frames.
    if request and request[0] in _OF_AN_EXECUTION:
        KERNEL.abandon()
    if isinstance(error, MemoryError):
        KERNEL.reserve = None
        return _OUT_OF_MEMORY_REPLY
    try:
        return _done(failure(error, KERNEL.result_bytes, KERNEL.callbacks))
    except BaseException:
        name = type.__dict__["__name__"].__get__(type(error))
        return _done((False, name, "", f"{name}\n"))
