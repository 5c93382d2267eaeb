"""Tests of `regviz.studies.workers`."""

from types import SimpleNamespace

from regviz.studies.on_worker import Outcome
from regviz.studies.workers import Workers


def connection(**processes):
    """Return a stand-in for a connection to workers of two threads, by their local directories."""
    return SimpleNamespace(
        workers=lambda: dict.fromkeys(processes, 2), processes=lambda: dict(processes)
    )


def unfit(address, process, reason="numpy is 1 there"):
    return Outcome("unfit", reason, address, process)


def test_a_worker_that_refused_is_left_out_until_another_process_has_its_address():
    workers = Workers()
    assert workers.look(connection(a="1", b="2"))
    assert workers.leave_out(unfit("a", "1"))
    assert not workers.leave_out(unfit("a", "1"))
    assert not workers.look(connection(a="1", b="2"))
    assert (workers.fit, workers.some_unfit) == ({"b": 2}, True)
    assert workers.look(connection(a="3", b="2"))
    assert (workers.fit, workers.some_unfit) == ({"a": 2, "b": 2}, False)
    assert workers.leave_out(unfit("a", "3"))
    workers.look(connection(b="2"))
    workers.look(connection(a="3", b="2"))
    assert workers.fit == {"a": 2, "b": 2}


def test_there_is_hope_if_a_worker_left_that_has_refused_no_cell():
    workers = Workers()
    workers.look(connection(a="1"))
    workers.leave_out(unfit("a", "1"))
    assert workers.hopeless
    workers.look(connection(a="1", b="2"))
    assert not workers.hopeless
    workers.look(connection(a="1"))
    assert workers.all_unfit
    assert not workers.hopeless


def test_the_reason_to_wait_names_what_differs():
    workers = Workers()
    assert workers.waiting() == "No worker is connected to the scheduler: waiting."
    workers.look(connection(a="1"))
    assert workers.waiting() == ""
    assert not workers.all_unfit
    workers.leave_out(unfit("a", "1"))
    assert workers.all_unfit
    assert workers.waiting().endswith("waiting for another. a: numpy is 1 there")
    many = {str(i): str(i) for i in range(5)}
    workers.look(connection(**many))
    for one in many:
        workers.leave_out(unfit(one, one, "old"))
    assert workers.reasons() == "0: old; 1: old; 2: old; and 2 more"
