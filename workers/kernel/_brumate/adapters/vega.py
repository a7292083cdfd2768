"""Altair: charts as Vega-Lite, which is JSON; its default is a web page that loads a library."""

from types import ModuleType


def adapt(module: ModuleType) -> None:
    """Choose the renderer that gives JSON; the user can choose another."""
    renderers = getattr(module, "renderers", None)
    if renderers is not None:
        renderers.enable("mimetype")
