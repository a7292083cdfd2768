"""The `time` module of a session: sleep without using CPU, the session's time zone, formats as CPython on Linux has them.

`datetime` formats through `time.strftime`, so it has them, too.
"""

import contextlib
import functools
import os
import re
import time
from collections.abc import Callable
from typing import Any

from . import door
from .blocking import make_sleep

_DEFAULT_ZONE = "UTC"

# A directive: flags and a width, as glibc has them, a modifier, and what is asked for.
_DIRECTIVE = re.compile(r"%([_\-0^#]*)(\d*)([EO]?)(.?)", re.DOTALL)
_LONGEST_WIDTH = 1000


def install() -> None:
    """Put them into `time`; once."""
    time.sleep = make_sleep(time.sleep)
    time.strftime = _make_strftime(time.strftime)
    time.tzset = tzset


def refresh_time_zone() -> None:
    """`time.timezone` and its like were computed for another zone than the one that the host has now."""
    year = time.localtime().tm_year
    january, july = (time.localtime(time.mktime((year, month, 1, 12, 0, 0, 0, 0, 0))) for month in (1, 7))
    standard, summer = sorted((january, july), key=lambda moment: moment.tm_gmtoff)
    time.timezone = -standard.tm_gmtoff
    time.altzone = -summer.tm_gmtoff
    time.daylight = int(standard.tm_gmtoff != summer.tm_gmtoff)
    time.tzname = (standard.tm_zone, summer.tm_zone)


def tzset() -> None:
    """Initialize, or reinitialize, the local timezone to the value stored in os.environ['TZ']."""
    # C libraries take UTC for a zone that they do not know, and raise nothing. Without a host to ask, the zone stays.
    for name in (os.environ.get("TZ", _DEFAULT_ZONE), _DEFAULT_ZONE):
        with contextlib.suppress(OSError, ValueError):
            door.set_time_zone(name)
            break
    refresh_time_zone()


tzset.__module__ = "time"


def _make_strftime(original: Callable[..., str]) -> Callable[..., str]:
    """The original gives up, with an empty text, where one directive is unknown to the C library of WebAssembly."""

    @functools.wraps(original)
    def strftime(format: str, /, *moment: Any) -> str:
        text = original(format, *moment)
        if text or not format:
            return text
        moment = moment or (time.localtime(),)
        return _DIRECTIVE.sub(lambda match: _formatted(match, original, moment), format)

    return strftime


def _formatted(match: re.Match[str], original: Callable[..., str], moment: tuple[Any, ...]) -> str:
    flags, width, modifier, kind = match.groups()
    if kind == "%":
        return "%"
    if kind and kind in "kl":
        text = original("%H" if kind == "k" else "%I", *moment)
        pad = "_"
    else:
        text = original(f"%{'p' if kind == 'P' else modifier + kind}", *moment) if kind else ""
        pad = "_" if kind and kind in "e" else ""
    if not text:
        return match[0]  # unknown to C libraries, which leave it as it is
    if kind == "P":
        text = text.lower()
    return _styled(text, flags, width, pad)


def _styled(text: str, flags: str, width: str, pad: str) -> str:
    for flag in flags:
        if flag == "^":
            text = text.upper()
        elif flag == "#":
            text = text.lower() if text.isupper() else text.upper()
        else:
            pad = flag
    number = text.strip()
    if number.isdecimal() and pad:
        digits = number.lstrip("0") or "0"
        if pad == "-":
            return digits
        fill = "0" if pad == "0" else " "
        return digits.rjust(max(len(number), len(text), min(int(width or 0), _LONGEST_WIDTH)), fill)
    return text.rjust(min(int(width or 0), _LONGEST_WIDTH), "0" if pad == "0" else " ")
