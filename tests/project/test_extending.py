"""Tests of the files and commands in docs/howto/extending.md."""

import contextlib
import importlib
import io
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import regviz
from devtools.serving import TRACEBACK, RawVisitor, Server, free_port, start
from regviz.data.points_file import points_csv
from regviz.methods.catalogue import EARLY_STOPPING, METHODS, colour
from regviz.methods.labels import label
from regviz.methods.palette import BLANK, Theme
from regviz.pages import SCRIPT
from regviz.pages.understand import VIEWS, register_view
from regviz.programs import LIBRARIES, libraries, program, register_library
from regviz.scenes.link import to_query
from regviz.server import state
from regviz.spec.toy import DATASETS
from tests.support.colours import VISION, contrast, nearest
from tests.support.commands import python

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "howto" / "extending.md").read_text()
BLOCK = r"```python\n(.*?)^```"
FILES = dict(re.findall(rf"`(\w+\.py)`:\n\n{BLOCK}", TEXT, re.MULTILINE | re.DOTALL))
(IN_PYTHON,) = (
    block
    for block in re.findall(rf"^{BLOCK}", TEXT, re.MULTILINE | re.DOTALL)
    if block not in FILES.values()
)


@pytest.fixture(scope="module", autouse=True)
def extended_project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A folder with the document's files, which are imported."""
    folder = tmp_path_factory.mktemp("own")
    for name, source in FILES.items():
        (folder / name).write_text(source)
    tables = DATASETS, METHODS, VIEWS, LIBRARIES
    before = [dict(table) for table in tables]
    sys.path.insert(0, str(folder))
    importlib.import_module("extensions")
    yield
    sys.path.remove(str(folder))
    for name in FILES:
        sys.modules.pop(name.removesuffix(".py"), None)
    for table, entries in zip(tables, before, strict=True):
        table.clear()
        table.update(entries)


@pytest.fixture(scope="module")
def page(extended_project: None) -> Iterator[AppTest]:
    """The page with these extensions."""
    page = AppTest.from_file(str(SCRIPT), default_timeout=30)
    query = {"data": "ring", "methods": "none,mostly_l1", "hidden": "4", "epochs": "20"}
    page.query_params.update(query)
    yield page.run()
    state.runs.cache_clear()


def test_each_file_adds_something():
    assert sorted(FILES) == [
        *("closed_form.py", "extensions.py", "l2_and_dropout.py", "mostly_l1.py", "norms.py"),
        "ring.py",
    ]
    assert "ring" in DATASETS
    assert "mostly_l1" in METHODS
    assert "Norms" in VIEWS
    assert "closed-form" in LIBRARIES


def test_the_dataset_and_the_method_are_trained(capsys: pytest.CaptureFixture[str]):
    scope: dict = {}
    exec(compile(IN_PYTHON, "extending.md", "exec"), scope)
    none, *sparsity = scope["history"].metrics["sparsity"][-1]
    assert none == 0
    assert len(sparsity) == len(scope["grid"].strengths("mostly_l1")) == 12
    assert sparsity[-1] > 0.9
    assert len(capsys.readouterr().out.splitlines()) >= 2


def test_the_method_with_a_second_parameter_is_trained_in_each_variant():
    importlib.import_module("l2_and_dropout")
    scene = regviz.Scene(methods=("none", "l2_and_dropout"), variants={"l2_and_dropout": 0.3})
    grid = replace(scene, training=regviz.TrainingSpec(epochs=3)).grid()
    assert grid.values("l2_and_dropout") == [0.1, 0.3]
    rows = grid.experiment.regularizations
    shown = rows[grid.rows({}, scene.variant_indices(grid))[1]]
    assert shown.drop_rate == 0.3
    assert label(shown).text == f"L2 + dropout λ₂ = {shown.l2:g}, drop 30 %"
    history = regviz.train(grid.experiment)
    assert len(np.unique(history.parameters[-1], axis=0)) == 1 + 2 * 12
    assert to_query(scene)["l2_and_dropout_drop_rate"] == "0.3"
    del METHODS["l2_and_dropout"]  # it has the colours of the other example


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_methods_colours_are_told_apart_from_the_built_in_ones(vision: str, theme: Theme):
    assert "mostly_l1" in METHODS
    assert nearest([colour(key)[theme] for key in (*METHODS, EARLY_STOPPING)], vision) > 20
    assert contrast(METHODS["mostly_l1"].colour[theme], BLANK[theme]) > 3


