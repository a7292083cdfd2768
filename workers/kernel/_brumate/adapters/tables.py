"""pandas: frames and series as columns, its scalars as values, and frames as displays."""

from types import ModuleType
from typing import Any

import numpy

from ..display import FORMATTERS
from ..values import FOREIGN, Converter, NotConvertible, milliseconds
from .numeric import array

# Beyond it a float is no longer every integer.
_LARGEST_NUMBER = (1 << 53) - 1

_pandas: ModuleType


def adapt(module: ModuleType) -> None:
    """Let frames, series, indexes and scalars convert, and frames show themselves."""
    global _pandas
    if not hasattr(module, "DataFrame"):
        return
    _pandas = module
    FORMATTERS[module.DataFrame] = _forms
    FOREIGN[module.DataFrame] = _frame
    FOREIGN[module.Series] = _series
    FOREIGN[module.Timestamp] = _timestamp
    # As pandas writes them.
    FOREIGN[module.Period] = FOREIGN[module.Interval] = lambda value, converter, depth: str(value)
    FOREIGN[type(module.NaT)] = FOREIGN[type(module.NA)] = lambda value, converter, depth: None
    for name in ("Index", "RangeIndex", "DatetimeIndex", "TimedeltaIndex", "CategoricalIndex", "MultiIndex"):
        FOREIGN[getattr(module, name)] = lambda value, converter, depth: _index(value, converter, depth, whole=True)


def warm_up() -> None:
    """Load what writes frames, as text and as HTML."""
    _forms(_pandas.DataFrame({"a": [0.5], "b": ["a"], "c": _pandas.to_datetime(["2000-01-01"])}))


def _timestamp(value: Any, converter: Converter, depth: int) -> Any:
    if value.nanosecond or value.microsecond % 1000:
        converter.lose("Timestamp without what is less than a millisecond", depth)
    if value.tzinfo is not None and value.utcoffset():
        converter.lose("Timestamp without its time zone", depth)
    return converter.moment(milliseconds(value), depth)


def _forms(frame: Any) -> dict[str, str | bytes]:
    forms = {"text/plain": str(repr(frame))}
    html = frame._repr_html_()
    return {"text/html": str(html), **forms} if html else forms


def _frame(frame: Any, converter: Converter, depth: int) -> Any:
    names = [_label(name) for name in frame.columns]
    if len(set(names)) < len(names):
        raise NotConvertible("has two columns of the same name")
    columns, dtypes = {}, {}
    for name, (_, series) in zip(names, frame.items(), strict=True):
        try:
            columns[name] = _column(series, converter, depth + 2)
        except NotConvertible as error:
            reason = str(error) or f"has members in its column {name!r} that have no JavaScript form"
            raise NotConvertible(reason) from None
        dtypes[name] = str(series.dtype)
    tree = {"columns": columns, "dtypes": dtypes, "names": names, "index": _index(frame.index, converter, depth + 1)}
    _count(converter, tree, depth)
    return tree


def _series(series: Any, converter: Converter, depth: int) -> Any:
    tree = {
        "values": _column(series, converter, depth + 1),
        "dtype": str(series.dtype),
        "name": None if series.name is None else _label(series.name),
        "index": _index(series.index, converter, depth + 1),
    }
    _count(converter, tree, depth)
    return tree


def _count(converter: Converter, tree: dict[str, Any], depth: int) -> None:
    # The containers made here, as if they were the user's.
    converter.convert({key: None for key in tree}, depth)
    for key in ("columns", "dtypes"):
        if key in tree:
            converter.convert(dict.fromkeys(tree[key]), depth + 1)


def _label(name: Any) -> str:
    return name if type(name) is str else str(name)


def _index(index: Any, converter: Converter, depth: int, *, whole: bool = False) -> Any:
    """None for the index that says nothing: 0, 1, 2 and so on."""
    if type(index) is _pandas.RangeIndex and index.start == 0 and index.step == 1 and not whole:
        return None
    if type(index) is _pandas.MultiIndex:
        return converter.convert(index.tolist(), depth)
    return _column(index, converter, depth)


def _column(column: Any, converter: Converter, depth: int) -> Any:
    """A typed array where there is one for all members, else a list in which what is missing is None."""
    values = _numpy_array(column)
    if values is None:
        objects = column.astype(object)
        members = zip(objects, objects.isna(), strict=True)
        return converter.convert([None if missing else member for member, missing in members], depth)
    if values.dtype.kind in "iu" and values.itemsize == 8 and _are_exact_floats(values):
        # pandas' integers have 64 bits whatever their values, and what one wants in JavaScript are numbers.
        values = values.astype("float64")
    return array(values, converter, depth, None)


def _numpy_array(column: Any) -> Any:
    dtype = column.dtype
    if isinstance(dtype, numpy.dtype):
        return column.to_numpy()
    if getattr(dtype, "tz", None) is not None:
        return column.to_numpy("M8[ns]")
    if hasattr(dtype, "numpy_dtype") and not column.isna().any():
        return column.to_numpy(dtype.numpy_dtype)
    return None


def _are_exact_floats(values: Any) -> bool:
    return not values.size or -_LARGEST_NUMBER <= values.min() and values.max() <= _LARGEST_NUMBER
