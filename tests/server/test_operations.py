"""Tests of the operator's log lines and metrics."""

import json
import urllib.request
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

import regviz
from devtools.serving import free_port
from regviz.jobs.registry import JobRegistry
from regviz.jobs.run import Run
from regviz.jobs.scheduler import Scheduler
from regviz.jobs.studies import StudyRegistry
from regviz.jobs.study_workers import LocalWorkers
from regviz.server.admission import SessionSlots
from regviz.server.metrics import serve_metrics
from tests.support.commands import python
from tests.support.jobs import LONG, SHORT, finish
from tests.support.playground import QUICK, open_page
from tests.support.waiting import wait_until


def test_a_run_is_one_line(run_lines: list[dict]):
    finish(Run(SHORT))
    wait_until(lambda: len(run_lines) == 1)
    (line,) = run_lines
    assert line["event"] == "run"
    assert line["level"] == "info"
    assert line["experiment"] == SHORT.id
    assert line["networks"] == len(SHORT.regularizations)
    assert line["epochs"] == 30
    assert line["hit"] is False
    assert line["outcome"] == "complete"
    assert line["ms"] > 0
    assert line["waited_ms"] >= 0


def test_a_run_that_is_left_is_a_line_too(run_lines: list[dict]):
    run = Run(LONG, visitor_timeout=0.05, visitor="a")
    run.leave("a")
    wait_until(lambda: len(run_lines) == 1)
    assert run_lines[0]["outcome"] == "stopped"


def test_a_failure_has_its_traceback_on_the_same_line(
    run_lines: list[dict], monkeypatch: pytest.MonkeyPatch
):
    def fail(*_: object) -> None:
        raise RuntimeError("out of cheese")

    run = Run(LONG)
    monkeypatch.setattr(run.selector, "add", fail)
    wait_until(lambda: len(run_lines) == 1)
    assert run_lines[0]["outcome"] == "failed"
    assert "out of cheese" in run_lines[0]["traceback"]


def test_a_replication_tells_its_seeds(run_lines: list[dict]):
    JobRegistry().replicate(SHORT, (3, 4)).wait(10)
    wait_until(lambda: len(run_lines) == 1)
    assert run_lines[0]["seeds"] == 2


@pytest.mark.usefixtures("runs")
def test_a_run_that_is_there_already_is_a_hit(run_lines: list[dict]):
    page = open_page(**QUICK)
    wait_until(lambda: len(run_lines) == 1)
    assert run_lines[0]["hit"] is False
    page.run()
    assert len(run_lines) == 1
    open_page(**QUICK)
    wait_until(lambda: len(run_lines) == 2)
    assert run_lines[1]["hit"] is True
    assert run_lines[1]["experiment"] == run_lines[0]["experiment"]


def test_equal_experiments_have_the_same_id_and_others_another():
    other = replace(SHORT, data=regviz.DataSpec(seed=1))
    assert SHORT.id == regviz.Experiment.from_json(SHORT.to_json()).id
    assert SHORT.id != other.id
    assert SHORT.id.isalnum()


# in a process of its own, as it changes the handlers of the root logger, pytest's among them
CONFIGURE = """
import logging

class Before(logging.Logger):
    pass

logging.setLoggerClass(Before)
from regviz.server.logs import configure
configure()
configure()
"""


def test_logs_go_to_standard_error_once():
    warn = 'logging.getLogger("regviz.any").warning("a %s", "word\\nand more")'
    done = python("-c", CONFIGURE + warn)
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert json.loads(line)["event"] == "a word\nand more"


def test_a_class_of_loggers_that_another_library_has_set_stays_in_use():
    tell = 'print(isinstance(logging.getLogger("streamlit.later"), Before))'
    assert python("-c", CONFIGURE + tell).stdout == "True\n"


def test_metrics_are_what_places_trainings_and_studies_come_to():
    port = free_port()
    slots, pool = SessionSlots(1), JobRegistry(max_trainings=7)
    assert slots.acquire()
    assert not slots.acquire()
    finish(pool.get(SHORT))
    run = pool.get(LONG)
    studies = StudyRegistry(LocalWorkers(Scheduler(n_threads=0)), max_studies=5)
    studies.start(regviz.Study(SHORT, methods=("none",), seeds=(0,)), "")
    serve_metrics(port, slots, pool, studies, CollectorRegistry())
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    found = {s.name: s.value for f in text_string_to_metric_families(text) for s in f.samples}
    assert found == {
        "regviz_visitors": 1,
        "regviz_visitors_allowed": 1,
        "regviz_visitors_refused_total": 1,
        "regviz_trainings": 1,
        "regviz_trainings_allowed": 7,
        "regviz_trainings_started_total": 2,
        "regviz_trainings_refused_total": 0,
        "regviz_kept_bytes": pool.n_bytes,
        "regviz_kept_bytes_allowed": pool.max_bytes,
        "regviz_studies": 1,
        "regviz_studies_allowed": 5,
        "regviz_studies_started_total": 1,
        "regviz_studies_refused_total": 0,
        "regviz_study_bytes": 0,
        "regviz_study_bytes_allowed": studies.max_bytes,
    }
    run.leave("")
