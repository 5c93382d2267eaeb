"""Tests of the scheduler: order, bounds, independence of jobs. Tests set the clock."""

import gc
import threading
import weakref
from collections.abc import Callable, Generator
from itertools import groupby
from typing import Any

import pytest

from regviz.jobs.scheduler import (
    BACKGROUND_SECONDS,
    HALF_LIFE_SECONDS,
    LEVEL_SECONDS,
    LONG_SECONDS,
    Job,
    Scheduler,
)
from tests.support.commands import python

SLICE = 1 / 64  # seconds; a power of two adds up exactly


class Scheduling:
    """A scheduler without threads, its clock, and a record of its slices and ends.

    Attributes
    ----------
    now : float
    ran : list of str
        Name of each slice's job.
    ends : dict of str to tuple
        Outcome, error and seconds of each ended job, in order of end.
    watchers : dict of str to set of str
        Current watchers of each job.
    """

    def __init__(self, **options: Any) -> None:
        self.now = 0.0
        self.scheduler = Scheduler(0, clock=lambda: self.now, **options)
        self.ran: list[str] = []
        self.ends: dict[str, tuple[str, BaseException | None, float]] = {}
        self.watchers: dict[str, set[str]] = {}

    def submit(
        self,
        name: str,
        seconds: float,
        watchers: str = "",
        fail: type[BaseException] | None = None,
        **options: Any,
    ) -> None:
        """Submit a job that takes ``seconds``, watched by visitors of one letter each."""
        self.watchers[name] = set(watchers or name)

        def slices() -> Generator[None]:
            for i in range(round(seconds / SLICE)):
                if i:
                    yield
                self.now += SLICE
                self.ran.append(name)
            if fail:
                raise fail(name)

        def record_end(*result: Any) -> None:
            self.ends[name] = result

        job = Job(slices(), lambda: self.watchers[name], record_end, **options)
        self.scheduler.submit(job)

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """Run slices until a condition holds or no job is left."""
        while not until() and self.scheduler.run_slice():
            pass

    def order(self) -> list[str]:
        """Return the jobs in order of execution, with consecutive slices of a job merged."""
        return [name for name, _ in groupby(self.ran)]


@pytest.fixture
def scheduling() -> Scheduling:
    return Scheduling()


# ------------------------------------------------------------------------------ order


def test_of_equal_jobs_the_first_is_finished_first(scheduling: Scheduling):
    for name in "abc":
        scheduling.submit(name, 0.5)
    scheduling.run()
    assert scheduling.order() == ["a", "b", "c"]
    assert list(scheduling.ends) == ["a", "b", "c"]


def test_a_long_job_lets_a_short_one_pass(scheduling: Scheduling):
    scheduling.submit("l", 100)
    scheduling.run(lambda: scheduling.now >= 20)
    scheduling.submit("s", 0.5)
    scheduling.run(lambda: "s" in scheduling.ends)
    assert scheduling.now == 20.5  # at once


def test_newcomers_delay_a_long_job_but_never_for_ever(scheduling: Scheduling):
    scheduling.submit("long", 2.0, "l")
    n = 0
    while "long" not in scheduling.ends:
        scheduling.submit(
            f"{n}", 0.25, chr(1000 + n)
        )  # there is always a newcomer without any time used
        n += 1
        scheduling.run(
            lambda n=n: n < 2 or f"{n - 2}" in scheduling.ends or "long" in scheduling.ends
        )
        assert scheduling.now < 40
    assert scheduling.now > 10


def test_jobs_that_have_had_the_same_share_the_time(scheduling: Scheduling):
    for name in "ab":
        scheduling.submit(name, 30)
    scheduling.run(lambda: scheduling.now >= 20)
    assert abs(scheduling.ran.count("a") - scheduling.ran.count("b")) * SLICE <= 2 * LEVEL_SECONDS


def test_a_visitor_with_many_jobs_gets_no_more_than_one_with_one(scheduling: Scheduling):
    for i in range(9):
        scheduling.submit(f"many {i}", 5, "m")
    scheduling.submit("one", 5, "o")
    scheduling.run(lambda: "one" in scheduling.ends)
    assert scheduling.now <= 10 + LEVEL_SECONDS


def test_time_that_a_visitor_had_long_ago_does_not_count(scheduling: Scheduling):
    scheduling.submit("before", 8, "a")
    scheduling.run()
    scheduling.submit("late", 0.5, "b")
    scheduling.submit("soon", 0.5, "a")
    scheduling.run()
    assert scheduling.order()[-2:] == ["late", "soon"]  # a has used 8 s before both
    scheduling.submit("before b", 0.75, "b")
    scheduling.submit("again", 0.75, "a")
    scheduling.run()
    assert scheduling.order()[-2:] == ["before b", "again"]
    scheduling.now += 6 * HALF_LIFE_SECONDS
    scheduling.submit("first", 0.5, "a")
    scheduling.submit("second", 0.5, "b")
    scheduling.run()
    assert scheduling.order()[-2:] == ["first", "second"]


