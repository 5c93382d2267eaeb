"""Tests of the texts beside a pinned run's pictures, against the history."""

import base64
from dataclasses import replace

import pytest

import regviz
from regviz.scenes.encoding import encode_still
from regviz.scenes.showcase import SHOWCASE
from regviz.scenes.strength_grid import StrengthGrid
from tests.support.node import evaluate

FACTS = """async (message) => {
  const { decode } = await import(assets + "/board/state/codec.js");
  const { start } = await import(assets + "/board/state/recording.js");
  const { makeDisplayed, updateDisplayed } = await import(assets + "/board/state/displayed.js");
  const { START } = await import(assets + "/board/state/view.js");
  const { factsOf } = await import(assets + "/pins/facts.js");
  const recording = start(await decode(Buffer.from(message, "base64")));
  return recording.cards.map((card, c) => {
    const displayed = makeDisplayed(card, c, recording.nParameters);
    updateDisplayed(displayed, recording, START, recording.nReceived - 1);
    return factsOf(recording, displayed);
  });
}"""
EPOCHS = 60


def run(**training) -> tuple[StrengthGrid, regviz.History]:
    spec = replace(SHOWCASE.training, **{"epochs": EPOCHS} | training)
    grid = StrengthGrid.of(["none", "l1"], SHOWCASE.data, regviz.NetworkSpec((4, 4)), spec)
    return grid, regviz.train(grid.experiment)


def facts(
    grid: StrengthGrid, history: regviz.History, rows: list[int], epoch: int
) -> dict[str, dict]:
    message = encode_still(grid, rows, history, epoch, "l1")
    found = evaluate(FACTS, base64.b64encode(message).decode())
    return {each["name"]: each for each in found}


@pytest.mark.parametrize("epoch", [0, 37, EPOCHS])
def test_losses_and_weights_are_those_of_the_history_at_the_epoch(epoch: int):
    grid, history = run(learning_rate=0.05)
    rows = grid.rows({"l1": 6})
    found = facts(grid, history, rows, epoch)
    t = list(history.epochs).index(epoch)
    for name, row in (("None", rows[0]), ("L1", rows[1])):
        assert found[name]["epoch"] == f"epoch {epoch} of {EPOCHS}"
        for key, metric in (("train", "train_loss"), ("test", "test_loss")):
            assert float(found[name][key]) == pytest.approx(
                history.metrics[metric][t, row], abs=0.00501
            )
        left = sum(int((block != 0).sum()) for block in history.weights(row, t))
        assert found[name]["left"] == f"{left} of 28"
    assert found["L1"]["strength"] == f"λ₁ = {grid.strengths('l1')[6]:g}"
    assert f"L1, λ₁ = {grid.strengths('l1')[6]:g}, at epoch {epoch}: " in found["L1"]["sentence"]


def test_early_stopping_shows_the_network_that_it_keeps():
    grid, history = run(learning_rate=0.3)
    rows = grid.rows({})
    best = int(history.epochs[history.early_stopping(grid.patience)[0][rows[0]]])
    assert 0 < best < EPOCHS
    found = facts(grid, history, rows, EPOCHS)["Early stopping"]
    assert found["strength"] == f"kept from epoch {best}"
    assert found["epoch"] == f"epoch {best} of {EPOCHS}"


def test_a_network_that_has_diverged_says_so():
    grid, history = run()
    rows = grid.rows({})
    diverged = history.diverged.copy()
    diverged[rows[1]] = 12
    found = facts(grid, replace(history, diverged=diverged), rows, EPOCHS)
    assert found["L1"]["epoch"] == "diverged at epoch 12"
    assert "diverged" not in found["None"]["epoch"]
