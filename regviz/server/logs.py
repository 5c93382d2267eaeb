"""Structured logs: one JSON object a line, on standard error."""

import json
import logging
import sys
import threading
import time
from typing import Any

MINUTE = 60.0  # seconds
OWN_RECORDS, OTHER_RECORDS = 1000, 20  # bounds on records of one kind a minute: RegViz's, others'
FRAMEWORKS = ("streamlit", "uvicorn", "websockets")  # loggers with handlers of their own
MAX_KINDS = 1000  # kinds of records that are counted at a time


class JsonLines(logging.Formatter):
    """Format a record as JSON: time in UTC, level, logger, message, and its ``fields`` if any."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as one line of JSON."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, Any] = {
            "time": f"{moment}.{record.msecs:03.0f}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class RateLimit(logging.Filter):
    """Drop records of one kind beyond a number a minute, and append the count to the next one.

    Records are of one kind if logger, level and message template are equal.

    Parameters
    ----------
    max_per_minute : int
        Number of records of one kind that pass in a minute.
    """

    def __init__(self, max_per_minute: int) -> None:
        super().__init__()
        self.max_per_minute = max_per_minute
        self._counts: dict[tuple[str, int, str], tuple[float, int]] = {}
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to write a record; a record of several handlers is counted once."""
        within: bool | None = getattr(record, "is_within_limit", None)
        if within is None:
            within = self._count(record)
            record.is_within_limit = within
        return within

    def _count(self, record: logging.LogRecord) -> bool:
        kind = (record.name, record.levelno, str(record.msg)[:200])
        with self._lock:
            start, count = self._counts.get(kind, (record.created, 0))
            left_out = 0
            if record.created - start >= MINUTE:
                left_out, start, count = max(count - self.max_per_minute, 0), record.created, 0
            if kind not in self._counts and len(self._counts) >= MAX_KINDS:
                self._counts.clear()
            self._counts[kind] = (start, count + 1)
        if left_out:
            record.msg = f"{record.getMessage()} ({left_out} more of this kind were left out)"
            record.args = None
        return count < self.max_per_minute


def configure() -> None:
    """Write the logger ``regviz`` to standard error as JSON, and limit the rate of all records.

    Under an attack, frameworks logged hundreds of thousands of lines a minute, each with a
    traceback. Records of `FRAMEWORKS` are limited at their loggers, as these have handlers of their
    own, and all others at the root logger's handlers.
    """
    logger = logging.getLogger("regviz")
    logger.setLevel(logging.INFO)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    handler.addFilter(RateLimit(OWN_RECORDS))
    logger.handlers = [handler]
    logger.propagate = False
    limit = RateLimit(OTHER_RECORDS)
    for other in (*logging.getLogger().handlers, logging.lastResort):
        if other is not None:
            other.addFilter(limit)
    _limit_frameworks(limit)


def _limit_frameworks(limit: RateLimit) -> None:
    """Add a filter to the loggers of `FRAMEWORKS`, including those created later."""

    class Logger(logging.getLoggerClass()):  # type: ignore[misc]
        def __init__(self, name: str, level: int = logging.NOTSET) -> None:
            super().__init__(name, level)
            if name.partition(".")[0] in FRAMEWORKS:
                self.addFilter(limit)

    logging.setLoggerClass(Logger)
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in FRAMEWORKS:
            logging.getLogger(name).addFilter(limit)
