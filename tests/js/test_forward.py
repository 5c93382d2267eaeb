"""Tests of the browser's forward pass against torch."""

from dataclasses import replace

import numpy as np
import pytest

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

GRID = """async ([features, domain, size]) => {
  const plane = await import(assets + "/board/state/plane.js");
  const side = { axes: [0, 1], x: domain, y: domain, means: null };
  return Array.from(plane.gridOf({ features }, side, size));
}"""


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
        network = {"layers": history.layout.sizes, "activation": activation, "task": task}
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


def test_the_grid_covers_the_domain_from_its_upper_left_corner():
    inputs = np.array(evaluate(GRID, [["x1", "x2"], [-2.0, 3.0], 11])).reshape(2, 11, 11)
    axis = np.linspace(-2, 3, 11)
    assert np.allclose(inputs[0], np.broadcast_to(axis, (11, 11)))
    assert np.allclose(inputs[1], np.broadcast_to(axis[::-1, None], (11, 11)))
