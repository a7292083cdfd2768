"""Arrays of numbers across the boundary: numpy's where the image has numpy, else those of the standard library.

Owns the names of their element types, which are numpy's.
"""

import sys
from array import array, typecodes
from importlib import import_module
from importlib.machinery import PathFinder
from types import ModuleType
from typing import Any

# Element type -> its code in `struct`, for images without numpy.
_CODES = {
    "int8": "b", "uint8": "B", "int16": "h", "uint16": "H", "int32": "i", "uint32": "I", "int64": "q", "uint64": "Q",
    "float16": "e", "float32": "f", "float64": "d", "bool": "?",
}  # fmt: skip
# Milliseconds with fractions in JavaScript.
_TIMES = {"datetime64[ms]": "M8[us]", "timedelta64[ms]": "m8[us]"}


def array_type(value: array) -> str | None:
    """The element type of an `array.array`; None for text."""
    code = value.typecode
    if code in "uw":
        return None
    kind = "float" if code in "fd" else "int" if code.islower() else "uint"
    return f"{kind}{8 * value.itemsize}"


def from_host(data: bytes, block: str, shape: list[int] | None, dtype: str | None) -> Any:
    """An array of the host's: writable, and of one dimension where it has no shape.

    `block` is the type of the numbers in `data`, `dtype` that of the array's elements where they are made of those.
    """
    numpy = _numpy()
    if numpy is not None:
        return _numpy_array(numpy, data, block, shape, dtype)
    if dtype is not None and dtype != block and (dtype, block) != ("bool", "uint8"):
        raise TypeError(f"an array of {dtype} needs numpy, which is not in this session's image")
    code = _CODES[dtype or block]
    if (shape is None or len(shape) == 1) and code in typecodes:
        return array(code, data)
    view = memoryview(bytearray(data))
    if shape is None or not data:
        return view.cast(code)
    return view.cast(code, shape=shape)


def _numpy() -> ModuleType | None:
    loaded = sys.modules.get("numpy")
    if loaded is None and PathFinder.find_spec("numpy") is not None:
        loaded = import_module("numpy")
    return loaded if hasattr(loaded, "frombuffer") else None


def _numpy_array(numpy: ModuleType, data: bytes, block: str, shape: list[int] | None, dtype: str | None) -> Any:
    values = numpy.frombuffer(data, block)
    if dtype in _TIMES:
        values = _times(numpy, values, _TIMES[dtype])
    elif dtype is not None and dtype.startswith("complex"):
        values = values.view(dtype).copy()
    else:
        values = values.astype(dtype or block)  # also a copy, which can be written
    return values if shape is None else values.reshape(shape)


def _times(numpy: ModuleType, milliseconds: Any, dtype: str) -> Any:
    missing = numpy.isnan(milliseconds)
    microseconds = (numpy.where(missing, 0, milliseconds) * 1000).round().astype("int64")
    values = microseconds.view(dtype)
    values[missing] = "NaT"
    return values
