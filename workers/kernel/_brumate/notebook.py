"""`display` and what goes with it, as IPython has them: the builtin, and the classes of `IPython.display`.

Adapters give these to code that imports IPython, where the image has none (`adapters/ipython`).
"""

import builtins
import json
import os
from typing import Any, Self

from .display import with_text
from .displays import DISPLAYS

_TEXT = "text/plain"
_last_id = 0


def display(
    *objs: Any,
    include: Any = None,
    exclude: Any = None,
    metadata: Any = None,
    transient: Any = None,
    display_id: Any = None,
    raw: bool = False,
    clear: bool = False,
    **kwargs: Any,
) -> "DisplayHandle | None":
    """Show objects to whoever runs the session, each in the richest forms that it has.

    `include` and `exclude` name MIME types. With a `display_id` (True: a new one) returns a handle that can show
    something else in their place.
    """
    if clear:
        clear_output(wait=True)
    if display_id is True:
        display_id = _new_id()
    for value in objs:
        forms = _given(value) if raw else with_text(value)
        if include is not None:
            forms = {mime: data for mime, data in forms.items() if mime in include}
        if exclude is not None:
            forms = {mime: data for mime, data in forms.items() if mime not in exclude}
        if forms:
            DISPLAYS.add(forms, display_id)
    return DisplayHandle(display_id) if display_id is not None else None


def update_display(obj: Any, *, display_id: str, **kwargs: Any) -> None:
    """Show an object in place of the one that was displayed with this id."""
    display(obj, display_id=display_id, **kwargs)


def publish_display_data(data: dict[str, Any], metadata: Any = None, *, transient: Any = None, **kwargs: Any) -> None:
    """Show a display by its MIME types."""
    display(data, raw=True, display_id=(transient or {}).get("display_id"))


def clear_output(wait: bool = False) -> None:
    """Remove what the execution has displayed so far; with `wait` as soon as it displays something else.

    Text that was written to stdout and stderr stays.
    """
    DISPLAYS.clear_output(later=bool(wait))


def _given(forms: dict[str, Any]) -> dict[str, str | bytes]:
    return {
        str(mime): data if isinstance(data, (str, bytes)) else json.dumps(data) for mime, data in forms.items()
    }


def _new_id() -> str:
    global _last_id
    _last_id += 1
    return f"display-{_last_id}"


class DisplayHandle:
    """A display that can be replaced."""

    def __init__(self, display_id: str | None = None) -> None:
        self.display_id = display_id if display_id is not None else _new_id()

    def display(self, obj: Any, **kwargs: Any) -> None:
        """Show an object under this handle's id."""
        display(obj, display_id=self.display_id, **kwargs)

    def update(self, obj: Any, **kwargs: Any) -> None:
        """Show another object in its place."""
        display(obj, display_id=self.display_id, **kwargs)

    def __repr__(self) -> str:
        return f"<DisplayHandle display_id={self.display_id}>"


class DisplayObject:
    """Data with a MIME type: given as such, or read from a file."""

    _read_flags = "r"
    _mime_type = _TEXT

    def __init__(
        self, data: Any = None, url: str | None = None, filename: Any = None, metadata: dict[str, Any] | None = None
    ) -> None:
        if isinstance(data, os.PathLike):
            filename, data = data, None
        elif isinstance(data, str) and filename is None and url is None and self._is_file(data):
            filename, data = data, None
        self.data = data
        self.url = url
        self.filename = None if filename is None else os.fspath(filename)
        self.metadata = metadata or {}
        self.reload()
        self._check()

    def _is_file(self, text: str) -> bool:
        return False

    def _check(self) -> None:
        """Raise TypeError for data that the class cannot show."""

    def reload(self) -> None:
        """Read the data from its file again."""
        if self.filename is not None:
            options = {} if "b" in self._read_flags else {"encoding": "utf-8"}
            with open(self.filename, self._read_flags, **options) as file:
                self.data = file.read()
        elif self.url is not None and self.data is None:
            raise ValueError(f"sessions have no network: read {self.url} elsewhere, and pass the data")

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {} if self.data is None else {self._mime_type: self.data}

    def __repr__(self) -> str:
        return f"<IPython.core.display.{type(self).__name__} object>"


class TextDisplayObject(DisplayObject):
    """Text with a MIME type."""

    def _check(self) -> None:
        if self.data is not None and not isinstance(self.data, str):
            raise TypeError(f"{type(self).__name__} expects text, not {self.data!r}")


