"""Lesson 17: which regularizer to choose for unknown data, and how good the chooser's rules are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

import regviz
from regviz.analysis.chooser import Advice, consult
from regviz.lessons.claim import Result, claim
from regviz.methods.catalogue import METHODS

METHOD_KEYS = ("none", "l1", "l2", "elastic_net")
NEAR = 1.1  # times the lowest test loss: a method's test loss below it counts as near the best
_LINEAR, _DEEP = regviz.NetworkSpec(()), regviz.NetworkSpec((8, 8))
_TRAINING = regviz.TrainingSpec("momentum", learning_rate=0.01, batch_size=10, epochs=300, frames=1)
_ANSWERS = {"data": "unsure", "validate": "yes", "compute": "plenty"}


def _data(name: str, n_samples: int, noise: float, train: float, held: float) -> regviz.DataSpec:
    return regviz.DataSpec(name, n_samples, noise, train_fraction=train, validation_fraction=held)


# the five unknown datasets, as in the scenes of the lesson
_PROBLEMS: dict[str, tuple[regviz.DataSpec, regviz.NetworkSpec, int]] = {  # with epochs
    "fat": (_data("small_and_fat", 300, 0.5, 0.25, 0.4), _LINEAR, 300),
    "plane": (_data("plane", 400, 0.3, 0.5, 0.3), _LINEAR, 300),
    "circles": (_data("circles", 400, 0.2, 0.2, 0.25), _DEEP, 600),
    "digits": (_data("digits", 600, 0.3, 0.2, 0.25), _LINEAR, 300),
    "groups": (_data("correlated_groups", 300, 1.0, 0.2, 0.4), _LINEAR, 300),
}


@dataclass(frozen=True)
class _Chosen:
    """Losses of each method at the strength that the validation points choose.

    Attributes
    ----------
    validation, test : mapping of str to float
        By key of the method.
    """

    validation: dict[str, float]
    test: dict[str, float]

    @property
    def advised(self) -> str:
        """The method that the chooser advises from the validation losses."""
        advice = consult(_ANSWERS, self.validation)
        assert isinstance(advice, Advice)
        return advice.method

    @property
    def excess(self) -> float:
        """Test loss of the advised method, divided by the lowest of all."""
        return self.test[self.advised] / min(self.test.values())

    @property
    def names_the_best(self) -> bool:
        """Whether the advised method has the lowest test loss of all."""
        return self.test[self.advised] == min(self.test.values())


@claim(
    "On at least four of five unknown datasets, the method that the rules advise tests within 10 %"
    " of the best of all four methods."
)
def advice_is_near_the_best(seed: int) -> Result:
    """Follow the rules on five datasets; strengths are chosen by the validation loss."""
    excess = {name: _choose(name, seed).excess for name in _PROBLEMS}
    near = sum(value < NEAR for value in excess.values())
    figures = {f"excess_{name}": value for name, value in excess.items()}
    return Result(near >= 4, figures | {"n_near": near})


@claim("The rules name the very best of the four methods on at most three of five datasets.")
def advice_is_seldom_the_very_best(seed: int) -> Result:
    """Count the datasets on which the advised method has the lowest test loss of all."""
    n_best = sum(_choose(name, seed).names_the_best for name in _PROBLEMS)
    return Result(n_best <= 3, {"n_best": n_best, "n_by_chance": len(_PROBLEMS) / len(METHOD_KEYS)})


@claim(
    "With more inputs than points, of which five matter, L1 and elastic net test better than L2,"
    " and L2 better than no regularization.",
    source="Tibshirani 1996",
)
def few_of_many_inputs_want_l1(seed: int) -> Result:
    """Compare the methods on 60 inputs and 45 training points."""
    loss = _choose("fat", seed).test
    return Result(max(loss["l1"], loss["elastic_net"]) < loss["l2"] < loss["none"], _named(loss))


@claim("With many points for two inputs, no regularizer changes the test loss by more than 10 %.")
def enough_points_want_none(seed: int) -> Result:
    """Compare the methods on 140 training points of a plane."""
    loss = _choose("plane", seed).test
    ratios = np.array(list(loss.values())) / loss["none"]
    return Result(np.abs(ratios - 1).max() < 0.1, _named(loss))


@claim(
    "With a large network and few noisy points, L1, L2 and elastic net all test better than none."
)
def large_networks_want_any(seed: int) -> Result:
    """Compare the methods on 60 training points of circles."""
    loss = _choose("circles", seed).test
    others = [loss[key] for key in METHOD_KEYS if key != "none"]
    return Result(max(others) < loss["none"], _named(loss))


def _named(losses: dict[str, float]) -> dict[str, float]:
    return {f"loss_{key}": value for key, value in losses.items()}


def _choose(name: str, seed: int) -> _Chosen:
    """Train all methods at all offered strengths, and choose each one's by its validation loss."""
    data, network, epochs = _PROBLEMS[name]
    training = replace(_TRAINING, epochs=epochs, seed=seed)
    rows = {key: _rows(key, data, network, training) for key in METHOD_KEYS}
    owners = np.array([key for key in METHOD_KEYS for _ in rows[key]])
    flat = tuple(row for key in METHOD_KEYS for row in rows[key])
    history = regviz.train(regviz.Experiment(replace(data, seed=seed), network, training, flat))
    validation, test = (
        np.nan_to_num(history.metrics[f"{split}_loss"][-1], nan=np.inf)
        for split in ("validation", "test")
    )
    best = {
        key: min(np.flatnonzero(owners == key), key=lambda k: float(validation[k]))
        for key in METHOD_KEYS
    }
    return _Chosen(
        {key: float(validation[k]) for key, k in best.items()},
        {key: float(test[k]) for key, k in best.items()},
    )


def _rows(
    key: str, data: regviz.DataSpec, network: regviz.NetworkSpec, training: regviz.TrainingSpec
) -> Sequence[regviz.Regularization]:
    method = METHODS[key]
    if key == "none":
        return [regviz.Regularization()]
    second = (0.5,) if method.variants else ()  # elastic net at equal shares
    strengths = method.strengths(data, network, training, *second)
    return [method.at(strength, *second) for strength in strengths]
