"""Lesson 7: more inputs than points. The lasso keeps at most n of them."""

import numpy as np

import regviz
from regviz.lessons.claim import Result, claim

N_TRAIN, N_RELEVANT = 20, 5
STRENGTHS = (0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5)
RATIO = 0.25  # share of L1 in elastic net
_SOURCE = "Zou & Hastie 2005"


def _history(seed: int, *rows: regviz.Regularization) -> regviz.History:
    """Train linear models of 60 inputs on 20 points, with 380 test points."""
    return regviz.train(
        regviz.Experiment(
            regviz.DataSpec(
                "small_and_fat", 400, 0.8, train_fraction=0.05, validation_fraction=0, seed=seed
            ),
            regviz.NetworkSpec(()),
            regviz.TrainingSpec("momentum", 0.1, None, 6000, frames=1, seed=seed),
            rows,
        )
    )


def _kept(history: regviz.History) -> list[int]:
    return [int(np.count_nonzero(history.weights(k)[0])) for k in range(len(history.diverged))]


def _found(history: regviz.History, k: int) -> int:
    """Return the number of relevant inputs with a weight that is not 0."""
    return int(np.count_nonzero(history.weights(k)[0][:N_RELEVANT]))


@claim("At no strength does L1 keep more inputs than there are points.", "Efron et al. 2004")
def l1_keeps_at_most_n(seed: int) -> Result:
    """Train L1 at ten strengths."""
    kept = _kept(_history(seed, *(regviz.Regularization(l1=s) for s in STRENGTHS)))
    return Result(max(kept) <= N_TRAIN, {"points": N_TRAIN, "most": max(kept)})


@claim("Elastic net can keep more inputs than there are points.", _SOURCE)
def elastic_net_keeps_more(seed: int) -> Result:
    """Train elastic net at ten strengths."""
    rows = [regviz.Regularization.elastic_net(s, RATIO) for s in STRENGTHS]
    kept = _kept(_history(seed, *rows))
    return Result(max(kept) > N_TRAIN, {"points": N_TRAIN, "most": max(kept)})


@claim("With the same L1, elastic net finds more of the five inputs that matter.", _SOURCE)
def it_finds_more(seed: int) -> Result:
    """Add L2 to an L1 of one strength."""
    history = _same_l1(seed)
    found, kept = [_found(history, k) for k in range(2)], _kept(history)
    figures = {
        "found_l1": found[0],
        "found_elastic_net": found[1],
        "kept_l1": kept[0],
        "kept_elastic_net": kept[1],
    }
    return Result(found[1] > found[0], figures)


@claim("With the same L1, elastic net has the lower test loss.", _SOURCE)
def it_tests_better(seed: int) -> Result:
    """Compare the test losses of the models of `it_finds_more`."""
    losses = _same_l1(seed).metrics["test_loss"][-1]
    return Result(losses[1] < losses[0], {"l1": losses[0], "elastic_net": losses[1]})


def _same_l1(seed: int) -> regviz.History:
    return _history(seed, regviz.Regularization(l1=0.03), regviz.Regularization(l1=0.03, l2=0.3))
