"""Where browsers find the page's own files: at another address as soon as one of them changes."""

import functools
import hashlib
from pathlib import Path

ASSETS = Path(__file__).parents[2] / "assets"
KINDS = (".css", ".js", ".svg")  # what the page is made of


@functools.cache
def place() -> str:
    """The path below which they are served, such as ``"assets/0f3a29c81b64d7e5"``.

    So browsers may keep them for good: after an update none mixes new modules with old ones.
    """
    read = hashlib.sha256()
    for path in sorted(path for path in ASSETS.rglob("*") if path.suffix in KINDS):
        read.update(f"{path.relative_to(ASSETS).as_posix()}\n".encode())
        read.update(path.read_bytes())
    return f"assets/{read.hexdigest()[:16]}"
