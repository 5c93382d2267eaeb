"""Tests of the first experiment: its claims hold for nearly every seed, and its seed is typical."""

import numpy as np
import pytest

import regviz
from benchmarks.opening import SEEDS
from regviz.analysis.opening import most_typical_seed, opening_claims, opening_figures
from regviz.scenes.scene import Scene
from regviz.scenes.showcase import SHOWCASE


@pytest.fixture(scope="module")
def histories() -> dict[int, regviz.History]:
    return dict(zip(SEEDS, regviz.replicate(SHOWCASE, SEEDS), strict=True))


def test_each_claim_holds_in_eighteen_of_twenty_seeds(histories):
    claims = [opening_claims(history) for history in histories.values()]
    assert len(claims) == 20
    for claim in claims[0]:
        assert sum(held[claim] for held in claims) >= 18, claim


def test_all_claims_hold_for_the_shipped_seed(histories):
    assert SHOWCASE.data.seed == SHOWCASE.training.seed
    claims = opening_claims(histories[SHOWCASE.data.seed])
    assert [claim for claim, holds in claims.items() if not holds] == []


def test_the_shipped_seed_is_the_one_nearest_to_all_medians(histories):
    figures = {seed: opening_figures(history) for seed, history in histories.items()}
    assert most_typical_seed(figures) == SHOWCASE.data.seed


def test_the_page_opens_at_the_networks_of_the_claims():
    grid = Scene().grid()
    assert grid.only(grid.rows({})) == SHOWCASE
    elastic_net, l1 = SHOWCASE.regularizations[3], SHOWCASE.regularizations[1]
    # elastic net is one weaker than the others, so that L1 has the most zeros
    assert grid.strengths("elastic_net").index(elastic_net.l1 + elastic_net.l2) == 6
    assert grid.strengths("l1").index(l1.l1) == 7
    assert elastic_net.l1 == elastic_net.l2


def test_it_trains_on_sixty_points_and_keeps_the_rest_apart():
    dataset = regviz.make_dataset(SHOWCASE.data)
    sizes = [len(dataset.points(split)[1]) for split in ("train", "validation", "test")]
    assert sizes == [60, 20, 320]
    points = np.vstack([dataset.points(split)[0] for split in ("train", "validation", "test")])
    assert len(np.unique(points, axis=0)) == 400
