"""Tests of the plane as a hidden layer sees it: values, principal directions, orientation."""

import numpy as np
import pytest

from tests.js.test_units import draw, split
from tests.support.node import evaluate

SIDE = 25
LAYERS = [2, 6, 5, 1]

EIGEN = """async ([matrix, n]) => {
  const { eigen } = await import(assets + "/board/state/eigen.js");
  const { values, vectors } = eigen(Float64Array.from(matrix), n);
  return [values, vectors.map((vector) => Array.from(vector))];
}"""
# directions, shares and places of the networks with the given rows, one after another
WARP = """async ([network, rows, train, layer, units]) => {
  const w = await import(assets + "/board/state/warp.js");
  const points = { train: Float32Array.from(train) };
  const warp = w.makeWarp({ network, domain: [-2, 2], points });
  return rows.map((row) => {
    w.updateWarp(warp, Float32Array.from(row), layer, units);
    const directions = (warp.directions ?? []).map((one) => Array.from(one));
    return [directions, warp.share, Array.from(warp.places), warp.box];
  });
}"""
RNG = np.random.default_rng(0)
POINTS = np.column_stack([RNG.normal(size=(40, 2)), RNG.integers(0, 2, 40)]).astype(np.float32)


def warps(rows, layer=2, units=None):
    """Return directions (2, units), share of variance and places (points, 2) for each row."""
    network = {
        **{"layers": LAYERS, "activation": "tanh", "task": "binary", "normalization": "none"},
        "features": ["x1", "x2"],
    }
    argument = [network, [row.tolist() for row in rows], POINTS.ravel().tolist(), layer, units]
    return [
        (np.array(directions), share, np.reshape(places, (-1, 2)), box)
        for directions, share, places, box in evaluate(WARP, argument)
    ]


def values_of(row, X, layer):
    """Return the values of a hidden layer, of shape (n, units), by the formula."""
    values = X
    for parameters in split(row, LAYERS)[:layer]:
        values = np.tanh(values @ parameters[:, :-1].T + parameters[:, -1])
    return values


def grid():
    axis = np.linspace(-2, 2, SIDE)
    return np.array([(x1, x2) for x2 in axis[::-1] for x1 in axis])


@pytest.mark.parametrize("n", [1, 2, 5, 32])
def test_eigenvalues_and_vectors_equal_numpys(n: int):
    rng = np.random.default_rng(n)
    factor = rng.normal(size=(n, n + 2))
    matrix = factor @ factor.T
    values, vectors = map(np.array, evaluate(EIGEN, [matrix.ravel().tolist(), n]))
    expected, columns = np.linalg.eigh(matrix)
    np.testing.assert_allclose(values, expected[::-1], atol=1e-13 * np.trace(matrix))
    np.testing.assert_allclose(np.abs((vectors * columns.T[::-1]).sum(1)), 1, rtol=1e-12)


def test_equal_and_zero_eigenvalues_have_orthonormal_vectors():
    for diagonal in ([2.0, 2.0, 0.0, 0.0], [0.0] * 4):
        values, vectors = map(np.array, evaluate(EIGEN, [np.diag(diagonal).ravel().tolist(), 4]))
        assert values.tolist() == diagonal
        np.testing.assert_allclose(vectors @ vectors.T, np.eye(4), atol=1e-15)


@pytest.mark.parametrize("layer", [1, 2])
def test_the_places_along_two_units_are_their_values(layer: int):
    row = draw(LAYERS)
    _, _, places, box = warps([row], layer, [3, 1])[0]
    X = np.concatenate([grid(), POINTS[:, :2]])
    expected = values_of(row, X, layer)[:, [3, 1]]
    np.testing.assert_allclose(places, expected, atol=1e-6)
    assert [box["left"], box["right"]] == [places[:, 0].min(), places[:, 0].max()]
    assert [box["low"], box["high"]] == [places[:, 1].min(), places[:, 1].max()]


@pytest.mark.parametrize("layer", [1, 2])
def test_the_principal_plane_and_its_share_equal_numpys_svd(layer: int):
    row = draw(LAYERS)
    directions, share, places, _ = warps([row], layer)[0]
    values = values_of(row, POINTS[:, :2], layer)
    mean = values.mean(axis=0)
    _, sizes, rows = np.linalg.svd(values - mean)
    assert share == pytest.approx((sizes[:2] ** 2).sum() / (sizes**2).sum(), abs=1e-6)
    np.testing.assert_allclose(directions @ directions.T, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(directions.T @ directions, rows[:2].T @ rows[:2], atol=1e-5)
    seen = values_of(row, np.concatenate([grid(), POINTS[:, :2]]), layer) - mean
    np.testing.assert_allclose(places, seen @ directions.T, atol=1e-5)
    # x₁ to the right and x₂ upwards, as far as an orthogonal map can
    products = POINTS[:, :2].T @ places[-len(POINTS) :]
    assert products[0, 1] == pytest.approx(products[1, 0], abs=1e-4)
    assert np.trace(products) > 0


def test_the_orientation_is_continuous_where_the_directions_exchange_places():
    """The first layer's gain moves from one input to the other, and the variance with it."""
    shares = np.linspace(0, 1, 200)
    turns = np.linalg.qr(RNG.normal(size=(6, 2)))[0]
    rows = []
    for share in shares:
        row = draw(LAYERS)
        split(row, LAYERS)[0][:, :2] = 0.3 * turns * [1.5 - share, 0.5 + share]
        rows.append(row)
    found = warps(rows, layer=1)
    directions = np.array([one for one, *_ in found])
    values = [values_of(row, POINTS[:, :2], 1) for row in rows]
    alone = np.array([np.linalg.svd(v - v.mean(0))[2][:2] for v in values])
    # by how much the directions turn from frame to frame, against the plane that they span
    moves = [np.linalg.norm(np.diff(one, axis=0), axis=(1, 2)) for one in (directions, alone)]
    planes = np.einsum("tai,taj->tij", directions, directions)
    plane_moves = np.linalg.norm(np.diff(planes, axis=0), axis=(1, 2))
    assert (moves[0] <= plane_moves + 1e-9).all()
    assert moves[1].max() > 100 * plane_moves.max()
