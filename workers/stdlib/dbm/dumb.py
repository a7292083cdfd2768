"""A database in three files that needs nothing but files: NAME.dat has the values, each from a multiple of 512 on,
NAME.dir an index in text, a line for each key: 'key', (position, size). NAME.bak is the index before it was last written.
"""

import ast
import io
import os
from collections.abc import MutableMapping

__all__ = ["error", "open"]

_BLOCK_BYTES = 512

error = OSError


class _Database(MutableMapping):
    def __init__(self, name, mode, flag):
        self._index = None  # none to write, should this fail
        self._mode = mode
        self._readonly = flag == "r"
        self._names = tuple(name + ending for ending in (".dir", ".dat", ".bak"))
        self._modified = False
        directory, data, _ = self._names
        if flag == "n":
            for path in self._names:
                try:
                    os.remove(path)
                except FileNotFoundError:
                    pass
        if flag in ("c", "n"):
            os.close(os.open(data, os.O_RDWR | os.O_CREAT, mode))
        elif not os.path.exists(data):
            raise FileNotFoundError(2, os.strerror(2), data)
        self._index = self._read(directory)
        if flag in ("c", "n") and not os.path.exists(directory):
            self._modified = True

    def _read(self, path):
        index = {}
        try:
            file = io.open(path, encoding="latin-1")
        except FileNotFoundError:
            return index
        with file:
            for line in file:
                if line.strip():
                    key, place = ast.literal_eval(line.strip())
                    index[key.encode("latin-1")] = place
        return index

    def sync(self):
        """Write the index, if it has changed."""
        if self._index is None or not self._modified:
            return
        directory, _, backup = self._names
        try:
            os.replace(directory, backup)
        except FileNotFoundError:
            pass
        descriptor = os.open(directory, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, self._mode)
        with io.open(descriptor, "w", encoding="latin-1") as file:
            for key, place in self._index.items():
                file.write(f"{key.decode('latin-1')!r}, {place!r}\n")
        self._modified = False

    _commit = sync

    def _opened(self):
        if self._index is None:
            raise error("DBM object has already been closed")
        return self._index

    def _writable(self):
        index = self._opened()
        if self._readonly:
            raise error("The database is opened for reading only")
        return index

    def __getitem__(self, key):
        position, size = self._opened()[_bytes(key, "keys")]
        with io.open(self._names[1], "rb") as file:
            file.seek(position)
            return file.read(size)

    def __setitem__(self, key, value):
        index = self._writable()
        key, value = _bytes(key, "keys"), _bytes(value, "values")
        position, size = index.get(key, (None, 0))
        with io.open(self._names[1], "rb+") as file:
            if position is None or _blocks(len(value)) > _blocks(size):
                position = _blocks(file.seek(0, 2)) * _BLOCK_BYTES
                file.truncate(position)
            file.seek(position)
            file.write(value)
        is_new = key not in index
        index[key] = (position, len(value))
        self._modified = True
        if is_new:
            # Found again even where nobody closes the database.
            self.sync_key(key)

    def sync_key(self, key):
        """Add a line to the index."""
        descriptor = os.open(self._names[0], os.O_WRONLY | os.O_CREAT | os.O_APPEND, self._mode)
        with io.open(descriptor, "a", encoding="latin-1") as file:
            file.write(f"{key.decode('latin-1')!r}, {self._index[key]!r}\n")

    def __delitem__(self, key):
        del self._writable()[_bytes(key, "keys")]
        self._modified = True
        self.sync()

    def __contains__(self, key):
        return _bytes(key, "keys") in self._opened()

    def __iter__(self):
        return iter(self._opened())

    def __len__(self):
        return len(self._opened())

    def keys(self):
        return list(self._opened())

    def items(self):
        return [(key, self[key]) for key in self._opened()]

    def close(self):
        try:
            self.sync()
        finally:
            self._index = None

    __del__ = close

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _blocks(size):
    return -(-size // _BLOCK_BYTES)


def _bytes(value, what):
    if isinstance(value, str):
        return value.encode("utf-8")
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    raise TypeError(f"{what} must be bytes or strings")


def open(file, flag="c", mode=0o666):
    """Open the database: 'r' for reading, 'w' for writing, 'c' makes it if there is none, 'n' makes an empty one."""
    if flag not in ("r", "w", "c", "n"):
        raise ValueError("Flag must be one of 'r', 'w', 'c', or 'n'")
    return _Database(os.fsdecode(file), mode, flag)
