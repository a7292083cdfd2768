"""There is no network: what fails because of that says so, with the exception of the library that was asked."""

import functools
import socket
from collections.abc import Callable
from typing import Any

NO_NETWORK = (
    "this session has no network. The program that runs it can offer what you need as a callback, or write files for it"
)

# Functions that look names up, which every connection by name begins with.
_LOOKUPS = ("getaddrinfo", "gethostbyaddr", "gethostbyname", "gethostbyname_ex", "getnameinfo")


def install() -> None:
    """Let the errors of `socket` say why; once. Their types and numbers stay the host's."""
    for name in _LOOKUPS:
        setattr(socket, name, _explained(getattr(socket, name)))
    socket.socket.__init__ = _explained(socket.socket.__init__)


def _explained(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def explained(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except OSError as error:
            raise type(error)(error.errno, NO_NETWORK) from None

    return explained
