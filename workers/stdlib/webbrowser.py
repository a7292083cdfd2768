"""A session has no browser: `open` and its like return False, as they do wherever there is none.

A browser that the code registers itself is used.
"""

__all__ = ["Error", "get", "open", "open_new", "open_new_tab", "register"]


class Error(Exception):
    """There is no such browser."""


class BaseBrowser:
    """What classes of browsers derive from."""

    def __init__(self, name=""):
        self.name = self.basename = name
        self.args = ["%s"]

    def open(self, url, new=0, autoraise=True):
        raise NotImplementedError

    def open_new(self, url):
        return self.open(url, 1)

    def open_new_tab(self, url):
        return self.open(url, 2)


# Name -> what makes it, and the browser once it is made; the preferred ones first.
_browsers = {}


def register(name, klass, instance=None, *, preferred=False):
    """Register a browser by a function that makes it, or itself."""
    global _browsers
    entry = {name.lower(): [klass, instance]}
    _browsers = {**entry, **_browsers} | entry if preferred else {**_browsers, **entry}


def get(using=None):
    """The browser of that name, or any."""
    for name in [using.lower()] if using is not None else list(_browsers):
        if name in _browsers:
            entry = _browsers[name]
            if entry[1] is None:
                entry[1] = entry[0]()
            return entry[1]
    raise Error("could not locate runnable browser")


def open(url, new=0, autoraise=True):
    """Show the address in a browser. False if there is none."""
    return any(get(name).open(url, new, autoraise) for name in list(_browsers))


def open_new(url):
    """In a new window. False if there is no browser."""
    return open(url, 1)


def open_new_tab(url):
    """In a new tab. False if there is no browser."""
    return open(url, 2)
