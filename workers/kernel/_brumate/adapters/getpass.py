"""`getpass.getpass` asks the host."""

from ..reading import adapt_getpass as adapt

__all__ = ["adapt"]
