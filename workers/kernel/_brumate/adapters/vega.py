"""Altair: charts as Vega-Lite, which is JSON; its default is a web page that loads a library."""

from types import ModuleType
from typing import Any

from ..displays import DISPLAYS


def adapt(module: ModuleType) -> None:
    """Choose the renderer that gives JSON; the user can choose another."""
    renderers = getattr(module, "renderers", None)
    if renderers is not None:
        renderers.enable("mimetype")
    kind = getattr(module, "TopLevelMixin", None)
    if kind is not None:
        # Its own need IPython.
        kind.show = kind.display = _show


def _show(self: Any, *args: Any, **kwargs: Any) -> None:
    """Show the chart to whoever runs the session."""
    DISPLAYS.show(self)
