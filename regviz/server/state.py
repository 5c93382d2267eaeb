"""What all visitors of this process share."""

import functools
import os

from regviz.jobs.registry import JobRegistry
from regviz.jobs.scheduler import Scheduler
from regviz.server.limits import Limits


@functools.cache
def limits() -> Limits:
    """The limits that the operator's environment sets.

    Raises
    ------
    ValueError
        If a variable's text is not allowed.
    """
    return Limits.from_environment(os.environ)


@functools.cache
def runs() -> JobRegistry:
    """All trainings."""
    granted = limits()
    return JobRegistry(
        granted.cache_mb * 2**20,
        granted.trainings,
        granted.cache_minutes * 60,
        scheduler=Scheduler(granted.threads, granted.active),
    )
