"""httpx without JavaScript: requests fail with httpx's own error, and it says why."""

from types import ModuleType
from typing import Any, NoReturn

from ..network import NO_NETWORK


def fill(module: ModuleType) -> None:
    """Stand for `httpx._transports.jsfetch`, which would send requests through JavaScript."""
    from httpx._exceptions import ConnectError
    from httpx._transports.base import AsyncBaseTransport, BaseTransport

    class NoTransport(BaseTransport):
        """Takes what the real one takes, and has no network to send it to."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            pass

        def handle_request(self, request: Any) -> NoReturn:
            raise ConnectError(NO_NETWORK, request=request)

    class NoAsyncTransport(AsyncBaseTransport):
        """The same for clients that await."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            pass

        async def handle_async_request(self, request: Any) -> NoReturn:
            raise ConnectError(NO_NETWORK, request=request)

    module.JavascriptFetchTransport = NoTransport
    module.AsyncJavascriptFetchTransport = NoAsyncTransport
    module.__all__ = ["AsyncJavascriptFetchTransport", "JavascriptFetchTransport"]
