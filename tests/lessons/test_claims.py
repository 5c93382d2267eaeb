"""Tests of the lessons' claims: each holds, and the committed table is what the claims give."""

import zlib

import pytest

from regviz.lessons.claim import LEAST_HELD, SEEDS, all_claims
from regviz.lessons.results import table

CLAIMS = all_claims()
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


@pytest.mark.parametrize("name", CLAIMS)
def test_three_seeds_of_a_claim_give_what_the_table_says(name: str):
    record = table()[name]
    for seed in seeds_of(name):
        result = CLAIMS[name].function(seed)
        assert result.holds == record.holds[seed], seed
        committed = {figure: values[seed] for figure, values in record.figures.items()}
        assert dict(result.figures) == pytest.approx(committed, rel=1e-4, abs=1e-9), seed
