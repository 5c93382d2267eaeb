"""Tests of the network diagram: unit outputs, unit states, layout."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit, softmax

from regviz.spec.experiment import ACTIVATIONS
from tests.support.node import evaluate

NO_INPUT_PATH, NO_OUTPUT_PATH, CONSTANT = 1, 2, 4
SHAPES = [[2, 1], [2, 4, 2, 1], [2, 8, 8, 8, 1], [7, *[32] * 6, 1], [2, 8, 8, 3]]
ACTIVATE = {
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.where(z < 0, 0.01 * z, z),
    "sigmoid": expit,
    "linear": lambda z: z,
}
PREDICT = {"binary": expit, "multiclass": lambda z: softmax(z, axis=0), "regression": lambda z: z}

UNITS = """async ([network, row, train]) => {
  const u = await import(assets + "/board/state/units.js");
  const points = { train: Float32Array.from(train) };
  const units = u.makeUnits({ network, domain: [-2, 2], points });
  u.updateUnits(units, Float32Array.from(row));
  const { grid, states } = units;
  return { values: Array.from(grid.values), n: grid.n, states: Array.from(states) };
}"""

MASK = """async ([layers, rate, seed]) => {
  const u = await import(assets + "/board/state/units.js");
  const shape = u.shapeOf(layers);
  return Array.from(u.drawMask(shape, rate, seed, new Uint8Array(shape.count)));
}"""

ARRANGE = """async ([layers, width, height]) => {
  const u = await import(assets + "/board/state/units.js");
  const d = await import(assets + "/board/draw/placement.js");
  const margin = { left: 45, right: 45, top: 36 };
  const { x, y, side } = d.arrange(u.shapeOf(layers), width, height, margin);
  return [x, y, side].map((numbers) => Array.from(numbers));
}"""

# at a quarter of each link's length, where few links cross
FIND_LINKS = """async ([layers, row]) => {
  const u = await import(assets + "/board/state/units.js");
  const d = await import(assets + "/board/draw/placement.js");
  const shape = u.shapeOf(layers);
  const diagram = d.arrange(shape, 900, 600, { left: 40, right: 8, top: 36 });
  const { x, y, side } = diagram;
  const found = [];
  for (let index = 0; index < shape.total; index++) {
    const { layer, unit, input } = u.placeOf(shape, index);
    if (u.parameterOf(shape, layer, unit, input) !== index) return "placeOf";
    if (input === layers[layer - 1]) continue;
    const left = x[layer - 1] + side[layer - 1] / 2;
    const right = x[layer] - side[layer] / 2;
    const from = y[shape.first[layer - 1] + input];
    const to = y[shape.first[layer] + unit];
    const at = [left + (right - left) / 4, from + (to - from) * 0.15625];
    found.push([index, d.linkAt(shape, diagram, Float32Array.from(row), new Map(), 1, ...at, 5)]);
  }
  return found;
}"""


def draw(layers: list[int], seed: int = 0, zeros: float = 0.0) -> NDArray[np.float32]:
    """Return a random row of parameters with a share of zero weights."""
    rng = np.random.default_rng(seed)
    rows = []
    for fan_in, units in itertools.pairwise(layers):
        weights = rng.normal(size=(units, fan_in + 1))
        weights[:, :-1] *= rng.random((units, fan_in)) >= zeros
        rows.append(weights.ravel())
    return np.concatenate(rows).astype(np.float32)


def split(row: NDArray[np.float32], layers: list[int]) -> list[NDArray[np.float32]]:
    """Return each layer's weights and biases, ``(units, fan_in + 1)``."""
    sizes = [units * (fan_in + 1) for fan_in, units in itertools.pairwise(layers)]
    parts = np.split(row, np.cumsum(sizes)[:-1])
    return [part.reshape(-1, fan_in + 1) for part, fan_in in zip(parts, layers, strict=False)]


def units_of(
    layers: list[int],
    row: NDArray[np.float32],
    activation: str = "tanh",
    task: str = "binary",
    train: tuple[float, ...] = (0.0, 0.0, 1.0),
) -> tuple[NDArray[np.float64], list[int]]:
    """Return values ``(units, points)`` and states of all units."""
    names = ["x1", "x2", "x1^2", "x2^2", "x1*x2", "sin(x1)", "sin(x2)"][: layers[0]]
    network = {
        **{"layers": layers, "activation": activation, "task": task, "features": names},
        **{"normalization": "none", "affine": False},
    }
    found = evaluate(UNITS, [network, row.tolist(), list(train)])
    return np.array(found["values"]).reshape(-1, found["n"]), found["states"]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("task", PREDICT)
