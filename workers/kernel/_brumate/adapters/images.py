"""Pillow: images as PNG. Their class offers JPEG as well, which would be drawn each time for nobody."""

from types import ModuleType
from typing import Any

from ..display import FORMATTERS


def adapt(module: ModuleType) -> None:
    """Let images show themselves."""
    if hasattr(module, "Image"):
        FORMATTERS[module.Image] = _forms


def _forms(image: Any) -> dict[str, str | bytes]:
    data = image._repr_png_()
    return {} if data is None else {"image/png": bytes(data)}
