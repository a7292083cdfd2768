"""Names of hosts that need no network: numeric addresses and this machine's own. Others are the network's, so they fail."""

import functools
import socket
from collections.abc import Callable
from typing import Any

_LOOPBACK = "127.0.0.1"
_OWN = frozenset({"localhost", "localhost.localdomain", "ip6-localhost"})


def install() -> None:
    """Let `socket` answer for them; once."""
    socket.gethostbyname = _first(socket.gethostbyname, _address)
    socket.gethostbyname_ex = _first(socket.gethostbyname_ex, _entry)


def _first(original: Callable[[Any], Any], answer: Callable[[str], Any]) -> Callable[[Any], Any]:
    @functools.wraps(original)
    def look_up(hostname: Any, /) -> Any:
        text = str(hostname, "ascii", "replace") if isinstance(hostname, (bytes, bytearray)) else hostname
        found = answer(text) if isinstance(text, str) else None
        return found if found is not None else original(hostname)

    return look_up


def _address(hostname: str) -> str | None:
    if hostname == "":
        return "0.0.0.0"
    if hostname == "<broadcast>":
        return "255.255.255.255"
    if hostname.lower() in _OWN or hostname == socket.gethostname():
        return _LOOPBACK
    try:
        # With the short forms of C libraries: "127.1".
        return socket.inet_ntoa(socket.inet_aton(hostname))
    except OSError:
        return None


def _entry(hostname: str) -> tuple[str, list[str], list[str]] | None:
    address = _address(hostname)
    return None if address is None else (hostname, [], [address])
