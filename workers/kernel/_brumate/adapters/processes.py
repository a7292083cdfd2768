"""concurrent.futures.process: says why it cannot start processes."""

from types import ModuleType

from _brumate.absent import NO_PROCESSES


def adapt(module: ModuleType) -> None:
    """The module looks once what the system can do, and keeps what it says of it."""
    module._system_limits_checked = True
    module._system_limited = NO_PROCESSES
