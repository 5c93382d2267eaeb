"""Jobs run in a fair order and within bounds, and none stops another. Tests set the clock."""

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


class Trial:
    """A scheduler without threads, its clock, and what has happened so far.

    Attributes
    ----------
    now : float
    ran : list of str
        The job of every slice.
    ends : dict of str to tuple
        Outcome, error and seconds of every job that has ended, in this order.
    watchers : dict of str to set of str
        Of every job, as they are at present.
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

        def ended(*how: Any) -> None:
            self.ends[name] = how

        job = Job(slices(), lambda: self.watchers[name], ended, **options)
        self.scheduler.submit(job)

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """Run slices until a condition holds, or there is nothing more to do."""
        while not until() and self.scheduler.run_slice():
            pass

    def order(self) -> list[str]:
        """The jobs that have run, without repetition while one goes on."""
        return [name for name, _ in groupby(self.ran)]


@pytest.fixture
def trial() -> Trial:
    return Trial()


# ------------------------------------------------------------------------------ order


def test_of_equal_jobs_the_first_is_finished_first(trial: Trial):
    for name in "abc":
        trial.submit(name, 0.5)
    trial.run()
    assert trial.order() == ["a", "b", "c"]
    assert list(trial.ends) == ["a", "b", "c"]


def test_a_long_job_lets_a_short_one_pass(trial: Trial):
    trial.submit("l", 100)
    trial.run(lambda: trial.now >= 20)
    trial.submit("s", 0.5)
    trial.run(lambda: "s" in trial.ends)
    assert trial.now == 20.5  # at once


def test_newcomers_delay_a_long_job_but_never_for_ever(trial: Trial):
    trial.submit("long", 2.0, "l")
    n = 0
    while "long" not in trial.ends:
        trial.submit(f"{n}", 0.25, chr(1000 + n))  # there is always one who has had nothing yet
        n += 1
        trial.run(lambda n=n: n < 2 or f"{n - 2}" in trial.ends or "long" in trial.ends)
        assert trial.now < 40
    assert trial.now > 10


def test_jobs_that_have_had_the_same_share_the_time(trial: Trial):
    for name in "ab":
        trial.submit(name, 30)
    trial.run(lambda: trial.now >= 20)
    assert abs(trial.ran.count("a") - trial.ran.count("b")) * SLICE <= 2 * LEVEL_SECONDS


def test_a_visitor_with_many_jobs_gets_no_more_than_one_with_one(trial: Trial):
    for i in range(9):
        trial.submit(f"many {i}", 5, "m")
    trial.submit("one", 5, "o")
    trial.run(lambda: "one" in trial.ends)
    assert trial.now <= 10 + LEVEL_SECONDS


def test_time_that_a_visitor_had_long_ago_does_not_count(trial: Trial):
    trial.submit("before", 8, "a")
    trial.run()
    trial.submit("late", 0.5, "b")
    trial.submit("soon", 0.5, "a")
    trial.run()
    assert trial.order()[-2:] == ["late", "soon"]  # both submitted and now a has had 8 s
    trial.submit("before b", 0.75, "b")
    trial.submit("again", 0.75, "a")
    trial.run()
    assert trial.order()[-2:] == ["before b", "again"]
    trial.now += 6 * HALF_LIFE_SECONDS
    trial.submit("first", 0.5, "a")
    trial.submit("second", 0.5, "b")
    trial.run()
    assert trial.order()[-2:] == ["first", "second"]


def test_visitors_who_watch_the_same_job_share_its_cost(trial: Trial):
    trial.submit("alone", 1.5, "a")
    trial.submit("together", 1.5, "bc")
    trial.run()
    trial.submit("a", 0.25)
    trial.submit("b", 0.25)
    trial.run()
    assert trial.order()[-2:] == ["b", "a"]


def test_a_job_goes_by_its_least_served_visitor(trial: Trial):
    trial.submit("before", 3, "a")
    trial.run()
    trial.submit("theirs", 0.25, "a")
    trial.submit("shared", 0.25, "ab")
    trial.run()
    assert trial.order()[-2:] == ["shared", "theirs"]


def test_background_jobs_come_after_urgent_ones_but_not_for_ever(trial: Trial):
    trial.submit("background", 0.5, "a", urgent=False)
    trial.submit("short", 3, "b")
    trial.run(lambda: "short" in trial.ends)
    assert "background" not in trial.ran
    trial.submit("long", 100, "c")
    trial.run(lambda: "background" in trial.ends)
    assert BACKGROUND_SECONDS <= trial.ran.count("long") * SLICE < 3 * BACKGROUND_SECONDS


# ------------------------------------------------------------------------------ bounds


def begun(trial: Trial) -> set[str]:
    """The jobs that have begun and not ended: they hold memory."""
    return set(trial.ran) - set(trial.ends)


def test_no_more_begin_than_allowed_and_the_next_when_one_ends():
    trial = Trial(max_active=3)
    for name in "abcdef":
        trial.submit(name, 3)  # more than `LEVEL_SECONDS`: each lets the next ones pass
    most = 0
    while trial.scheduler.run_slice():
        most = max(most, len(begun(trial)))
    assert most == 3
    assert set(trial.ends) == set("abcdef")


def test_long_jobs_leave_places_for_short_ones():
    trial = Trial(max_active=4)
    for name in "abcdef":
        trial.submit(name, 60, estimate=LONG_SECONDS + 1)
    trial.run(lambda: trial.now >= 5)
    assert begun(trial) == {"a", "b"}
    trial.submit("s", 0.5, estimate=0.5)
    trial.run(lambda: "s" in trial.ends)
    assert trial.now == 5.5


def test_long_and_background_jobs_together_leave_places_for_short_ones():
    trial = Trial(max_active=4)
    for name in "abcd":
        trial.submit(name, 4, urgent=False)
    trial.run(lambda: trial.now >= 1)
    for name in "efgh":
        trial.submit(name, 60, estimate=LONG_SECONDS + 1)
    trial.run(lambda: trial.now >= 5)
    assert len(begun(trial)) == 2
    trial.submit("s", 0.5, estimate=0.5)
    trial.run(lambda: "s" in trial.ends)
    assert trial.now == 5.5


def test_short_jobs_come_before_long_ones_that_had_no_more():
    trial = Trial()
    for name in "abcd":
        trial.submit(name, 60, estimate=LONG_SECONDS + 1)
    trial.run(lambda: trial.now >= 0.5)
    trial.submit("s", 0.5, estimate=0.5)
    trial.run(lambda: "s" in trial.ends)
    assert trial.now == 1


def test_even_one_place_is_enough():
    trial = Trial(max_active=1)
    trial.submit("long", 10, "l", estimate=LONG_SECONDS + 1)
    trial.run(lambda: "long" in trial.ran)
    trial.submit("short", 0.5, "s")
    trial.run()
    assert list(trial.ends) == ["long", "short"]


# ------------------------------------------------------------------------------ ends


def test_a_job_ends_complete_with_the_seconds_that_it_took(trial: Trial):
    trial.submit("a", 0.5)
    trial.submit("b", 0.25)
    trial.run()
    assert trial.ends == {"a": ("complete", None, 0.5), "b": ("complete", None, 0.25)}
    assert not trial.scheduler.run_slice()


def test_what_nobody_watches_is_closed_before_anything_else_runs(trial: Trial):
    for name in "ab":
        trial.submit(name, 10)
    trial.run(lambda: trial.now >= 3)
    trial.watchers["b"].clear()
    assert trial.scheduler.run_slice()
    assert trial.ends["b"][0] == "stopped"
    n = trial.ran.count("b")
    trial.run()
    assert trial.ran.count("b") == n
    assert trial.ends["a"][0] == "complete"


def test_a_job_that_is_stopped_is_closed(trial: Trial):
    closed = []

    def slices() -> Generator[None]:
        try:
            while True:
                yield
        finally:
            closed.append(True)

    watchers = {"a"}
    trial.scheduler.submit(Job(slices(), lambda: watchers, lambda *how: None))
    assert trial.scheduler.run_slice()
    assert not closed
    watchers.clear()
    trial.run()
    assert closed


def test_what_nobody_watches_ends_though_there_is_no_place_for_it():
    trial = Trial(max_active=1)
    trial.submit("a", 60)
    trial.submit("b", 60)
    trial.run(lambda: trial.now >= 1)
    trial.watchers["b"].clear()
    trial.run(lambda: "b" in trial.ends)
    assert trial.now < 1.1
    assert "b" not in trial.ran


@pytest.mark.parametrize("failure", [MemoryError, SystemExit])
def test_a_failure_is_passed_on_and_others_go_on(trial: Trial, failure: type[BaseException]):
    trial.submit("a", 0.25, fail=failure)
    trial.submit("b", 0.25)
    trial.run()
    outcome, error, seconds = trial.ends["a"]
    assert (outcome, seconds) == ("failed", 0.25)
    assert isinstance(error, failure)
    assert trial.ends["b"][0] == "complete"


def test_a_scheduler_that_is_closed_takes_nothing_on(trial: Trial):
    trial.scheduler.close()
    with pytest.raises(RuntimeError, match="closed"):
        trial.submit("a", 1)


def test_an_end_callback_that_fails_is_logged_and_others_go_on(
    trial: Trial, caplog: pytest.LogCaptureFixture
):
    def fail(*how: object) -> None:
        raise MemoryError("no more")

    trial.scheduler.submit(Job((x for x in ()), lambda: "a", fail))
    trial.submit("b", 0.25)
    trial.run()
    assert "not taken in" in caplog.text
    assert trial.ends["b"][0] == "complete"


def test_what_fails_keeps_nothing_though_its_error_is_kept(trial: Trial):
    class Large:
        """An object that can be referred to weakly."""

    kept: list[weakref.ref[Large]] = []

    def slices() -> Generator[None]:
        large = Large()
        kept.append(weakref.ref(large))
        yield
        raise MemoryError(str(large))

    ends = []
    trial.scheduler.submit(Job(slices(), lambda: "a", lambda *how: ends.append(how)))
    trial.run()
    gc.collect()
    assert ends[0][0] == "failed"
    assert kept[0]() is None


# ------------------------------------------------------------------------------ threads


def test_as_many_jobs_run_at_the_same_time_as_there_are_threads():
    scheduler, together = Scheduler(n_threads=2), threading.Barrier(2)
    ended: list[str] = []
    over = threading.Barrier(3)

    def slices() -> Generator[None]:
        for _ in range(50):
            together.wait(timeout=60)  # broken if one thread ran one job after the other
            yield

    def end(outcome: str, *_: object) -> None:
        ended.append(outcome)
        over.wait(timeout=60)

    for name in "ab":
        scheduler.submit(Job(slices(), lambda name=name: name, end))
    over.wait(timeout=60)
    assert ended == ["complete", "complete"]
    scheduler.close()


def test_no_two_threads_run_the_same_job():
    scheduler, over = Scheduler(n_threads=4), threading.Event()
    outcomes = []

    def slices() -> Generator[None]:
        for _ in range(2000):
            yield  # a generator that is executing already raises ValueError

    def end(*how: object) -> None:
        outcomes.append(how[:2])
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
