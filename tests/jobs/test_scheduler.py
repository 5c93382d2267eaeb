"""Jobs are run in a fair order, within bounds, by a clock of the test's own; none stops another."""

import gc
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Generator
from itertools import groupby
from typing import Any

import pytest

from devtools.serving import ROOT
from regviz.jobs.scheduler import (
    BACKGROUND_SECONDS,
    HALF_LIFE_SECONDS,
    LEVEL_SECONDS,
    LONG_SECONDS,
    Job,
    Scheduler,
)

SLICE = 1 / 64  # seconds; a power of two adds up exactly


class Desk:
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
def desk() -> Desk:
    return Desk()


# ------------------------------------------------------------------------------ order


def test_of_equals_the_first_is_finished_first(desk: Desk):
    for name in "abc":
        desk.submit(name, 0.5)
    desk.run()
    assert desk.order() == ["a", "b", "c"]
    assert list(desk.ends) == ["a", "b", "c"]


def test_a_long_job_lets_a_short_one_pass(desk: Desk):
    desk.submit("l", 100)
    desk.run(lambda: desk.now >= 20)
    desk.submit("s", 0.5)
    desk.run(lambda: "s" in desk.ends)
    assert desk.now == 20.5  # at once


def test_newcomers_delay_a_long_job_but_never_for_ever(desk: Desk):
    desk.submit("long", 2.0, "l")
    n = 0
    while "long" not in desk.ends:
        desk.submit(f"{n}", 0.25, chr(1000 + n))  # there is always one who has had nothing yet
        n += 1
        desk.run(lambda n=n: n < 2 or f"{n - 2}" in desk.ends or "long" in desk.ends)
        assert desk.now < 40
    assert desk.now > 10


def test_jobs_that_have_had_the_same_share_the_time(desk: Desk):
    for name in "ab":
        desk.submit(name, 30)
    desk.run(lambda: desk.now >= 20)
    assert abs(desk.ran.count("a") - desk.ran.count("b")) * SLICE <= 2 * LEVEL_SECONDS


def test_a_visitor_with_many_jobs_gets_no_more_than_one_with_one(desk: Desk):
    for i in range(9):
        desk.submit(f"many {i}", 5, "m")
    desk.submit("one", 5, "o")
    desk.run(lambda: "one" in desk.ends)
    assert desk.now <= 10 + LEVEL_SECONDS


def test_what_a_visitor_had_long_ago_counts_no_more(desk: Desk):
    desk.submit("before", 8, "a")
    desk.run()
    desk.submit("late", 0.5, "b")
    desk.submit("soon", 0.5, "a")
    desk.run()
    assert desk.order()[-2:] == ["late", "soon"]  # both submitted and now a has had 8 s
    desk.submit("before b", 0.75, "b")
    desk.submit("again", 0.75, "a")
    desk.run()
    assert desk.order()[-2:] == ["before b", "again"]
    desk.now += 6 * HALF_LIFE_SECONDS
    desk.submit("first", 0.5, "a")
    desk.submit("second", 0.5, "b")
    desk.run()
    assert desk.order()[-2:] == ["first", "second"]


def test_visitors_who_watch_the_same_job_share_its_cost(desk: Desk):
    desk.submit("alone", 1.5, "a")
    desk.submit("together", 1.5, "bc")
    desk.run()
    desk.submit("a", 0.25)
    desk.submit("b", 0.25)
    desk.run()
    assert desk.order()[-2:] == ["b", "a"]


def test_a_job_goes_by_its_least_served_visitor(desk: Desk):
    desk.submit("before", 3, "a")
    desk.run()
    desk.submit("theirs", 0.25, "a")
    desk.submit("shared", 0.25, "ab")
    desk.run()
    assert desk.order()[-2:] == ["shared", "theirs"]


def test_what_nobody_looks_at_comes_after_what_somebody_does_but_not_for_ever(desk: Desk):
    desk.submit("background", 0.5, "a", urgent=False)
    desk.submit("short", 3, "b")
    desk.run(lambda: "short" in desk.ends)
    assert "background" not in desk.ran
    desk.submit("long", 100, "c")
    desk.run(lambda: "background" in desk.ends)
    assert BACKGROUND_SECONDS <= desk.ran.count("long") * SLICE < 3 * BACKGROUND_SECONDS


# ------------------------------------------------------------------------------ bounds


def begun(desk: Desk) -> set[str]:
    """The jobs that have begun and not ended: they hold memory."""
    return set(desk.ran) - set(desk.ends)


def test_no_more_begin_than_allowed_and_the_next_when_one_ends():
    desk = Desk(max_active=3)
    for name in "abcdef":
        desk.submit(name, 3)  # more than a level: each lets the next ones pass
    most = 0
    while desk.scheduler.run_slice():
        most = max(most, len(begun(desk)))
    assert most == 3
    assert set(desk.ends) == set("abcdef")


