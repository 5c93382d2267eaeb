"""Tests of experiments: validation, error messages, JSON."""

import dataclasses
import json
import math
import os
import pickle
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

from regviz.spec.experiment import (
    ACTIVATIONS,
    DTYPES,
    OPTIMIZERS,
    DataSpec,
    Experiment,
    NetworkSpec,
    Phase,
    Regularization,
    TrainingSpec,
)
from regviz.spec.toy import DATASETS

# kind, parameter, too low, lowest, highest, too high
WHOLE_NUMBERS = [
    (DataSpec, "n_samples", 19, 20, 2000, 2001),
    (DataSpec, "seed", -1, 0, 2**32 - 1, 2**32),
    (TrainingSpec, "batch_size", 0, 1, 10**9, 10**9 + 1),
    (TrainingSpec, "epochs", 0, 1, 10**6, 10**6 + 1),
    (TrainingSpec, "seed", -1, 0, 2**32 - 1, 2**32),
    (Regularization, "onset", -1, 0, 10**6, 10**6 + 1),
]
BELOW_ONE = math.nextafter(1, 0)
NUMBERS = [
    (DataSpec, "noise", -0.01, 0, 2, 2.01),
    (DataSpec, "label_noise", -0.01, 0, 0.5, 0.51),
    (DataSpec, "train_fraction", 0.049, 0.05, 0.95, 0.951),
    (DataSpec, "validation_fraction", -0.01, 0, 0.5, 0.51),
    (TrainingSpec, "learning_rate", 9.9e-6, 1e-5, 10, 10.01),
    (TrainingSpec, "momentum", -0.01, 0, 0.999, 0.9991),
    (TrainingSpec, "beta1", -0.01, 0, BELOW_ONE, 1),
    (TrainingSpec, "beta2", -0.01, 0, BELOW_ONE, 1.0),
    (TrainingSpec, "epsilon", 0, 1e-8, 1, 1.01),
    (Regularization, "l1", -1e-9, 0, 1000, 1000.1),
    (Regularization, "l2", -1e-9, 0, 1000, 1000.1),
    (Regularization, "drop_rate", -0.01, 0, 0.99, 1),
    (Regularization, "input_drop_rate", -0.01, 0, 0.99, 1.0),
    (Regularization, "max_norm", 0, 1e-3, 1000, 1000.1),
    (Regularization, "group_lasso", -1e-9, 0, 1000, 1000.1),
]
NAMES = [
    (DataSpec, "name", DATASETS),
    (NetworkSpec, "activation", ACTIVATIONS),
    (TrainingSpec, "optimizer", OPTIMIZERS),
    (TrainingSpec, "dtype", DTYPES),
]
NO_NUMBERS = ["1", b"1", "", True, False, [1], (1,), {}, 1j, math.nan, math.inf, -math.inf]
NOT_GIVEN_AS_NONE = ("batch_size", "max_norm")

ELABORATE = Experiment(
    DataSpec("three_spirals", 123, 0.1, 0.05, 0.61, 0.0, False, 2**32 - 1),
    NetworkSpec((1, 32, 7), "leaky_relu", ("sin(x2)", "x1*x2", "x1")),
    TrainingSpec("adamw", 0.1 + 0.2, None, 77, 0.5, 0.8, 0.99, 1e-7, "float64", 5),
    (
        Regularization(),
        Regularization(1e-3, 1 / 3, 0.2, 0.1, 3.0, True, 77),
        Regularization.elastic_net(0.1, l1_ratio=0.3, onset=2),
    ),
    (Phase(3, Regularization(l1=0.1 + 0.2)), Phase(30, learning_rate=1e-3)),
)


REGRESSED = Regularization(l1=0.1, l2=0.1, corrected=True)


def refusal(kind, **parameters):
    """Return the message of the ValueError that ``kind`` raises."""
    with pytest.raises(ValueError, match=r"^\S+ must be .+, got ") as caught:
        kind(**parameters)
    return str(caught.value)


