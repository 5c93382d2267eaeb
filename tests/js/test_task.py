"""Tests of a lesson's task in the browser against that of the page."""

import base64
from dataclasses import asdict, replace

import pytest

import regviz
from regviz.lessons.task import MEASURES, measures_of, parse_condition
from regviz.scenes.encoding import encode
from regviz.scenes.strength_grid import StrengthGrid
from tests.support.node import evaluate
from tests.support.recordings import source_of

TASK = """async ([message, conditions]) => {
  const { decode } = await import(assets + "/board/state/codec.js");
  const { start } = await import(assets + "/board/state/recording.js");
  const { held, measuresAt } = await import(assets + "/board/state/task.js");
  const recording = start(await decode(Buffer.from(message, "base64")));
  return recording.epochs.map((_, t) => {
    const [none, l1] = [measuresAt(recording, 0, t), measuresAt(recording, 12, t)];
    const by = { none, l1 };
    return [by, conditions.map((condition) => held(condition, by, "l1"))];
  });
}"""


def test_measures_and_conditions_are_those_of_python():
    training = regviz.TrainingSpec(epochs=60, learning_rate=0.1, frames=12)
    data = regviz.DataSpec("circles", noise=0.2)
    grid = StrengthGrid.of(["none", "l1"], data, regviz.NetworkSpec((4, 3)), training)
    history = regviz.train(grid.experiment)
    conditions = [
        parse_condition(text)
        for text in (
            "test_loss < 0.6 and gap >= 0",
            "weights_left <= none.weights_left and l1.epoch > 20",
            "l1_norm < none.l1_norm and units_left > 6",
            "train_accuracy > 0.1",
        )
    ]
    message = base64.b64encode(encode(source_of(grid, history))).decode()
    found = evaluate(TASK, [message, [asdict(condition) for condition in conditions]])
    assert len(found) == len(history.epochs)
    outcomes = set()
    for t, (by, holds) in enumerate(found):
        expected = {"none": measures_of(history, 0, t), "l1": measures_of(history, 12, t)}
        for method, measures in expected.items():
            known = {name: measures[name] for name in MEASURES if name != "train_accuracy"}
            assert by[method] == pytest.approx(known, rel=1e-5)
        for condition, each in zip(conditions[:3], holds, strict=False):
            parts = [replace(condition, comparisons=(c,)) for c in condition.comparisons]
            assert each == [part.holds(expected, "l1") for part in parts]
            outcomes.update(each)
        assert holds[3] == [False]  # messages do not have it
    assert outcomes == {True, False}
