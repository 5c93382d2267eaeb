"""The picture of a history where scripts do not run."""

from base64 import b64encode
from functools import lru_cache

from regviz.engine.history import History
from regviz.figures.static import static_picture


@lru_cache(maxsize=1)  # a cell's board and its history are often shown one after the other
def picture(history: History) -> dict[str, str]:
    """Return the PNG of a history by its type, in base64; nothing without matplotlib."""
    try:
        return {"image/png": b64encode(static_picture(history)).decode()}
    except ImportError:
        return {}
