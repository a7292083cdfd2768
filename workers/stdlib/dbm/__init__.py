"""Generic interface to dbm databases, as in CPython. Of its implementations a session has dbm.sqlite3 and dbm.dumb.

    with dbm.open(file, 'c') as database:
        database[b'key'] = b'value'
"""

import importlib
import os

__all__ = ["error", "open", "whichdb"]


class error(Exception):
    """Raised by this module; `dbm.error` is a tuple of it and OSError, which implementations raise."""


error = (error, OSError)

_names = ["dbm.sqlite3", "dbm.gnu", "dbm.ndbm", "dbm.dumb"]
_AVAILABLE = ("dbm.sqlite3", "dbm.dumb")

_SQLITE_HEAD = b"SQLite format 3\x00"
_GNU_MAGIC = (0x13579ACE, 0x13579ACD, 0x13579ACF)


def open(file, flag="r", mode=0o666):
    """Open or create a database.

    'r' opens it for reading, 'w' for writing, 'c' creates it if it does not exist, 'n' makes an empty one.
    """
    kind = None if "n" in flag else whichdb(file)
    if kind is None:
        if "c" not in flag and "n" not in flag:
            raise error[0](f"db file doesn't exist; use 'c' or 'n' flag to create a new db: {os.fspath(file)!r}")
        kind = _AVAILABLE[0]
    elif kind == "":
        raise error[0]("db type could not be determined")
    elif kind not in _AVAILABLE:
        raise error[0](f"db type is {kind}, but the module is not available")
    return importlib.import_module(kind).open(file, flag, mode)


def whichdb(filename):
    """The name of the module that opens the file, '' if it is of no known kind, or None if it cannot be read."""
    name = os.fsencode(filename)
    if os.path.isfile(name + b".pag") and os.path.isfile(name + b".dir"):
        return "dbm.ndbm"
    directory = _head(name + b".dir")
    if directory is not None and os.path.exists(name + b".dat") and directory[:1] in (b"", b"'", b'"'):
        return "dbm.dumb"
    head = _head(name)
    if head is None:
        return None
    if head == _SQLITE_HEAD:
        return "dbm.sqlite3"
    return "dbm.gnu" if len(head) >= 4 and int.from_bytes(head[:4], "little") in _GNU_MAGIC else ""


def _head(name):
    try:
        with os.fdopen(os.open(name, os.O_RDONLY), "rb") as file:
            return file.read(16)
    except OSError:
        return None