@pytest.mark.parametrize(
    ("kind", "name", "below", "above"),
    [(kind, name, below, above) for kind, name, below, _, _, above in WHOLE_NUMBERS + NUMBERS],
)
def test_numbers_out_of_range_are_refused_by_name(kind, name, below, above):
    for value in (below, above, np.float64(above)):
        message = refusal(kind, **{name: value})
        assert message.startswith(f"{name} must be ")
        assert message.endswith(f"got {value!r}")


@pytest.mark.parametrize("value", [*NO_NUMBERS, None], ids=lambda value: repr(value)[:12])
@pytest.mark.parametrize(("kind", "name"), [row[:2] for row in WHOLE_NUMBERS + NUMBERS])
def test_what_is_no_finite_number_is_refused_by_name(kind, name, value):
    if value is None and name in NOT_GIVEN_AS_NONE:
        assert getattr(kind(**{name: None}), name) is None
        return
    message = refusal(kind, **{name: value})
    assert message.startswith(f"{name} must be ")
    assert repr(value)[:60] in message


@pytest.mark.parametrize(("kind", "name"), [row[:2] for row in WHOLE_NUMBERS])
@pytest.mark.parametrize("value", [25.0, 25.5, np.float64(25), "25", Fraction(51, 2)])
def test_whole_numbers_are_asked_for_where_counts_are_meant(kind, name, value):
    assert refusal(kind, **{name: value}).startswith(f"{name} must be a whole number")


@pytest.mark.parametrize(
    "value", [10**400, -(10**400), 10**5000], ids=["1e400", "-1e400", "1e5000"]
)
def test_numbers_too_large_for_a_float_or_to_print_are_refused_by_name(value):
    for kind, name, *_ in WHOLE_NUMBERS + NUMBERS:
        assert refusal(kind, **{name: value}).startswith(f"{name} must be ")
    assert refusal(Regularization.elastic_net, strength=value).startswith("strength must be ")


@pytest.mark.parametrize(
    ("kind", "name", "low", "high"),
    [(kind, name, low, high) for kind, name, _, low, high, _ in WHOLE_NUMBERS + NUMBERS],
)
def test_bounds_belong_to_what_is_allowed(kind, name, low, high):
    for value in (low, high):
        assert getattr(kind(**{name: value}), name) == value


@pytest.mark.parametrize("kind", [np.int8, np.uint32, np.int64])
def test_numpy_whole_numbers_become_plain_ones(kind):
    spec = TrainingSpec(epochs=kind(7), batch_size=kind(3), learning_rate=kind(1))
    assert spec == TrainingSpec(epochs=7, batch_size=3, learning_rate=1.0)
    assert hash(spec) == hash(TrainingSpec(epochs=7, batch_size=3, learning_rate=1.0))
    assert (type(spec.epochs), type(spec.learning_rate)) == (int, float)
    assert NetworkSpec(hidden=(kind(4),)).hidden == (4,)


@pytest.mark.parametrize("kind", [np.float32, np.float64, Fraction])
def test_other_kinds_of_numbers_become_plain_ones(kind):
    row = Regularization(l1=kind(0.25), max_norm=kind(3))
    assert row == Regularization(l1=0.25, max_norm=3)
    assert (type(row.l1), type(row.max_norm)) == (float, float)
    assert Experiment.from_json(Experiment(regularizations=(row,)).to_json()).regularizations == (
        row,
    )


