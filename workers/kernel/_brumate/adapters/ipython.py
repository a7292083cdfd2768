"""IPython where the image has none: `IPython.display`, and a `get_ipython` that says that no shell runs.

In an image with IPython: its `display` prints where no shell runs, so ours takes its place.
"""

import sys
from types import ModuleType

from ..notebook import PUBLIC

_FUNCTIONS = ("display", "update_display", "publish_display_data", "clear_output", "DisplayHandle")


def fill(module: ModuleType) -> None:
    """Make one of the modules that stand for IPython's."""
    module.__dict__["get_ipython"] = _get_ipython
    if module.__name__ == "IPython":
        module.__dict__.update(version_info=(9, 0, 0), __version__="9.0.0")
    else:
        module.__dict__.update(PUBLIC, __all__=[*PUBLIC])


def adapt(module: ModuleType) -> None:
    """Let IPython's own functions show things here."""
    for name in _FUNCTIONS:
        if hasattr(module, name):
            setattr(module, name, PUBLIC[name])
    for other in ("IPython.display", "IPython.core.display"):
        for name in _FUNCTIONS:
            if name in getattr(sys.modules.get(other), "__dict__", ()):
                setattr(sys.modules[other], name, PUBLIC[name])


def _get_ipython() -> None:
    """The running shell, of which a session has none."""
