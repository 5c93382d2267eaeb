"""Tests of the catalogue of methods and of the registration of others."""

import math
import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

import regviz
import regviz.methods.catalogue
from regviz.methods.catalogue import EARLY_STOPPING, METHODS, colour
from regviz.methods.strengths import dropout_rates
from regviz.scenes.link import from_query, to_query
from regviz.scenes.scene import Scene
from regviz.spec.toy import DATASETS
from tests.support.methods import MOSTLY_L1

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
    assert list(grid.methods) == ["none", "input_dropout"]
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
        other = replace(method, key=key)
        with pytest.raises(ValueError, match="key must be one that no other method has"):
            regviz.register_method(other)


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match=r"^methods must be one of 'none', .* got 'l3'$"):
        colour("l3")


@pytest.mark.parametrize(
    ("parameter", "value", "allowed"),
    [
        ("key", "no key", "an identifier such as 'l1'"),
        ("label", None, "a text that is not empty"),
        ("label", "", "a text that is not empty"),
        ("symbol", None, "a text"),
        ("about", " ", "a text that is not empty"),
        ("colour", None, "a mapping of 'light' and 'dark' to '#rrggbb' each"),
        ("colour", {"light": "#005f73"}, "a mapping of 'light' and 'dark'"),
        ("colour", {"light": "#005f73", "dark": "red"}, "a mapping of 'light' and 'dark'"),
        ("at", None, "a function"),
        ("strength", 1, "a function"),
        ("strengths", (1, 2), "a function"),
    ],
)
def test_a_record_with_a_wrong_value_is_refused_by_name(parameter, value, allowed):
    with pytest.raises(ValueError, match=rf"^{parameter} must be {re.escape(allowed)}.*, got "):
        replace(MOSTLY_L1, **{parameter: value})


NO_STRENGTHS = "strengths of 'mostly_l1' must be a function that returns different numbers above 0"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"key": "noise"},
            "key must be one that no parameter of links or Scene has, got 'noise'",
        ),
        ({"key": "v"}, "key must be one that no parameter"),
        ({"key": "points"}, "key must be one that no parameter"),
        ({"key": "strengths"}, "key must be one that no parameter"),
        ({"symbol": ""}, "symbol must be a text that is not empty, as there are strengths, got ''"),
        ({"strengths": lambda *_: None}, NO_STRENGTHS),
        ({"strengths": lambda *_: ("weak",)}, NO_STRENGTHS),
        ({"strengths": lambda *_: (0, 1)}, NO_STRENGTHS),
        ({"strengths": lambda *_: (1, 1)}, NO_STRENGTHS),
        ({"strengths": lambda *_: (1, 3, 2)}, NO_STRENGTHS),
        ({"strengths": lambda *_: (1, float("inf"))}, NO_STRENGTHS),
        ({"strengths": lambda *_: (1, float("nan"))}, NO_STRENGTHS),
        ({"strengths": lambda *_: (1, 2000)}, "strength must be a number from 0 to 1000, got 2000"),
        ({"at": lambda strength: strength}, "at must be a function that returns a Regularization"),
        ({"strength": lambda r: r.l1}, "strength must be the inverse of at, which returns "),
    ],
)
def test_a_method_that_would_not_work_is_refused(changes, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        regviz.register_method(replace(MOSTLY_L1, **changes))
    assert "mostly_l1" not in METHODS


SECOND = regviz.methods.catalogue.Variants(
    "share",
    "Share",
    "Share of L1.",
    values=lambda *_: (0.8, 0.9),
    of=lambda r: r.l1 / (r.l1 + r.l2),
    text=lambda value: f"{value:g}",
)
WITH_SECOND = replace(
    MOSTLY_L1,
    at=regviz.Regularization.elastic_net,
    strengths=lambda data, network, training, share: (share, 2 * share),
    variants=SECOND,
)


def test_a_method_with_a_second_parameter_has_it_in_grids_links_and_files(monkeypatch):
    monkeypatch.setitem(METHODS, "mostly_l1", WITH_SECOND)
    scene = Scene(methods=("none", "mostly_l1"), variants={"mostly_l1": 0.9})
    grid = scene.grid()
    assert grid.networks_by_variant[1] == ("mostly_l1", ((1, 2), (3, 4)))
    assert grid.values("mostly_l1") == [0.8, 0.9]
    assert grid.strengths("mostly_l1", 1) == [0.9, 1.8]
    assert to_query(scene)["mostly_l1_share"] == "0.9"
    assert from_query(to_query(scene)) == (scene, [])
    assert Scene.from_json(scene.to_json()) == scene


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"values": lambda *_: ()}, "values of the variants of 'mostly_l1' must be a function"),
        ({"values": lambda *_: (0.9, 0.8)}, "values of the variants of 'mostly_l1' must be"),
        ({"values": lambda *_: (-1, 0.8)}, "values of the variants of 'mostly_l1' must be"),
        ({"values": lambda *_: "no"}, "values of the variants of 'mostly_l1' must be a function"),
        ({"values": lambda *_: (0.5, 2)}, "l1_ratio must be a number from 0 to 1, got 2.0"),
        ({"of": lambda r: 0.8}, "of must be the inverse of at, which returns 0.9 for at("),
    ],
)
def test_a_second_parameter_that_would_not_work_is_refused(changes, message):
    method = replace(WITH_SECOND, variants=replace(SECOND, **changes))
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        regviz.register_method(method)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("key", "no key"), ("label", ""), ("about", None), ("values", 3), ("of", 0), ("text", "x")],
)
def test_a_second_parameter_with_a_wrong_value_is_refused_by_name(parameter, value):
    with pytest.raises(ValueError, match=f"^{parameter} must be "):
        replace(SECOND, **{parameter: value})
    with pytest.raises(ValueError, match=r"^variants must be a Variants or None, got 3$"):
        replace(MOSTLY_L1, variants=3)


