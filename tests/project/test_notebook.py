"""Tests of the notebook and of the statements in it."""

import json
import os
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from sklearn.linear_model import Lasso

from regviz.methods.strengths import N_STRENGTHS

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "examples" / "regviz.ipynb"

# an appended cell that collects the numbers in question
FACTS = """
import json

last = {name: values[-1].tolist() for name, values in history.metrics.items()}
facts = dict(
    last,
    stopped_at=test_loss[best[0], 0].item(),
    lowest_test_loss_at=int(test_loss[:, 0].argmin()),
    n_frames=len(history.epochs),
    nonzero=l1_path.nonzero.tolist(),
    X=X[:80].tolist(),
    y=y[:80].tolist(),
    coefficients=fitted.weights(1)[0][:, 0].tolist(),
    alternative=fitted.weights(0)[0][:, 0].tolist(),
)
print(json.dumps(facts))
"""


@pytest.fixture(scope="module")
def executed_notebook(tmp_path_factory) -> nbformat.NotebookNode:
    """The executed notebook; an error in a cell fails the tests."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(FACTS))
    folder = tmp_path_factory.mktemp("examples")  # the notebook needs no other file
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(ROOT)  # as if installed
    try:
        client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": folder}})
        return client.execute()
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


@pytest.fixture(scope="module")
def facts(executed_notebook) -> dict:
    return json.loads(executed_notebook.cells[-1].outputs[0].text)


def test_the_baseline_overfits(facts):
    train, test = facts["train_loss"], facts["test_loss"]
    assert min(train) == train[0]
    assert max(test) == test[0]
    assert facts["lowest_test_loss_at"] < facts["n_frames"] / 2


def test_l1_sets_most_weights_to_0_and_the_others_none(facts):
    none, l1, l2, dropout = facts["sparsity"]
    assert l1 > 0.5
    assert none == l2 == dropout == 0


def test_early_stopping_tests_better_than_the_end(facts):
    assert facts["stopped_at"] < facts["test_loss"][0]


def test_the_stronger_the_penalty_the_fewer_weights_are_left(facts):
    nonzero = facts["nonzero"]
    assert len(nonzero) == N_STRENGTHS
    assert nonzero == sorted(nonzero, reverse=True)
    assert nonzero[0] > nonzero[-1]


def test_l1_keeps_the_three_columns_and_agrees_with_lasso(facts):
    coefficients = np.array(facts["coefficients"])
    assert np.flatnonzero(coefficients).tolist() == [0, 3, 7]
    assert np.all(np.array(facts["alternative"]) != 0)
    lasso = Lasso(alpha=0.2, tol=1e-12).fit(facts["X"], facts["y"])
    np.testing.assert_allclose(coefficients, lasso.coef_, atol=1e-6)


def test_figures_and_tables_are_shown(executed_notebook):
    pictures = [
        output
        for cell in executed_notebook.cells
        for output in cell.get("outputs", [])
        if "application/vnd.plotly.v1+json" in output.get("data", {})
    ]
    assert len(pictures) == 4
    assert all(
        output.output_type != "error"
        for cell in executed_notebook.cells
        for output in cell.get("outputs", [])
    )


def test_it_is_stored_without_outputs_and_without_streamlit():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert "streamlit" not in cell.source.lower()
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
