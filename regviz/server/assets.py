"""Static files: Streamlit's, and those of ``assets/`` below a path with a hash of their content."""

import hashlib
import logging
from functools import cache, partial
from pathlib import Path

import streamlit

from regviz.resources import resource
from regviz.server.files import File

_logger = logging.getLogger("regviz.errors")

STREAMLIT = Path(streamlit.__file__).parent / "static"
ASSETS = resource("assets")
SUFFIXES = (".css", ".js", ".svg")  # of the files in `ASSETS` that are served


@cache
def contents() -> dict[str, bytes]:
    """Return the files of ``assets/`` by their relative paths, as read at the first call."""
    paths = sorted(path for path in ASSETS.rglob("*") if path.suffix in SUFFIXES)
    return {path.relative_to(ASSETS).as_posix(): path.read_bytes() for path in paths}


@cache
def assets_path() -> str:
    """Return the URL path of the files of ``assets/``, such as ``"assets/0f3a29c81b64d7e5"``.

    It contains a hash of their contents. So browsers can cache them without expiry, and never load
    files of two versions.
    """
    digest = hashlib.sha256()
    for name, content in contents().items():
        digest.update(f"{name}\n{len(content)}\n".encode())
        digest.update(content)
    return f"assets/{digest.hexdigest()[:16]}"


def files() -> dict[str, File]:
    """Return all static files by their URL paths. Streamlit's have a hash in their names."""
    theirs = [path for path in (STREAMLIT / "static").rglob("*") if path.is_file()]
    if not theirs:
        _logger.warning("Streamlit's static files are not cached: none in %s", STREAMLIT / "static")
    return {
        **{f"/{p.relative_to(STREAMLIT).as_posix()}": File(p.name, p.read_bytes) for p in theirs},
        **{
            f"/{assets_path()}/{name}": File(name, partial(bytes, c))
            for name, c in contents().items()
        },
    }