class Pretty(TextDisplayObject):
    """Plain text."""


class HTML(TextDisplayObject):
    """HTML."""

    _mime_type = "text/html"

    def __html__(self) -> str:
        return self.data


class Markdown(TextDisplayObject):
    """Markdown."""

    _mime_type = "text/markdown"


class Latex(TextDisplayObject):
    """LaTeX."""

    _mime_type = "text/latex"


class Math(TextDisplayObject):
    """A formula in LaTeX's math mode."""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/latex": f"$\\displaystyle {self.data.strip('$')}$"}


class Javascript(TextDisplayObject):
    """JavaScript."""

    _mime_type = "application/javascript"


class SVG(DisplayObject):
    """An SVG image: its text, or the name of its file."""

    _mime_type = "image/svg+xml"

    def _is_file(self, text: str) -> bool:
        return "<" not in text and os.path.exists(text)

    def _check(self) -> None:
        if isinstance(self.data, bytes):
            self.data = self.data.decode()


class JSON(DisplayObject):
    """Data as JSON: a dict or list, or the text of one."""

    _mime_type = "application/json"

    def __init__(self, data: Any = None, url: str | None = None, filename: Any = None, expanded: bool = False,
                 metadata: dict[str, Any] | None = None, root: str = "root", **kwargs: Any) -> None:  # fmt: skip
        super().__init__(data, url, filename, {"expanded": expanded, "root": root, **(metadata or {}), **kwargs})

    def _check(self) -> None:
        if isinstance(self.data, str):
            self.data = json.loads(self.data)
        if self.data is not None and not isinstance(self.data, (dict, list)):
            raise TypeError(f"JSON expects a dict or a list, not {self.data!r}")

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {} if self.data is None else {self._mime_type: json.dumps(self.data)}


class GeoJSON(JSON):
    """A map as GeoJSON."""

    _mime_type = "application/geo+json"


_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"RIFF", "image/webp"),
)


class Image(DisplayObject):
    """An image: its bytes (PNG, JPEG, GIF, WebP), or the name of its file."""

    _read_flags = "rb"

    def __init__(self, data: Any = None, url: str | None = None, filename: Any = None, format: str | None = None,
                 embed: bool | None = None, width: int | None = None, height: int | None = None,
                 retina: bool = False, unconfined: bool = False, metadata: dict[str, Any] | None = None,
                 alt: str | None = None) -> None:  # fmt: skip
        self.width, self.height, self.alt = width, height, alt
        if isinstance(data, (bytearray, memoryview)):
            data = bytes(data)
        super().__init__(data, url, filename, metadata)
        self.format = (format or self._format()).lower()

    def _is_file(self, text: str) -> bool:
        return True

    def _check(self) -> None:
        if self.data is not None and not isinstance(self.data, bytes):
            raise TypeError(f"Image expects bytes or the name of a file, not {type(self.data).__name__}")

    def _format(self) -> str:
        for start, mime in _SIGNATURES:
            if self.data is not None and self.data.startswith(start):
                return mime.partition("/")[2]
        return "png"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        kind = "jpeg" if self.format == "jpg" else self.format
        mime = "image/svg+xml" if kind == "svg" else f"image/{kind}"
        return {} if self.data is None else {mime: self.data}

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """An image of these bytes."""
        return cls(data=data)


class IFrame:
    """A page in a frame."""

    def __init__(self, src: str, width: Any, height: Any, extras: Any = None, **kwargs: Any) -> None:
        self.src, self.width, self.height = src, width, height

    def _repr_html_(self) -> str:
        return f'<iframe width="{self.width}" height="{self.height}" src="{self.src}" frameborder="0"></iframe>'


# What `IPython.display` has here.
PUBLIC = {
    "display": display, "update_display": update_display, "publish_display_data": publish_display_data,
    "clear_output": clear_output, "DisplayHandle": DisplayHandle, "DisplayObject": DisplayObject,
    "TextDisplayObject": TextDisplayObject, "Pretty": Pretty, "HTML": HTML, "Markdown": Markdown, "Latex": Latex,
    "Math": Math, "Javascript": Javascript, "SVG": SVG, "JSON": JSON, "GeoJSON": GeoJSON, "Image": Image,
    "IFrame": IFrame,
}  # fmt: skip

# The builtins that are the kernel's. A callback of the same name hides one for as long as it is attached.
BUILTINS = {"display": display}


def install() -> None:
    """Add the builtins; once."""
    display.__module__ = "builtins"
    builtins.__dict__.update(BUILTINS)
