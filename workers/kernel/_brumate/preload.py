"""The standard library modules that every image has imported: common in scripts, and modest in memory."""

PRELOADED = (
    "__future__", "abc", "argparse", "array", "ast", "asyncio", "base64", "bisect", "bz2", "calendar", "cmath",
    "collections", "collections.abc", "concurrent.futures", "contextlib", "contextvars", "copy", "csv", "dataclasses",
    "datetime", "decimal", "difflib", "enum", "errno", "fnmatch", "fractions", "functools", "gc", "glob", "gzip",
    "hashlib", "heapq", "hmac", "html", "importlib", "inspect", "io", "itertools", "json", "keyword", "linecache",
    "locale", "logging", "lzma", "math", "numbers", "operator", "os", "os.path", "pathlib", "pickle", "platform",
    "pprint", "queue", "random", "re", "reprlib", "secrets", "select", "shutil", "signal", "sqlite3", "stat",
    "statistics", "string", "struct", "sys", "tempfile", "textwrap", "threading", "time", "timeit", "tokenize",
    "traceback", "types", "typing", "unicodedata", "urllib.parse", "uuid", "warnings", "weakref", "zipfile", "zlib",
    "zoneinfo",
)  # fmt: skip
