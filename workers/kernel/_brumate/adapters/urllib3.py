"""urllib3 (and requests, botocore …) without JavaScript: connections fail with urllib3's own error, and it says why."""

from types import ModuleType
from typing import Any, NoReturn

from ..network import NO_NETWORK

# Those that matter without a network. Of HTTPS there are more, for which there is no ssl module.
_OPTIONS = ("timeout", "source_address", "blocksize", "socket_options", "proxy", "proxy_config")


def fill(module: ModuleType) -> None:
    """Stand for `urllib3.contrib.emscripten`, which would send requests through JavaScript."""
    module.inject_into_urllib3 = _inject


def _inject() -> None:
    from urllib3 import connection, connectionpool
    from urllib3.exceptions import NewConnectionError

    class NoConnection(connection.HTTPConnection):
        """Takes what the real ones take, and has no network to connect to."""

        def __init__(self, host: str, port: int | None = None, **options: Any) -> None:
            super().__init__(host, port, **{name: options[name] for name in _OPTIONS if name in options})

        def connect(self) -> NoReturn:
            raise NewConnectionError(self, NO_NETWORK)

    for pool, name in (
        (connectionpool.HTTPConnectionPool, "HTTPConnection"),
        (connectionpool.HTTPSConnectionPool, "HTTPSConnection"),
    ):
        pool.ConnectionCls = type(name, (NoConnection,), {})
