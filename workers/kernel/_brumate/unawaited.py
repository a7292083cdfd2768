"""Coroutines that nobody awaits: reported with the execution that made them, at a line of the user's.

CPython reports such a coroutine when it is freed. The value of a cell is freed by a later cell, in a frame of the kernel.
"""

import builtins
import inspect
import linecache
import sys
import traceback
import warnings
from types import CodeType, CoroutineType, FrameType
from typing import Any

from .frames import is_kernel_file
from .tool_call import ToolCall

COROUTINES = frozenset({CoroutineType, ToolCall})


class Unawaited:
    """Reports coroutines, and which of them have been reported: only what `_` keeps is freed after its report."""

    __slots__ = ("_is_muted", "_is_new", "has_reported")

    def __init__(self) -> None:
        # Of the value of `_`, or of the one that it is about to have.
        self.has_reported = False
        self._is_new = False
        self._is_muted = False

    def install(self) -> None:
        """Become what CPython calls for a coroutine that is freed; once."""
        warnings._warn_unawaited_coroutine = self._on_freed

    def report(self, value: Any, code: CodeType) -> None:
        """Warn of coroutines that the last expression of a cell left. Its value is one, or a list of them."""
        for coroutine in (value,) if type(value) in COROUTINES else value:
            if type(coroutine) in COROUTINES and inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
                line = [line for _, _, line in code.co_lines() if line][-1]
                self.has_reported = self._is_new = True
                warnings.warn_explicit(_message(coroutine), RuntimeWarning, code.co_filename, line)

    def replace(self, value: Any) -> None:
        """Give `_` a value, where the old one or this one was reported."""
        self._is_muted = True
        try:
            builtins._ = value
        finally:
            self._is_muted = False
            self.has_reported = self._is_new
            self._is_new = False

    def _on_freed(self, coroutine: CoroutineType) -> None:
        if self._is_muted:
            return
        message = _message(coroutine)
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and is_kernel_file(frame.f_code.co_filename):
            frame = frame.f_back
        if frame is not None:
            names = frame.f_globals
            registry = names.setdefault("__warningregistry__", {})
            place = (frame.f_code.co_filename, frame.f_lineno, names.get("__name__") or "<string>", registry)
            warnings.warn_explicit(message, RuntimeWarning, *place, source=coroutine)
            return
        # Freed by the kernel: with the traceback of a failed cell, say. Where it was made is not known.
        warnings.warn_explicit(message, RuntimeWarning, *_likely_place(coroutine))


def _likely_place(coroutine: CoroutineType) -> tuple[str, int]:
    """The first line of the latest cell that calls a function of this name, or else the function's own."""
    filename = next((name for name in reversed(linecache.cache) if name.startswith("<cell ")), "<session>")
    for number, line in enumerate(linecache.getlines(filename), 1):
        if f"{coroutine.__name__}(" in line:
            return filename, number
    code = coroutine.cr_code
    return (filename, 1) if is_kernel_file(code.co_filename) else (code.co_filename, code.co_firstlineno)


def _message(coroutine: CoroutineType) -> str:
    text = f"coroutine '{coroutine.__qualname__}' was never awaited"
    if coroutine.cr_origin is not None:
        stack = [(*entry, linecache.getline(*entry[:2])) for entry in reversed(coroutine.cr_origin)]
        lines = traceback.format_list(stack)
        text = "".join([text, "\nCoroutine created at (most recent call last)\n", *lines]).rstrip("\n")
    return text


# One, like the kernel itself.
UNAWAITED = Unawaited()
