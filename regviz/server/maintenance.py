"""Periodic maintenance: evict expired trainings, collect garbage, and release free memory."""

import asyncio
import ctypes
import gc
import logging
import sys
from collections.abc import Callable

from regviz.jobs.registry import JobRegistry
from regviz.jobs.studies import StudyRegistry

_logger = logging.getLogger("regviz.errors")

INTERVAL_SECONDS = 20.0
# Number of collections after a visitor has left: more than one, as Streamlit drops the session only
# after `disconnectedSessionTTL`, 120 s.
N_COLLECTIONS = 12


async def run_maintenance(
    runs: JobRegistry, studies: StudyRegistry, n_visitors: Callable[[], int]
) -> None:
    """Run maintenance every `INTERVAL_SECONDS`, until cancelled.

    Streamlit's own garbage collection after every rerun is off, as it takes 100 ms with torch
    imported. This collects only after visitors have left or trainings were evicted, and while no
    network is trained.

    Parameters
    ----------
    runs : JobRegistry
    studies : StudyRegistry
    n_visitors : callable
        Returns the number of connected visitors.
    """
    before = (n_visitors(), len(runs))
    pending = 0
    while True:
        await asyncio.sleep(INTERVAL_SECONDS)
        try:
            runs.evict_expired()
            studies.evict()
        except Exception:  # the loop goes on: without it the cache would only grow
            _logger.exception("expired trainings or studies could not be evicted")
        now = (n_visitors(), len(runs))
        if now[0] < before[0] or now[1] < before[1]:
            pending = N_COLLECTIONS
        before = now
        if pending and not runs.n_training:
            pending -= 1
            gc.collect()
            release_memory()


def release_memory() -> None:
    """Return the free memory of glibc's heap to the system; do nothing with other C libraries."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