@pytest.mark.parametrize(("kind", "name", "allowed"), NAMES)
def test_every_name_is_accepted_and_others_are_refused(kind, name, allowed):
    for value in allowed:
        assert getattr(kind(**{name: value}), name) == value
    for value in ("nothing", "", next(iter(allowed)).upper(), None, 3, True, math.nan, ["tanh"]):
        message = refusal(kind, **{name: value})
        assert message.startswith(f"{name} must be one of ")
        assert message.endswith(f"got {value!r}")
        assert all(repr(choice) in message for choice in allowed)


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("hidden", None, "hidden"),
        ("hidden", 8, "hidden"),
        ("hidden", "88", "hidden"),
        ("hidden", {8}, "hidden"),
        ("hidden", np.array([8, 8]), "hidden"),
        ("hidden", (4,) * 7, "hidden"),
        ("hidden", (4, 0), "hidden[1]"),
        ("hidden", (65,), "hidden[0]"),
        ("hidden", (8, 65), "hidden[1]"),
        ("hidden", (8, 33, 8), "hidden[1]"),
        ("hidden", (4.0,), "hidden[0]"),
        ("hidden", (True,), "hidden[0]"),
        ("hidden", ("4",), "hidden[0]"),
        ("hidden", (4, None), "hidden[1]"),
        ("features", None, "features"),
        ("features", "x1", "features"),
        ("features", (), "features"),
        ("features", ("x1", "x1"), "features"),
        ("features", ("x1", "x3"), "features[1]"),
        ("features", (1,), "features[0]"),
        ("features", (["x1"],), "features[0]"),
    ],
    ids=repr,
)
def test_networks_that_cannot_be_built_are_refused_by_name(name, value, named):
    message = refusal(NetworkSpec, **{name: value})
    assert message.startswith(f"{named} must be ")
    culprit = value if named == name else value[int(named[-2])]
    assert message.endswith(f"got {culprit!r}")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (DataSpec, "standardize"),
        (Regularization, "decoupled"),
        (Regularization, "corrected"),
    ],
)
@pytest.mark.parametrize("value", [None, 0, 1, 1.0, "True", []])
def test_switches_take_true_or_false_only(kind, name, value):
    assert refusal(kind, **{name: value}) == f"{name} must be True or False, got {value!r}"


@pytest.mark.parametrize("name", ["plane", "bumps"])
def test_targets_without_classes_take_no_label_noise(name):
    assert DataSpec(name, label_noise=0).label_noise == 0
    assert refusal(DataSpec, name=name, label_noise=0.1).startswith("label_noise must be 0 for")


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("data", None, "data"),
        ("data", {"name": "moons"}, "data"),
        ("data", NetworkSpec(), "data"),
        ("network", DataSpec, "network"),
        ("training", "sgd", "training"),
        ("regularizations", None, "regularizations"),
        ("regularizations", (), "regularizations"),
        ("regularizations", [], "regularizations"),
        ("regularizations", Regularization(), "regularizations"),
        ("regularizations", {Regularization()}, "regularizations"),
        ("regularizations", (Regularization(), None), "regularizations[1]"),
        ("regularizations", ({"l1": 1},), "regularizations[0]"),
        ("regularizations", (Regularization(onset=201),), "regularizations[0].onset"),
        ("phases", None, "phases"),
        ("phases", (Regularization(),), "phases[0]"),
        ("phases", (Phase(200),), "phases[0].until"),
        ("phases", (Phase(5), Phase(5)), "phases[1].until"),
    ],
    ids=repr,
)
def test_parts_of_the_wrong_kind_are_refused_by_name(name, value, named):
    assert refusal(Experiment, **{name: value}).startswith(f"{named} must be ")


@pytest.mark.parametrize(
    ("parts", "row", "condition"),
    [
        (dict(network=NetworkSpec((3,))), {}, "hidden is ()"),
        (dict(training=TrainingSpec("adamw")), {}, "the optimizer is not 'adamw'"),
        ({}, dict(decoupled=True), "decoupled is False"),
    ],
)
def test_the_corrected_elastic_net_is_refused_where_it_is_not_defined(parts, row, condition):
    row = Regularization(l1=0.1, l2=0.1, corrected=True, **row)
    linear = dict(data=DataSpec("plane"), network=NetworkSpec(())) | parts
    assert Experiment(DataSpec("plane"), NetworkSpec(()), regularizations=(REGRESSED,))
    for name, given in (
        ("regularizations[0]", dict(regularizations=(row,))),
        ("phases[0].regularization", dict(phases=(Phase(3, row),))),
    ):
        message = refusal(Experiment, **linear, **given)
        assert message.startswith(f"{name}.corrected must be False, except where {condition}")


