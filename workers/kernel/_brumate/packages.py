"""Which packages the image has, and what to answer code that wants to install or import another one."""

import os
import re
import sys

from . import absent

# Import names of packages that many programs use -> how the package is called, where that is something else.
_KNOWN: dict[str, str | None] = {
    **dict.fromkeys(
        """
        aiohttp altair anthropic anyio arrow astropy bokeh boto3 botocore cachetools certifi cffi chardet
        charset_normalizer click cloudpickle cryptography cvxpy cycler cytoolz dask datasets docutils docx2txt duckdb
        faker fastapi fiona flask folium fonttools fsspec gensim geopandas geopy graphviz h11 h5py holoviews html5lib
        httpcore httpx huggingface_hub hypothesis idna imageio ipywidgets jax jinja2 joblib jsonschema keras kiwisolver
        langchain lightgbm llvmlite lxml markdown matplotlib mpmath msgpack multidict narwhals networkx nltk
        numba numexpr numpy oauthlib openai openpyxl orjson packaging pandas patsy plotly polars prettytable
        protobuf psutil pyarrow pydantic pydantic_core pydantic_settings pydub pygments pymongo pymupdf pyparsing pypdf
        pyproj pytesseract pytest pytz pyvista rapidfuzz redis regex reportlab requests rich scipy seaborn sentencepiece
        setuptools shapely six skfolio sniffio sortedcontainers spacy sqlalchemy statsmodels streamlit sympy tabulate
        tensorflow termcolor textblob tiktoken tokenizers toml toolz torch torchvision tornado tqdm traitlets
        transformers typer typing_extensions urllib3 uvicorn wand websockets wordcloud wrapt xarray xgboost xlrd
        xlsxwriter xyzservices yarl yfinance zstandard
        """.split()
    ),
    "Crypto": "pycryptodome",
    "IPython": "ipython",
    "PIL": "pillow",
    "PyPDF2": "pypdf2",
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "fitz": "pymupdf",
    "grpc": "grpcio",
    "jwt": "pyjwt",
    "magic": "python-magic",
    "pptx": "python-pptx",
    "psycopg2": "psycopg2-binary",
    "rpds": "rpds-py",
    "ruamel": "ruamel.yaml",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "umap": "umap-learn",
    "yaml": "pyyaml",
}

# Packages that install others, which cannot work here.
_INSTALLERS = frozenset({"micropip", "pip", "piplite"})

_ADD = (
    "The program that runs the session can add {} to the image: SessionManager.create({{ packages: [{}] }})."
)
_MOST_LISTED = 40
_LONGEST_LINE = 65_536

# A line of a notebook or of a shell: `%pip install x`, `!pip3 -q install x`, `pip install x`, `!python -m pip install x`.
_INSTALLER = re.compile(
    r"(?P<indent>[ \t]*)(?P<name>[^\W\d]\w*[ \t]*=[ \t]*(?=[%!]))?(?P<mark>[%!]{0,2})[ \t]*(?:sudo[ \t]+(?:-\w+[ \t]+)*)?"
    r"(?:(?:\{?sys\.executable\}?|python[\d.]*|py)[ \t]+-m[ \t]+)?"
    r"(?:pip[\d.]*|pipx|uv[ \t]+pip|uv|conda|mamba|micromamba|micropip|poetry)(?P<rest>[ \t].*)?"
)
# Magic commands that change nothing here.
_IGNORED = re.compile(r"[ \t]*%(?:matplotlib|config|load_ext|autoreload|%capture)\b.*")
# Its cell is a script, which may install something.
_SCRIPT = re.compile(r"%%(?:bash|sh|script)\b.*")
_INSTALLING = frozenset({"install", "add", "download", "upgrade"})
_VERBS = _INSTALLING | {
    *("cache", "check", "config", "create", "freeze", "index", "info", "list", "remove", "search", "show"),
    *("sync", "uninstall", "update", "wheel"),
}
_ARCHIVES = (".whl", ".zip", ".gz", ".bz2", ".txt")
_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?:\[[^\]]*\])?(?:[<>=!~;@ ].*)?")
_WORD = re.compile(r"'[^']*'|\"[^\"]*\"|[^\s;|&]+|[;|&]")
_FILES = frozenset({"-r", "--requirement", "-e", "--editable"})
_WITH_ARGUMENT = frozenset(
    (
        "-r --requirement -c --constraint -i --index-url --extra-index-url -f --find-links -t --target -e --editable"
        " --platform --python-version --only-binary --no-binary --channel --name -n --prefix"
    ).split()
)


def installed() -> dict[str, str]:
    """Name -> version of every package that code can import, in the order of their names."""
    found: dict[str, tuple[str, str]] = {}
    for directory in sys.path:
        try:
            names = os.listdir(directory or ".")
        except OSError:
            continue  # a zip file, or nothing
        for name in names:
            if name.endswith(".dist-info"):
                known = _metadata(f"{directory or '.'}/{name}") or tuple(name.removesuffix(".dist-info").split("-", 1))
                if len(known) == 2:
                    found.setdefault(canonical(known[0]), known)
    return dict(sorted(found.values(), key=lambda known: known[0].lower()))


def _metadata(directory: str) -> tuple[str, str] | None:
    fields: dict[str, str] = {}
    try:
        with open(f"{directory}/METADATA", encoding="utf-8", errors="replace") as file:
            while (line := file.readline(_LONGEST_LINE)) not in ("", "\n") and len(fields) < 2:
                name, _, content = line.partition(": ")
                if name in ("Name", "Version"):
                    fields[name] = content.strip()
    except OSError:
        return None
    return (fields["Name"], fields["Version"]) if len(fields) == 2 else None


