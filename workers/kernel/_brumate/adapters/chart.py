"""A matplotlib figure as data: its axes, and the series in them, for interfaces that draw by themselves.

{title, axes: [{type, title, x, y, series}]}, where `x` and `y` are {label, scale} and `type` is that of the series, or
"mixed". A series is {type, label, color} and
  line, scatter  x, y: lists of numbers, of text, or of dates as ISO 8601
  bar            x, y as above; `base` where bars do not begin at 0; horizontal bars have their length in x, and `horizontal`
  histogram      edges, counts
  pie            labels, values: parts of 1
  heatmap        values: rows of numbers
What none of these stands for, such as areas and text, is left out.
"""

import json
import math
from collections.abc import Iterable
from typing import Any

# More than that is no longer quickly drawn by anybody; the picture is there.
_MOST_POINTS = 20_000
_MOST_AXES = 64


def chart(figure: Any) -> str | None:
    """JSON of the figure; None where there is no series in it, or too many points."""
    axes = [described for described in map(_axes, figure.axes[:_MOST_AXES]) if described["series"]]
    if not axes or sum(_points(series) for part in axes for series in part["series"]) > _MOST_POINTS:
        return None
    title = figure.get_suptitle() if hasattr(figure, "get_suptitle") else ""
    return json.dumps({"title": title or None, "axes": axes}, allow_nan=False)


def _axes(axes: Any) -> dict[str, Any]:
    series = [*_pies(axes), *_bars(axes), *_lines(axes), *_scatters(axes), *_heatmaps(axes)]
    types = {one["type"] for one in series}
    return {
        "type": types.pop() if len(types) == 1 else "mixed",
        "title": axes.get_title() or None,
        "x": {"label": axes.get_xlabel() or None, "scale": axes.get_xscale()},
        "y": {"label": axes.get_ylabel() or None, "scale": axes.get_yscale()},
        "series": series,
    }


def _points(series: dict[str, Any]) -> int:
    return sum(len(part) for part in series.values() if isinstance(part, list)) + sum(
        len(row) for row in series.get("values", ()) if isinstance(row, list)
    )


def _lines(axes: Any) -> Iterable[dict[str, Any]]:
    for line in axes.get_lines():
        # axhline and the like have only one coordinate in the data's space.
        if line.get_transform() == axes.transData:
            x, y = line.get_data(orig=True)
            x, y = _members(x, axes.xaxis), _members(y, axes.yaxis)
            if x and len(x) == len(y):
                yield {"type": "line", "label": _label(line), "color": _color(line.get_color()), "x": x, "y": y}


def _scatters(axes: Any) -> Iterable[dict[str, Any]]:
    for collection in axes.collections:
        if type(collection).__name__ != "PathCollection":
            continue
        offsets = collection.get_offsets().tolist()
        if offsets:
            x = _converted([point[0] for point in offsets], axes.xaxis)
            y = _converted([point[1] for point in offsets], axes.yaxis)
            colors = collection.get_facecolors()
            color = _color(colors[0]) if len(colors) == 1 else None
            yield {"type": "scatter", "label": _label(collection), "color": color, "x": x, "y": y}


