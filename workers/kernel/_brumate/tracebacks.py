"""Failures as data: type name, message and the traceback as CPython prints it, without frames of the kernel.

It is `patches` that hides those frames, from every user of the `traceback` module."""

import linecache
import sys
from traceback import TracebackException
from types import TracebackType
from typing import Any

from .absent import missing_attribute
from .packages import missing_module

# Of a traceback, as where CPython prints one from C. The `traceback` module takes 0.2 ms for each.
MOST_FRAMES = 1000

# With the displays of an execution as a fifth member, where there are any.
type Failure = tuple[Any, ...]

OUT_OF_MEMORY: Failure = (False, "MemoryError", "", "MemoryError\n")
INTERRUPTED: Failure = (False, "KeyboardInterrupt", "", "KeyboardInterrupt\n")


def failure(error: BaseException) -> Failure:
    """Describe the error. Keeps no reference to it; may run user code (`__str__`), and so may raise anything."""
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
    elif isinstance(error, AttributeError):
        if sentence := missing_attribute(error):
            # After the text, or the suggestion that CPython has added to it.
            summary._str += f" {sentence}" if summary._str.endswith("?") else f". {sentence}"
    # The summary has str(error) already, guarded; asking again could hang a second time.
    return (False, _type_name(error), str.__str__(summary._str), "".join(summary.format()))


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
