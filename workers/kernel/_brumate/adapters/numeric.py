"""numpy: its arrays and scalars as values."""

from types import ModuleType
from typing import Any

from ..values import FOREIGN, Converter, NotConvertible

# Element types that JavaScript has typed arrays for.
_PLAIN = frozenset(
    {"int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64", "bool"}
    | {"complex64", "complex128"}
)
_WIDENED = {"float16": "float32", "float96": "float64", "float128": "float64", "complex192": "complex128", "complex256": "complex128"}
_TIMES = {"M": "datetime64[ms]", "m": "timedelta64[ms]"}
# Units of less than a microsecond.
_FINER = frozenset({"ns", "ps", "fs", "as"})
_TEXTS = {"U": "str", "T": "str", "S": "bytes", "O": "object"}

_numpy: ModuleType


def adapt(module: ModuleType) -> None:
    """Let arrays and scalars convert."""
    global _numpy
    if not hasattr(module, "ndarray"):
        return
    _numpy = module
    FOREIGN[module.ndarray] = lambda value, converter, depth: array(value, converter, depth, value.shape)
    for name in ("bool_", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "intc", "uintc"):
        _scalar(name)
    for name in ("longlong", "ulonglong", "float16", "float32", "float64", "longdouble", "str_", "bytes_"):
        _scalar(name)
    if hasattr(module, "datetime64"):
        FOREIGN[module.datetime64] = _moment


def array(value: Any, converter: Converter, depth: int, shape: tuple[int, ...] | None) -> Any:
    """The tree of an array. Without a shape it is a bare typed array, or a list of values."""
    dtype = value.dtype
    name = dtype.name
    if name in _WIDENED:
        if name != "float16":
            converter.lose(f"array of {name} with fewer digits", depth)
        # The name stays: `set` makes the same type of it again.
        value = value.astype(_WIDENED[name])
        name = name if name == "float16" else _WIDENED[name]
    elif dtype.kind in _TIMES:
        name = _TIMES[dtype.kind]
        value = _milliseconds(value, converter, depth)
    elif name not in _PLAIN:
        return _values(value, converter, depth, shape)
    if not value.dtype.isnative:
        value = value.astype(value.dtype.newbyteorder("="))
    # A copy only where the members do not lie one after the other.
    return converter.array(name, shape, _numpy.ascontiguousarray(value), value.nbytes, depth)


def _milliseconds(value: Any, converter: Converter, depth: int) -> Any:
    # Of years, say, whole ones become milliseconds; of nanoseconds their fractions stay.
    whole = value.astype(f"{value.dtype.kind}8[us]")
    if _numpy.datetime_data(value.dtype)[0] in _FINER and ((whole != value) & ~_numpy.isnat(value)).any():
        converter.lose(f"array of {value.dtype} without what is less than a microsecond", depth)
    numbers = whole.view("int64") / 1000
    numbers[_numpy.isnat(whole)] = _numpy.nan
    return numbers


def _values(value: Any, converter: Converter, depth: int, shape: tuple[int, ...] | None) -> Any:
    kind = value.dtype.kind
    if kind not in _TEXTS:
        raise NotConvertible
    values = converter.convert(value.ravel().tolist(), depth + 1)
    return values if shape is None else converter.array(_TEXTS[kind], shape, values, 0, depth)


def _scalar(name: str) -> None:
    kind = getattr(_numpy, name, None)
    if kind is not None:
        FOREIGN[kind] = _wide if name == "longdouble" else _item


def _item(value: Any, converter: Converter, depth: int) -> Any:
    return converter.convert(value.item(), depth)


def _wide(value: Any, converter: Converter, depth: int) -> Any:
    converter.lose("longdouble with fewer digits", depth)
    return float(value)  # its item() is itself


def _moment(value: Any, converter: Converter, depth: int) -> Any:
    if _numpy.isnat(value):
        return None
    return converter.moment(float(value.astype("M8[us]").view("int64")) / 1000, depth)
