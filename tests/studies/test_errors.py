"""Tests of `regviz.studies.errors`: what is left of an error in another process."""

import copyreg
import io
import pickle

import pytest

import regviz
from regviz.studies.cell import compute
from regviz.studies.errors import (
    RunError,
    SchedulerLostError,
    StoreError,
    StudyError,
    UnfitWorkersError,
)
from regviz.studies.result import StudyResult

STUDY = regviz.Study(
    regviz.Experiment(training=regviz.TrainingSpec(epochs=5)),
    vary={"data.noise": [0.1, 0.2]},
    methods=("none",),
    seeds=range(2),
)
ERRORS = [
    StudyError([(STUDY.cells[1], "Traceback\nMemoryError: out of memory")]),
    *(kind("text") for kind in (RunError, UnfitWorkersError, SchedulerLostError, StoreError)),
]


def pickled_without_dask(error):
    pickler = pickle.Pickler(stream := io.BytesIO())
    # by Dask's import, tblib pickles all kinds of errors that are known then in its own way
    table = copyreg.dispatch_table
    pickler.dispatch_table = {one: table[one] for one in table if not issubclass(one, RunError)}
    pickler.dump(error)
    return stream.getvalue()


@pytest.mark.parametrize("dumps", [pickle.dumps, pickled_without_dask])
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_pickled_error_keeps_failures_and_result(error, dumps):
    error.result = StudyResult.of(STUDY, {0: compute(STUDY.cells[0])})
    copy = pickle.loads(dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert failures(copy) == failures(error)
    assert copy.result.frame.equals(error.result.frame)


def failures(error):
    return [(cell.key, text) for cell, text in getattr(error, "failures", ())]
