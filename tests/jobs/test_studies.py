"""Tests of studies in the background: queue, sharing, stopping, memory."""

import threading
from types import SimpleNamespace

import pytest

import regviz
from regviz.jobs import studies, study_workers
from regviz.jobs.registry import Busy
from regviz.jobs.scheduler import Scheduler
from regviz.jobs.studies import StudyRegistry
from regviz.jobs.study_workers import ClusterWorkers, LocalWorkers
from regviz.studies.cell import compute, steps
from regviz.studies.cluster import Event
from regviz.studies.cost import cell_seconds
from regviz.studies.errors import StudyError
from tests.support.jobs import SHORT, run_all
from tests.support.waiting import wait_until

BASE = regviz.Experiment(SHORT.data, SHORT.network, regviz.TrainingSpec(epochs=3))


def study_of(*noises: float) -> regviz.Study:
    return regviz.Study(BASE, {"data.noise": noises}, ("none", "l2"), 2, range(2))


FIRST, SECOND, THIRD = study_of(0.1, 0.2, 0.3), study_of(0.4, 0.5), study_of(0.6)


class Place:
    """A registry whose slices a test runs, and its visitors."""

    def __init__(self, **options: float) -> None:
        self.present = {"ann", "bob", "cleo"}
        self.scheduler = Scheduler(n_threads=0)
        self.studies = StudyRegistry(
            LocalWorkers(self.scheduler), is_present=lambda name: name in self.present, **options
        )


def test_a_study_ends_with_the_table_of_run():
    place = Place()
    run = place.studies.start(FIRST, "ann")
    run_all(place.scheduler)
    assert run.state == "complete"
    assert run.result().frame.equals(FIRST.run(progress=lambda _: None).frame)


def test_cells_come_one_by_one_and_the_time_left_falls():
    place = Place()
    run = place.studies.start(FIRST, "ann")
    assert run.seconds_left is None
    left = []
    while place.scheduler.run_slice():
        if len(left) < run.n_done < 3:
            left.append(run.seconds_left)
            assert run.result().n_done == run.n_done
    assert len(left) == 2
    assert run.seconds_left == 0


def test_the_time_left_counts_on_all_threads_that_compute(monkeypatch: pytest.MonkeyPatch):
    place, now = Place(), 5.0
    monkeypatch.setattr(studies, "time", SimpleNamespace(monotonic=lambda: now))
    run = place.studies.start(FIRST, "ann")
    while run.n_done == 0:
        place.scheduler.run_slice()
    now = 15.0
    assert run.n_workers == 1
    assert run.seconds_left == pytest.approx(20)  # one of three equal cells took 10 s
    run.n_workers = 2
    assert run.seconds_left == pytest.approx(10)  # and half of the second one


def test_the_time_left_of_a_study_that_goes_on_is_that_of_its_further_cells(
    monkeypatch: pytest.MonkeyPatch,
):
    place, now = Place(), 5.0
    monkeypatch.setattr(studies, "time", SimpleNamespace(monotonic=lambda: now))
    study = regviz.Study(BASE, {"training.epochs": (3, 30, 300)}, ("none", "l2"), 2, range(2))
    run = place.studies.start(study, "ann")
    while run.n_done == 0:
        place.scheduler.run_slice()
    place.studies.leave("ann")
    run_all(place.scheduler)
    assert run.state == "stopped"
    place.studies.start(study, "ann")
    while run.n_done == 1:
        place.scheduler.run_slice()
    now = 15.0
    _, second, third = map(cell_seconds, study.cells)
    assert run.seconds_left == pytest.approx(10 * third / second)


def test_visitors_with_the_same_study_share_it_and_it_goes_on_for_the_second():
    place = Place()
    run = place.studies.start(FIRST, "ann")
    assert place.studies.start(FIRST, "bob") is run
    place.present.remove("ann")
    run_all(place.scheduler)
    assert run.state == "complete"
    assert place.studies.n_started == 1


def test_a_study_stops_within_a_slice_when_its_visitor_leaves_and_goes_on_from_there():
    place = Place()
    run = place.studies.start(FIRST, "ann")
    while not run.n_done:
        place.scheduler.run_slice()
    place.present.remove("ann")
    run_all(place.scheduler)
    assert (run.state, run.n_done) == ("stopped", 1)
    place.present.add("ann")
    assert place.studies.start(FIRST, "ann") is run
    run_all(place.scheduler)
    assert run.state == "complete"


