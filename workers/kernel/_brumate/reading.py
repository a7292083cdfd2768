"""What asks a person for something: `input`, `getpass.getpass`, and `breakpoint`.

With `onInput`, the host answers by a host call named `input`, which no callback can be called. Where a cell reads at its top level or in an
`async def`, the call is awaited (see `awaiting`), so it can be suspended and frozen; in other functions it blocks. Without `onInput`,
CPython's own functions find the end of the file.
"""

import ast
import builtins
import os
import re
import sys
from types import ModuleType
from typing import Any, NoReturn

from .asking import ask, ask_sync

# The host call, {'prompt': str, 'password': bool} -> the line, or None at the end of the input.
_CALL = "input"
# What the compiled code calls in place of a function that may read.
_HELPER = "__brumate_read__"

_NO_DEBUGGER = (
    "breakpoint() needs a terminal for the debugger, and a session has none; print() what you want to see, or set"
    " PYTHONBREAKPOINT"
)

_own_input = builtins.input
_own_breakpoint = sys.breakpointhook

# A loop of the code's own cannot run inside a task, so such a cell is left as it is: it blocks.
_runs_a_loop = re.compile(r"\.run\(|\brun_until_complete\b|\brun_forever\b|\bRunner\b").search


class Reading:
    """Whether the host answers, and the functions that ask it."""

    __slots__ = ("enabled", "own_getpass")

    def __init__(self) -> None:
        self.enabled = False
        self.own_getpass: Any = None

    def attach(self, *, enabled: bool) -> None:
        """The session has a host that answers, or not."""
        if enabled == self.enabled:
            return
        self.enabled = enabled
        if enabled:
            builtins.__dict__["input"] = read_line
            builtins.__dict__[_HELPER] = read
        else:
            builtins.__dict__["input"] = _own_input
            builtins.__dict__.pop(_HELPER, None)

    def is_wanted(self, source: str) -> bool:
        """Whether a cell may have calls that are to be awaited."""
        return ("input(" in source or "getpass(" in source) and _runs_a_loop(source) is None


READING = Reading()


def read_line(prompt: object = "", /) -> str:
    """Read a string from the host: `onInput` gets the prompt."""
    return _line(ask_sync(_CALL, _arguments(prompt, password=False)))


def read_password(prompt: str = "Password: ", stream: Any = None, *, echo_char: str | None = None) -> str:
    """Prompt for a password: `onInput` gets the prompt, and `password: true`."""
    if not READING.enabled:
        return READING.own_getpass(prompt, stream, echo_char=echo_char)
    return _line(ask_sync(_CALL, _arguments(prompt, password=True)))


async def read(function: Any, /, *args: Any, **kwargs: Any) -> Any:
    """Call the function, which may be anything that is called `input` or `getpass`; ours are awaited."""
    if function is read_line and READING.enabled and not kwargs and len(args) <= 1:
        return _line(await ask(_CALL, _arguments(*args or ("",), password=False)))
    if function is read_password and READING.enabled:
        return _line(await ask(_CALL, _password(*args, **kwargs)))
    return function(*args, **kwargs)


def _password(prompt: str = "Password: ", stream: Any = None, *, echo_char: str | None = None) -> dict[str, Any]:
    return _arguments(prompt, password=True)


def _arguments(prompt: object, *, password: bool) -> dict[str, Any]:
    return {"prompt": str.__str__(str(prompt)), "password": password}


def _line(answer: Any) -> str:
    if answer is None:
        raise EOFError("EOF when reading a line")
    if not isinstance(answer, str):
        raise TypeError(f"input() was answered with {type(answer).__name__!r}, not with a str")
    return answer


class _Awaiting(ast.NodeTransformer):
    """Puts `await` before calls that read, wherever one can stand."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if not _may_read(node.func):
            return node
        helper = ast.copy_location(ast.Name(_HELPER, ast.Load()), node)
        call = ast.copy_location(ast.Call(helper, [node.func, *node.args], node.keywords), node)
        return ast.copy_location(ast.Await(call), node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.body = [self.visit(part) if isinstance(part, ast.AsyncFunctionDef) else part for part in node.body]
        return node

    def _leave(self, node: ast.AST) -> ast.AST:
        return node

    visit_FunctionDef = visit_Lambda = visit_GeneratorExp = _leave


def _may_read(function: ast.expr) -> bool:
    if isinstance(function, ast.Name):
        return function.id in ("input", "getpass")
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and (function.value.id, function.attr) in (("builtins", "input"), ("getpass", "getpass"))
    )


def awaiting(tree: ast.Module) -> ast.Module:
    """The cell, with the calls awaited that may read."""
    return _Awaiting().visit(tree)


def adapt_getpass(module: ModuleType) -> None:
    """For `hooks`: `getpass` was imported."""
    READING.own_getpass = module.getpass
    module.getpass = read_password


def adapt_pdb(module: ModuleType) -> None:
    """For `hooks`: `pdb` was imported."""
    module.set_trace = _no_debugger


def _no_debugger(*_: Any, **__: Any) -> NoReturn:
    raise RuntimeError(_NO_DEBUGGER)


def _breakpoint(*args: Any, **kwargs: Any) -> Any:
    if os.environ.get("PYTHONBREAKPOINT"):
        return _own_breakpoint(*args, **kwargs)
    _no_debugger()


def install() -> None:
    """Replace the hook of `breakpoint`; once."""
    sys.breakpointhook = sys.__breakpointhook__ = _breakpoint
