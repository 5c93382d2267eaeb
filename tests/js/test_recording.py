"""Tests of the browser's recording against the history that was encoded."""

import base64
from dataclasses import replace

import numpy as np
import pytest

import regviz
from regviz.scenes.encoding import Source, encode
from regviz.scenes.frames import SENT_METRICS, FrameSelector, rounded
from regviz.scenes.showcase import SHOWCASE
from regviz.scenes.strength_grid import StrengthGrid
from tests.support.node import evaluate

# the number of frames after each message, and all networks at the end
APPEND = """async (messages) => {
  const { decode } = await import(assets + "/board/state/codec.js");
  const { earlyStopping } = await import(assets + "/board/state/stopping.js");
  const r = await import(assets + "/board/state/recording.js");
  const bytes = messages.map((message) => Buffer.from(message, "base64"));
  const decoded = await Promise.all(bytes.map(decode));
  let recording = r.start(decoded[0]);
  const held = [recording.nReceived];
  for (const message of decoded.slice(1)) {
    const again = r.append(recording, decoded[0]);
    if (again !== recording) throw new Error("frames that are there were appended again");
    recording = r.append(recording, message);
    held.push(recording.nReceived);
  }
  const row = new Float32Array(recording.nParameters);
  const frames = recording.epochs.map((_, t) => Array.from(recording.diverged, (_, k) => ({
    row: Array.from(r.copyRow(recording, t, k, row)),
    metrics: recording.metricNames.map((name) => r.metric(recording, name, t, k)),
    diverged: r.isDiverged(recording, t, k),
  })));
  return {
    held, frames, epochs: recording.epochs, complete: r.isComplete(recording),
    axes: r.weightAxes(recording),
    weights: Array.from(recording.weightIndex),
    stopping: Array.from(recording.diverged, (_, k) => earlyStopping(recording, k)),
  };
}"""


@pytest.fixture(scope="module")
def grid() -> StrengthGrid:
    training = replace(SHOWCASE.training, learning_rate=0.3, epochs=40)
    network = regviz.NetworkSpec((4, 3))
    return StrengthGrid.of(["none", "l1"], SHOWCASE.data, network, training)


@pytest.fixture(scope="module")
def history(grid: StrengthGrid) -> regviz.History:
    return regviz.train(grid.experiment)


@pytest.fixture(scope="module")
def found(grid: StrengthGrid, history: regviz.History) -> dict:
    selector = FrameSelector(history)
    selector.add(history)
    source = Source.of(grid, "a", grid.rows({}), history, selector)
    messages, frame = [], 0
    while frame < len(selector.frames):
        message = encode(source, frame, most=15)
        messages.append(base64.b64encode(message).decode())
        frame += min(15, len(selector.frames) - frame)
    return evaluate(APPEND, messages)


def test_frames_follow_one_another_until_all_are_there(found: dict, history: regviz.History):
    n = len(history.epochs)
    assert found["held"] == [*range(15, n, 15), n]
    assert len(found["held"]) > 2
    assert found["epochs"] == history.epochs.tolist()
    assert found["complete"]


def test_every_network_has_its_parameters_and_measures(found: dict, history: regviz.History):
    for t, networks in enumerate(found["frames"]):
        rows = np.array([network["row"] for network in networks], np.float32)
        assert np.array_equal(rows, rounded(history.parameters[t]))
        for k, network in enumerate(networks):
            expected = [history.metrics[name][t, k] for name in SENT_METRICS]
            assert np.array_equal(network["metrics"], np.float32(expected), equal_nan=True)
            lost = history.diverged[k]
            assert network["diverged"] == (0 <= lost <= history.epochs[t])


def test_early_stopping_is_where_the_history_has_it(
    found: dict, grid: StrengthGrid, history: regviz.History
):
    best, stopped = history.early_stopping(grid.patience)
    end = len(history.epochs) - 1
    stopping = found["stopping"]
    assert [network["best"] for network in stopping] == best.tolist()
    # a run's last epoch may itself be the stop
    assert [network["stop"] or end for network in stopping] == stopped.tolist()
    assert any(network["stop"] for network in stopping)
    assert all(network["settled"] for network in stopping)


def test_weights_stand_where_the_layout_has_them(found: dict, history: regviz.History):
    marks = np.zeros(history.parameters.shape[2], bool)
    for block in history.layout.split(marks):
        block[:, :-1] = True
    assert found["weights"] == np.flatnonzero(marks).tolist()
    assert found["axes"]["most"] == marks.sum()
