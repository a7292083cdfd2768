"""Turns a freshly booted Pyodide into the interpreter of a session. Runs once, in the builder, before recording."""

import asyncio
import builtins
import contextlib
import gc
import importlib
import io
import linecache
import marshal
import os
import re
import sys
import time
import typing
from asyncio import events, runners
from types import ModuleType

from . import link, patches, reading, tools
from .preload import PRELOADED

# With HOME all that a session sees until its own variables are added; nothing of the machine that built the image.
_ENVIRONMENT = {"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "USER": "user"}

_BRIDGE = frozenset({"js", "pyodide", "pyodide_js", "_pyodide", "_pyodide_core"})

# Cells that take the common paths once, so that what CPython caches on first use is in the image. None waits for time
# to pass: the builder's clock stands still.
_WARM_UP = (
    "x = 1",
    "def f(n):\n    return [i for i in range(n)]\nf(3)",
    "1 / 0",
    "x = (",
    "import asyncio\nasync def g():\n    await asyncio.sleep(0)\n    return 1\nawait asyncio.gather(g(), g())",
    "asyncio.run(g())",
    "class C:\n    def _repr_html_(self):\n        return 'c'\nC()",
)
_WARM_UP_CALLBACK = {
    "name": "warm",
    "description": "Never called.",
    "parameters": {"type": "object", "properties": {"a": {"type": "integer"}, "b": {}}, "required": ["a"]},
}


def prepare() -> None:
    """Import the common modules, apply the patches, take Pyodide's bridge out. Python is then driven by `link` only."""
    for name in PRELOADED:
        importlib.import_module(name)
    importlib.import_module("brumate")
    _undo_changes_of_the_bridge()
    _remove_bridge()
    _make_standard_streams()
    _forget_the_builder()
    patches.install()
    tools.install(link.KERNEL.callbacks)
    reading.install()
    link.KERNEL.namespace.clear()
    link.KERNEL.activate()
    _warm_up()
    _drop_caches()
    gc.collect()


def _undo_changes_of_the_bridge() -> None:
    # Pyodide keeps the originals where functools.wraps puts them.
    time.sleep = getattr(time.sleep, "__wrapped__", time.sleep)
    asyncio.run = runners.run
    events._set_running_loop(None)
    events._set_event_loop_policy(None)
    sys.set_asyncgen_hooks(None, None)
    sys.excepthook = sys.__excepthook__
    sys.displayhook = sys.__displayhook__
    for finder in sys.meta_path:
        if _is_of_the_bridge(finder) and hasattr(finder, "jsproxies"):
            finder.jsproxies.clear()  # JavaScript holds a method of this finder, and so keeps it alive
    sys.meta_path[:] = [finder for finder in sys.meta_path if not _is_of_the_bridge(finder)]
    for name in [name for name in vars(builtins) if name.startswith("___")]:
        delattr(builtins, name)


def _remove_bridge() -> None:
    removed = [sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in _BRIDGE]
    gc.collect()
    running = _namespaces_on_the_stack()
    # JavaScript still holds functions of these modules; emptied, they reach no JavaScript object any more.
    for module in removed:
        if not isinstance(module, ModuleType):
            module.__loader__.jsproxy = None  # a proxy and its loader, a cycle that the collector does not see
        elif id(module.__dict__) not in running:
            module.__dict__.clear()


def _namespaces_on_the_stack() -> set[int]:
    # Called through the C API there is none of the bridge; called through runPython, its module has to live on.
    found = set()
    frame = sys._getframe()
    while frame is not None:
        found.add(id(frame.f_globals))
        frame = frame.f_back
    return found


def _is_of_the_bridge(finder: object) -> bool:
    kind = finder if isinstance(finder, type) else type(finder)
    return kind.__module__.partition(".")[0] in _BRIDGE


def _make_standard_streams() -> None:
    # Unbuffered: print, os.write and C level output arrive in the order in which they were written.
    sys.stdin = sys.__stdin__ = _stream(0, "<stdin>", "r", "strict")
    sys.stdout = sys.__stdout__ = _stream(1, "<stdout>", "w", "strict")
    sys.stderr = sys.__stderr__ = _stream(2, "<stderr>", "w", "backslashreplace")


class _Output(io.FileIO):
    # Listeners hear at once what is flushed, even if the code then computes for a minute.
    def flush(self) -> None:
        super().flush()
        with contextlib.suppress(OSError):
            os.fsync(self.fileno())


def _stream(descriptor: int, name: str, mode: str, errors: str) -> io.TextIOWrapper:
    raw = (io.FileIO if mode == "r" else _Output)(descriptor, mode, closefd=False)
    raw.name = name
    if mode == "r":
        stream = io.TextIOWrapper(io.BufferedReader(raw), encoding="utf-8", errors=errors)
    else:
        stream = io.TextIOWrapper(raw, encoding="utf-8", errors=errors, newline="\n", write_through=True)
    stream.mode = mode
    return stream


def _forget_the_builder() -> None:
    sys.argv = [""]
    sys.orig_argv = []
    sys.executable = sys._base_executable = ""
    home = os.environ.get("HOME") or os.getcwd()
    os.environ.clear()
    os.environ.update(_ENVIRONMENT, HOME=home)


def _warm_up() -> None:
    requests = [b"\x01\0\0\0\0\0" + source.encode() for source in _WARM_UP]
    value = b"\x05\1\0\0\0v" + marshal.dumps(({"a": [1, 2.5, "b", b"c", None]}, []), 2)
    requests += [value, b"\x04v", b"\x04missing", b"\x09\0\0\1\0"]
    requests += [b"\x0b" + marshal.dumps([_WARM_UP_CALLBACK], 2), b"\x01\0\0\0\0\0await warm(1, b=[2])"]
    for _ in range(3):
        for request in requests:
            link.dispatch(request)
        # On a busy machine the call comes in a later slice of the loop's time.
        while not link.KERNEL.calls.outstanding():
            link.dispatch(b"\x02")
        (call,) = link.KERNEL.calls.outstanding()
        link.dispatch(b"\x03" + call.id.to_bytes(4, "little") + b"\1" + marshal.dumps(({"a": 1}, []), 2))
    link.dispatch(b"\x0b" + marshal.dumps([], 2))
    link.dispatch(b"\x06")
    link.KERNEL.calls.restart()


def _drop_caches() -> None:
    linecache.clearcache()
    re.purge()
    for clear_cache in typing._cleanups:
        clear_cache()
    for path in [path for path in sys.path_importer_cache if "pyodide" in path]:
        del sys.path_importer_cache[path]
    for name in ("last_exc", "last_type", "last_value", "last_traceback"):
        sys.__dict__.pop(name, None)
