"""Tests of trainings whose regularization or learning rate changes on the way."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import regviz
from regviz import DataSpec, Experiment, NetworkSpec, Phase, Regularization, TrainingSpec
from regviz.spec.experiment import OPTIMIZERS

ROWS = (
    Regularization(),
    Regularization(l1=0.02),
    Regularization(l2=0.2),
    Regularization(drop_rate=0.3, max_norm=0.5),
)
DATA = DataSpec("moons", n_samples=40, train_fraction=0.5)
NETWORK = NetworkSpec(hidden=(4, 3))


def train(phases: tuple[Phase, ...] = (), rows=ROWS, **training) -> regviz.History:
    spec = TrainingSpec(**{"epochs": 6, "learning_rate": 0.05} | training)
    return regviz.train(Experiment(DATA, NETWORK, spec, rows, phases))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_phase_without_regularization_is_an_onset(optimizer):
    late = tuple(replace(row, onset=3) for row in ROWS)
    phase = train((Phase(3),), optimizer=optimizer)
    onset = train(rows=late, optimizer=optimizer)
    np.testing.assert_array_equal(phase.parameters, onset.parameters)
    for name, values in onset.metrics.items():
        np.testing.assert_array_equal(phase.metrics[name], values)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("row", ROWS[1:], ids=["l1", "l2", "dropout"])
def test_in_a_phase_all_networks_are_the_network_of_its_regularization(row, optimizer):
    history = train((Phase(4, row),), optimizer=optimizer)
    alone = train(rows=(row,), optimizer=optimizer)
    for k in range(len(ROWS)):
        np.testing.assert_array_equal(history.parameters[:5, k], alone.parameters[:5, 0])
    # the one whose regularization does not change goes on as if there were no phase
    same = ROWS.index(row)
    np.testing.assert_array_equal(history.parameters[:, same], alone.parameters[:, 0])
    for k in set(range(len(ROWS))) - {same}:
        assert (history.parameters[-1, k] != alone.parameters[-1, 0]).any()


def test_penalties_are_those_of_the_phase_and_then_of_each_network():
    history = train((Phase(2, Regularization(l1=0.1)), Phase(4, Regularization(l2=0.3))))
    l1, l2 = history.metrics["l1_norm"], history.metrics["l2_norm"]
    penalty = history.metrics["penalty"]
    np.testing.assert_allclose(penalty[:2], 0.1 * l1[:2], rtol=1e-12)
    np.testing.assert_allclose(penalty[2:4], 0.15 * l2[2:4] ** 2, rtol=1e-12)
    np.testing.assert_array_equal(penalty[4:, 0], 0)
    np.testing.assert_allclose(penalty[4:, 1], 0.02 * l1[4:, 1], rtol=1e-12)


@pytest.mark.parametrize(
    ("optimizer", "reference", "decays"),
    [
        ("sgd", lambda groups: torch.optim.SGD(groups, 0.05), (0.0, 0.0, 0.0)),
        ("momentum", lambda groups: torch.optim.SGD(groups, 0.05, momentum=0.9), (0.0, 0.0, 0.0)),
        ("adam", lambda groups: torch.optim.Adam(groups, 0.05), (0.0, 0.0, 0.0)),
        ("adamw", lambda groups: torch.optim.AdamW(groups, 0.05), (0.3, 0.0, 2.0)),
    ],
    ids=["sgd", "momentum", "adam", "adamw"],
)
def test_changes_on_the_way_equal_those_of_torch(
    optimizer, reference, decays, as_module, torch_loss
):
    first, second, last = (Regularization(l2=decay) for decay in decays)
    phases = (Phase(5, first, 0.05), Phase(9, second, 0.02))
    spec = dict(optimizer=optimizer, learning_rate=0.1, epochs=15, dtype="float64")
    history = train(phases, (last,), batch_size=None, **spec)
    module = as_module(history.weights(0, 0), history.biases(0, 0), "tanh")
    layers = [layer for layer in module if isinstance(layer, torch.nn.Linear)]
    weights = {"params": [layer.weight for layer in layers]}
    biases = {"params": [layer.bias for layer in layers], "weight_decay": 0.0}
    steps = reference([weights, biases])
    X, y = (torch.tensor(part) for part in history.dataset.points("train"))
    for epoch in range(15):
        part = (epoch >= 5) + (epoch >= 9)
        steps.param_groups[0]["weight_decay"] = decays[part]
        for group in steps.param_groups:
            group["lr"] = (0.05, 0.02, 0.1)[part]
        steps.zero_grad()
        torch_loss(module(X), y, "binary").backward()
        steps.step()
        for layer, weight in zip(layers, history.weights(0, epoch + 1), strict=True):
            np.testing.assert_allclose(layer.weight.detach().T, weight, rtol=0, atol=1e-10)


def test_dropout_of_a_phase_acts_where_no_network_has_any():
    phase = Phase(3, Regularization(drop_rate=0.5))
    with_dropout = train((phase,), rows=(Regularization(),))
    without = train(rows=(Regularization(),))
    assert (with_dropout.parameters[3] != without.parameters[3]).any()


def test_a_networks_trajectory_does_not_depend_on_the_others_after_a_phase():
    phases = (Phase(2, Regularization(l1=0.05)), Phase(4, Regularization(drop_rate=0.4), 0.01))
    together = train(phases)
    for k, row in enumerate(ROWS):
        alone = train(phases, (row,))
        np.testing.assert_array_equal(together.parameters[:, k], alone.parameters[:, 0])


def test_seeds_train_together_through_phases_as_they_do_alone():
    phases = (Phase(2, Regularization(l2=0.1), 0.01),)
    experiment = Experiment(DATA, NETWORK, TrainingSpec(epochs=5), ROWS, phases)
    for seed, history in zip((3, 5), regviz.replicate(experiment, (3, 5)), strict=True):
        own = replace(
            experiment,
            data=replace(DATA, seed=seed),
            training=replace(experiment.training, seed=seed),
        )
        np.testing.assert_array_equal(history.parameters, regviz.train(own).parameters)


def test_a_history_with_phases_survives_its_file(tmp_path):
    history = train((Phase(2, Regularization(l1=0.01)),))
    history.save(tmp_path / "run.npz")
    assert regviz.History.load(tmp_path / "run.npz").experiment == history.experiment
