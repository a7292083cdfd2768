"""matplotlib: figures become displays at `show()`, and those still open at the end of an execution, and are closed."""

import io
import sys
from types import ModuleType
from typing import Any

from ..display import FORMATTERS
from ..displays import DISPLAYS
from .chart import chart

CHART = "application/vnd.brumate.chart+json"
_MIME_TYPES = {"png": "image/png", "svg": "image/svg+xml", "jpeg": "image/jpeg", "pdf": "application/pdf"}
_TEXTS = frozenset({"svg"})

_pyplot: ModuleType
_formats = ("png",)


def adapt(module: ModuleType) -> None:
    """Show figures here; the library's own `show` has no window to show them in."""
    global _pyplot
    if not hasattr(module, "get_fignums"):
        return
    _pyplot = module
    module.show = _show
    from matplotlib.figure import Figure

    Figure.show = _show_one
    FORMATTERS[Figure] = _last_expression
    DISPLAYS.collect_with(_show_open, _close)


def warm_up() -> None:
    """Load what draws: fonts, the backend, the writer of PNG."""
    figure, axes = _pyplot.subplots()
    axes.plot([0, 1], [0, 1], label="a")
    axes.bar(["a"], [1])
    axes.set_title("a")
    axes.legend()
    _forms(figure)
    _close()
    # Its fonts are open files, which an image cannot hold.
    from matplotlib import font_manager, text

    for cached in (font_manager._get_font, text._get_text_metrics_with_cache_impl):
        cached.cache_clear()


def set_formats(formats: tuple[str, ...]) -> None:
    """How figures are drawn from now on."""
    global _formats
    for name in formats:
        if name not in _MIME_TYPES:
            raise ValueError(f"unknown format {name!r}: expected {', '.join(_MIME_TYPES)}")
    _formats = formats


def _show(*args: Any, **kwargs: Any) -> None:
    """Show all open figures to whoever runs the session, and close them."""
    _show_open()


def _show_one(self: Any, warn: bool = True) -> None:
    """Show this figure to whoever runs the session, and close it."""
    _close(self)
    _display(self)


def _show_open() -> None:
    for number in _pyplot.get_fignums():
        figure = _pyplot._pylab_helpers.Gcf.figs[number].canvas.figure
        # Closed first: what fails or is interrupted once would do so again.
        _close(figure)
        _display(figure)


def _close(figure: Any = "all") -> None:
    _pyplot.close(figure)


def _last_expression(figure: Any) -> dict[str, str | bytes]:
    # It is a display already, and not to be another one at the end of the execution.
    _close(figure)
    return _forms(figure)


def _display(figure: Any) -> None:
    forms = _forms(figure)
    if forms:
        DISPLAYS.add(forms)


def _forms(figure: Any) -> dict[str, str | bytes]:
    forms: dict[str, str | bytes] = {}
    if not figure.axes and not figure.lines and not figure.texts and not figure.images:
        return forms  # made, and never drawn on
    for name in _formats:
        data = _drawn(figure, name)
        if data is not None:
            forms[_MIME_TYPES[name]] = data.decode() if name in _TEXTS else data
    try:
        form = chart(figure)
    except Exception as error:
        _report("described as a chart", error)
    else:
        if form is not None:
            forms[CHART] = form
    if forms:
        forms["text/plain"] = repr(figure)
    return forms


def _drawn(figure: Any, name: str) -> bytes | None:
    buffer = io.BytesIO()
    try:
        figure.savefig(buffer, format=name, bbox_inches="tight", dpi=figure.dpi)
    except Exception as error:
        _report(f"drawn as {name}", error)
        return None
    return buffer.getvalue()


def _report(what: str, error: Exception) -> None:
    # The code that made the figure has succeeded.
    print(f"brumate: a figure could not be {what}: {type(error).__name__}: {error}", file=sys.stderr)
