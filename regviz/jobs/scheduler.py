"""Fair-share scheduling of generators, which run in time slices in a few threads.

Visitors are ordered by their usage of the threads, which decays with a half-life, as in Slurm's
multifactor priority. `concurrent.futures` and `anyio` run a call to its end, in the order of
submission: neither can suspend a job after a slice, or reorder waiting jobs. A
``ThreadPoolExecutor`` also blocks the interpreter's exit until every submitted call has run.
"""

import atexit
import logging
import threading
import time
import traceback
from collections.abc import Callable, Collection, Generator
from dataclasses import dataclass, field

LEVEL_SECONDS = 1.0  # width of a priority level; jobs of a level run in the order of submission
HALF_LIFE_SECONDS = 10.0  # half-life of a visitor's usage
BACKGROUND_SECONDS = 5.0  # added to the usage of visitors for jobs that are not urgent
LONG_SECONDS = 5.0  # estimated duration above which a job counts as long

_logger = logging.getLogger("regviz.runs")


@dataclass(eq=False)
class Job:
    """A generator to run, and its visitors.

    Parameters
    ----------
    slices : generator
        Yields after every time slice of about 20 ms.
    watchers : callable
        Returns the names of the visitors who wait for the job. It is called with the scheduler's
        lock held. Once it returns none, the generator is closed in place of the next slice.
    ended : callable
        Called once at the end with ``"complete"``, ``"stopped"`` or ``"failed"``, the exception if
        it failed, and the total seconds of its slices.
    estimate : float
        Estimated duration in seconds. Above `LONG_SECONDS` the job counts as long.
    urgent : bool
        Whether visitors see its result while it runs. If not, `BACKGROUND_SECONDS` are added to
        their usage.

    Attributes
    ----------
    seconds : float
        Total seconds of its slices so far.
    begun, running : bool
        Whether a slice has been started, and whether one is running.
    """

    slices: Generator[None]
    watchers: Callable[[], Collection[str]]
    ended: Callable[[str, BaseException | None, float], None]
    estimate: float = 0.0
    urgent: bool = True
    seconds: float = field(default=0.0, init=False)
    begun: bool = field(default=False, init=False)
    running: bool = field(default=False, init=False)

    @property
    def long(self) -> bool:
        """Whether the estimated duration exceeds `LONG_SECONDS`."""
        return self.estimate > LONG_SECONDS

    @property
    def slow(self) -> bool:
        """Whether the job is long or not urgent; `max_active` bounds these jobs more tightly."""
        return self.long or not self.urgent


class Scheduler:
    """Run jobs in time slices, with priority to the visitors with the least recent usage.

    The seconds of a slice are divided equally among the job's visitors, and added to their usage,
    which decays with the half-life `HALF_LIFE_SECONDS`. Jobs run in the order of three keys: the
    level, which is the least usage of a job's visitors in whole `LEVEL_SECONDS`; short before long;
    the order of submission. Levels have a width because with exact usage all jobs that begin
    together would also end together, at the latest time.

    Parameters
    ----------
    n_threads : int
        Number of threads, started by the first `submit`. With 0, jobs run in `run_slice` only.
    max_active : int
        Bound on jobs that have begun and not ended, as each holds memory. At most half of it,
        rounded up, is open to long jobs and jobs that are not urgent, so that a short job never
        waits for the end of these alone.
    clock : callable
        Returns a monotonic time in seconds.
    """

    def __init__(
        self,
        n_threads: int = 2,
        max_active: int = 16,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.n_threads, self.max_active = n_threads, max_active
        self._clock = clock
        self._jobs: list[Job] = []  # in the order of submission
        self._usage: dict[
            str, tuple[float, float]
        ] = {}  # by visitor: usage in seconds, and its time
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._closing = False

    def __len__(self) -> int:
        """Return the number of jobs that have not ended."""
        return len(self._jobs)

    def submit(self, job: Job) -> None:
        """Add a job.

        Raises
        ------
        RuntimeError
            If no thread can be started to run it, or the scheduler is closed.
        """
        with self._changed:
            if self._closing:
                raise RuntimeError("the scheduler is closed")
            if not self._threads and self.n_threads:
                atexit.register(self.close)
            while len(self._threads) < self.n_threads:
                thread = threading.Thread(target=self._work, daemon=True, name="training")
                thread.start()
                self._threads.append(thread)
            self._jobs.append(job)
            self._changed.notify()

    def run_slice(self) -> bool:
        """Run a slice of the first job, and return whether there was one to run."""
        with self._changed:
            job = self._take()
        if job is not None:
            self._advance(job)
        return job is not None

    def close(self) -> None:
        """Stop the threads after their current slices: torch must not compute during exit."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(timeout=5)

    def _work(self) -> None:
        while True:
            with self._changed:
                # Only `submit` notifies: after a slice or the end of a job, this thread itself
                # takes the next one.
                while (job := self._take()) is None and not self._closing:
                    self._changed.wait()
                if self._closing or job is None:
                    return
            self._advance(job)

    def _take(self) -> Job | None:
        """Mark the first job as running and return it; None if none may run."""
        begun = [job for job in self._jobs if job.begun]
        room = len(begun) < self.max_active
        room_for_slow = room and sum(job.slow for job in begun) < (self.max_active + 1) // 2
        now = self._clock()
        # A linear search takes 0.2 ms for the 120 jobs of a full server. In a heap, a change of a
        # visitor's usage would have to move all of the visitor's jobs.
        ranked: list[tuple[int, bool, Job]] = []
        for job in self._jobs:
            if not job.running:
                watchers = job.watchers()
                if not watchers:
                    ranked.append((-1, False, job))
                elif job.begun or (room_for_slow if job.slow else room):
                    usage = min(self._recent(visitor, now) for visitor in watchers)
                    usage += 0 if job.urgent else BACKGROUND_SECONDS
                    ranked.append((int(usage / LEVEL_SECONDS), job.long, job))
        if not ranked:
            return None
        *_, first = min(
            ranked, key=lambda each: each[:2]
        )  # `min` returns the first submitted of equals
        first.begun = first.running = True
        return first

    def _recent(self, visitor: str, now: float) -> float:
        """Return a visitor's usage in seconds, decayed until ``now``."""
        seconds, at = self._usage.get(visitor, (0.0, now))
        return float(seconds * 0.5 ** ((now - at) / HALF_LIFE_SECONDS))

    def _advance(self, job: Job) -> None:
        """Run a slice of a job that `_take` has returned, or close it if it has no visitors."""
        began = self._clock()
        outcome, error = "", None
        watchers = job.watchers()
        try:
            if watchers:
                next(job.slices)
            else:
                job.slices.close()
                outcome = "stopped"
        except StopIteration:
            outcome = "complete"
        except BaseException as failure:  # the thread must go on to other jobs
            outcome, error = "failed", failure
            traceback.clear_frames(failure.__traceback__)  # their variables hold the recording
        now = self._clock()
        job.seconds += now - began
        if outcome:
            try:
                job.ended(outcome, error, job.seconds)
            except Exception:  # the thread must go on to other jobs
                _logger.exception("the end of a training was not taken in")
        with self._changed:
            job.running = False
            for visitor in watchers:
                usage = self._recent(visitor, now) + (now - began) / len(watchers)
                self._usage[visitor] = usage, now
            if outcome:
                self._jobs.remove(job)
                oldest = now - 10 * HALF_LIFE_SECONDS  # a thousandth of its usage is left
                self._usage = {name: used for name, used in self._usage.items() if used[1] > oldest}


SHARED = Scheduler()
