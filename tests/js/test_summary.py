"""Tests of the summary on networks that the library has trained."""

import base64
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

import regviz
from regviz.engine.history import History
from regviz.methods.strengths import N_STRENGTHS
from regviz.scenes.encoding import Source, encode
from regviz.scenes.frames import FrameSelector
from regviz.scenes.showcase import SHOWCASE
from regviz.scenes.strength_grid import StrengthGrid
from tests.support.node import evaluate

# sentence and remarks for each (focus, strength indices, frame); frame -1 is the last
SAY = """async ({ message, cases }) => {
  const { decode } = await import(assets + "/board/state/codec.js");
  const { start } = await import(assets + "/board/state/recording.js");
  const { makeDisplayed, updateDisplayed } = await import(assets + "/board/state/displayed.js");
  const { summaryOf } = await import(assets + "/board/state/summary.js");
  const views = await import(assets + "/board/state/view.js");
  const recording = start(await decode(Buffer.from(message, "base64")));
  const displayed = recording.cards.map((card, c) => makeDisplayed(card, c, recording.nParameters));
  return cases.map(([focus, strengthIndices, at, threshold]) => {
    const view = { ...views.START, focus, strengthIndices, threshold };
    const frame = at < 0 ? recording.nReceived + at : at;
    for (const each of displayed) updateDisplayed(each, recording, view, frame);
    return {
      text: summaryOf(recording, displayed, focus, frame),
      remarks: Object.fromEntries(displayed.map(({ card, remark }) => [card.key, remark])),
      strengths: Object.fromEntries(displayed.map(({ card, strength }) => [card.key, strength])),
    };
  });
}"""

Case = tuple[str, Mapping[str, int], int, float]


class Run:
    """A trained grid and the sentences of the board about it."""

    def __init__(self, methods=("none", "l1", "l2", "dropout", "max_norm"), phases=(), **changes):
        data = replace(SHOWCASE.data, **changes.get("data", {}))
        network = replace(SHOWCASE.network, **changes.get("network", {}))
        training = replace(SHOWCASE.training, **changes.get("training", {}))
        self.grid = StrengthGrid.of(methods, data, network, training, phases)
        self.history: History = regviz.train(self.grid.experiment)
        selector = FrameSelector(self.history)
        selector.add(self.history)
        source = Source.of(self.grid, "a", self.grid.rows({}), self.history, selector)
        self.message = base64.b64encode(encode(source, 0)).decode()

    def say(self, *cases: Case) -> list[dict]:
        return evaluate(SAY, {"message": self.message, "cases": cases})

    def says(self, focus: str, index: int = 7, frame: int = -1, threshold: float = 0) -> str:
        """Return the text with one strength index for all methods."""
        indices = {key: index for key, _ in self.grid.networks_by_method()}
        return self.say((focus, indices, frame, threshold))[0]["text"]

    def last(self, metric: str, method: str, index: int = 7) -> float:
        networks = dict(self.grid.networks_by_method())[method]
        return float(self.history.metrics[metric][-1, networks[min(index, len(networks) - 1)]])


@pytest.fixture(scope="module")
def opening() -> Run:
    return Run()


def test_the_first_sentence_tells_that_none_overfits(opening: Run):
    ratio = opening.last("test_loss", "none") / opening.last("train_loss", "none")
    assert ratio > 1.5
    text = opening.says("none")
    assert text.startswith("None: test loss is ")
    assert "times its training loss; it has learned its points by heart." in text


def test_the_sentence_about_l1_counts_its_weights(opening: Run):
    sparsity = opening.last("sparsity", "l1")
    left = round((1 - sparsity) * 152)
    assert f"with {left} of 152 weights" in opening.says("l1")


def test_every_claim_of_a_difference_is_as_large_as_the_rule_asks(opening: Run):
    for method in ("l1", "l2", "dropout", "max_norm"):
        for index in range(N_STRENGTHS):
            text = opening.says(method, index)
            none, own = opening.last("test_loss", "none"), opening.last("test_loss", method, index)
            if "tests better here" in text:
                assert own <= 0.75 * none
                assert f"{own:.2f} instead of {none:.2f}" in text
            if "tests worse here" in text:
                assert none <= 0.75 * own
            assert ("too strong here" in text) or ("here" in text)


