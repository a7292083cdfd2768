"""What differs from CPython's standard library inside a session. Fidelity, not security: code can undo all of it."""

import _sitebuiltins
import asyncio
import functools
import importlib.machinery
import signal
import sys
import time
import traceback
from asyncio import events, runners
from types import ModuleType
from typing import Any, NoReturn

from . import notebook
from .blocking import make_sleep
from .errors import naming_host_errors
from .frames import is_kernel_file
from .hooks import StandIns, find_hooked
from .loop import EventLoop, OutsideSessionLoop

_ABSENT = frozenset({"js", "pyodide", "pyodide_js", "_pyodide", "_pyodide_core"})
_UNAVAILABLE = {"ctypes", "_ctypes"}


class AbsentModules:
    """A finder in front of all others: these modules are compiled in or on the path, but not part of a session."""

    @classmethod
    def find_spec(
        cls, fullname: str, path: Any = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        root = fullname.partition(".")[0]
        if root in _ABSENT:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        if root in _UNAVAILABLE:
            raise ModuleNotFoundError(f"{root!r} is not available in brumate sessions", name=fullname)
        return find_hooked(fullname, path, target)


def allow_ctypes() -> None:
    """In images with packages: several import it. It can call what the image's native code has, and nothing else."""
    _UNAVAILABLE.clear()


def allow_ctypes() -> None:
    """In images with packages: several import it. It can call what the image's native code has, and nothing else."""
    _UNAVAILABLE.clear()


class EventLoopPolicy(events._BaseDefaultEventLoopPolicy):
    """Makes `asyncio.new_event_loop()` give a loop that needs no sockets."""

    _loop_factory = EventLoop


def install() -> None:
    """Apply every patch; once."""
    time.sleep = make_sleep(time.sleep)
    sys.meta_path.insert(0, AbsentModules)
    sys.meta_path.append(StandIns)
    notebook.install()
    traceback.TracebackException.__init__ = naming_host_errors(traceback.TracebackException.__init__)
    events._set_event_loop_policy(EventLoopPolicy())
    asyncio.EventLoop = asyncio.SelectorEventLoop = EventLoop
    asyncio.run = runners.run = _outside_session_loop(runners.run)
    runners.Runner.run = _restoring_the_signal_handler(_outside_session_loop(runners.Runner.run))
    _sitebuiltins.Quitter.__call__ = _quit
    for name in ("walk_tb", "walk_stack", "_walk_tb_with_full_positions"):
        setattr(traceback, name, _without_kernel_frames(getattr(traceback, name)))


def refresh_time_zone() -> None:
    """`time.timezone` and its like were computed when the image was built; the host's zone is another one."""
    year = time.localtime().tm_year
    january, july = (time.localtime(time.mktime((year, month, 1, 12, 0, 0, 0, 0, 0))) for month in (1, 7))
    standard, summer = sorted((january, july), key=lambda moment: moment.tm_gmtoff)
    time.timezone = -standard.tm_gmtoff
    time.altzone = -summer.tm_gmtoff
    time.daylight = int(standard.tm_gmtoff != summer.tm_gmtoff)
    time.tzname = (standard.tm_zone, summer.tm_zone)


def _outside_session_loop(function: Any) -> Any:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with OutsideSessionLoop():
            return function(*args, **kwargs)

    return wrapper


def _restoring_the_signal_handler(function: Any) -> Any:
    # Runner.run puts the handler back in a `finally` that an interrupt can cut short; left in place, its handler would
    # raise KeyboardInterrupt in the kernel.
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        before = signal.getsignal(signal.SIGINT)
        try:
            return function(*args, **kwargs)
        finally:
            now = signal.getsignal(signal.SIGINT)
            if now is not before and isinstance(now, functools.partial):
                signal.signal(signal.SIGINT, before)

    return wrapper


def _without_kernel_frames(walk: Any) -> Any:
    # For everything that shows tracebacks: the failures we report, logging, asyncio, print_exc and print_stack.
    @functools.wraps(walk)
    def walker(start: Any) -> Any:
        if start is None and walk.__name__ == "walk_stack":
            start = sys._getframe(1)
        return (item for item in walk(start) if not is_kernel_file(item[0].f_code.co_filename))

    return walker


def _quit(self: object, code: object = None) -> NoReturn:
    # `exit()` and `quit()`; the original also closes stdin, which the session goes on to need.
    raise SystemExit(code)
