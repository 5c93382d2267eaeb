"""Where browsers find the page's own files: at another address as soon as one of them changes."""

import functools
import hashlib
from pathlib import Path

ASSETS = Path(__file__).parents[2] / "assets"
KINDS = (".css", ".js", ".svg")  # what the page is made of


@functools.cache
def contents() -> dict[str, bytes]:
    """These files as they are at the start of the server, by their paths in ``assets/``."""
    paths = sorted(path for path in ASSETS.rglob("*") if path.suffix in KINDS)
    return {path.relative_to(ASSETS).as_posix(): path.read_bytes() for path in paths}


@functools.cache
def place() -> str:
    """The path below which they are served, such as ``"assets/0f3a29c81b64d7e5"``.

    It stands for what they say, so that browsers may keep them for good and never mix those of two
    versions.
    """
    told = hashlib.sha256()
    for name, content in contents().items():
        told.update(f"{name}\n{len(content)}\n".encode())
        told.update(content)
    return f"assets/{told.hexdigest()[:16]}"