def test_a_visitor_has_one_study_at_a_time():
    place = Place()
    first = place.studies.start(FIRST, "ann")
    second = place.studies.start(SECOND, "ann")
    run_all(place.scheduler)
    assert (first.state, second.state) == ("stopped", "complete")


def test_studies_beyond_the_active_ones_wait_in_order_and_a_visitor_who_left_loses_the_place():
    place = Place(max_active=1)
    runs = [
        place.studies.start(study, name)
        for study, name in ((FIRST, "ann"), (SECOND, "bob"), (THIRD, "cleo"))
    ]
    assert [place.studies.n_before(run) for run in runs] == [0, 1, 2]
    assert [run.state for run in runs] == ["running", "waiting", "waiting"]
    place.present.remove("bob")
    assert [place.studies.n_before(run) for run in runs] == [0, 0, 1]
    run_all(place.scheduler)
    assert [run.state for run in runs] == ["complete", "stopped", "complete"]


def test_two_studies_are_computed_in_turn():
    place = Place()
    runs = [place.studies.start(FIRST, "ann"), place.studies.start(study_of(0.4, 0.5, 0.6), "bob")]
    apart = []
    while place.scheduler.run_slice():
        apart.append(abs(runs[0].n_done - runs[1].n_done))
    assert max(apart) == 1


def test_too_many_studies_are_refused():
    place = Place(max_studies=1)
    place.studies.start(FIRST, "ann")
    with pytest.raises(Busy, match="1 studies wait"):
        place.studies.start(SECOND, "bob")
    assert place.studies.n_refused == 1


def test_a_refused_visitor_keeps_the_study_and_one_who_is_alone_with_it_may_change():
    place = Place(max_studies=1)
    first = place.studies.start(FIRST, "ann")
    place.studies.start(FIRST, "bob")
    with pytest.raises(Busy, match="1 studies wait"):
        place.studies.start(SECOND, "ann")
    place.studies.leave("bob")
    assert first.watchers() == ["ann"]
    second = place.studies.start(SECOND, "ann")
    run_all(place.scheduler)
    assert (first.state, second.state) == ("stopped", "complete")


def test_who_watched_a_study_that_ended_does_not_watch_it_when_another_goes_on():
    place = Place()
    run = place.studies.start(FIRST, "ann")
    run.end("failed", "no scheduler answers")
    place.studies.start(SECOND, "ann")
    assert place.studies.start(FIRST, "bob") is run
    assert run.watchers() == ["bob"]
    place.studies.leave("bob")
    run_all(place.scheduler)
    assert run.state == "stopped"


def test_a_study_that_another_visitor_resumes_goes_on_for_those_who_have_it_open():
    place = Place()
    run = place.studies.start(FIRST, "ann")
    place.studies.start(FIRST, "bob")
    run.end("failed", "no scheduler answers")
    place.studies.start(FIRST, "bob")
    place.studies.leave("bob")
    assert run.watchers() == ["ann"]
    run_all(place.scheduler)
    assert run.state == "complete"


def test_who_left_a_study_for_one_that_is_complete_does_not_watch_it_when_it_goes_on():
    place = Place()
    place.studies.start(SECOND, "ann")
    run_all(place.scheduler)
    run = place.studies.start(FIRST, "ann")
    run.end("failed", "no scheduler answers")
    place.studies.start(SECOND, "ann")
    place.studies.start(FIRST, "bob")
    assert run.watchers() == ["bob"]


def test_a_result_is_made_once_for_the_same_cells_and_counts_in_the_memory():
    place = Place()
    run = place.studies.start(FIRST, "ann")
    while not run.n_done:
        place.scheduler.run_slice()
    part, n_bytes = run.result(), run.n_bytes
    assert run.result() is part
    assert n_bytes > part.table.nbytes
    run_all(place.scheduler)
    whole = run.result()
    assert (part.n_done, whole.n_done) == (1, 3)
    assert run.result() is whole
    before = run.n_bytes
    assert before == whole.table.nbytes
    whole.differences()
    assert run.n_bytes > before
    assert run.result().frame.equals(FIRST.run(progress=lambda _: None).frame)


