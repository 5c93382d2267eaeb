"""Tests of the notebooks in examples/: they run, and what their texts say is true."""

import json
import platform
import re
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from nbformat import NotebookNode

from devtools.notebooks import NOTEBOOKS, PLOTLY, alternative, cleaned, execute
from devtools.serving import ROOT
from regviz.methods.strengths import N_STRENGTHS

# a cell for each notebook, which collects the numbers that its texts are about
FACTS = {
    "first-steps": """
dict(
    {name: values[-1].tolist() for name, values in history.metrics.items()},
    stopped_at=test_loss[best[0], 0].item(),
    lowest_test_loss_at=int(test_loss[:, 0].argmin()),
    n_frames=len(history.epochs),
    nonzero=l1_path.nonzero.tolist(),
    recorded=history.epochs.tolist(),
    shown=[board.focus, board.epoch],
)
""",
    "own-data": """
dict(
    accuracy=[plain.score(X_test, y_test), search.score(X_test, y_test)],
    scores=sparse.scores_.tolist(),
    chosen=sparse.strengths_.tolist().index(sparse.best_strength_),
    coefficients=sparse.coef_.tolist(),
    test_accuracy=history.metrics["test_accuracy"][-1].tolist(),
    test_loss=history.metrics["test_loss"][-1].tolist(),
    sparsity=history.metrics["sparsity"][-1].tolist(),
    n_test=len(y_test),
)
""",
    "study": "dict(losses=losses.tolist(), widths=WIDTHS)",
}
SAVED = {path.stem: nbformat.read(path, as_version=4) for path in NOTEBOOKS}


@pytest.fixture(scope="module")
def executed() -> dict[str, NotebookNode]:
    """The executed notebooks by name, each with its facts in an additional last cell."""
    notebooks = {path.stem: nbformat.read(path, as_version=4) for path in NOTEBOOKS}
    for name, notebook in notebooks.items():
        code = f"import json\nprint(json.dumps({FACTS[name].strip()}))"
        notebook.cells.append(nbformat.v4.new_code_cell(code))
    execute(list(notebooks.values()))
    return notebooks


@pytest.fixture(scope="module")
def facts(executed: dict[str, NotebookNode]) -> dict[str, Any]:
    """The numbers of each notebook."""
    return {name: json.loads(each.cells[-1].outputs[0].text) for name, each in executed.items()}


@pytest.fixture(scope="module")
def first(facts: dict[str, Any]) -> dict[str, Any]:
    return facts["first-steps"]


def test_there_are_three_notebooks():
    assert list(SAVED) == list(FACTS)


def test_the_baseline_overfits(first):
    train, test = first["train_loss"], first["test_loss"]
    assert min(train) == train[0]
    assert max(test) == test[0]
    assert first["lowest_test_loss_at"] < first["n_frames"] / 2


def test_l1_sets_most_weights_to_0_and_the_others_none(first):
    none, l1, l2, dropout = first["sparsity"]
    assert l1 > 0.5
    assert none == l2 == dropout == 0


def test_early_stopping_tests_better_than_the_end(first):
    assert first["stopped_at"] < first["test_loss"][0]


def test_the_stronger_the_penalty_the_fewer_weights_are_left(first):
    nonzero = first["nonzero"]
    assert len(nonzero) == N_STRENGTHS == 12
    assert nonzero == sorted(nonzero, reverse=True)
    assert nonzero[0] > nonzero[-1]


def test_the_board_has_the_focus_that_was_set_and_the_last_recorded_epoch_before(first):
    before = max(epoch for epoch in first["recorded"] if epoch <= 60)
    assert first["shown"] == ["l1", before]


def test_the_chosen_strength_is_the_strongest_within_a_standard_error_of_the_best(facts):
    scores, chosen = np.array(facts["own-data"]["scores"]), facts["own-data"]["chosen"]
    means = scores.mean(axis=0)
    error = scores[:, means.argmax()].std(ddof=1) / np.sqrt(len(scores))
    assert chosen == np.flatnonzero(means >= means.max() - error).max()


