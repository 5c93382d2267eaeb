"""Tests of the browser's pictures of tables against the history that was encoded."""

import base64
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import regviz
from regviz.scenes.encoding import encode
from regviz.scenes.frames import rounded
from regviz.scenes.scene import Scene
from tests.support.node import evaluate
from tests.support.recordings import source_of

AXES = (2, 7)
SIZE = 9
READ = """async ([message, axes, size]) => {
  const { decode } = await import(assets + "/board/state/codec.js");
  const r = await import(assets + "/board/state/recording.js");
  const p = await import(assets + "/board/state/plane.js");
  const i = await import(assets + "/board/state/inputs.js");
  const f = await import(assets + "/board/state/forward.js");
  const { constantLoss } = await import(assets + "/board/state/summary.js");
  const { makePoints, score } = await import(assets + "/board/state/prune.js");
  const recording = r.start(await decode(Buffer.from(message, "base64")));
  const { network, points } = recording;
  const plane = p.planeOf(recording, axes);
  const [grid, train] = [p.gridOf(network, plane, size), p.inputsOf(network, points.train)];
  const row = new Float32Array(recording.nParameters);
  const networks = Array.from(recording.diverged, (_, k) => {
    r.copyRow(recording, recording.nReceived - 1, k, row);
    return {
      bars: Array.from(i.inputWeights(network.layers, row)),
      sentence: i.describeInputs(recording, row),
      grid: Array.from(f.evaluate(network, row, 0, grid, size * size)),
      train: Array.from(f.evaluate(network, row, 0, train, p.countOf(network, points.train))),
      loss: score(network, row, makePoints(network, points.test)).loss,
    };
  });
  return {
    networks, plane, isTable: p.isTable(recording),
    names: recording.columns.map(({ name }) => name),
    relevant: recording.columns.map(({ relevant }) => relevant), reach: i.reachOf(recording),
    constant: constantLoss(network, points.train),
  };
}"""


def recorded(name: str, hidden: tuple[int, ...]) -> tuple[regviz.History, dict[str, Any]]:
    scene = Scene(
        regviz.DataSpec(name, 200, train_fraction=0.3, seed=1),
        regviz.NetworkSpec(hidden),
        regviz.TrainingSpec("momentum", 0.01, epochs=30, frames=3),
        ("none", "l1", "l2"),
    )
    grid = scene.grid()
    history = regviz.train(grid.experiment)
    message = base64.b64encode(encode(source_of(grid, history))).decode()
    return history, evaluate(READ, [message, AXES, SIZE])


@pytest.fixture(scope="module", params=[("diabetes", ()), ("breast_cancer", (4, 3))], ids=str)
def run(request: pytest.FixtureRequest) -> tuple[regviz.History, dict[str, Any]]:
    return recorded(*request.param)


def rows_sent(history: regviz.History) -> regviz.History:
    return replace(history, parameters=rounded(history.parameters))


def test_the_bars_are_the_weights_or_the_norms_of_the_outgoing_weights(run):
    history, found = run
    sent = rows_sent(history)
    for k, network in enumerate(found["networks"]):
        weights = sent.weights(k)[0].astype(np.float64)
        linear = len(sent.layout.sizes) == 2
        expected = weights[:, 0] if linear else np.linalg.norm(weights, axis=1)
        np.testing.assert_allclose(network["bars"], expected, rtol=1e-15, atol=0)
        np.testing.assert_array_equal(np.array(network["bars"]) == 0, (weights == 0).all(axis=1))
        left = int((expected != 0).sum())
        assert f"of {len(expected)} inputs, {left} are not 0" in network["sentence"]
    ours = [np.abs(network["bars"]).max() for network in found["networks"]]
    assert found["reach"] >= ours[0]
    # L1 has set some inputs to 0, so that the patterns of zeros are compared
    assert any(0 in network["bars"] for network in found["networks"])


def test_the_plane_shows_what_the_history_predicts_at_the_means_of_the_others(run):
    history, found = run
    dataset = history.dataset
    X = np.tile(dataset.X_train.mean(axis=0), (SIZE * SIZE, 1))
    across, up = (np.linspace(*found["plane"][side], SIZE) for side in "xy")
    X[:, AXES[0]] = np.tile(across, SIZE)
    X[:, AXES[1]] = np.repeat(up[::-1], SIZE)
    expected = rows_sent(history).predict(X)
    for k, network in enumerate(found["networks"]):
        np.testing.assert_allclose(network["grid"], expected[k], rtol=0, atol=2e-6)
    everything = np.concatenate([dataset.X_train, dataset.X_validation, dataset.X_test])
    low, high = everything[:, AXES[0]].min(), everything[:, AXES[0]].max()
    assert found["plane"]["x"][0] < dataset.X_train[:, AXES[0]].min()
    assert found["plane"]["x"][1] > dataset.X_train[:, AXES[0]].max()
    assert found["plane"]["x"][1] - found["plane"]["x"][0] < 1.2 * (high - low)


def test_losses_in_the_browser_are_those_of_all_columns(run):
    history, found = run
    sent = rows_sent(history)
    X, y = history.dataset.points("train")
    np.testing.assert_allclose(
        [network["train"] for network in found["networks"]], sent.predict(X), rtol=0, atol=2e-6
    )
    np.testing.assert_allclose(
        [network["loss"] for network in found["networks"]],
        history.metrics["test_loss"][-1],
        rtol=1e-4,
    )
    if history.dataset.task == "regression":
        assert found["constant"] == pytest.approx(y.var() / 2, rel=1e-6)


def test_columns_have_their_names_and_what_is_known_of_them(run):
    history, found = run
    data = history.experiment.data
    assert found["isTable"]
    assert tuple(found["names"]) == data.columns
    assert set(found["relevant"]) == {None}


def test_the_relevant_columns_of_a_made_table_are_told():
    _, found = recorded("small_and_fat", ())
    assert found["relevant"] == [True] * 5 + [False] * 55
