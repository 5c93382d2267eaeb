"""What a browser loads: Streamlit's files, and our own at an address that changes with them."""

import hashlib
from functools import cache, partial
from pathlib import Path

import streamlit

from regviz.resources import resource
from regviz.server.files import File

STREAMLIT = Path(streamlit.__file__).parent / "static"
ASSETS = resource("assets")
KINDS = (".css", ".js", ".svg")  # what our part of the page is made of


@cache
def contents() -> dict[str, bytes]:
    """Our own files as they are at the start of the server, by their paths in ``assets/``."""
    paths = sorted(path for path in ASSETS.rglob("*") if path.suffix in KINDS)
    return {path.relative_to(ASSETS).as_posix(): path.read_bytes() for path in paths}


@cache
def place() -> str:
    """The path below which our own are served, such as ``"assets/0f3a29c81b64d7e5"``.

    It stands for what they say, so that browsers may keep them for good and never mix those of two
    versions.
    """
    told = hashlib.sha256()
    for name, content in contents().items():
        told.update(f"{name}\n{len(content)}\n".encode())
        told.update(content)
    return f"assets/{told.hexdigest()[:16]}"


def files() -> dict[str, File]:
    """All by their addresses. Those of Streamlit's have a hash in their names."""
    theirs = [path for path in (STREAMLIT / "static").rglob("*") if path.is_file()]
    return {
        **{f"/{p.relative_to(STREAMLIT).as_posix()}": File(p.name, p.read_bytes) for p in theirs},
        **{f"/{place()}/{name}": File(name, partial(bytes, c)) for name, c in contents().items()},
    }
