"""Run generators a slice at a time in a few threads, by fair-share scheduling.

Visitors are ordered by their usage of the threads, which decays with a half-life, as in Slurm's
multifactor priority. `concurrent.futures` and `anyio` run a call to its end, in the order of
submission: neither can put a job back after a slice, or reorder jobs that wait. A
``ThreadPoolExecutor`` also keeps the interpreter from exiting until all that was submitted has run.
"""

import atexit
import logging
import threading
import time
import traceback
from collections.abc import Callable, Collection, Generator
from dataclasses import dataclass, field

LEVEL_SECONDS = 1.0  # usage within which jobs run in the order of submission
HALF_LIFE_SECONDS = 10.0  # of usage
BACKGROUND_SECONDS = 5.0  # added to the usage of a job that is not urgent
LONG_SECONDS = 5.0  # estimate above which a job is long

_logger = logging.getLogger("regviz.runs")


@dataclass(eq=False)
class Job:
    """A generator to run, and the visitors who want it to.

    Parameters
    ----------
    slices : generator
        Yields after every slice of some 20 ms. One that nobody watches any more is closed.
    watchers : callable
        Returns the names of the visitors who want the job. It is called with the scheduler's lock
        held. Once it has returned none, the job is closed when it is next considered.
    ended : callable
        Called once at the end with ``"complete"``, ``"stopped"`` or ``"failed"``, the exception if
        it failed, and the seconds that its slices took.
    estimate : float
        Seconds that it is expected to take. Above `LONG_SECONDS` it is a long job.
    urgent : bool
        Whether visitors look at its result as it grows. If not, `BACKGROUND_SECONDS` are added to
        their usage.
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
        """Whether it is expected to take long."""
        return self.estimate > LONG_SECONDS

    @property
    def slow(self) -> bool:
        """Whether it holds its place for long."""
        return self.long or not self.urgent


class Scheduler:
    """Run jobs a slice at a time, those of the visitors with the least recent usage first.

    A slice's seconds are divided among the visitors who watch the job, and count half as much
    `HALF_LIFE_SECONDS` later. The priority of a job is the recent usage of its least served
    visitor, rounded down to a multiple of `LEVEL_SECONDS`: without rounding, all jobs that begin
    together would end together, and late. Of equal priorities short jobs come before long ones,
    and then those submitted earlier.

    Parameters
    ----------
    n_threads : int
        Threads to run jobs in, started by the first `submit`. With 0, jobs run in `run_slice` only.
    max_active : int
        Bound on the jobs that have begun and not ended, as each of them holds memory. Long jobs
        and those that are not urgent are at most half of them, rounded up, so that they never hold
        all places while a short one waits.
    clock : callable
        Returns seconds.
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
        self._usage: dict[str, tuple[float, float]] = {}  # by visitor: seconds, and their time
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._closing = False

    def __len__(self) -> int:
        """Jobs that have not ended."""
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
        """Run a slice of the job that comes first, and return whether there was one."""
        with self._changed:
            job = self._take()
        if job is not None:
            self._advance(job)
        return job is not None

    def close(self) -> None:
        """End the threads after their current slices: torch must not compute while Python exits."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(timeout=5)

    def _work(self) -> None:
        while True:
            with self._changed:
                # Only `submit` has to wake a thread: a job that is put back, or whose end makes
                # room for another, is followed by this thread's own look at what comes first.
                while (job := self._take()) is None and not self._closing:
                    self._changed.wait()
                if self._closing or job is None:
                    return
            self._advance(job)

    def _take(self) -> Job | None:
        """Mark the job that comes first as running and return it; None if none may run."""
        begun = [job for job in self._jobs if job.begun]
        room = len(begun) < self.max_active
        room_for_slow = room and sum(job.slow for job in begun) < (self.max_active + 1) // 2
        now = self._clock()
        # Recomputed at each slice, which for the 120 jobs of a full server takes 0.2 ms: in a heap
        # each change of a visitor's seconds would have to move all of this visitor's jobs.
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
        *_, first = min(ranked, key=lambda each: each[:2])  # the first submitted of equals
        first.begun = first.running = True
        return first

    def _recent(self, visitor: str, now: float) -> float:
        """The seconds that a visitor has used, each weighted by its age."""
        seconds, at = self._usage.get(visitor, (0.0, now))
        return float(seconds * 0.5 ** ((now - at) / HALF_LIFE_SECONDS))

    def _advance(self, job: Job) -> None:
        """Run a slice of a job that `_take` has returned, or close it if nobody watches it."""
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
        except BaseException as failure:  # whatever it is, the thread goes on
            outcome, error = "failed", failure
            traceback.clear_frames(failure.__traceback__)  # they hold what was trained
        now = self._clock()
        job.seconds += now - began
        if outcome:
            try:
                job.ended(outcome, error, job.seconds)
            except Exception:  # other jobs go on
                _logger.exception("the end of a training was not taken in")
        with self._changed:
            job.running = False
            for visitor in watchers:
                usage = self._recent(visitor, now) + (now - began) / len(watchers)
                self._usage[visitor] = usage, now
            if outcome:
                self._jobs.remove(job)
                oldest = now - 10 * HALF_LIFE_SECONDS  # of which a thousandth is left
                self._usage = {name: used for name, used in self._usage.items() if used[1] > oldest}


SHARED = Scheduler()
