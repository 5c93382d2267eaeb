"""Tests of the lessons' claims: each holds, and the committed table is what the claims give."""

import dataclasses
import zlib
from typing import Any

import pytest

from regviz.lessons.claim import LEAST_HELD, SEEDS, all_claims, all_studies
from regviz.lessons.results import FOLDER, Record, table
from regviz.lessons.study_results import NUMBERS, committed_form, networks, read
from regviz.studies.cell import compute
from regviz.studies.result import StudyResult, table_of

CLAIMS, STUDIES = all_claims(), all_studies()
N_COMPUTED = 3  # seeds of each claim; `make claims` computes all


def seeds_of(name: str) -> list[int]:
    """Three seeds, others for each claim, so that all twenty are computed by some test."""
    first = zlib.crc32(name.encode())
    return [(first + i * 7) % len(SEEDS) for i in range(N_COMPUTED)]


def test_the_table_has_the_claims_and_no_others():
    assert list(CLAIMS)
    assert sorted(table()) == sorted(CLAIMS), "run `make claims`"


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_holds_in_eighteen_of_twenty_seeds(name: str):
    record = table()[name]
    assert len(record.holds) == len(SEEDS) == 20
    assert record.n_held >= LEAST_HELD == 18


@pytest.mark.parametrize("name", [name for name in CLAIMS if not CLAIMS[name].studies])
def test_three_seeds_of_a_claim_give_what_the_table_says(name: str):
    record = table()[name]
    for seed in seeds_of(name):
        result = CLAIMS[name].function(seed)
        assert result.holds == record.holds[seed], seed
        committed = {figure: values[seed] for figure, values in record.figures.items()}
        assert dict(result.figures) == pytest.approx(committed, rel=1e-4, abs=1e-9), seed


@pytest.mark.parametrize("name", STUDIES)
def test_three_seeds_of_a_study_give_what_its_file_says(name: str):
    seeds = seeds_of(name)
    study = dataclasses.replace(STUDIES[name], seeds=tuple(seeds))
    done = [(i, compute(cell)) for i, cell in enumerate(study.cells)]
    anew = rows_of(committed_form(StudyResult(study, table_of(study, done), len(done))))
    committed = rows_of(read(name))
    assert anew, name
    for of, numbers in anew.items():
        assert numbers == pytest.approx(committed[of], rel=1e-4, abs=1e-9, nan_ok=True), of


@pytest.mark.parametrize("name", [name for name in CLAIMS if CLAIMS[name].studies])
def test_a_claim_about_studies_is_what_their_files_say(name: str):
    claim = CLAIMS[name]
    own = {study: networks(read(study)) for study in claim.studies}
    record = Record.of([claim.of_seed(seed, own) for seed in SEEDS])
    assert record == table()[name], "run `make claims`"


def test_the_files_of_studies_have_all_networks_and_no_others():
    files = {path.stem for path in FOLDER.glob("*.csv")}
    assert files == set(STUDIES), "run `make claims`"
    for name, study in STUDIES.items():
        n_methods = len(study.methods or ())
        assert len(rows_of(read(name))) == len(study.cells) * n_methods * len(SEEDS)


def rows_of(result: StudyResult) -> dict[tuple[Any, ...], list[float]]:
    """Return the numbers of a committed form by values of the axes, method and seed."""
    axes = [axis.path for axis in result.study.axes]
    return {
        tuple(row[key] for key in (*axes, "method", "seed")): [row[key] for key in NUMBERS]
        for row in result.table.to_pylist()
    }
