"""Tests of labels of regularizations, and of numbers as text."""

from dataclasses import replace

import pytest

import regviz
from regviz.methods.catalogue import METHODS
from regviz.methods.labels import digits, label, labels, short_names
from regviz.spec.experiment import Regularization
from tests.support.methods import MOSTLY_L1


@pytest.mark.parametrize(
    ("regularization", "method", "text"),
    [
        (Regularization(), "none", "None"),
        (Regularization(l1=0.004), "l1", "L1 λ₁ = 0.004"),
        (Regularization(l2=0.01), "l2", "L2 λ₂ = 0.01"),
        (Regularization(l2=0.01, decoupled=True), "l2", "Weight decay λ₂ = 0.01"),
        (Regularization.elastic_net(0.01), "elastic_net", "Elastic net λ = 0.01, 50 % L1"),
        (Regularization(l1=0.1, l2=0.3), "elastic_net", "Elastic net λ = 0.4, 25 % L1"),
        (
            Regularization(l1=0.1, l2=0.2, decoupled=True),
            "l1",
            "L1 + weight decay λ₁ = 0.1, λ₂ = 0.2",
        ),
        (Regularization(drop_rate=0.2), "dropout", "Dropout drop 20 %"),
        (Regularization(input_drop_rate=0.1), "dropout", "Input dropout drop 10 % of inputs"),
        (Regularization(max_norm=1.6), "max_norm", "Max-norm c = 1.6, no dropout"),
        (Regularization(max_norm=1.6, drop_rate=0.1), "max_norm", "Max-norm c = 1.6, drop 10 %"),
        (Regularization(max_norm=3, drop_rate=0.2), "max_norm", "Max-norm c = 3, drop 20 %"),
        (Regularization(l2=0.01, drop_rate=0.2), "l2", "L2 + dropout λ₂ = 0.01, drop 20 %"),
        (Regularization(l1=0.01, onset=50), "l1", "L1 λ₁ = 0.01, from epoch 50"),
        (Regularization(onset=50), "none", "None"),
        (
            Regularization.elastic_net(0.01, corrected=True),
            "elastic_net",
            "Elastic net λ = 0.01, 50 % L1, corrected",
        ),
        (Regularization(group_lasso=0.01), "group_lasso", "Group lasso λg = 0.01"),
        (Regularization(l2=0.1, group_lasso=0.3), "l2", "L2 + group lasso λ₂ = 0.1, λg = 0.3"),
        (
            Regularization(l1=0.01, l2=0.01, drop_rate=0.2),
            "elastic_net",
            "Elastic net + dropout λ = 0.02, 50 % L1, drop 20 %",
        ),
        (
            Regularization(l1=0.01, l2=0.01, decoupled=True),
            "l1",
            "L1 + weight decay λ₁ = 0.01, λ₂ = 0.01",
        ),
    ],
)
def test_label_names_a_regularization(regularization, method, text):
    found = label(regularization)
    assert (found.method, found.text) == (method, text)


@pytest.mark.parametrize("key", METHODS)
def test_label_agrees_with_the_catalogue(key):
    method = METHODS[key]
    value = {"elastic_net": 0.5, "max_norm": 0.1}.get(key)
    found = label(method.regularization(0.25, value))
    strength = f"{method.symbol} = 0.25" if method.symbol else ""
    if key == "dropout":
        strength = "drop 25 %"
    strength += {"elastic_net": ", 50 % L1", "max_norm": ", drop 10 %"}.get(key, "")
    assert found == (key, method.label, strength)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_a_registered_method_has_label_and_symbol_of_its_record(monkeypatch, optimizer):
    monkeypatch.setitem(METHODS, "mostly_l1", MOSTLY_L1)
    training = regviz.TrainingSpec(optimizer, epochs=50)
    strengths = MOSTLY_L1.strengths(regviz.DataSpec(), regviz.NetworkSpec(), training)
    rows = [replace(MOSTLY_L1.at(strength), onset=5) for strength in strengths]
    experiment = regviz.Experiment(training=training, regularizations=rows)
    texts = [f"λ = {strength:g}, from epoch 5" for strength in strengths]
    assert labels(experiment) == [("mostly_l1", "Mostly L1", text) for text in texts]
    others = regviz.Experiment(
        training=training, regularizations=(Regularization(l2=0.1), Regularization(l1=0.1))
    )
    decay = "Weight decay" if optimizer == "adamw" else "L2"
    assert [one.name for one in labels(others)] == [decay, "L1"]


def test_a_registered_method_without_variants_comes_before_one_that_has_them(monkeypatch):
    heavy = replace(
        METHODS["max_norm"],
        key="heavy",
        label="Heavy",
        at=lambda radius: Regularization(max_norm=radius, drop_rate=0.3),
        strengths=lambda *_: (2.0, 1.0),
        variants=None,
    )
    monkeypatch.setitem(METHODS, "heavy", heavy)
    assert label(Regularization(max_norm=2, drop_rate=0.3)) == ("heavy", "Heavy", "c = 2")
    assert label(Regularization(max_norm=2, drop_rate=0.1)).name == "Max-norm"
    assert label(Regularization.elastic_net(0.1, 1.0)).name == "L1"
    assert label(Regularization.elastic_net(0.1, 0.0)).name == "L2"


def test_a_network_whose_method_is_known_has_its_label():
    row = Regularization(l1=0.1)
    assert label(row, "elastic_net") == ("elastic_net", "Elastic net", "λ = 0.1, 100 % L1")
    rows = (Regularization(), row, row, Regularization(l2=0.1))
    experiment = regviz.Experiment(regularizations=rows)
    names = [one.name for one in labels(experiment, ("none", "l1", "elastic_net"))]
    assert names == ["None", "L1", "Elastic net", "L2"]
    adamw = replace(experiment, training=regviz.TrainingSpec("adamw"))
    assert labels(adamw, ("none", "l1", "l1", "l2"))[3].name == "Weight decay"


def test_a_method_that_is_taken_out_gives_its_name_back(monkeypatch):
    row = MOSTLY_L1.at(0.1)
    with monkeypatch.context() as patch:
        patch.setitem(METHODS, "mostly_l1", MOSTLY_L1)
        assert label(row).name == "Mostly L1"
    assert label(row).name == "Elastic net"


def test_numbers_have_three_digits_and_a_true_minus():
    assert [digits(value) for value in (-2.5, 0.0123456, 3.0, 1e-5)] == [
        "−2.5",
        "0.0123",
        "3",
        "1e−05",
    ]


@pytest.mark.parametrize(
    ("names", "shortest"),
    [
        (("one", "two"), ("one", "two")),
        (("versicolor", "virginica"), ("versi…", "virgi…")),
        (("category A", "category B"), ("…ory A", "…ory B")),
        (("ab the yz", "ab two yz", "ab"), ("ab th…", "ab tw…", "ab")),
        (("abcde 1 vwxyz", "abcde 2 vwxyz"), ("0 abc…", "1 abc…")),
    ],
)
def test_short_names_are_short_and_stay_different(names, shortest):
    assert short_names(names, 6) == shortest
    assert len(set(shortest)) == len(names)
    assert all(len(name) <= 6 for name in shortest)