def test_visitors_who_watch_the_same_job_share_its_cost(scheduling: Scheduling):
    scheduling.submit("alone", 1.5, "a")
    scheduling.submit("together", 1.5, "bc")
    scheduling.run()
    scheduling.submit("a", 0.25)
    scheduling.submit("b", 0.25)
    scheduling.run()
    assert scheduling.order()[-2:] == ["b", "a"]


def test_a_job_goes_by_its_least_served_visitor(scheduling: Scheduling):
    scheduling.submit("before", 3, "a")
    scheduling.run()
    scheduling.submit("theirs", 0.25, "a")
    scheduling.submit("shared", 0.25, "ab")
    scheduling.run()
    assert scheduling.order()[-2:] == ["shared", "theirs"]


def test_background_jobs_come_after_urgent_ones_but_not_for_ever(scheduling: Scheduling):
    scheduling.submit("background", 0.5, "a", urgent=False)
    scheduling.submit("short", 3, "b")
    scheduling.run(lambda: "short" in scheduling.ends)
    assert "background" not in scheduling.ran
    scheduling.submit("long", 100, "c")
    scheduling.run(lambda: "background" in scheduling.ends)
    assert BACKGROUND_SECONDS <= scheduling.ran.count("long") * SLICE < 3 * BACKGROUND_SECONDS


# ------------------------------------------------------------------------------ bounds


def active_jobs(scheduling: Scheduling) -> set[str]:
    """Return the jobs that have begun and not ended, which hold memory."""
    return set(scheduling.ran) - set(scheduling.ends)


def test_no_more_begin_than_allowed_and_the_next_when_one_ends():
    scheduling = Scheduling(max_active=3)
    for name in "abcdef":
        scheduling.submit(name, 3)  # longer than `LEVEL_SECONDS`: each yields to the next
    most = 0
    while scheduling.scheduler.run_slice():
        most = max(most, len(active_jobs(scheduling)))
    assert most == 3
    assert set(scheduling.ends) == set("abcdef")


def test_long_jobs_leave_places_for_short_ones():
    scheduling = Scheduling(max_active=4)
    for name in "abcdef":
        scheduling.submit(name, 60, estimate=LONG_SECONDS + 1)
    scheduling.run(lambda: scheduling.now >= 5)
    assert active_jobs(scheduling) == {"a", "b"}
    scheduling.submit("s", 0.5, estimate=0.5)
    scheduling.run(lambda: "s" in scheduling.ends)
    assert scheduling.now == 5.5


def test_long_and_background_jobs_together_leave_places_for_short_ones():
    scheduling = Scheduling(max_active=4)
    for name in "abcd":
        scheduling.submit(name, 4, urgent=False)
    scheduling.run(lambda: scheduling.now >= 1)
    for name in "efgh":
        scheduling.submit(name, 60, estimate=LONG_SECONDS + 1)
    scheduling.run(lambda: scheduling.now >= 5)
    assert len(active_jobs(scheduling)) == 2
    scheduling.submit("s", 0.5, estimate=0.5)
    scheduling.run(lambda: "s" in scheduling.ends)
    assert scheduling.now == 5.5


def test_short_jobs_come_before_long_ones_that_had_no_more():
    scheduling = Scheduling()
    for name in "abcd":
        scheduling.submit(name, 60, estimate=LONG_SECONDS + 1)
    scheduling.run(lambda: scheduling.now >= 0.5)
    scheduling.submit("s", 0.5, estimate=0.5)
    scheduling.run(lambda: "s" in scheduling.ends)
    assert scheduling.now == 1


def test_even_one_place_is_enough():
    scheduling = Scheduling(max_active=1)
    scheduling.submit("long", 10, "l", estimate=LONG_SECONDS + 1)
    scheduling.run(lambda: "long" in scheduling.ran)
    scheduling.submit("short", 0.5, "s")
    scheduling.run()
    assert list(scheduling.ends) == ["long", "short"]


# ------------------------------------------------------------------------------ ends


def test_a_job_ends_complete_with_the_seconds_that_it_took(scheduling: Scheduling):
    scheduling.submit("a", 0.5)
    scheduling.submit("b", 0.25)
    scheduling.run()
    assert scheduling.ends == {"a": ("complete", None, 0.5), "b": ("complete", None, 0.25)}
    assert not scheduling.scheduler.run_slice()