def test_long_jobs_leave_places_for_short_ones():
    desk = Desk(max_active=4)
    for name in "abcdef":
        desk.submit(name, 60, estimate=LONG_SECONDS + 1)
    desk.run(lambda: desk.now >= 5)
    assert begun(desk) == {"a", "b"}
    desk.submit("s", 0.5, estimate=0.5)
    desk.run(lambda: "s" in desk.ends)
    assert desk.now == 5.5


def test_long_and_background_jobs_together_leave_places_for_short_ones():
    desk = Desk(max_active=4)
    for name in "abcd":
        desk.submit(name, 4, urgent=False)
    desk.run(lambda: desk.now >= 1)
    for name in "efgh":
        desk.submit(name, 60, estimate=LONG_SECONDS + 1)
    desk.run(lambda: desk.now >= 5)
    assert len(begun(desk)) == 2
    desk.submit("s", 0.5, estimate=0.5)
    desk.run(lambda: "s" in desk.ends)
    assert desk.now == 5.5


def test_short_jobs_come_before_long_ones_that_had_no_more():
    desk = Desk()
    for name in "abcd":
        desk.submit(name, 60, estimate=LONG_SECONDS + 1)
    desk.run(lambda: desk.now >= 0.5)
    desk.submit("s", 0.5, estimate=0.5)
    desk.run(lambda: "s" in desk.ends)
    assert desk.now == 1


def test_even_one_place_is_enough():
    desk = Desk(max_active=1)
    desk.submit("long", 10, "l", estimate=LONG_SECONDS + 1)
    desk.run(lambda: "long" in desk.ran)
    desk.submit("short", 0.5, "s")
    desk.run()
    assert list(desk.ends) == ["long", "short"]


# ------------------------------------------------------------------------------ ends


def test_a_job_ends_complete_with_the_seconds_that_it_took(desk: Desk):
    desk.submit("a", 0.5)
    desk.submit("b", 0.25)
    desk.run()
    assert desk.ends == {"a": ("complete", None, 0.5), "b": ("complete", None, 0.25)}
    assert not desk.scheduler.run_slice()


def test_what_nobody_watches_is_closed_before_anything_else_runs(desk: Desk):
    for name in "ab":
        desk.submit(name, 10)
    desk.run(lambda: desk.now >= 3)
    desk.watchers["b"].clear()
    assert desk.scheduler.run_slice()
    assert desk.ends["b"][0] == "stopped"
    n = desk.ran.count("b")
    desk.run()
    assert desk.ran.count("b") == n
    assert desk.ends["a"][0] == "complete"


def test_what_is_closed_lets_go_of_what_it_holds(desk: Desk):
    closed = []

    def slices() -> Generator[None]:
        try:
            while True:
                yield
        finally:
            closed.append(True)

    watchers = {"a"}
    desk.scheduler.submit(Job(slices(), lambda: watchers, lambda *how: None))
    assert desk.scheduler.run_slice()
    assert not closed
    watchers.clear()
    desk.run()
    assert closed


def test_what_nobody_watches_ends_though_there_is_no_place_for_it():
    desk = Desk(max_active=1)
    desk.submit("a", 60)
    desk.submit("b", 60)
    desk.run(lambda: desk.now >= 1)
    desk.watchers["b"].clear()
    desk.run(lambda: "b" in desk.ends)
    assert desk.now < 1.1
    assert "b" not in desk.ran


@pytest.mark.parametrize("failure", [MemoryError, SystemExit])
def test_a_failure_is_passed_on_and_others_go_on(desk: Desk, failure: type[BaseException]):
    desk.submit("a", 0.25, fail=failure)
    desk.submit("b", 0.25)
    desk.run()
    outcome, error, seconds = desk.ends["a"]
    assert (outcome, seconds) == ("failed", 0.25)
    assert isinstance(error, failure)
    assert desk.ends["b"][0] == "complete"


def test_a_scheduler_that_is_closed_takes_nothing_on(desk: Desk):
    desk.scheduler.close()
    with pytest.raises(RuntimeError, match="closed"):
        desk.submit("a", 1)


def test_an_end_that_cannot_be_taken_in_is_logged_and_others_go_on(
    desk: Desk, caplog: pytest.LogCaptureFixture
):
    def fail(*how: object) -> None:
        raise MemoryError("no more")

    desk.scheduler.submit(Job((x for x in ()), lambda: "a", fail))
    desk.submit("b", 0.25)
    desk.run()
    assert "not taken in" in caplog.text
    assert desk.ends["b"][0] == "complete"


def test_what_fails_keeps_nothing_though_its_error_is_kept(desk: Desk):
    class Large:
        """An object that can be referred to weakly."""

    kept: list[weakref.ref[Large]] = []

    def slices() -> Generator[None]:
        large = Large()
        kept.append(weakref.ref(large))
        yield
        raise MemoryError(str(large))

    ends = []
    desk.scheduler.submit(Job(slices(), lambda: "a", lambda *how: ends.append(how)))
    desk.run()
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
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert (found.returncode, found.stdout, found.stderr) == (0, "trains: True\n", "")
