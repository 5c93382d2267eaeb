"""Tests of the browser's forward pass against torch."""

from dataclasses import replace

import numpy as np
import pytest

import regviz
from regviz import Experiment, NetworkSpec, Phase, Regularization, TrainingSpec
from regviz.engine.history import History
from regviz.spec.experiment import ACTIVATIONS, FEATURES
from tests.support.networks import TASKS, train_pair
from tests.support.node import evaluate

FEATURE_SETS = [("x1", "x2"), FEATURES, ("x1*x2", "sin(x2)", "x1^2")]
HIDDEN = {"none": (), "odd": (5, 3), "deep": (8, 8, 8)}

EVALUATE = """async ([networks, features, x1, x2]) => {
  const forward = await import(assets + "/board/state/forward.js");
  const inputs = forward.featuresOf(features, x1, x2);
  return networks.map(([network, parameters]) => Array.from(
    forward.evaluate(network, Float32Array.from(parameters), 0, inputs, x1.length)));
}"""

RATES = """async ([recording, row, epoch]) => {
  const { effectiveRates } = await import(assets + "/board/state/normalization.js");
  return effectiveRates(recording, Float32Array.from(row), epoch);
}"""

GRID = """async ([features, domain, size]) => {
  const plane = await import(assets + "/board/state/plane.js");
  const side = { axes: [0, 1], x: domain, y: domain, means: null };
  return Array.from(plane.gridOf({ features }, side, size));
}"""


def description(history: History) -> dict[str, object]:
    """Return a run's network as the browser knows it."""
    layout, network = history.layout, history.experiment.network
    return {
        "layers": layout.sizes,
        "activation": network.activation,
        "normalization": layout.normalization,
        "affine": layout.affine,
        "adaptive": history.experiment.training.optimizer in ("adam", "adamw"),
        "task": history.dataset.task,
    }


@pytest.mark.parametrize("features", FEATURE_SETS, ids=len)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("task", TASKS)
def test_the_browser_predicts_what_torch_predicts(
    task: str, activation: str, features: tuple[str, ...]
):
    points = np.random.default_rng(0).uniform(-3, 3, (301, 2))
    networks, expected = [], []
    for hidden in HIDDEN.values():
        history = train_pair(task, hidden, activation, features)
        network = description(history)
        for wide in (1, 3):  # large weights saturate activations
            wider = replace(history, parameters=wide * history.parameters)
            networks += [(network, row.tolist()) for row in wider.parameters[-1]]
            expected += [*wider.predict(points)]
    found = evaluate(EVALUATE, [networks, features, *points.T.tolist()])
    assert len(found) == len(expected) == 4 * len(HIDDEN)
    for flat, predicted in zip(found, expected, strict=True):
        outputs = np.array(flat).reshape(-1, len(points))
        difference = (outputs.T if task == "multiclass" else outputs[0]) - predicted
        assert np.abs(difference).max() < 1e-4 * max(1.0, np.abs(predicted).max())


@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("normalization", ["batch", "layer"])
def test_the_browser_normalizes_as_torch_does(normalization: str, affine: bool):
    points = np.random.default_rng(0).uniform(-3, 3, (301, 2))
    for task, hidden in (("binary", (5, 3)), ("multiclass", (8, 2, 8)), ("regression", ())):
        history = train_pair(task, hidden, "tanh", FEATURES, normalization, affine)
        if hidden:  # gains, shifts and statistics have moved
            n = history.layout.ends[-1]
            assert (history.parameters[-1, :, n:] != history.parameters[0, :, n:]).all() or (
                normalization == "layer" and not affine
            )
        networks = [(description(history), row.tolist()) for row in history.parameters[-1]]
        found = evaluate(EVALUATE, [networks, FEATURES, *points.T.tolist()])
        for flat, predicted in zip(found, history.predict(points), strict=True):
            outputs = np.array(flat).reshape(-1, len(points))
            difference = (outputs.T if task == "multiclass" else outputs[0]) - predicted
            assert np.abs(difference).max() < 1e-4 * max(1.0, np.abs(predicted).max())


@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
def test_effective_rates_are_those_of_python(optimizer: str):
    experiment = Experiment(
        network=NetworkSpec((5, 3), normalization="batch"),
        training=TrainingSpec(optimizer, learning_rate=0.02, epochs=4),
        phases=(Phase(2, Regularization(l2=0.1), 0.05),),
    )
    history = regviz.train(experiment)
    phases = [{"until": 2, "learning_rate": 0.05}]
    for t, epoch in enumerate(history.epochs.tolist()):
        recording = {"network": description(history), "phases": phases, "learningRate": 0.02}
        found = evaluate(RATES, [recording, history.parameters[t, 0].tolist(), epoch])
        np.testing.assert_allclose(found, history.effective_rates(t)[0], rtol=1e-6)


def test_the_grid_covers_the_domain_from_its_upper_left_corner():
    inputs = np.array(evaluate(GRID, [["x1", "x2"], [-2.0, 3.0], 11])).reshape(2, 11, 11)
    axis = np.linspace(-2, 3, 11)
    assert np.allclose(inputs[0], np.broadcast_to(axis, (11, 11)))
    assert np.allclose(inputs[1], np.broadcast_to(axis[::-1, None], (11, 11)))
