"""Compiles one cell of code and, when it awaits at top level, drives it as a coroutine."""

import __future__

import ast
import re
from collections.abc import Awaitable
from types import CodeType
from typing import Any

from .reading import READING, awaiting

_CO_COROUTINE = 0x80
BASE_FLAGS = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
_FUTURE_FLAGS = 0
for _name in __future__.all_feature_names:
    _FUTURE_FLAGS |= getattr(__future__, _name).compiler_flag
del _name

# As the parser counts lines.
_LINE_END = re.compile(r"\r\n|\n|\r")

# The method whose calls `scripts` changes.
_RUNS_LOOP = "run_until_complete"

_LONGEST_PROBED = 200
# One line that can only be an assignment to a name: it has no value, so it needs no syntax tree.
_is_assignment = re.compile(r"[A-Za-z_]\w* *= *[^=\s;\n\r\f\\][^;\n\r\f\\]*\n?\Z", re.ASCII).match


_ON_LINE = re.compile(r" on line (\d+)")


class Cell:
    """What a cell compiled to: its statements, and its last expression if it ends with one."""

    __slots__ = ("awaits", "body", "brief", "classes", "flags", "is_script", "result")

    def __init__(self, body: CodeType | None, result: CodeType | None, flags: int) -> None:
        self.body = body
        self.result = result
        # Compiler flags for the next cell: `from __future__` imports hold from then on, as in a REPL.
        self.flags = flags
        # Whether it needs the event loop to run.
        self.awaits = _is_coroutine(body) or _is_coroutine(result)
        # It runs at once and defines nothing: when it has run, mostly nothing is left of its code.
        self.brief = False
        # The classes that it defines, as `sources` has them.
        self.classes: tuple[tuple[str, int], ...] = ()
        # The user wrote no `await`: it awaits because `scripts` made it so.
        self.is_script = False


def compile_cell(source: str, filename: str, flags: int) -> Cell:
    """Compile, with the last expression apart from the statements before it. Raises what `compile` raises."""
    runs_loop = _RUNS_LOOP in source
    reads = READING.enabled and READING.is_wanted(source)
    if len(source) < _LONGEST_PROBED and not runs_loop and not reads and _is_assignment(source):
        cell = Cell(compile(source, filename, "exec", flags, True), None, flags)
        cell.brief = not cell.awaits and CodeType not in map(type, cell.body.co_consts)
        return cell
    try:
        tree = compile(source, filename, "exec", flags | ast.PyCF_ONLY_AST, True)
    except IndentationError as error:
        tree = _indented(source, filename, flags | ast.PyCF_ONLY_AST, error)
    is_script = False
    if runs_loop:
        from .scripts import with_awaits

        is_script = with_awaits(tree)
    if reads:
        tree = awaiting(tree)
    statements = tree.body
    last = statements.pop() if statements and type(statements[-1]) is ast.Expr else None
    if last is not None and ";" in source and _is_silenced(source, last):
        statements.append(last)
        last = None
    body = None
    if statements or last is None:
        body = compile(tree, filename, "exec", flags, True)
        flags |= body.co_flags & _FUTURE_FLAGS
    result = None if last is None else compile(ast.Expression(last.value), filename, "eval", flags, True)
    cell = Cell(body, result, flags)
    cell.is_script = is_script
    return cell


def _indented(source: str, filename: str, flags: int, refused: IndentationError) -> ast.Module:
    """The tree of code that is indented as a whole, with the lines and columns that it has. Raises SyntaxError."""
    if not source.lstrip("\r\n\f")[:1].isspace() and not source.lstrip().startswith("#"):
        raise refused
    try:
        tree = compile("if 1:\n" + source, filename, "exec", flags, True)
    except SyntaxError as error:
        for name in ("lineno", "end_lineno"):
            if getattr(error, name):
                setattr(error, name, getattr(error, name) - 1)
        error.msg = _ON_LINE.sub(lambda match: f" on line {int(match[1]) - 1}", error.msg)
        raise error from None
    match tree.body:
        case [ast.If(orelse=[]) as block]:
            tree.body = block.body
            return ast.increment_lineno(tree, -1)
    raise refused


def _is_silenced(source: str, last: ast.Expr) -> bool:
    """Whether a semicolon follows the last expression: as in notebooks, its value is not wanted then."""
    line = _LINE_END.split(source)[last.end_lineno - 1]
    rest = line.encode("utf-8", "surrogatepass")[last.end_col_offset :]
    return rest.lstrip(b" \t\f").startswith(b";")


def _is_coroutine(code: CodeType | None) -> int:
    return code is not None and code.co_flags & _CO_COROUTINE


async def drive(start: Awaitable[None], cell: Cell, namespace: dict[str, Any]) -> Any:
    """Run a cell that awaits. `start` is the future on which the kernel learns how to step this task."""
    await start
    if cell.body is not None:
        running = eval(cell.body, namespace)
        if _is_coroutine(cell.body):
            await running
    if cell.result is None:
        return None
    value = eval(cell.result, namespace)
    if _is_coroutine(cell.result):
        value = await value
    return value