def test_the_chosen_model_uses_seven_columns_and_tells_the_wines_apart(facts):
    own = facts["own-data"]
    used = (np.array(own["coefficients"]) != 0).any(axis=0)
    assert (used.sum(), len(used)) == (7, 13)
    assert min(own["accuracy"]) > 19 / 20


def test_no_network_overfits_on_the_wines_and_l1_needs_a_tenth_of_its_weights(facts):
    own = facts["own-data"]
    none, l1, l2, dropout = own["sparsity"]
    assert 0.85 < l1 < 0.95
    assert none == l2 == dropout == 0
    assert np.argmin(own["test_loss"]) == 0
    # accuracies differ by two of the test points at most
    assert np.ptp(own["test_accuracy"]) * own["n_test"] < 2.5


def test_l2_helps_at_every_width_and_dropout_needs_units_to_spare(facts):
    losses, widths = np.array(facts["study"]["losses"]), facts["study"]["widths"]
    none, l2, dropout = np.moveaxis(losses, 2, 0)
    n = losses.shape[1]
    assert widths == [4, 8, 16, 32, 64]

    def in_errors(difference):
        return difference.mean(axis=1) / (difference.std(axis=1, ddof=1) / np.sqrt(n))

    assert (in_errors(l2 - none) < -3).all()
    narrow, eight, *wide = in_errors(dropout - none)
    assert narrow > 3
    assert abs(eight) < 2
    assert max(wide) < -3
    lead = (dropout - l2).mean(axis=1)
    assert (lead > 0).all()
    assert lead.argmax() == 0
    # a single seed misleads at 16 units
    assert (dropout[2] > none[2]).any()


def test_pairing_makes_standard_errors_smaller(facts):
    _, l2, dropout = np.moveaxis(np.array(facts["study"]["losses"]), 2, 0)
    separate = l2.var(axis=1, ddof=1) + dropout.var(axis=1, ddof=1)
    assert ((l2 - dropout).var(axis=1, ddof=1) < separate).all()


def without_numbers(text: str) -> str:
    """Return a text with ``#`` for each number: last digits differ between processors."""
    return re.sub(r"\s+", " ", re.sub(r"[-+−]?\d+(\.\d+)?(e[-+]\d+)?", "#", text))


def outline(notebook: NotebookNode) -> list[list[dict[str, str]]]:
    """Return the outputs of each code cell by their types: texts without numbers, no pictures."""
    outlines = []
    for cell in notebook.cells:
        outputs = []
        for output in cell.get("outputs", ()):
            data = dict(output.get("data", {output.output_type: output.get("text", "")}))
            if figure := data.pop(PLOTLY, None):
                data = {"image/png": "", "text/plain": alternative(figure)}
            pictures = {"image/png": ""} if "image/png" in data else {}
            outputs.append({k: without_numbers(text) for k, text in data.items()} | pictures)
        outlines.append(outputs)
    return outlines


@pytest.mark.parametrize("name", FACTS)
def test_saved_outputs_are_those_of_a_new_execution(name: str, executed: dict[str, NotebookNode]):
    fresh = cleaned(executed[name])
    fresh.cells.pop()
    assert outline(fresh) == outline(SAVED[name]), "run python -m devtools.notebooks"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_saved_notebook_is_small_complete_and_of_no_machine(path: Path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert path.stat().st_size < 1_000_000
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert {output.output_type for output in outputs} <= (
        {"stream", "execute_result", "display_data"}
    )
    assert all(output.get("name", "stdout") == "stdout" for output in outputs)
    images = [each.data.pop("image/png") for each in outputs if "image/png" in each.get("data", {})]
    assert images
    assert all(image.startswith("iVBORw0KGgo") for image in images)  # the signature of PNG
    text = nbformat.writes(notebook)
    assert "streamlit" not in text.lower()
    for foreign in (str(ROOT), str(Path.home()), "/tmp/", "widget-view", " at 0x"):
        assert foreign not in text
    assert not re.search(rf"\b{re.escape(platform.node())}\b", text)
