"""Plotly: figures as their JSON, as last expression and at `show()`."""

from types import ModuleType
from typing import Any

from ..display import FORMATTERS
from ..displays import DISPLAYS

_MIME_TYPE = "application/vnd.plotly.v1+json"


def adapt(module: ModuleType) -> None:
    """Let figures show themselves."""
    kind = getattr(module, "BaseFigure", None)
    if kind is not None:
        FORMATTERS[kind] = _forms
        kind.show = _show
    if module.__name__ == "plotly.io._renderers":
        # Its own starts a web server for a browser.
        module.show = _show_any


def _forms(figure: Any) -> dict[str, str | bytes]:
    return {_MIME_TYPE: figure.to_json()}


def _show_any(fig: Any, *args: Any, **kwargs: Any) -> None:
    """Show a figure, or a dict that describes one."""
    if isinstance(fig, dict):
        from plotly.graph_objects import Figure

        fig = Figure(fig)
    DISPLAYS.add(_forms(fig))


def _show(self: Any, *args: Any, **kwargs: Any) -> None:
    """Show the figure to whoever runs the session."""
    DISPLAYS.add(_forms(self))