def test_long_values_are_cut_in_messages():
    assert len(refusal(DataSpec, name="x" * 10_000)) < 400


def test_elastic_net_splits_its_strength():
    row = Regularization.elastic_net(0.2, l1_ratio=0.25, drop_rate=0.5, onset=3)
    assert row.l1 == pytest.approx(0.05, rel=1e-15)
    assert row.l2 == pytest.approx(0.15, rel=1e-15)
    assert (row.drop_rate, row.onset) == (0.5, 3)
    assert Regularization.elastic_net(2, 1) == Regularization(l1=2)
    assert Regularization.elastic_net(2, 0) == Regularization(l2=2)


@pytest.mark.parametrize("value", [-0.1, 1000.1, *NO_NUMBERS, None], ids=lambda v: repr(v)[:12])
def test_elastic_net_refuses_its_own_parameters_by_name(value):
    assert refusal(Regularization.elastic_net, strength=value).startswith("strength must be ")
    assert refusal(Regularization.elastic_net, strength=1, l1_ratio=value).startswith("l1_ratio ")


def test_experiments_are_values():
    lists = Experiment(
        network=NetworkSpec(hidden=[3, 4], features=["x1", "x2^2"]),
        regularizations=[Regularization(), Regularization(l1=1)],
    )
    tuples = Experiment(
        network=NetworkSpec(hidden=(3, 4), features=("x1", "x2^2")),
        regularizations=(Regularization(), Regularization(l1=1)),
    )
    assert lists == tuples
    assert hash(lists) == hash(tuples)
    assert len({lists, tuples, Experiment()}) == 2
    assert lists != dataclasses.replace(lists, regularizations=lists.regularizations[::-1])
    with pytest.raises(dataclasses.FrozenInstanceError):
        lists.network.hidden = ()
    with pytest.raises(dataclasses.FrozenInstanceError):
        lists.data = DataSpec()


@pytest.mark.parametrize(
    ("kind", "other"),
    [
        (DataSpec, dict(name="xor", n_samples=99, noise=0.1, label_noise=0.1)),
        (DataSpec, dict(train_fraction=0.4, validation_fraction=0.1, standardize=False, seed=1)),
        (NetworkSpec, dict(hidden=(), activation="relu", features=("x2", "x1"))),
        (TrainingSpec, dict(optimizer="adam", learning_rate=1, batch_size=None, epochs=3)),
        (
            TrainingSpec,
            dict(momentum=0.5, beta1=0.5, beta2=0.5, epsilon=1, dtype="float64", seed=1),
        ),
        (Regularization, dict(l1=1, l2=1, drop_rate=0.5, input_drop_rate=0.1, max_norm=1)),
        (Regularization, dict(decoupled=True, onset=1, group_lasso=1, corrected=True)),
    ],
)
def test_every_parameter_counts_in_a_comparison(kind, other):
    for name, value in other.items():
        assert kind(**{name: value}) != kind()
        assert kind(**{name: value}) == kind(**{name: value})


@pytest.mark.parametrize("experiment", [Experiment(), ELABORATE], ids=["default", "elaborate"])
def test_json_reads_back_to_an_equal_experiment(experiment):
    def no_constants(constant):
        raise AssertionError(f"{constant} is not JSON")

    text = experiment.to_json()
    json.loads(text, parse_constant=no_constants)
    again = Experiment.from_json(text)
    assert again == experiment
    assert hash(again) == hash(experiment)
    assert again.to_json() == text


def test_json_holds_every_parameter_by_name():
    content = json.loads(ELABORATE.to_json())
    assert set(content) == {"data", "network", "training", "regularizations", "phases"}
    assert content["data"]["n_samples"] == 123
    assert content["network"]["hidden"] == [1, 32, 7]
    assert content["training"]["batch_size"] is None
    assert content["regularizations"][1]["max_norm"] == 3.0
    assert content["phases"][1]["learning_rate"] == 1e-3
    for part, kind in (("data", DataSpec), ("network", NetworkSpec), ("training", TrainingSpec)):
        assert set(content[part]) == {parameter.name for parameter in dataclasses.fields(kind)}


