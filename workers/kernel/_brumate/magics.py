"""What to say of code that only a notebook understands: `%magics`, `!commands` and `?help`.

Lines that install packages, and magics that change nothing here, are for `packages`: they do not fail.
"""

import ast
import re

from .packages import statement_for

_CELL = re.compile(r"(?P<command>%%[A-Za-z_]\w*)")
_LINE = re.compile(
    r"(?P<indent>[ \t]*)(?:"
    r"(?P<target>[^\W\d][\w., ]*=[ \t]*)?(?P<command>%{1,2}[A-Za-z_]\w*|!{1,2}[ \t]*[^\s!=]\S*)"
    r"|(?P<help>\?{1,2}[ \t]*[^\W\d][\w.]*|[^\W\d][\w.]*\?{1,2})[ \t]*\r?\Z"
    r")"
)

_SHELL = frozenset({"bash", "cmd", "perl", "ruby", "script", "sh", "sx", "system"})
_DISPLAY = "use display() with the classes of IPython.display"
_WRITE = "use pathlib.Path(…).write_text(…)"
_ADVICE = {
    "cd": "use os.chdir(…)",
    "debug": "use print() or the traceback module",
    "env": "use os.environ",
    "file": _WRITE,
    **dict.fromkeys(("html", "javascript", "js", "latex", "markdown", "svg"), _DISPLAY),
    "ls": "use os.listdir()",
    "pdb": "use print() or the traceback module",
    "prun": "use cProfile.run(…)",
    "pwd": "use os.getcwd()",
    "run": "use runpy.run_path(…)",
    "time": "use time.perf_counter()",
    "timeit": "use timeit.timeit(…)",
    **dict.fromkeys(("who", "whos"), "use dir()"),
    "writefile": _WRITE,
}


def explain(error: BaseException, source: str, flags: int) -> None:
    """Make a SyntaxError that is about such a line say so, in one sentence, and point to it."""
    if not isinstance(error, SyntaxError):
        return
    lines = source.split("\n")
    index = _blamed(error, lines, flags)
    if index is None:
        return
    match = _LINE.match(lines[index])
    start, end = match.span("command" if match["command"] else "help")
    error.msg = _sentence(match)
    error.lineno = error.end_lineno = index + 1
    error.offset, error.end_offset = start + 1, end + 1
    error.text = lines[index]


def _blamed(error: SyntaxError, lines: list[str], flags: int) -> int | None:
    """Index of the line that the error is about. The parser may name a later one, such as that of a lone apostrophe."""
    first = next((index for index, line in enumerate(lines) if line.strip()), None)
    if first is not None and _CELL.match(lines[first]):
        return first
    known = [*map(statement_for, lines)]
    found = [index for index, line in enumerate(lines) if known[index] is None and _LINE.match(line)]
    for index in found:
        if error.lineno == index + 1 and error.offset == _LINE.match(lines[index]).end("indent") + 1:
            return index
    if not found:
        return None
    replaced = [line if statement is None else statement for line, statement in zip(lines, known, strict=True)]
    for index in found:
        replaced[index] = f"{_LINE.match(lines[index])['indent']}pass"
    try:
        compile("\n".join(replaced), "<cell>", "exec", flags | ast.PyCF_ONLY_AST, True)
    except SyntaxError:
        return None  # something else is wrong
    return found[0]


def _sentence(match: re.Match[str]) -> str:
    if match["help"]:
        return f"{match['help']}: sessions run plain Python, without IPython's help; use help({match['help'].strip('? ')})"
    command = match["command"]
    name = command.lstrip("%! ")
    if command.startswith("!") or name in _SHELL:
        return f"{command}: sessions run plain Python, without a shell; use os, shutil and pathlib"
    advice = _ADVICE.get(name, "write it in Python")
    return f"{command}: sessions run plain Python, without IPython's magics; {advice}"
