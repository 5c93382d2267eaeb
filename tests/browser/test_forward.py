"""The networks that the browser evaluates are the networks that torch trained."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from playwright.sync_api import Page

import regviz
from regviz.experiment import ACTIVATIONS, FEATURES

TASKS = {"binary": "moons", "multiclass": "three_spirals", "regression": "bumps"}
FEATURE_SETS = [("x1", "x2"), FEATURES, ("x1*x2", "sin(x2)", "x1^2")]
HIDDEN = {"none": (), "odd": (5, 3), "deep": (8, 8, 8)}

EVALUATE = """async ([network, features, parameters, x1, x2]) => {
  const forward = await import("/assets/board/forward.js");
  const inputs = forward.featuresOf(features, x1, x2);
  const row = Float32Array.from(parameters);
  return Array.from(forward.evaluate(network, row, 0, inputs, x1.length));
}"""

GRID = """async ([features, domain, size]) => {
  const forward = await import("/assets/board/forward.js");
  return Array.from(forward.gridInputs(features, domain, size));
}"""


def train(task: str, activation: str, features: tuple[str, ...], hidden: tuple[int, ...]):
    experiment = regviz.Experiment(
        regviz.DataSpec(TASKS[task], n_samples=200),
        regviz.NetworkSpec(hidden, activation, features),
        regviz.TrainingSpec("adam", epochs=20),
        (regviz.Regularization(), regviz.Regularization(l1=0.01)),
    )
    return regviz.train(experiment)


@pytest.mark.parametrize("features", FEATURE_SETS, ids=len)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("task", TASKS)
def test_the_browser_predicts_what_torch_predicts(
    blank: Page, task: str, activation: str, features: tuple[str, ...]
):
    for hidden in HIDDEN.values():
        history = train(task, activation, features, hidden)
        points = np.random.default_rng(0).uniform(-3, 3, (301, 2))
        for k, wide in itertools.product(range(2), (1, 3)):
            # three times as large, as after long training: sigmoids and tanh saturate
            rows = wide * history.parameters[-1, k]
            expected = replace(history, parameters=wide * history.parameters).predict(points)
            network = {
                "layers": history.layout.sizes,
                "activation": activation,
                "task": task,
            }
            found = blank.evaluate(EVALUATE, [network, features, rows.tolist(), *points.T.tolist()])
            outputs = np.array(found).reshape(-1, len(points))
            predicted = outputs.T if task == "multiclass" else outputs[0]
            size = max(1.0, np.abs(expected[k]).max())
            assert np.abs(predicted - expected[k]).max() < 1e-4 * size


def test_the_grid_covers_the_domain_from_its_upper_left_corner(blank: Page):
    inputs = np.array(blank.evaluate(GRID, [["x1", "x2"], [-2.0, 3.0], 11])).reshape(2, 11, 11)
    axis = np.linspace(-2, 3, 11)
    assert np.allclose(inputs[0], np.broadcast_to(axis, (11, 11)))
    assert np.allclose(inputs[1], np.broadcast_to(axis[::-1, None], (11, 11)))
