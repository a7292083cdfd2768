"""`pdb.set_trace` says that there is no terminal."""

from ..reading import adapt_pdb as adapt

__all__ = ["adapt"]
