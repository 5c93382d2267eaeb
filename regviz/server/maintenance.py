"""What is done from time to time: what nobody has asked for is let go, and memory is given back."""

import asyncio
import ctypes
import gc
import logging
import sys
from collections.abc import Callable

from regviz.jobs.registry import JobRegistry

_logger = logging.getLogger("regviz.errors")

EVERY = 20.0  # seconds


async def run_maintenance(runs: JobRegistry, n_visitors: Callable[[], int]) -> None:
    """Tidy up, for as long as the process runs.

    Streamlit's own collection after every rerun is off, as it takes 100 ms with torch imported.
    Here memory is collected only after visitors have left or something was let go.

    Parameters
    ----------
    runs : JobRegistry
    n_visitors : callable
        How many are connected.
    """
    before = (n_visitors(), len(runs))
    pending = 0
    while True:
        await asyncio.sleep(EVERY)
        try:
            runs.tidy()
        except Exception:  # else nothing would ever be let go again
            _logger.exception("not tidied up")
        now = (n_visitors(), len(runs))
        if now[0] < before[0] or now[1] < before[1]:
            # Streamlit keeps a session for a while after its visitor has left
            pending = 12
        before = now
        if pending and not runs.n_training:
            pending -= 1
            gc.collect()
            give_back_memory()


def give_back_memory() -> None:
    """Give what is free back to the system, where the C library has to be told to."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
