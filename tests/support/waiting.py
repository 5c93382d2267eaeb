"""Waiting for other threads and processes."""

import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def wait_until(result: Callable[[], Result], seconds: float = 60) -> Result:
    """Call a function until its result is true, and return the result."""
    deadline = time.monotonic() + seconds
    while not (found := result()):
        assert time.monotonic() < deadline, "the condition does not come true"
        time.sleep(0.01)
    return found
