"""Tests of the catalogue of methods and of the registration of others."""

import math
from collections.abc import Iterator

import numpy as np
import pytest

import regviz
from regviz.board.link import from_query, to_query
from regviz.board.scene import Scene
from regviz.methods.catalogue import EARLY_STOPPING, METHODS, colour
from regviz.methods.strengths import dropout_rates
from regviz.spec.toy import DATASETS

NAMES = list(METHODS)


@pytest.fixture
def added() -> Iterator[tuple[regviz.ToyDataset, regviz.Method]]:
    """A user-defined dataset and method."""

    def ring(n: int, noise: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        X = rng.uniform(-1, 1, (n, 2))
        y = (np.hypot(*X.T) > 0.7).astype(float)
        return X + noise * rng.normal(size=X.shape), y

    dataset = regviz.ToyDataset("ring", "Ring", "binary", ring)
    method = regviz.Method(
        "input_dropout",
        "Input dropout",
        "p₀",
        "Drops inputs.",
        {"light": "#005f73", "dark": "#94d2bd"},
        at=lambda rate: regviz.Regularization(input_drop_rate=rate),
        strength=lambda r: r.input_drop_rate,
        strengths=dropout_rates,
    )
    regviz.register_dataset(dataset)
    regviz.register_method(method)
    yield dataset, method
    del DATASETS["ring"], METHODS["input_dropout"]


def test_what_is_added_is_trained_and_in_links(added: tuple[regviz.ToyDataset, regviz.Method]):
    data = regviz.DataSpec("ring", noise=0.1)
    training = regviz.TrainingSpec(epochs=2)
    scene = Scene(data, training=training, methods=("none", "input_dropout"), focus="input_dropout")
    scene = regviz.Scene.from_json(scene.to_json())
    found, problems = from_query(to_query(scene))
    assert (found, problems) == (scene, [])
    grid = scene.grid()
    assert [key for key, _ in grid.networks_by_method] == ["none", "input_dropout"]
    history = regviz.train(grid.experiment)
    rates = [r.input_drop_rate for r in grid.experiment.regularizations]
    assert rates[0] == 0 < rates[1] < rates[-1]
    assert np.isfinite(history.parameters).all()
    assert np.ptp(history.parameters[-1], axis=0).max() > 0
    assert colour("input_dropout")["light"] == "#005f73"


def test_a_name_is_given_once(added: tuple[regviz.ToyDataset, regviz.Method]):
    dataset, method = added
    regviz.register_dataset(dataset)  # repeated registration of the same
    regviz.register_method(method)
    for name in ("ring", "moons", "own", "arrays"):
        with pytest.raises(ValueError, match="name must be one that no other dataset has"):
            regviz.register_dataset(
                regviz.ToyDataset(name, "Other", "binary", lambda n, noise, rng: (None, None))
            )
    for key in ("input_dropout", "l1", EARLY_STOPPING):
        other = regviz.Method(key, "Other", "", "", {}, method.at, method.strength, dropout_rates)
        with pytest.raises(ValueError, match="key must be one that no other method has"):
            regviz.register_method(other)


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match=r"^methods must be one of 'none', .* got 'l3'$"):
        colour("l3")
    with pytest.raises(ValueError, match="key must be an identifier"):
        regviz.Method("no key", "", "", "", {}, METHODS["l1"].at, METHODS["l1"].strength, len)


@pytest.mark.parametrize("key", NAMES)
def test_strength_is_the_inverse_of_at(key: str):
    scene = Scene()
    method = METHODS[key]
    for strength in method.strengths(scene.data, scene.network, scene.training):
        assert method.strength(method.at(strength)) == pytest.approx(strength, rel=1e-15)


def test_without_a_method_its_strength_is_0_and_a_radius_infinite():
    for key, method in METHODS.items():
        expected = math.inf if key == "max_norm" else 0.0
        assert method.strength(regviz.Regularization()) == expected