def test_unwatched_jobs_are_closed_before_any_other_job_runs(scheduling: Scheduling):
    for name in "ab":
        scheduling.submit(name, 10)
    scheduling.run(lambda: scheduling.now >= 3)
    scheduling.watchers["b"].clear()
    assert scheduling.scheduler.run_slice()
    assert scheduling.ends["b"][0] == "stopped"
    n = scheduling.ran.count("b")
    scheduling.run()
    assert scheduling.ran.count("b") == n
    assert scheduling.ends["a"][0] == "complete"


def test_a_job_that_is_stopped_is_closed(scheduling: Scheduling):
    closed = []

    def slices() -> Generator[None]:
        try:
            while True:
                yield
        finally:
            closed.append(True)

    watchers = {"a"}
    scheduling.scheduler.submit(Job(slices(), lambda: watchers, lambda *result: None))
    assert scheduling.scheduler.run_slice()
    assert not closed
    watchers.clear()
    scheduling.run()
    assert closed


def test_unwatched_jobs_end_although_no_place_is_free():
    scheduling = Scheduling(max_active=1)
    scheduling.submit("a", 60)
    scheduling.submit("b", 60)
    scheduling.run(lambda: scheduling.now >= 1)
    scheduling.watchers["b"].clear()
    scheduling.run(lambda: "b" in scheduling.ends)
    assert scheduling.now < 1.1
    assert "b" not in scheduling.ran


@pytest.mark.parametrize("failure", [MemoryError, SystemExit])
def test_a_failure_is_passed_on_and_others_go_on(
    scheduling: Scheduling, failure: type[BaseException]
):
    scheduling.submit("a", 0.25, fail=failure)
    scheduling.submit("b", 0.25)
    scheduling.run()
    outcome, error, seconds = scheduling.ends["a"]
    assert (outcome, seconds) == ("failed", 0.25)
    assert isinstance(error, failure)
    assert scheduling.ends["b"][0] == "complete"


def test_a_scheduler_that_is_closed_takes_nothing_on(scheduling: Scheduling):
    scheduling.scheduler.close()
    with pytest.raises(RuntimeError, match="closed"):
        scheduling.submit("a", 1)


def test_an_end_callback_that_fails_is_logged_and_others_go_on(
    scheduling: Scheduling, caplog: pytest.LogCaptureFixture
):
    def fail(*result: object) -> None:
        raise MemoryError("no more")

    scheduling.scheduler.submit(Job((x for x in ()), lambda: "a", fail))
    scheduling.submit("b", 0.25)
    scheduling.run()
    assert "not taken in" in caplog.text
    assert scheduling.ends["b"][0] == "complete"


def test_what_fails_keeps_nothing_though_its_error_is_kept(scheduling: Scheduling):
    class Large:
        """An object that can be referred to weakly."""

    kept: list[weakref.ref[Large]] = []

    def slices() -> Generator[None]:
        large = Large()
        kept.append(weakref.ref(large))
        yield
        raise MemoryError(str(large))

    ends = []
    scheduling.scheduler.submit(Job(slices(), lambda: "a", lambda *result: ends.append(result)))
    scheduling.run()
    gc.collect()
    assert ends[0][0] == "failed"
    assert kept[0]() is None


# ------------------------------------------------------------------------------ threads


def test_as_many_jobs_run_at_the_same_time_as_there_are_threads():
    scheduler, together = Scheduler(n_threads=2), threading.Barrier(2)
    record_end: list[str] = []
    over = threading.Barrier(3)

    def slices() -> Generator[None]:
        for _ in range(50):
            together.wait(timeout=60)  # breaks if one thread runs the jobs in turn
            yield

    def end(outcome: str, *_: object) -> None:
        record_end.append(outcome)
        over.wait(timeout=60)

    for name in "ab":
        scheduler.submit(Job(slices(), lambda name=name: name, end))
    over.wait(timeout=60)
    assert record_end == ["complete", "complete"]
    scheduler.close()


def test_no_two_threads_run_the_same_job():
    scheduler, over = Scheduler(n_threads=4), threading.Event()
    outcomes = []

    def slices() -> Generator[None]:
        for _ in range(2000):
            yield  # a generator that is executing already raises ValueError

    def end(*result: object) -> None:
        outcomes.append(result[:2])
        if len(outcomes) == 3:
            over.set()

    for _ in range(3):
        scheduler.submit(Job(slices(), lambda: "a", end))
    assert over.wait(timeout=60)
    assert outcomes == [("complete", None)] * 3
    scheduler.close()


def test_threads_that_train_let_the_process_end():
    script = (
        "import regviz\n"
        "from regviz.jobs.run import Run\n"
        "run = Run(regviz.Experiment(training=regviz.TrainingSpec(epochs=1_000_000)))\n"
        "run.wait(3)\n"
        "print('trains:', run.in_progress)\n"
    )
    found = python("-c", script)
    assert (found.stdout, found.stderr) == ("trains: True\n", "")