def canonical(name: str) -> str:
    """A package's name as every spelling of it compares."""
    return re.sub(r"[-_.]+", "-", name).lower()


def missing_module(name: str | None) -> str:
    """What to add to "No module named …" where it is a package's that is not in the image; else nothing."""
    if not isinstance(name, str):
        return ""
    if sentence := absent.missing_module(name):
        return sentence
    root = name.partition(".")[0]
    if root in _INSTALLERS:
        return f". {_how_to_add([])} {_listing(installed())}"
    if root not in _KNOWN or root in sys.stdlib_module_names:
        return ""
    package = _KNOWN[root] or root.replace("_", "-")
    present = installed()
    if any(canonical(other) == canonical(package) for other in present):
        return ""  # it is there, and lacks something
    return f". {_how_to_add([package])} {_listing(present)}"


def _how_to_add(packages: list[str]) -> str:
    if not packages:
        return f"Sessions cannot install packages. {_ADD.format('packages', '…')}"
    names = ", ".join(_REQUIREMENT.fullmatch(package)["name"] for package in packages)
    are, it = ("is", "it") if len(packages) == 1 else ("are", "them")
    quoted = ", ".join(repr(package) for package in packages)
    return f"{names} {are} not in this session's image, and sessions cannot install packages. {_ADD.format(it, quoted)}"


def _listing(present: dict[str, str]) -> str:
    if not present:
        return "The image has no packages, only Python's standard library."
    entries = [f"{name} {version}" for name, version in present.items()]
    more = f" and {len(entries) - _MOST_LISTED} more" if len(entries) > _MOST_LISTED else ""
    return f"The image has {', '.join(entries[:_MOST_LISTED])}{more}."


def without_installer(source: str, line: int | None) -> str | None:
    """The source with the installer's line replaced by its answer, where that line is one; else None.

    Other lines keep their numbers.
    """
    lines = source.split("\n")
    if line is None or not 1 <= line <= len(lines):
        return None
    first = last = line - 1
    # A continued line may be reported by its end.
    while first > 0 and _is_continued(lines[first - 1]):
        first -= 1
    while _is_continued(lines[last]) and last + 1 < len(lines):
        last += 1
    text = " ".join(part.rstrip("\r").removesuffix("\\") for part in lines[first : last + 1])
    statement = statement_for(text)
    if statement is None and _SCRIPT.fullmatch(text.rstrip()) and last + 1 < len(lines) and statement_for(lines[last + 1]):
        statement = "pass"
    if statement is None:
        return None
    # What a cell begins with may be indented, as in a notebook.
    begins = not any(part.strip() for part in lines[:first])
    lines[first : last + 1] = [statement.lstrip() if begins else statement, *[""] * (last - first)]
    return "\n".join(lines)


def _is_continued(line: str) -> bool:
    return line.rstrip("\r").endswith("\\")


def statement_for(line: str) -> str | None:
    """What stands in place of an installer's line, or of a magic that changes nothing, with its indentation; None for other lines."""
    indent = line[: len(line) - len(line.lstrip(" \t"))]
    if _IGNORED.fullmatch(line.rstrip()):
        return f"{indent}pass"
    match = _INSTALLER.fullmatch(line.rstrip())
    if match is None:
        return None
    arguments = match["rest"] or ""
    verb = next((word for word in _words(arguments) if not word.startswith("-")), "")
    if verb not in _VERBS and not match["mark"]:
        return None
    call = f"__import__('_brumate.packages', fromlist=['answer']).answer({arguments!r})"
    return f"{indent}{match['name']}{call} or []" if match["name"] else f"{indent}{call}"


def answer(arguments: str) -> None:
    """What `pip install x` and its like say, as the output of the line."""
    present = installed()
    verb, wanted, others = _parsed(arguments)
    have = {canonical(name): f"{name} {version}" for name, version in present.items()}
    there = [have[canonical(name)] for name in wanted if canonical(name) in have]
    absent = [text for name, text in wanted.items() if canonical(name) not in have]
    refused = verb in _INSTALLING and (others or not wanted)
    if there:
        print(f"In this session's image already: {', '.join(there)}")
    if absent or refused:
        print(_how_to_add(absent), file=sys.stderr)
    if absent or refused or not there:
        print(_listing(present), file=sys.stderr if absent or refused else sys.stdout)


def _words(arguments: str) -> list[str]:
    """Of the first command: what a shell would do with its output, or run next, is left out."""
    words: list[str] = []
    for word in _WORD.findall(arguments):
        if word in (";", "|", "&") or word.startswith((">", "1>", "2>", "#")):
            break
        words.append(word.strip("'\""))
    return words


def _parsed(arguments: str) -> tuple[str, dict[str, str], bool]:
    """The verb, the packages by name with what is required of them, and whether something else is wanted: files, addresses."""
    verb = ""
    wanted: dict[str, str] = {}
    others = skips = False
    for word in _words(arguments):
        if skips or word.startswith("-"):
            skips = not skips and word in _WITH_ARGUMENT
            others = others or word in _FILES
            continue
        if not verb:
            verb = word
            continue
        match = _REQUIREMENT.fullmatch(word)
        if match is None or "://" in word or word.endswith(_ARCHIVES):
            others = True
        else:
            wanted.setdefault(match["name"], word)
    if verb not in _INSTALLING and verb != "show":
        wanted = {}
    return verb, wanted, others
