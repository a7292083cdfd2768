"""Failures as data: type name, message and the traceback as CPython prints it, without frames of the kernel.

It is `patches` that hides those frames, from every user of the `traceback` module."""

import linecache
import sys
from traceback import TracebackException
from types import TracebackType
from typing import Any

from .absent import missing_attribute
from .callbacks import Callbacks
from .errors import HostError
from .packages import missing_module

# Of a traceback, as where CPython prints one from C. The `traceback` module takes 0.2 ms for each.
MOST_FRAMES = 1000

# More of one text is of no use in a list of frames.
_LONGEST_FRAME_TEXT = 500

# (False, type name, text, traceback), and then, where there is one: frames as [(file, line, function, source line)], exit
# status, and the traceback's last line where it is not type name and text.
type Failure = tuple[Any, ...]

OUT_OF_MEMORY: Failure = (False, "MemoryError", "", "MemoryError\n")
INTERRUPTED: Failure = (False, "KeyboardInterrupt", "", "KeyboardInterrupt\n")


def failure(error: BaseException, limit_bytes: int | None = None, callbacks: Callbacks | None = None) -> Failure:
    """Describe the error, each text of at most so many bytes. Keeps no reference to it; may run user code (`__str__`), and so may raise anything."""
    trace = error.__traceback__
    limit = None
    if not hasattr(sys, "tracebacklimit"):
        limit = -MOST_FRAMES  # negative: the innermost ones
        trace = _innermost(trace)
    summary = TracebackException(type(error), error, trace, limit=limit, compact=True)
    _drop_empty_stacks(summary)
    if isinstance(error, ModuleNotFoundError):
        # As CPython adds its suggestions: to what is reported, not to the exception.
        summary._str += missing_module(error.name)
    elif type(error) is NameError and callbacks is not None:
        if sentence := callbacks.gone(error.name):
            # In place of what CPython suggests, which is some other name.
            summary._str = f"{summary._str.partition('. Did you mean')[0]}. {sentence}"
    elif isinstance(error, AttributeError):
        if sentence := missing_attribute(error):
            # After the text, or the suggestion that CPython has added to it.
            summary._str += f" {sentence}" if summary._str.endswith("?") else f". {sentence}"
    # The summary has str(error) already, guarded; asking again could hang a second time.
    name, text = _type_name(error), str.__str__(summary._str)
    is_syntax = isinstance(error, SyntaxError)
    line = _last_line(summary, name, text, is_syntax=is_syntax)
    if isinstance(error, HostError) and isinstance(error.message, str):
        text = error.message
    return (
        False,
        name,
        cut(text, limit_bytes),
        cut("".join(summary.format()), limit_bytes),
        _frames(summary, is_syntax=is_syntax),
        _exit_status(error) if isinstance(error, SystemExit) else None,
        None if line is None else cut(line, limit_bytes),
    )


def cut(text: str, limit_bytes: int | None) -> str:
    """The text where its UTF-8 has at most so many bytes, else its beginning and a mark that says so."""
    if limit_bytes is None or 4 * len(text) <= limit_bytes:
        return text
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    if size <= limit_bytes:
        return text
    mark = f"… [cut: {size} bytes, limits.resultBytes is {limit_bytes}]"
    room = limit_bytes - len(mark.encode())
    if room <= 0:
        return "…" if limit_bytes >= 3 else ""
    # No character takes more than four bytes, and a cut in bytes could split one.
    head = text[:room] if text.isascii() else text[:room].encode("utf-8", "surrogatepass")[:room].decode("utf-8", "ignore")
    return head + mark


def _last_line(summary: TracebackException, name: str, text: str, *, is_syntax: bool) -> str | None:
    """The line that CPython prints last, or lines; None where it is `name: text`."""
    full_name = summary.exc_type_str or name
    detail = str(summary.msg) if is_syntax else text
    line = f"{full_name}: {detail}" if detail else full_name
    return None if line == (f"{name}: {text}" if text else name) else line


def _frames(summary: TracebackException, *, is_syntax: bool) -> list[tuple[Any, ...]]:
    frames = [
        (_short(frame.filename), frame.lineno, _short(frame.name), _short((frame.line or "").strip()))
        for frame in summary.stack or ()
    ]
    if is_syntax and isinstance(summary.filename, str):
        line = int(summary.lineno) if str(summary.lineno).isdecimal() else None
        text = summary.text if isinstance(summary.text, str) else ""
        frames.append((_short(summary.filename), line, "<module>", _short(text.strip())))
    return frames


def _short(text: Any) -> str:
    return str.__str__(text)[:_LONGEST_FRAME_TEXT] if isinstance(text, str) else ""


def _exit_status(error: SystemExit) -> int:
    code = error.code
    if code is None:
        return 0
    if isinstance(code, int):
        number = int(code)
        return number if -(2**31) <= number < 2**31 else -1
    return 1


def _innermost(trace: TracebackType | None) -> TracebackType | None:
    # TracebackException drops the others as well, but first finds out their line and columns.
    end = trace
    for _ in range(MOST_FRAMES):
        if end is None:
            return trace
        end = end.tb_next
    while end is not None and trace is not None:
        end, trace = end.tb_next, trace.tb_next
    return trace


def _drop_empty_stacks(summary: TracebackException) -> None:
    # Where only the kernel's frames were, as below a SyntaxError, CPython would print no heading either.
    todo = [summary]
    seen = set()
    while todo:
        part = todo.pop()
        if part is None or id(part) in seen:
            continue
        seen.add(id(part))
        if not part.stack:
            part.stack = None
        todo.append(part.__cause__)
        todo.append(part.__context__)
        todo.extend(part.exceptions or ())


def add_source_line(error: BaseException) -> None:
    """Complete a SyntaxError: for late ones ('return' outside function) the compiler looks for the text in files."""
    if not isinstance(error, SyntaxError):
        return
    if error.text is None and error.lineno and isinstance(error.filename, str):
        error.text = linecache.getline(error.filename, error.lineno) or None


def _type_name(error: BaseException) -> str:
    name = type.__dict__["__name__"].__get__(type(error))
    return str.__str__(name)
