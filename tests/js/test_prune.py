"""Tests of the browser's pruning and scores against NumPy and torch."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from regviz.engine import networks
from regviz.engine.history import History
from regviz.engine.layout import input_features
from regviz.engine.measures import units_left
from regviz.spec.experiment import ACTIVATIONS
from tests.support.networks import TASKS, train_pair
from tests.support.node import evaluate

THRESHOLDS = (0.0, 0.05, 0.4, 100.0)

PRUNE = """async ([network, rows, points, threshold]) => {
  const { makeEvaluator, measure, makeMeasured } = await import(assets + "/board/state/prune.js");
  const { weightIndex } = await import(assets + "/board/state/recording.js");
  const { shapeOf } = await import(assets + "/board/state/units.js");
  const nParameters = shapeOf(network.layers).total;
  const workshop = makeEvaluator({
    network, nParameters, weightIndex: weightIndex(network.layers),
    points: { test: Float32Array.from(points) },
  });
  const measured = makeMeasured(nParameters);
  return rows.map((row) => {
    measure(workshop, Float32Array.from(row), threshold, measured);
    return { ...measured, row: Array.from(measured.row) };
  });
}"""

SLIDER = """async (ranges) => {
  const { thresholdAt, positionOf } = await import(assets + "/board/state/prune.js");
  return ranges.map((range) => Array.from({ length: 101 }, (_, i) => {
    const threshold = thresholdAt(i, range);
    return [threshold, positionOf(threshold, range)];
  }));
}"""

BARS = """async ([range, width]) => {
  const { BARS, BARS_PER_SIDE, barAt, count, distanceOf, placeOf } =
    await import(assets + "/board/draw/histogram.js");
  const share = (i) => (i + 0.5) / BARS_PER_SIDE;
  const sizes = Array.from({ length: BARS_PER_SIDE }, (_, i) => share(i) * range);
  const weights = [...sizes, ...sizes.map((w) => -w), 0];
  return weights.map((w) => {
    const counts = new Uint16Array(BARS);
    count(Float32Array.of(w), 0, Int32Array.of(0), range, counts);
    const x = width / 2 + (w === 0 ? 0 : Math.sign(w) * distanceOf(Math.abs(w), range, width));
    const bar = counts.indexOf(1);
    const [left, right] = placeOf(bar, width);
    return bar === barAt(x, width) && left <= x && x <= right;
  });
}"""


def is_weight(history: History) -> NDArray[np.bool_]:
    """Return a mask of a row's entries that are weights, not biases."""
    marks = np.zeros(history.parameters.shape[2], bool)
    for block in history.layout.split(marks):
        block[:, :-1] = True
    return marks


def pruned_by_numpy(history: History, rows: NDArray[np.float32], threshold: float):
    small = np.abs(rows.astype(np.float64)) < threshold
    return np.where(small & is_weight(history), np.float32(0), rows)


def scored_by_torch(history: History, rows: NDArray[np.float32]):
    X, y = history.dataset.points("test")
    network = history.experiment.network
    blocks = history.layout.split(torch.from_numpy(rows))
    inputs = torch.from_numpy(input_features(X, network.features).astype(np.float32))
    outputs = networks.hidden_and_output(blocks, inputs, network.activation)[-1]
    targets = torch.from_numpy(np.array(y, np.float64))
    losses, hits = networks.losses_and_hits(outputs, targets, history.dataset.task)
    return losses.mean(1), hits.mean(1)


def connected_by_numpy(history: History, row: NDArray[np.float32]) -> int:
    """Return the hidden units on a path from input to output, by products of 0/1 matrices."""
    links = [(block[:, :-1] != 0).astype(int) for block in history.layout.split(row)]
    fed, read = [np.ones(links[0].shape[1])], [np.ones(links[-1].shape[0])]
    for link in links:
        fed.append(np.minimum(1, link @ fed[-1]))
    for link in links[::-1]:
        read.insert(0, np.minimum(1, link.T @ read[0]))
    return int(sum((f * r).sum() for f, r in zip(fed[1:-1], read[1:-1], strict=True)))