def _bars(axes: Any) -> Iterable[dict[str, Any]]:
    for container in axes.containers:
        if type(container).__name__ != "BarContainer" or not container.patches:
            continue
        bars = container.patches
        horizontal = container.orientation == "horizontal"
        starts = [(bar.get_y() if horizontal else bar.get_x()) for bar in bars]
        widths = [(bar.get_height() if horizontal else bar.get_width()) for bar in bars]
        lengths = [(bar.get_width() if horizontal else bar.get_height()) for bar in bars]
        bases = [(bar.get_x() if horizontal else bar.get_y()) for bar in bars]
        names = {"label": _label(container), "color": _color(bars[0].get_facecolor())}
        axis = axes.yaxis if horizontal else axes.xaxis
        labels = _tick_labels(axis)
        touching = len(bars) > 1 and all(
            math.isclose(at + width, after, rel_tol=1e-6, abs_tol=1e-9)
            for at, width, after in zip(starts, widths, starts[1:], strict=False)
        )
        if touching and not labels:
            edges = [*starts, starts[-1] + widths[-1]]
            yield {"type": "histogram", **names, "edges": _numbers(edges), "counts": _numbers(lengths)}
            continue
        middles = [at + width / 2 for at, width in zip(starts, widths, strict=True)]
        places = [labels.get(round(at, 6)) for at in middles]
        if None in places:
            places = _converted(middles, axis)
        x, y = (_numbers(lengths), places) if horizontal else (places, _numbers(lengths))
        series = {"type": "bar", **names, "x": x, "y": y}
        if any(bases):
            series["base"] = _numbers(bases)
        if horizontal:
            series["horizontal"] = True
        yield series


def _pies(axes: Any) -> Iterable[dict[str, Any]]:
    wedges = [patch for patch in axes.patches if type(patch).__name__ == "Wedge"]
    if wedges:
        values = [abs(wedge.theta2 - wedge.theta1) / 360 for wedge in wedges]
        colors = [_color(wedge.get_facecolor()) for wedge in wedges]
        labels = [_label(wedge) for wedge in wedges]
        yield {"type": "pie", "label": None, "color": None, "labels": labels, "values": _numbers(values), "colors": colors}


def _heatmaps(axes: Any) -> Iterable[dict[str, Any]]:
    for image in axes.images:
        data = image.get_array()
        if data is not None and data.ndim == 2 and data.size <= _MOST_POINTS:
            yield {"type": "heatmap", "label": None, "color": None, "values": [_numbers(row) for row in data.tolist()]}


def _tick_labels(axis: Any) -> dict[float, str]:
    """Position -> text of ticks that are named rather than numbered."""
    if type(axis.get_major_formatter()).__name__ not in ("FixedFormatter", "FuncFormatter", "StrCategoryFormatter"):
        return {}
    texts = [text.get_text() for text in axis.get_ticklabels()]
    places = [float(place) for place in axis.get_ticklocs()]
    return {round(at, 6): text for at, text in zip(places, texts, strict=False) if text}


def _members(values: Any, axis: Any) -> list[Any]:
    """What the user gave: numbers, text or dates."""
    values = values.tolist() if hasattr(values, "dtype") and values.dtype.kind not in "Mm" else list(values)
    if all(isinstance(value, (int, float)) for value in values):
        return _converted(values, axis)
    return [_member(value) for value in values]


def _converted(values: list[float], axis: Any) -> list[Any]:
    """What numbers on this axis stand for."""
    converter = type(axis.get_converter()).__name__ if hasattr(axis, "get_converter") else ""
    if "Date" in converter:
        from matplotlib.dates import num2date

        return [num2date(value).replace(tzinfo=None).isoformat() if math.isfinite(value) else None for value in values]
    if converter == "StrCategoryConverter":
        names = {place: name for name, place in axis.units._mapping.items()}
        return [names.get(round(value), value) for value in values]
    return _numbers(values)


def _member(value: Any) -> Any:
    if isinstance(value, (int, float)):
        return _numbers([value])[0]
    if value is None or value != value:
        return None
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return str(value)


def _numbers(values: Iterable[Any]) -> list[Any]:
    return [float(value) if isinstance(value, float) and math.isfinite(value) else _plain(value) for value in values]


def _plain(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return value
    number = value.item() if hasattr(value, "item") else value
    if isinstance(number, float) and not math.isfinite(number):
        return None
    return number if isinstance(number, (int, float)) else None


def _label(artist: Any) -> str | None:
    label = str(artist.get_label())
    return None if not label or label.startswith("_") else label


def _color(color: Any) -> str | None:
    from matplotlib.colors import to_hex

    try:
        return to_hex(color)
    except ValueError:
        return None