def test_a_seed_gives_the_same_points():
    spec = regviz.DataSpec("ring", noise=0.1, seed=3)
    first, again = regviz.make_dataset(spec), regviz.make_dataset(spec)
    assert np.array_equal(first.X_train, again.X_train)
    assert set(first.y_train) == {0, 1}


def test_the_page_opens_with_both(page: AppTest):
    assert not page.exception
    assert not page.warning
    grid, _, _ = page.session_state["page"].shown
    assert grid.experiment.data.name == "ring"
    assert list(grid.methods) == ["none", "mostly_l1"]
    assert "Mostly L1" in [toggle.label for toggle in page.toggle]


def test_the_method_is_off_at_first():
    page = AppTest.from_file(str(SCRIPT), default_timeout=30)
    page.query_params.update({"hidden": "2", "epochs": "50"})
    switch = page.run().toggle(key=page.session_state["page"].control_keys["use_mostly_l1"])
    assert switch.label == "Mostly L1"
    assert switch.value is False
    state.runs.cache_clear()


def test_the_view_is_drawn_below_the_board(page: AppTest):
    visitor = page.session_state["page"].visitor
    grid, _, _ = page.session_state["page"].shown
    run = state.runs().get(grid.experiment, visitor, always=True)
    while not run.wait(10**6, timeout=30, visitor=visitor).complete:
        pass
    page.session_state["understand"] = "Norms"
    page.run()
    assert not page.exception
    (chart,) = page.get("plotly_chart")
    layout = json.loads(chart.proto.spec)["layout"]
    assert layout["yaxis"]["title"]["text"] == "‖w‖₂"
    (alt,) = (e.proto.body for e in page.get("html") if 'role="note"' in e.proto.body)
    assert "longest weights" in alt


def test_the_program_arrives_where_the_run_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    training = regviz.TrainingSpec(
        learning_rate=0.5, batch_size=None, epochs=2000, frames=1, dtype="float64"
    )
    rows = (regviz.Regularization(l2=0.1), regviz.Regularization(l1=0.1))
    linear = regviz.NetworkSpec(hidden=())
    experiment = regviz.Experiment(regviz.DataSpec("plane", noise=0.2), linear, training, rows)
    history = regviz.train(experiment)
    monkeypatch.chdir(tmp_path)
    Path("points.csv").write_text(points_csv(history.dataset))
    written = program(experiment, 0, "closed-form")
    scope: dict = {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(written.source, "program.py", "exec"), scope)
    np.testing.assert_allclose(scope["weights"], history.weights(0)[0][:, 0], rtol=1e-8)
    assert f"test: loss {history.metrics['test_loss'][-1, 0]:.4f}" in printed.getvalue()
    assert libraries(experiment, 1)["closed-form"] == "Only L2 has a closed form here."


def test_a_server_that_imports_them_serves_them(tmp_path: Path):
    for name, source in FILES.items():
        (tmp_path / name).write_text(source)
    port = free_port()
    server = Server(f"http://127.0.0.1:{port}", tmp_path / "log")
    (options,) = re.findall(r"^regviz (serve --import extensions)$", TEXT, re.MULTILINE)
    serve = [sys.executable, "-P", "-m", "regviz", *options.split(), "--import", "ring"]
    command = [*serve, "--port", str(port)]
    with start(command, tmp_path, server, PYTHONPATH=str(ROOT)), RawVisitor(server) as client:
        received = client.rerun("data=ring&methods=none,mostly_l1&hidden=2&epochs=50")
        data = b"".join(message.SerializeToString() for message in received)
        assert b"Data: Ring" in data
        assert b"Mostly L1" in data
        assert "Norms" in str(received)
    assert TRACEBACK not in server.logged()


def test_a_module_that_is_missing_is_named_in_one_line(tmp_path: Path):
    done = python(
        "-P",
        "-m",
        "regviz",
        "serve",
        "--import",
        "nope",
        cwd=tmp_path,
        check=False,
        PYTHONPATH=str(ROOT),
    )
    (line,) = [line for line in done.stderr.splitlines() if "nope" in line]
    assert line == (
        "RegViz cannot start: --import (REGVIZ_IMPORTS) must be modules that are installed or in"
        f" {tmp_path}, got 'nope'"
    )
    assert done.returncode == 1
    assert TRACEBACK not in done.stderr


def test_a_name_that_is_taken_is_refused():
    register_view("Norms", "norms")  # repeated registration of the same
    register_library("closed-form", importlib.import_module("closed_form"))
    with pytest.raises(ValueError, match="label must be one that no other view has"):
        register_view("Paths", "norms")
    with pytest.raises(ValueError, match="key must be one that no other library has"):
        register_library("keras", importlib.import_module("closed_form"))
