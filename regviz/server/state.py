"""What all visitors of this process share."""

import functools
import os

from regviz.runs import Runs
from regviz.server.limits import Limits
from regviz.trainers import HERE, Beside, Trainer
from regviz.turns import bound_memory


@functools.cache
def limits() -> Limits:
    """What the operator's environment grants.

    Raises
    ------
    ValueError
        If a variable's text is not allowed.
    """
    return Limits.from_environment(os.environ)


@functools.cache
def runs() -> Runs:
    """All trainings."""
    granted = limits()
    return Runs(
        granted.cache_mb * 2**20,
        granted.trainings,
        granted.cache_minutes * 60,
        trainer=trainer(),
    )


@functools.cache
def trainer() -> Trainer:
    """Where is trained."""
    n, memory = limits().processes, limits().training_mb * 2**20
    if n:
        return Beside(n, memory)
    bound_memory(memory)
    return HERE
