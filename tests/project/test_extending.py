"""What docs/extending.md tells people to write works as it stands there."""

import contextlib
import importlib
import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import regviz
from devtools.serving import TRACEBACK, Stranger, serve
from regviz.data.points_file import points_csv
from regviz.methods.catalogue import METHODS
from regviz.pages import SCRIPT
from regviz.pages.understand import VIEWS, register_view
from regviz.programs import LIBRARIES, libraries, program, register_library
from regviz.server import state
from regviz.spec.toy import DATASETS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "extending.md").read_text()
BLOCK = r"```python\n(.*?)^```"
FILES = dict(re.findall(rf"`(\w+\.py)`:\n\n{BLOCK}", TEXT, re.MULTILINE | re.DOTALL))
IN_APP, IN_PYTHON = (
    block
    for block in re.findall(rf"^{BLOCK}", TEXT, re.MULTILINE | re.DOTALL)
    if block not in FILES.values()
)


@pytest.fixture(scope="module", autouse=True)
def extended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The files as written, and registered as `app.py` is told to."""
    folder = tmp_path_factory.mktemp("own")
    for name, source in FILES.items():
        (folder / name).write_text(source)
    tables = DATASETS, METHODS, VIEWS, LIBRARIES
    before = [dict(table) for table in tables]
    sys.path.insert(0, str(folder))
    exec(compile(IN_APP, "app.py", "exec"), {})
    yield
    sys.path.remove(str(folder))
    for name in FILES:
        sys.modules.pop(name.removesuffix(".py"), None)
    for table, entries in zip(tables, before, strict=True):
        table.clear()
        table.update(entries)


@pytest.fixture(scope="module")
def page(extended: None) -> Iterator[AppTest]:
    """The page with all of it, at a link."""
    page = AppTest.from_file(str(SCRIPT), default_timeout=30)
    query = {"data": "ring", "methods": "none,mostly_l1", "hidden": "4", "epochs": "20"}
    page.query_params.update(query)
    yield page.run()
    state.runs.cache_clear()


def test_each_file_adds_something():
    assert sorted(FILES) == ["closed_form.py", "mostly_l1.py", "norms.py", "ring.py"]
    assert "ring" in DATASETS
    assert "mostly_l1" in METHODS
    assert "Norms" in VIEWS
    assert "closed-form" in LIBRARIES
    assert len((ROOT / "app.py").read_text().split("\napp = st.App(")) == 2


def test_the_dataset_and_the_method_are_trained(capsys: pytest.CaptureFixture[str]):
    scope: dict = {}
    exec(compile(IN_PYTHON, "extending.md", "exec"), scope)
    none, *sparsity = scope["history"].metrics["sparsity"][-1]
    assert none == 0
    assert len(sparsity) == len(scope["grid"].strengths("mostly_l1")) == 8
    assert sparsity[-1] > 0.9
    assert len(capsys.readouterr().out.splitlines()) >= 2


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
    assert [key for key, _ in grid.networks_by_method] == ["none", "mostly_l1"]
    assert "Mostly L1" in [toggle.label for toggle in page.toggle]


def test_the_method_is_off_at_first():
    page = AppTest.from_file(str(SCRIPT), default_timeout=30)
    page.query_params.update({"hidden": "2", "epochs": "50"})
    switch = page.run().toggle(key="use_mostly_l1")
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


def test_a_server_whose_app_imports_them_serves_them(tmp_path: Path):
    for name in ("regviz", "assets", ".streamlit"):
        (tmp_path / name).symlink_to(ROOT / name)
    for name, source in FILES.items():
        (tmp_path / name).write_text(source)
    start, line, end = (ROOT / "app.py").read_text().partition("\napp = st.App(")
    (tmp_path / "app.py").write_text(f"{start}\n{IN_APP}{line}{end}")
    with serve(tmp_path, root=tmp_path) as server, Stranger(server) as stranger:
        heard = stranger.ask("data=ring&methods=none,mostly_l1&hidden=2&epochs=50")
        said = b"".join(message.SerializeToString() for message in heard)
        assert b"Data: Ring" in said
        assert b"Mostly L1" in said
        assert "Norms" in str(heard)
    assert TRACEBACK not in server.logged()


def test_a_name_that_is_taken_is_refused():
    register_view("Norms", "norms")  # the same once more
    register_library("closed-form", importlib.import_module("closed_form"))
    with pytest.raises(ValueError, match="label must be one that no other view has"):
        register_view("Paths", "norms")
    with pytest.raises(ValueError, match="key must be one that no other library has"):
        register_library("keras", importlib.import_module("closed_form"))
