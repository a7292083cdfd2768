"""A database in one file of SQLite's: a table `Dict` of keys and values."""

import os
import sqlite3
from collections.abc import MutableMapping
from pathlib import Path

_MODES = {"r": "ro", "w": "rw", "c": "rwc", "n": "rwc"}
_TABLE = "CREATE TABLE IF NOT EXISTS Dict (key BLOB UNIQUE NOT NULL, value BLOB NOT NULL)"


class error(OSError):
    """What SQLite, or a closed database, has to object to."""


class _Database(MutableMapping):
    def __init__(self, path, flag, mode):
        self._connection = None
        if flag not in _MODES:
            raise ValueError(f"Flag must be one of 'r', 'w', 'c', or 'n', not {flag!r}")
        path = os.fsdecode(path)
        if flag == "n":
            try:
                os.remove(path)
            except FileNotFoundError:
                pass
        elif flag == "r" and not os.path.exists(path):
            raise error(f"unable to open database file: {path!r}")
        if flag in ("c", "n"):
            # SQLite knows no mode.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, mode))
        try:
            uri = f"{Path(path).absolute().as_uri()}?mode={_MODES[flag]}"
            self._connection = sqlite3.connect(uri, autocommit=True, uri=True)
        except sqlite3.Error as failure:
            raise error(str(failure)) from None
        if flag in ("c", "n"):
            self._rows(_TABLE)

    def _rows(self, statement, *values):
        return self._run(statement, *values)[0]

    def _run(self, statement, *values):
        if self._connection is None:
            raise error("DBM object has already been closed")
        try:
            cursor = self._connection.execute(statement, values)
            try:
                return cursor.fetchall(), cursor.rowcount
            finally:
                cursor.close()
        except sqlite3.Error as failure:
            raise error(str(failure)) from None

    def __len__(self):
        return self._rows("SELECT COUNT(*) FROM Dict")[0][0]

    def __getitem__(self, key):
        rows = self._rows("SELECT value FROM Dict WHERE key = CAST(? AS BLOB)", key)
        if not rows:
            raise KeyError(key)
        return rows[0][0]

    def __setitem__(self, key, value):
        self._rows("REPLACE INTO Dict (key, value) VALUES (CAST(? AS BLOB), CAST(? AS BLOB))", key, value)

    def __delitem__(self, key):
        if not self._run("DELETE FROM Dict WHERE key = CAST(? AS BLOB)", key)[1]:
            raise KeyError(key)

    def __iter__(self):
        return iter(self.keys())

    def keys(self):
        return [key for (key,) in self._rows("SELECT key FROM Dict")]

    def close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def open(filename, /, flag="r", mode=0o666):
    """Open the database: 'r' for reading, 'w' for writing, 'c' makes it if there is none, 'n' makes an empty one."""
    return _Database(filename, flag, mode)
