"""What differs from CPython's standard library inside a session. Fidelity, not security: code can undo all of it."""

import _sitebuiltins
import asyncio
import functools
import hashlib
import importlib.machinery
import inspect
import signal
import sys
import traceback
from asyncio import base_events, events, runners, unix_events
from types import ModuleType
from typing import Any, NoReturn

from . import absent, clocks, door, local_names, network, notebook
from .calls import CALLS
from .errors import naming_host_errors
from .frames import is_kernel_file
from .hooks import StandIns, find_hooked
from .loop import EventLoop, OutsideSessionLoop, complete
from .unawaited import UNAWAITED

# Compiled in or on the path, but not part of a session.
_ABSENT = {"_ctypes", "_pyodide", "_pyodide_core", "ctypes", "js", "pyodide", "pyodide_js"}


class HookedModules:
    """A finder in front of all others: these modules need something of the kernel's."""

    @classmethod
    def find_spec(
        cls, fullname: str, path: Any = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        return find_hooked(fullname, path, target)


def allow_ctypes() -> None:
    """In images with packages: several import it. It can call what the image's native code has, and nothing else."""
    _ABSENT.difference_update(("_ctypes", "ctypes"))
    sys.builtin_module_names = tuple(sorted({*sys.builtin_module_names, "_ctypes"}))


def _hide_absent_modules() -> None:
    # Not by a finder that raises: `importlib.util.find_spec` asks whether a module is there, and the answer is None.
    for finder in (importlib.machinery.BuiltinImporter, importlib.machinery.PathFinder):
        finder.find_spec = classmethod(_without_absent(finder.find_spec.__func__))
    sys.builtin_module_names = tuple(name for name in sys.builtin_module_names if name not in _ABSENT)


def _without_absent(find_spec: Any) -> Any:
    @functools.wraps(find_spec)
    def wrapper(
        cls: type, fullname: str, path: Any = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] in _ABSENT:
            return None
        return find_spec(cls, fullname, path, target)

    return wrapper


def _derive_keys(name: str) -> Any:
    # What CPython has from OpenSSL; `hashlib` asks for what it does not have.
    if name not in ("pbkdf2_hmac", "scrypt"):
        raise AttributeError(f"module 'hashlib' has no attribute {name!r}", name=name, obj=hashlib)
    import _key_derivation

    for function in (_key_derivation.pbkdf2_hmac, _key_derivation.scrypt):
        function.__module__ = "hashlib"
        setattr(hashlib, function.__name__, function)
    return getattr(hashlib, name)


def install() -> None:
    """Apply every patch; once."""
    clocks.install()
    sys.meta_path.insert(0, HookedModules)
    sys.meta_path.append(StandIns)
    notebook.install()
    traceback.TracebackException.__init__ = naming_host_errors(traceback.TracebackException.__init__)
    _hide_absent_modules()
    hashlib.__getattr__ = _derive_keys
    absent.install()
    network.install()
    local_names.install()
    _install_loops()
    asyncio.run = runners.run = _outside_session_loop(runners.run)
    runners.Runner.run = _restoring_the_signal_handler(_outside_session_loop(runners.Runner.run))
    _sitebuiltins.Quitter.__call__ = _quit
    inspect.getfile = _finding_cells(inspect.getfile)
    UNAWAITED.install()
    for name in ("walk_tb", "walk_stack", "_walk_tb_with_full_positions"):
        setattr(traceback, name, _without_kernel_frames(getattr(traceback, name)))


def _install_loops() -> None:
    # Loops that need no sockets, whichever way the user asks for one.
    for module in (asyncio, unix_events):
        module.EventLoop = module.SelectorEventLoop = EventLoop
    unix_events._DefaultEventLoopPolicy._loop_factory = EventLoop
    events._set_event_loop_policy(None)
    kind = base_events.BaseEventLoop
    kind.run_forever = _outside_session_loop(kind.run_forever)
    kind.run_until_complete = _outside_session_loop(kind.run_until_complete)
    kind._run_once = _serving_host_calls(kind._run_once)


def _serving_host_calls(run_once: Any) -> Any:
    # For loops of the user's classes, which know nothing of host calls and may have no selector.
    @functools.wraps(run_once)
    def wrapper(self: Any) -> None:
        if not hasattr(self, "_selector"):
            complete(self)
        CALLS.flush()
        if CALLS.is_awaiting_door():
            if not self._ready:
                door.wait(max(0.0, self._scheduled[0].when() - self.time()) if self._scheduled else None)
            CALLS.deliver()
        run_once(self)

    return wrapper


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


def _finding_cells(getfile: Any) -> Any:
    # For classes that the user defines, `inspect` looks for the file of `__main__`, which has none.
    @functools.wraps(getfile)
    def wrapper(object: Any) -> str:
        try:
            return getfile(object)
        except OSError:
            from .link import KERNEL

            filename = KERNEL.sources.file_of(object) if isinstance(object, type) else None
            if filename is None:
                raise
            return filename

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
