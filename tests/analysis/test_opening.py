"""Tests of the claims about the first experiment: each holds and fails where it should."""

from types import SimpleNamespace

import numpy as np
import pytest

import regviz
from regviz.analysis.opening import most_typical_seed, opening_claims, opening_figures
from regviz.scenes.showcase import LINE_UP, SHOWCASE

PATIENCE = 100  # a tenth of the epochs of the showcase
# at three recorded epochs; None is kept at the second one
TEST_LOSS = [[0.7] * 6, [0.3] * 6, [1.0, 0.5, 0.3, 0.5, 0.6, 0.4]]
FINAL = {
    "train_loss": [0.02, 0.1, 0.2, 0.1, 0.2, 0.2],
    "test_accuracy": [0.8, 0.83, 0.86, 0.84, 0.79, 0.82],
    "sparsity": [0, 0.7, 0, 0.5, 0, 0],
}


def made_history(test_loss=TEST_LOSS, **final) -> SimpleNamespace:
    """Return a history of the showcase whose final metrics are given."""
    metrics = {"test_loss": np.array(test_loss, float)}
    for name, values in (FINAL | final).items():
        metrics[name] = np.array([[0.5] * 6, [0.25 if name == "train_loss" else 0] * 6, values])

    def early_stopping(patience):
        assert patience == PATIENCE
        return np.full(6, 1), np.full(6, 2)

    return SimpleNamespace(
        experiment=SHOWCASE,
        metrics=metrics,
        diverged=np.full(6, -1),
        early_stopping=early_stopping,
    )


def with_(metric: str, method: str, value: float) -> dict[str, list]:
    """Return the argument of `made_history` that sets one final value."""
    column = LINE_UP.index(method)
    if metric == "test_loss":
        return {
            metric: [*TEST_LOSS[:2], [*TEST_LOSS[2][:column], value, *TEST_LOSS[2][column + 1 :]]]
        }
    return {metric: [*FINAL[metric][:column], value, *FINAL[metric][column + 1 :]]}


def test_all_claims_hold_in_a_run_that_is_made_for_them():
    claims = opening_claims(made_history())
    assert [claim for claim, holds in claims.items() if not holds] == []


@pytest.mark.parametrize(
    ("change", "failing"),
    [
        (with_("train_loss", "none", 0.1), {"None has the lowest training loss"}),
        (
            {"test_loss": [[0.76] * 6, [0.76, *[0.3] * 5], TEST_LOSS[2]]},
            {"None's test loss rises by a third from its minimum"},
        ),
        (with_("sparsity", "elastic_net", 0.7), {"L1 has the most zeros"}),
        (
            with_("sparsity", "l1", 0.49),
            {"L1 has the most zeros", "L1 has at least half of its weights at zero"},
        ),
        (with_("sparsity", "dropout", 0.01), {"only L1 and elastic net have zeros"}),
        (with_("test_loss", "l1", 0.86), {"L1 tests clearly better than None"}),
        (with_("test_loss", "l2", 0.86), {"L2 tests clearly better than None"}),
        (with_("test_loss", "elastic_net", 0.86), {"elastic net tests clearly better than None"}),
        (with_("test_loss", "max_norm", 0.86), {"max-norm tests clearly better than None"}),
        (with_("test_loss", "dropout", 1.01), {"dropout's test loss is lower than None's"}),
        (
            with_("test_accuracy", "dropout", 0.86),
            {"dropout's accuracy is not clearly higher than None's"},
        ),
        (
            with_("test_accuracy", "max_norm", 0.74),
            {"max-norm's accuracy is not clearly lower than None's"},
        ),
    ],
)
def test_each_claim_fails_where_its_figure_does(change, failing):
    claims = opening_claims(made_history(**change))
    assert {claim for claim, holds in claims.items() if not holds} == failing


def test_early_stopping_is_judged_at_the_epoch_that_it_keeps():
    history = made_history(test_loss=[TEST_LOSS[0], [0.9] * 6, TEST_LOSS[2]])
    assert opening_figures(history)["test_loss"]["early_stopping"] == 0.9
    assert not opening_claims(history)["early stopping tests clearly better than None"]


def test_a_network_that_diverges_is_noticed():
    history = made_history()
    history.diverged[4] = 17
    assert not opening_claims(history)["no network diverges"]


def test_figures_are_those_of_the_history():
    training = regviz.TrainingSpec(epochs=20)
    rows = (regviz.Regularization(l1=0.01), regviz.Regularization())
    history = regviz.train(
        regviz.Experiment(SHOWCASE.data, regviz.NetworkSpec((3,)), training, rows)
    )
    figures = opening_figures(history)
    kept = history.early_stopping(patience=2)[0][1]
    loss = history.metrics["test_loss"]
    assert figures["test_loss"] == {
        "l1": loss[-1, 0],
        "none": loss[-1, 1],
        "early_stopping": loss[kept, 1],
    }
    assert figures["lowest_test_loss"] == {"none": loss[:, 1].min()}


def test_the_typical_seed_is_nearest_in_units_of_the_spread():
    # by plain distance, seed 4 would be nearest: the first figure varies a hundred times as much
    figures = {
        3: {"a": {"none": 0.0, "l1": 1.0}, "b": {"none": 7.0}},
        4: {"a": {"none": 101.0, "l1": 3.0}, "b": {"none": 7.0}},
        5: {"a": {"none": 110.0, "l1": 2.0}, "b": {"none": 7.0}},
        6: {"a": {"none": 100.0, "l1": 1.0}, "b": {"none": 7.0}},
        7: {"a": {"none": 200.0, "l1": 3.0}, "b": {"none": 7.0}},
    }
    assert most_typical_seed(figures) == 5