def test_a_failing_cell_is_named_after_the_last_one_and_computed_again_on_request(monkeypatch):
    def failing(cell, due):
        if dict(cell.values)["data.noise"] == 0.2:
            raise ArithmeticError("no such number")
        return steps(cell, due)

    place = Place()
    with monkeypatch.context() as patch:
        patch.setattr(study_workers, "steps", failing)
        run = place.studies.start(FIRST, "ann")
        run_all(place.scheduler)
    assert (run.state, run.n_done) == ("failed", 2)
    assert run.error.splitlines() == [
        "1 cell of the study failed.",
        "data.noise=0.2: ArithmeticError: no such number",
    ]
    assert place.studies.start(FIRST, "ann") is run
    run_all(place.scheduler)
    assert (run.state, run.n_done, run.error) == ("complete", 3, "")


def test_a_cell_that_fails_on_a_cluster_is_counted_at_once_and_computed_again_on_request(
    monkeypatch: pytest.MonkeyPatch,
):
    now, waits, go = 5.0, threading.Event(), threading.Event()
    monkeypatch.setattr(studies, "time", SimpleNamespace(monotonic=lambda: now))

    def first_fails(cells, scheduler, tell, stop, most):
        first, second, third = cells
        tell(Event(1, "A cell failed.", (first, "Traceback\nMemoryError: too large")))
        yield second, compute(second)
        waits.set()
        go.wait(60)
        yield third, compute(third)
        raise StudyError([(first, "MemoryError: too large")])

    monkeypatch.setattr(study_workers, "cells_done", first_fails)
    registry = StudyRegistry(ClusterWorkers("tcp://scheduler"))
    run = registry.start(FIRST, "ann")
    assert waits.wait(60)
    now = 25.0
    assert run.seconds_left == pytest.approx(10)  # two of three equal cells took 20 s
    go.set()
    wait_until(lambda: run.idle)
    assert (run.state, run.n_done) == ("failed", 2)
    assert run.error.splitlines()[1:] == ["data.noise=0.1: MemoryError: too large"]
    run.resume("ann")
    assert run.take() == (0, FIRST.cells[0])
    assert run.take() is None


def test_a_failed_study_can_be_resumed_before_its_client_is_closed(
    monkeypatch: pytest.MonkeyPatch,
):
    fails, resumed = [True], threading.Event()

    def first_fails(cells, scheduler, tell, stop, most):
        for cell in cells:
            if fails and fails.pop():
                tell(Event(1, "A cell failed.", (cell, "MemoryError: too large")))
            else:
                yield cell, compute(cell)
        if not resumed.is_set():
            assert resumed.wait(60)
            raise StudyError([(FIRST.cells[0], "MemoryError: too large")])

    monkeypatch.setattr(study_workers, "cells_done", first_fails)
    registry = StudyRegistry(ClusterWorkers("tcp://scheduler"))
    run = registry.start(FIRST, "ann")
    wait_until(lambda: run.state == "failed")
    assert registry.start(FIRST, "ann") is run
    resumed.set()
    wait_until(lambda: run.state == "complete")
    assert (run.n_done, run.error) == (3, "")


def test_finished_studies_beyond_the_memory_are_evicted_and_unfinished_ones_are_not():
    place = Place(max_bytes=1)
    place.studies.start(FIRST, "ann")
    last = place.studies.start(THIRD, "cleo")
    run_all(place.scheduler)
    unfinished = place.studies.start(SECOND, "bob")
    while not unfinished.n_done:
        place.scheduler.run_slice()
    place.studies.evict()
    assert place.studies.find(FIRST) is None
    assert place.studies.find(SECOND) is unfinished
    assert place.studies.find(THIRD) is last  # the most recently used finished one
    assert place.studies.n_bytes == unfinished.n_bytes + last.n_bytes > 0


def test_the_memory_of_unfinished_studies_evicts_no_finished_one():
    place = Place()
    finished = [place.studies.start(FIRST, "ann"), place.studies.start(THIRD, "cleo")]
    run_all(place.scheduler)
    unfinished = place.studies.start(SECOND, "bob")
    while not unfinished.n_done:
        place.scheduler.run_slice()
    place.studies.max_bytes = sum(run.n_bytes for run in finished)
    place.studies.evict()
    assert [place.studies.find(study) for study in (FIRST, THIRD)] == finished
    place.studies.max_bytes -= 1
    place.studies.find(FIRST)
    place.studies.evict()
    assert place.studies.find(FIRST) is finished[0]
    assert place.studies.find(THIRD) is None