def prune(history: History, rows: NDArray[np.float32], threshold: float):
    network = {
        "layers": history.layout.sizes,
        "activation": history.experiment.network.activation,
        "normalization": "none",
        "task": history.dataset.task,
        "features": history.experiment.network.features,
    }
    points = np.column_stack(history.dataset.points("test")).ravel()
    return evaluate(PRUNE, [network, rows.tolist(), points.tolist(), threshold])


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("task", TASKS)
def test_a_pruned_network_has_the_weights_loss_and_accuracy_that_numpy_and_torch_find(
    task: str, activation: str
):
    history = train_pair(task, activation=activation)
    for threshold in THRESHOLDS:
        rows = pruned_by_numpy(history, history.parameters[-1], threshold)
        losses, accuracies = scored_by_torch(history, rows)
        for k, found in enumerate(prune(history, history.parameters[-1], threshold)):
            assert np.array_equal(found["row"], rows[k])
            assert found["left"] == np.count_nonzero(rows[k][is_weight(history)])
            assert found["loss"] == pytest.approx(float(losses[k]), rel=1e-4, abs=1e-6)
            assert found["accuracy"] == pytest.approx(float(accuracies[k]), nan_ok=True)


@pytest.mark.parametrize("hidden", [(), (4, 2), (6, 5, 4)], ids=len)
@pytest.mark.parametrize("task", TASKS)
def test_an_unpruned_network_scores_as_its_history_says(task: str, hidden: tuple[int, ...]):
    history = train_pair(task, hidden)
    for k, found in enumerate(prune(history, history.parameters[-1], 0)):
        loss, accuracy = (history.metrics[f"test_{name}"][-1, k] for name in ("loss", "accuracy"))
        assert found["loss"] == pytest.approx(loss, rel=1e-4)
        assert found["accuracy"] == pytest.approx(accuracy, nan_ok=True)
        sparsity = 1 - found["left"] / is_weight(history).sum()
        assert sparsity == pytest.approx(history.metrics["sparsity"][-1, k], abs=1e-6)


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_the_cross_entropy_of_certain_and_wrong_predictions_is_finite(task: str):
    history = train_pair(task)
    rows = (3000 * history.parameters[-1]).astype(np.float32)
    losses, _ = scored_by_torch(history, rows)
    for k, found in enumerate(prune(history, rows, 0)):
        assert np.isfinite(found["loss"])
        assert found["loss"] == pytest.approx(float(losses[k]), rel=1e-3)


def test_a_weight_of_the_threshold_itself_stays_and_so_does_every_bias():
    history = train_pair("binary")
    row = np.full((1, history.parameters.shape[2]), 0.25, np.float32)
    row[0, ::3] = -0.125
    [at] = prune(history, row, 0.25)
    kept = ~is_weight(history) | (row[0] == 0.25)
    assert np.array_equal(at["row"], np.where(kept, row[0], 0))


def test_units_count_as_connected_where_a_path_leads_from_an_input_to_an_output():
    history = train_pair("multiclass")
    random = np.random.default_rng(0)
    shape = (40, history.parameters.shape[2])
    # from all links to hardly any
    rows = (random.uniform(size=shape) < np.linspace(0.02, 1, 40)[:, None]).astype(np.float32)
    found = [one["connected"] for one in prune(history, rows, 0)]
    assert found == [connected_by_numpy(history, row) for row in rows]
    assert {0, 15} < set(found)
    blocks = map(history.layout.split, rows)
    assert found == [units_left([layer[:, :-1].T for layer in each]) for each in blocks]


def test_every_position_of_the_slider_is_a_threshold_of_its_own():
    ranges = [0.05, 1, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 40, 1000]
    for high, stops in zip(ranges, evaluate(SLIDER, ranges), strict=True):
        thresholds, positions = zip(*stops, strict=True)
        assert positions == tuple(range(101))
        assert (thresholds[0], thresholds[-1]) == (0, high)
        assert np.all(np.diff(thresholds) > 0)


def test_the_bar_under_the_pointer_is_the_one_that_the_weight_there_is_counted_in():
    assert all(evaluate(BARS, [3.0, 411]))