def test_json_may_leave_out_what_has_a_default():
    assert Experiment.from_json("{}") == Experiment()
    assert Experiment.from_json('{"training": {"epochs": 5}, "regularizations": [{}]}') == (
        Experiment(training=TrainingSpec(epochs=5))
    )


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('{"datum": {}}', "experiment"),
        ('{"data": {"nois": 1}}', "data"),
        ('{"network": {"hiden": []}}', "network"),
        ('{"training": {"lr": 1}}', "training"),
        ('{"regularizations": [{}, {"L1": 1}]}', "regularizations[1]"),
        ('{"data": {"__init__": 1}}', "data"),
    ],
)
def test_json_with_unknown_names_is_refused(text, named):
    with pytest.raises(ValueError, match="must be one of") as caught:
        Experiment.from_json(text)
    assert named in str(caught.value)
    unknown = text.split('"')[-2]
    assert repr(unknown) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "experiment"),
        ("{", "experiment"),
        ("null", "experiment"),
        ("3", "experiment"),
        ("[]", "experiment"),
        ('"{}"', "experiment"),
        ("[" * 100_000, "experiment"),
        (None, "experiment"),
        (3, "experiment"),
        (b"\xff\xfe\x00", "experiment"),
        ('{"data": null}', "data"),
        ('{"data": []}', "data"),
        ('{"training": "sgd"}', "training"),
        ('{"regularizations": {}}', "regularizations"),
        ('{"regularizations": null}', "regularizations"),
        ('{"regularizations": []}', "regularizations"),
        ('{"regularizations": [null]}', "regularizations[0]"),
        ('{"regularizations": [[]]}', "regularizations[0]"),
        ('{"data": {"noise": NaN}}', "noise"),
        ('{"data": {"noise": Infinity}}', "noise"),
        ('{"data": {"noise": 1e999}}', "noise"),
        ('{"data": {"noise": 1' + "0" * 400 + "}}", "noise"),
        ('{"data": {"noise": null}}', "noise"),
        ('{"data": {"n_samples": 40.0}}', "n_samples"),
        ('{"data": {"standardize": 1}}', "standardize"),
        ('{"network": {"hidden": 8}}', "hidden"),
        ('{"network": {"hidden": [[8]]}}', "hidden[0]"),
        ('{"network": {"features": [null]}}', "features[0]"),
        ('{"training": {"epochs": 3}, "regularizations": [{"onset": 4}]}', "regularizations[0]"),
        ('{"phases": {}}', "phases"),
        ('{"phases": [{}]}', "phases[0]"),
        ('{"phases": [{"until": 3, "l1": 1}]}', "a parameter of phases[0]"),
        ('{"phases": [{"until": 3, "regularization": {"l1": -1}}]}', "l1"),
        ('{"phases": [{"until": 3, "regularization": {"onset": 1}}]}', "regularization"),
        ('{"phases": [{"until": 3, "learning_rate": 0}]}', "learning_rate"),
    ],
    ids=lambda value: repr(value)[:48],
)
def test_json_that_is_no_experiment_is_refused_by_name(text, named):
    with pytest.raises(ValueError, match=" must be ") as caught:
        Experiment.from_json(text)
    assert str(caught.value).startswith(named)


def test_its_hash_does_not_travel_to_another_process():
    experiment = Experiment(regularizations=(Regularization(l1=0.1),))
    hash(experiment)
    same = (
        "import pickle, sys, regviz\n"
        "found = pickle.loads(sys.stdin.buffer.read())\n"
        "row = regviz.Regularization(l1=0.1)\n"
        "assert found in {regviz.Experiment(regularizations=(row,))}\n"
    )
    env = os.environ | {"PYTHONHASHSEED": "1"}
    subprocess.run(
        [sys.executable, "-c", same], input=pickle.dumps(experiment), env=env, check=True
    )
