"""What a session cannot have, in one sentence each with what to do instead. docs/python.md lists it for readers.

Owns the sentences, and the functions that say them in place of a C function's "Function not implemented". Those keep
the types and numbers of the errors, which programs may expect.
"""

import errno
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

_OFFER = "the program that runs this session can offer what you need as a callback"

NO_THREADS = (
    "sessions have one thread: call the function directly, or write it as a coroutine and use asyncio.gather for what"
    " waits"
)
NO_PROCESSES = f"sessions cannot start processes: do it in Python, or {_OFFER}"
NO_INTERPRETERS = "sessions have one interpreter and one thread: call the function directly"
NO_TERMINAL = "sessions have no terminal: print text, or end the cell with the value to show"
NO_WINDOWS = (
    "sessions have no screen for windows: show results as text, HTML (_repr_html_) or a figure of matplotlib, if the image"
    " has it"
)
NO_INSTALLER = "sessions cannot install packages: they are part of the image that the program builds"
NO_JAVASCRIPT = f"sessions have no JavaScript, unlike plain Pyodide: {_OFFER}"
NO_SIGNALS = "sessions have no timer signals: use asyncio.timeout, or the time limit of the execution"
NO_ACCOUNTS = "sessions have no user accounts and no system log: getpass.getuser() gives a name, os.path.expanduser('~') a home"
NO_TLS = f"sessions have no OpenSSL and no network: hashlib and hmac work, and {_OFFER}"
NO_LINKS = "sessions have no such files: use a regular file, a symbolic link or os.pipe"
NO_CTYPES = "sessions have ctypes only where their image has packages"

# Module -> the sentence. The first part of a dotted name counts.
_MODULES = {
    **dict.fromkeys(("_curses", "_curses_panel", "curses", "readline"), NO_TERMINAL),
    **dict.fromkeys(("_tkinter", "idlelib", "tkinter", "turtle", "turtledemo"), NO_WINDOWS),
    **dict.fromkeys(("_multiprocessing", "_posixshmem"), NO_PROCESSES),
    **dict.fromkeys(("_interpchannels", "_interpqueues", "_interpreters"), NO_INTERPRETERS),
    **dict.fromkeys(("ensurepip", "venv"), NO_INSTALLER),
    **dict.fromkeys(("_pyodide", "_pyodide_core", "js", "pyodide", "pyodide_js"), NO_JAVASCRIPT),
    **dict.fromkeys(("grp", "nis", "pwd", "spwd", "syslog"), NO_ACCOUNTS),
    **dict.fromkeys(("_hashlib", "_ssl"), NO_TLS),
    **dict.fromkeys(("_ctypes", "ctypes"), NO_CTYPES),
    "resource": "sessions have no resource limits of their own: the program that runs this session sets them",
    "_dbm": "of the dbm modules sessions have dbm.sqlite3 and dbm.dumb",
    "_gdbm": "of the dbm modules sessions have dbm.sqlite3 and dbm.dumb",
}

# Module -> attributes that it has elsewhere, and the sentence.
_ATTRIBUTES = {
    "concurrent.futures": {"InterpreterPoolExecutor": NO_INTERPRETERS},
    "os": {
        **dict.fromkeys(("forkpty", "posix_spawn", "posix_spawnp", "setsid", "nice", "wait", "killpg"), NO_PROCESSES),
        **dict.fromkeys(("openpty", "login_tty"), NO_TERMINAL),
        **dict.fromkeys(("link", "mkfifo"), NO_LINKS),
        "startfile": NO_PROCESSES,
    },
    "select": dict.fromkeys(("epoll", "kqueue"), "sessions have no sockets to wait for: select.poll works for pipes"),
    "signal": dict.fromkeys(("alarm", "getitimer", "setitimer", "pthread_kill", "sigwait"), NO_SIGNALS),
}


def missing_module(name: str) -> str:
    """The sentence, as it follows "No module named …"; or nothing."""
    sentence = _MODULES.get(name.partition(".")[0])
    return f". {_capitalized(sentence)}." if sentence is not None else ""


def missing_attribute(error: AttributeError) -> str:
    """The same of an attribute of a module."""
    module = getattr(error.obj, "__name__", None)
    sentence = _ATTRIBUTES.get(module, {}).get(error.name) if isinstance(module, str) else None
    return f"{_capitalized(sentence)}." if sentence is not None else ""


def _capitalized(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]


def install() -> None:
    """Let the functions say it; once."""
    import _thread
    import subprocess
    import threading

    refuse_thread = _raising(lambda: RuntimeError(f"can't start new thread: {NO_THREADS}"))
    for name in ("start_new", "start_new_thread", "start_joinable_thread"):
        setattr(_thread, name, refuse_thread)
    threading._start_new_thread = threading._start_joinable_thread = refuse_thread
    subprocess.Popen.__init__ = _raising(lambda: OSError(errno.ENOTSUP, NO_PROCESSES))
    os.fork = _raising(lambda: OSError(errno.ENOSYS, NO_PROCESSES))
    os.execv = os.execve = _raising(lambda: OSError(errno.ENOEXEC, NO_PROCESSES))
    os.system = _system


def _raising(make: Callable[[], Exception]) -> Callable[..., NoReturn]:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise make()

    return refuse


def _system(command: Any) -> int:
    # It raises nothing anywhere, and a shell would say on stderr what is wrong.
    os.fspath(command)
    print(f"os.system: {NO_PROCESSES}", file=sys.stderr)
    return -1
