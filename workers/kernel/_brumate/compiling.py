"""Compiles a cell as the user wrote it: with a byte order mark, and with lines that only a notebook understands."""

from .cell import Cell, compile_cell
from .magics import explain
from .packages import without_installer
from .sources import Sources
from .tracebacks import add_source_line

_BYTE_ORDER_MARK = "\ufeff"


def compiled(source: str, filename: str, flags: int, sources: Sources) -> Cell:
    """The cell, whose text `sources` keeps as long as tracebacks may show it. Raises what `compile` raises."""
    sources.add(filename, source)
    try:
        cell = compile_cell(source, filename, flags)
    except BaseException as error:
        if source.startswith(_BYTE_ORDER_MARK):
            return compiled(source[1:], filename, flags, sources)
        cell = _without_installers(error, source, filename, flags, sources)
    if not cell.brief:
        cell.classes = sources.hold(filename, cell.body, cell.result)
    return cell


def _without_installers(error: BaseException, source: str, filename: str, flags: int, sources: Sources) -> Cell:
    """The cell, if the error is about a line such as `%pip install x`: a call of what answers it stands there then.

    The text that tracebacks show stays as the user wrote it. Raises the error if it is about something else.
    """
    while True:
        rest = without_installer(source, error.lineno) if isinstance(error, SyntaxError) else None
        if rest is None:
            add_source_line(error)
            explain(error, source, flags)
            sources.drop(filename)
            raise error from None
        source = rest
        try:
            return compile_cell(source, filename, flags)
        except BaseException as another:
            error = another