def test_the_parameter_of_variants_has_a_name_of_its_own(monkeypatch):
    monkeypatch.setitem(METHODS, "mostly_l1", WITH_SECOND)
    taken = replace(MOSTLY_L1, key="mostly_l1_share")
    with pytest.raises(ValueError, match="key must be one that no parameter of links or Scene has"):
        regviz.register_method(taken)
    clash = replace(WITH_SECOND, key="train", variants=replace(SECOND, key="fraction"))
    with pytest.raises(ValueError, match="variants must be a parameter that links do not have"):
        regviz.register_method(clash)


def test_strengths_that_are_wrong_for_one_experiment_alone_are_refused_there(monkeypatch):
    def strengths(data, network, training):
        return (1.0, 2.0) if network.hidden else (1.0, -2.0)

    monkeypatch.setitem(METHODS, "mostly_l1", replace(MOSTLY_L1, strengths=strengths))
    scene = Scene(methods=("mostly_l1",))
    assert scene.grid().strengths("mostly_l1") == [1, 2]
    with pytest.raises(ValueError, match=f"^{re.escape(NO_STRENGTHS)}.*got \\(1.0, -2.0\\)$"):
        replace(scene, network=regviz.NetworkSpec(())).grid()


def test_something_else_than_a_record_is_refused():
    with pytest.raises(ValueError, match="method must be a Method, got 'l1'"):
        regviz.register_method("l1")


def test_the_scene_of_an_experiment_has_the_registered_method(monkeypatch):
    monkeypatch.setitem(METHODS, "mostly_l1", MOSTLY_L1)
    rows = (regviz.Regularization(), regviz.Regularization.elastic_net(0.1), MOSTLY_L1.at(0.3))
    scene = Scene.of(regviz.Experiment(regularizations=rows))
    assert scene.methods == ("none", "elastic_net", "mostly_l1")
    assert dict(scene.strengths) == pytest.approx({"elastic_net": 0.1, "mostly_l1": 0.3})


@pytest.mark.parametrize("key", NAMES)
def test_strength_is_the_inverse_of_at(key: str):
    scene = Scene()
    method = METHODS[key]
    parts = scene.data, scene.network, scene.training
    for value in method.values(*parts):
        for strength in method.offered(*parts, value):
            row = method.regularization(strength, value)
            assert method.strength(row) == pytest.approx(strength, rel=1e-15)
            assert method.variant(row) == (None if value is None else pytest.approx(value))


def test_without_a_method_its_strength_is_0_and_a_radius_infinite():
    for key, method in METHODS.items():
        expected = math.inf if key == "max_norm" else 0.0
        assert method.strength(regviz.Regularization()) == expected


def test_a_method_with_variants_has_strengths():
    without = replace(WITH_SECOND, strengths=lambda *_: ())
    with pytest.raises(ValueError, match=r"^variants must be None, as there are no strengths"):
        regviz.register_method(without)


def test_the_value_of_a_variant_need_not_be_defined_for_other_methods(monkeypatch):
    monkeypatch.setitem(METHODS, "mostly_l1", WITH_SECOND)
    with pytest.raises(ZeroDivisionError):
        SECOND.of(regviz.Regularization())
    others = regviz.Regularization(drop_rate=0.2, input_drop_rate=0.2)
    assert regviz.methods.catalogue.method_of(others) is None