def test_every_unit_has_the_value_that_its_formula_gives(activation: str, task: str):
    layers = [2, 5, 4, 3 if task == "multiclass" else 1]
    row = draw(layers)
    values, _ = units_of(layers, row, activation, task)
    below = values[:2]
    assert (below.min(), below.max()) == (-2, 2)
    start = 2
    for layer, parameters in enumerate(split(row, layers), start=1):
        z = parameters[:, :-1] @ below + parameters[:, -1:]
        expected = (ACTIVATE[activation] if layer < 3 else PREDICT[task])(z)
        found = values[start : start + layers[layer]]
        assert np.abs(found - expected).max() < 1e-5 * max(1, np.abs(expected).max())
        below, start = expected, start + layers[layer]


@pytest.mark.parametrize("layers", SHAPES, ids=str)
@pytest.mark.parametrize("zeros", [0.0, 0.6, 0.97])
def test_a_unit_is_connected_if_a_path_of_weights_leads_through_it(layers: list[int], zeros: float):
    row = draw(layers, seed=1, zeros=zeros)
    links = [parameters[:, :-1] != 0 for parameters in split(row, layers)]
    fed = [np.ones(layers[0], bool)]
    for link in links:
        fed.append((link & fed[-1]).any(axis=1))
    read = [np.ones(layers[-1], bool)]
    for link in reversed(links):
        read.append((link & read[-1][:, None]).any(axis=0))
    expected = ~np.concatenate(fed) * NO_INPUT_PATH + ~np.concatenate(read[::-1]) * NO_OUTPUT_PATH
    _, states = units_of(layers, row)
    assert np.array_equal(np.array(states) & (NO_INPUT_PATH | NO_OUTPUT_PATH), expected)


def test_a_unit_that_is_never_on_is_constant():
    # x1 − 9 is negative on the whole plane; the second unit has only a bias
    row = np.array([1, 0, -9, 0, 0, 5, 1, 1, 0, 1, 1, 1, 0], np.float32)
    _, states = units_of([2, 3, 1], row, "relu")
    assert states == [0, 0, CONSTANT, NO_INPUT_PATH, 0, 0]


def test_a_unit_that_is_on_at_a_training_point_is_not_constant():
    # active only beyond the domain's edge
    row = np.array([1, 1, -5, 1, 0], np.float32)
    assert units_of([2, 1, 1], row, "relu")[1][2] == CONSTANT
    assert units_of([2, 1, 1], row, "relu", train=(3.0, 3.0, 1.0))[1][2] == 0


def test_a_dropout_mask_leaves_out_hidden_units_at_its_rate():
    layers = [2, 32, 32, 1]
    masks = np.array([evaluate(MASK, [layers, 0.3, seed]) for seed in range(50)])
    assert masks[:, [0, 1, -1]].all()
    # 3200 draws: four standard deviations
    assert abs(1 - masks[:, 2:-1].mean() - 0.3) < 4 * np.sqrt(0.3 * 0.7 / 3200)
    assert evaluate(MASK, [layers, 0.3, 7]) == masks[7].tolist()
    assert len(np.unique(masks, axis=0)) == 50


@pytest.mark.parametrize("layers", SHAPES, ids=str)
@pytest.mark.parametrize("width", [320, 480])
def test_units_neither_overlap_nor_leave_the_box(layers: list[int], width: int):
    x, y, side = map(np.array, evaluate(ARRANGE, [layers, width, 270]))
    assert (side >= 3).all()
    assert (np.diff(x) > (side[1:] + side[:-1]) / 2 + 8).all()
    assert x[0] - side[0] / 2 == pytest.approx(45)
    assert x[-1] + side[-1] / 2 == pytest.approx(width - 45)
    for middles, size in zip(np.split(y, np.cumsum(layers)[:-1]), side, strict=True):
        assert middles.min() - size / 2 >= 36
        assert middles.max() + size / 2 <= 270
        assert (np.diff(middles) > size).all()


def test_a_link_is_found_where_it_is_drawn_and_not_where_its_weight_is_0():
    layers = [2, 4, 3, 1]
    row = draw(layers, seed=2, zeros=0.3)
    found = evaluate(FIND_LINKS, [layers, row.tolist()])
    assert len(found) == 2 * 4 + 4 * 3 + 3
    for index, hit in found:
        assert hit == index if row[index] else hit != index
