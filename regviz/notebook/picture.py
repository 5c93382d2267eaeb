"""Pictures where scripts do not run."""

from base64 import b64encode
from collections.abc import Callable
from functools import lru_cache

from regviz.engine.history import History
from regviz.figures.static import static_picture


@lru_cache(maxsize=1)  # a cell's board and its history are often shown one after the other
def picture(history: History) -> dict[str, str]:
    """Return the PNG of a history as of `png_bundle`."""
    return png_bundle(lambda: static_picture(history))


def png_bundle(draw: Callable[[], bytes]) -> dict[str, str]:
    """Return the PNG that a function draws by its type, in base64; nothing without matplotlib."""
    try:
        return {"image/png": b64encode(draw()).decode()}
    except ImportError:
        return {}
