"""Where a part is inside a value: `["a"][3].name`, for messages about it."""

from itertools import islice
from operator import length_hint
from typing import Any

_LONGEST_STEP = 60
_MOST_STEPS = 20


def place_of(root: Any, iterators: dict[int, Any], depth: int) -> tuple[str, Any]:
    """The place of the value that is being converted, `depth` containers deep: the iterators stand behind it in each.

    And the value itself.

    Where a container is not walked as it is, as in an object of a package, the place ends there.
    """
    steps = []
    value = root
    try:
        for level in range(depth):
            step, value = _member(_container(value), length_hint(iterators[level]))
            if level < _MOST_STEPS:
                steps.append(step)
            elif level == _MOST_STEPS:
                steps.append("…")
    except Exception:
        pass  # this is only for a message
    return "".join(steps), value


def _container(value: Any) -> Any:
    return getattr(value, "_value_", value) if not isinstance(value, (dict, list, tuple)) else value


def _member(container: Any, left: int) -> tuple[str, Any]:
    """The member before the `left` last ones."""
    if isinstance(container, tuple) and hasattr(container, "_fields"):
        name = container._fields[len(container) - left - 1]
        return f".{name}", getattr(container, name)
    if hasattr(type(container), "__dataclass_fields__"):
        names = [name for name in type(container).__dataclass_fields__ if hasattr(container, name)]
        name = names[len(names) - left - 1]
        return f".{name}", getattr(container, name)
    index = len(container) - left - 1
    if isinstance(container, (set, frozenset)):
        return "{…}", next(islice(container, index, None))
    if hasattr(container, "items"):
        key, value = next(islice(container.items(), index, None))
        return f"[{_shown(key)}]", value
    return f"[{index}]", next(islice(container, index, None))


def _shown(key: Any) -> str:
    if isinstance(key, str):
        text = '"' + str.__str__(key).replace("\\", "\\\\").replace('"', '\\"') + '"'
    else:
        text = repr(key)
    return text if len(text) <= _LONGEST_STEP else text[:_LONGEST_STEP] + "…"