def test_a_collapsed_network_is_named_in_the_sentence_and_on_its_card():
    # the strongest L1 leaves some weights in the page's first run, and none with this seed
    opening = Run(("none", "l1"), data={"seed": 1}, training={"seed": 1})
    strongest = N_STRENGTHS - 1
    case: Case = ("l1", {"l1": strongest}, -1, 0)
    assert opening.last("sparsity", "l1", strongest) == 1
    found = opening.say(case)[0]
    assert found["text"].endswith(
        "L1 is too strong here: all 152 weights are exactly 0, and it gives the same answer"
        " everywhere."
    )
    assert found["remarks"]["l1"] == "same answer everywhere"
    assert found["remarks"]["none"] == ""


def test_pruning_all_weights_makes_a_network_constant(opening: Run):
    found = opening.say(("none", {}, -1, 1e6))[0]
    assert found["text"].startswith("None (pruned) gives the same answer everywhere")
    assert found["remarks"]["none"] == "pruned, same answer everywhere"


def test_epoch_0_and_the_kept_epoch_of_early_stopping(opening: Run):
    assert opening.says("l1", frame=0).startswith("Epoch 0: no network has learned anything yet.")
    best, _ = opening.history.early_stopping(opening.grid.patience)
    epoch = opening.history.epochs[best[0]]
    text = opening.says("early_stopping")
    assert f"Early stopping, with the network of epoch {epoch}," in text
    assert opening.says("early_stopping", frame=1).endswith("shows the same network so far.")


def test_dropout_and_max_norm_have_no_effect_without_a_hidden_layer():
    run = Run(network={"hidden": ()}, training={"epochs": 20})
    found = run.say(("dropout", {}, -1, 0), ("max_norm", {}, -1, 0))
    for each, name in zip(found, ("Dropout", "Max-norm"), strict=True):
        assert each["text"].endswith(f"{name} does nothing here: there is no hidden layer.")
    remarks = found[0]["remarks"]
    assert remarks["dropout"] == remarks["max_norm"] == "no effect: no hidden layer"
    assert remarks["none"] == remarks["l2"] == ""
    # the networks themselves bear it out
    rows = run.history.parameters[-1]
    for method in ("dropout", "max_norm"):
        for k in dict(run.grid.networks_by_method())[method]:
            assert np.array_equal(rows[k], rows[0])


def test_before_the_onset_no_method_is_compared():
    run = Run(("none", "l1"), phases=(regviz.Phase(30),), training={"epochs": 40})
    epochs = list(run.history.epochs)
    text = run.says("l1", frame=epochs.index(30))
    assert text.startswith("Regularization starts at epoch 30:")
    assert "L1" not in text
    assert "Regularization starts" not in run.says("l1")


def test_a_network_that_has_hardly_been_trained_has_learned_little():
    run = Run(("none", "l1"), training={"learning_rate": 1e-4, "epochs": 3})
    assert run.says("l1", 0).startswith("None has learned little here: its training loss is ")
    assert run.says("l1", 0).endswith("L1 has no visible effect here.")


def test_a_diverged_network_is_named_with_its_epoch():
    run = Run(
        ("none", "l2"),
        data={"name": "plane"},
        network={"activation": "relu"},
        training={"learning_rate": 3.0, "epochs": 30},
    )
    epoch = int(run.history.diverged[0])
    assert epoch >= 0
    assert run.says("none").startswith(f"None diverged at epoch {epoch}.")


def test_a_linear_model_on_a_plane_fits_and_a_weak_penalty_ties():
    run = Run(
        ("none", "l2"),
        data={"name": "plane", "noise": 0.1},
        network={"hidden": ()},
        training={"epochs": 100, "learning_rate": 0.01},
    )
    text = run.says("l2", 0)
    assert text.startswith("None does not overfit much here: test loss 0.")
    assert text.endswith("L2 has no visible effect here.")


def test_a_dropout_rate_is_written_with_the_share_kept(opening: Run):
    strengths = opening.say(("none", {}, -1, 0))[0]["strengths"]
    assert strengths["dropout"] == "drop 20 % · keep 80 %"
    assert strengths["max_norm"].endswith(", drop 10 %")
    assert strengths["none"] == ""
