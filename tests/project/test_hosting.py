"""Tests of the statements of docs/howto/hosting.md."""

import json
import re
from dataclasses import fields

import pytest

from devtools.serving import ROOT
from regviz.jobs.registry import JobRegistry
from regviz.jobs.run import Run
from regviz.jobs.studies import StudyRegistry
from regviz.jobs.study_workers import LocalWorkers
from regviz.server.admission import SessionSlots
from regviz.server.limits import PREFIX, Limits
from regviz.server.metrics import Visitors
from tests.support.jobs import SHORT, finish
from tests.support.waiting import wait_until

TEXT = (ROOT / "docs" / "howto" / "hosting.md").read_text(encoding="utf-8")


def test_the_table_has_every_limit_with_its_default():
    rows = dict(re.findall(r"^\| `(REGVIZ_\w+)` \| (\S+) \|", TEXT, re.MULTILINE))
    assert list(rows) == [PREFIX + field.name.upper() for field in fields(Limits)]
    for field in fields(Limits):
        default = rows[PREFIX + field.name.upper()]
        assert default == ("none" if field.default in ((), "") else f"{field.default:g}")


def test_it_names_every_metric():
    families = Visitors(SessionSlots(1), JobRegistry(), StudyRegistry(LocalWorkers())).collect()
    names = [f.name + "_total" * (f.type == "counter") for f in families]
    assert sorted(re.findall(r"`(regviz_\w+)`(?=[,| ])", TEXT.split("| metric |")[1])) == sorted(
        [*names, "regviz_trainings"]
    )


def test_a_line_of_the_log_has_the_fields_that_it_shows(run_lines: list[dict]):
    (shown,) = re.findall(r"```json\n(.*)\n```", TEXT)
    finish(Run(SHORT))
    wait_until(lambda: len(run_lines) == 1)
    assert list(json.loads(shown)) == list(run_lines[0])


@pytest.mark.parametrize(
    "path", re.findall(r"`((?:deploy|docs|\.streamlit)/[\w./-]+|\w+\.(?:yaml|md))`", TEXT)
)
def test_files_that_it_names_are_there(path: str):
    assert (ROOT / path).exists() or (ROOT / "deploy" / "kubernetes" / path).exists()
