"""Objects of the process that all visitors share."""

import functools
import os

from regviz.jobs.registry import JobRegistry
from regviz.jobs.scheduler import Scheduler
from regviz.jobs.studies import StudyRegistry
from regviz.jobs.study_workers import ClusterWorkers, LocalWorkers
from regviz.server.limits import Limits
from regviz.server.rooms import Rooms
from regviz.server.sessions import is_connected


@functools.cache
def limits() -> Limits:
    """Return the limits, read from the environment at the first call.

    Raises
    ------
    ValueError
        If the value of a variable is not allowed.
    """
    return Limits.from_environment(os.environ)


@functools.cache
def runs() -> JobRegistry:
    """Return the registry of all trainings."""
    granted = limits()
    return JobRegistry(
        granted.cache_mb * 2**20,
        granted.trainings,
        granted.cache_minutes * 60,
        scheduler=Scheduler(granted.threads, granted.active),
    )


@functools.cache
def studies() -> StudyRegistry:
    """Return the registry of all studies, which run on the configured cluster or here."""
    granted = limits()
    here = LocalWorkers(runs().scheduler)
    return StudyRegistry(
        ClusterWorkers(granted.scheduler) if granted.scheduler else here,
        granted.studies,
        granted.active_studies,
        granted.study_cache_mb * 2**20,
        is_present=is_connected,
    )


@functools.cache
def rooms() -> Rooms:
    """Return the rooms of all classes."""
    return Rooms()
