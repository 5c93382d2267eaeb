"""Tests of *Try this*: what each claim says holds in its scene under nearly all seeds."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

import regviz
from regviz.methods.catalogue import EARLY_STOPPING, METHODS
from regviz.scenes.claims import CLAIMS, Claim, find_claim
from regviz.scenes.scene import Scene
from regviz.spec.experiment import FEATURES

SEEDS = range(10)  # of data and of training
LEAST = 9
CLEARLY = 0.85  # a test loss below this share of None's is clearly lower


class Outcome:
    """The networks of a claim at the end of a run, by method."""

    def __init__(self, history: regviz.History, methods: tuple[str, ...]):
        self.history, self.methods = history, methods

    def metric(self, name: str, method: str, t: int = -1) -> float:
        return float(self.history.metrics[name][t, self.methods.index(method)])

    def weights(self, method: str) -> list[np.ndarray]:
        return self.history.weights(self.methods.index(method))

    def flat(self, method: str) -> np.ndarray:
        return np.concatenate([layer.ravel() for layer in self.weights(method)])

    def tests_clearly_better(self, method: str) -> bool:
        return self.metric("test_loss", method) < CLEARLY * self.metric("test_loss", "none")

    def time_of(self, epoch: int) -> int:
        """Return the index of the last recorded epoch that is not after ``epoch``."""
        return int(np.searchsorted(self.history.epochs, epoch, side="right")) - 1


def early_stopping(o: Outcome) -> bool:
    loss = o.history.metrics["test_loss"][:, 0]
    kept = o.history.early_stopping(patience=100)[0][0]
    lowest = int(loss.argmin())
    falls_and_rises = loss[0] > loss[lowest] and loss[-1] > 4 / 3 * loss[lowest]
    return bool(falls_and_rises and kept < len(loss) / 2 and loss[kept] < CLEARLY * loss[-1])


def l2(o: Outcome) -> bool:
    def spread(method: str) -> float:
        return float(np.sqrt(np.mean(o.flat(method) ** 2)))

    return (
        spread("l2") < 2 / 3 * spread("none")
        and o.metric("sparsity", "l2") == 0 < o.metric("sparsity", "l1")
        and all(o.metric("test_loss", m) < o.metric("test_loss", "none") for m in ("l1", "l2"))
    )


def l1_inputs(o: Outcome) -> bool:
    kept = {f for f, w in zip(FEATURES, o.flat("l1"), strict=True) if w != 0}
    return kept == {"x1^2", "x2^2"} and bool((o.flat("l2") != 0).all())


def l1_late(o: Outcome) -> bool:
    onset = o.time_of(500)
    before = o.history.parameters[: onset + 1]
    return (
        np.array_equal(before[:, 0], before[:, 1])
        and o.metric("sparsity", "l1", onset) == 0
        and o.metric("sparsity", "l1") > 0.5
        and o.metric("test_loss", "l1") < o.metric("test_loss", "l1", onset)
    )


def elastic_net(o: Outcome) -> bool:
    l1, both = o.flat("l1"), o.flat("elastic_net")  # of x1, x2, sin x1, sin x2
    one_of_each = all((l1[i] != 0) != (l1[i + 2] != 0) for i in (0, 1))
    return one_of_each and all(
        0.5 < both[i] / both[i + 2] < 2 and both[i] != 0 != both[i + 2] for i in (0, 1)
    )


def large(o: Outcome) -> bool:
    return (
        len(o.flat("l1")) == 1539
        and len(o.history.dataset.points("train")[1]) == 60
        and o.metric("sparsity", "l1") > 0.8
        and o.tests_clearly_better("l1")
    )


def dropout(o: Outcome) -> bool:
    trains_worse = o.metric("train_loss", "dropout") > o.metric("train_loss", "none")
    return trains_worse and o.tests_clearly_better("dropout")


def max_norm(o: Outcome) -> bool:
    def longest(method: str) -> float:
        return max(float(np.linalg.norm(w, axis=0).max()) for w in o.weights(method)[:-1])

    return (
        longest("max_norm") <= 1 + 1e-5
        and longest("none") > 2
        and o.tests_clearly_better("max_norm")
    )


PROMISES: dict[str, Callable[[Outcome], bool]] = {
    promise.__name__: promise
    for promise in (early_stopping, l2, l1_inputs, l1_late, elastic_net, large, dropout, max_norm)
}


def experiment_of(claim: Claim) -> regviz.Experiment:
    grid = claim.scene.grid()
    return grid.only(claim.networks(grid))


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.key)
def test_what_a_claim_says_holds_in_nine_of_ten_seeds(claim: Claim):
    histories = regviz.replicate(experiment_of(claim), SEEDS)
    held = [PROMISES[claim.key](Outcome(h, claim.scene.methods)) for h in histories]
    assert sum(held) >= LEAST, held
    # and in the run that the page shows
    assert claim.scene.data.seed == claim.scene.training.seed
    assert held[SEEDS.index(claim.scene.data.seed)]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.key)
def test_no_promise_holds_of_networks_without_what_it_tells_of(claim: Claim):
    # none overfits at a strong L2, so there is nothing to stop early
    row = regviz.Regularization(l2=0.05 if claim.key == "early_stopping" else 0.0)
    experiment = replace(experiment_of(claim), regularizations=(row,) * len(claim.scene.methods))
    for history in regviz.replicate(experiment, SEEDS[:3]):
        assert not PROMISES[claim.key](Outcome(history, claim.scene.methods))


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.key)
def test_every_strength_of_a_claim_is_offered(claim: Claim):
    grid = claim.scene.grid()
    assert claim.scene.approximations(grid) == []


def test_together_the_claims_tell_of_every_method_and_of_early_stopping():
    told = {claim.scene.focus for claim in CLAIMS}
    assert told == {"l1", "l2", "elastic_net", "dropout", "max_norm", EARLY_STOPPING}
    assert 6 <= len(CLAIMS) <= 8
    assert len({claim.key for claim in CLAIMS}) == len({c.title for c in CLAIMS}) == len(CLAIMS)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.key)
def test_a_projected_board_has_space_for_all_cards_of_a_claim(claim: Claim):
    assert len(claim.scene.methods) + claim.scene.early_stopping <= 3


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.key)
def test_a_claim_says_in_one_or_two_sentences_what_to_watch(claim: Claim):
    assert len(claim.title) <= 40
    assert claim.watch.endswith(".")
    assert claim.watch.count(". ") <= 2
    assert len(claim.watch) <= 160


def test_a_claim_is_shown_while_its_settings_are():
    claim = find_claim("l2")
    assert claim is not None
    grid = claim.scene.grid()
    own = claim.scene.strength_indices(grid)
    assert claim.is_shown(grid, own, {})
    initial = {key: METHODS[key].default_index for key in ("l1", "l2")}
    assert claim.is_shown(grid, {**initial, "dropout": 1}, {"max_norm": 2})
    assert not claim.is_shown(grid, own | {"l2": 5}, {})
    assert not claim.is_shown(Scene().grid(), own, {})
    # elastic net without L1, at the strength of half of it
    twins = find_claim("elastic_net")
    assert twins is not None
    grid, strengths = twins.scene.grid(), twins.scene.strength_indices(twins.scene.grid())
    assert twins.is_shown(grid, strengths, {})
    assert not twins.is_shown(grid, strengths, {"elastic_net": 0})
    assert find_claim("nonsense") is None
