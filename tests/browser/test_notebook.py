"""Tests of the board in notebooks: real JupyterLab and marimo, each started once."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from devtools.serving import ROOT, Server, free_port, start

SETUP = """\
import regviz
rows = [
    regviz.Regularization(),
    *(regviz.Regularization(l1=strength) for strength in (0.001, 0.005, 0.02)),
    *(regviz.Regularization.elastic_net(0.01, share) for share in (0.25, 0.75)),
]
training = regviz.TrainingSpec("momentum", learning_rate=0.05, epochs=200)
history = regviz.train(regviz.Experiment(training=training, regularizations=rows))
board = regviz.board(history)
"""
OBSERVE = """\
changes = []
board.observe(lambda change: changes.append(change.name), names=["focus", "levels", "epoch"])
board"""
# takes minutes; its first epochs are recorded one by one
WATCH = """\
training = regviz.TrainingSpec(batch_size=1, epochs=10_000)
network = regviz.NetworkSpec(hidden=(32, 32))
regviz.watch(regviz.Experiment(network=network, training=training, regularizations=rows))"""
TWICE = "display(history, history)"
MARIMO = """\
import marimo
app = marimo.App()

@app.cell
def _():
{setup}
    import marimo
    shown = marimo.ui.anywidget(board)
    shown
    return board, history, shown

@app.cell
def _(shown):
    f"{{shown.focus}} at {{shown.epoch}}"

@app.cell
def _(board):
    button = __import__("marimo").ui.button(on_click=lambda _: setattr(board, "epoch", 7))
    button
    return (button,)

@app.cell
def _(button, history):
    button
    history
"""
EXECUTE = """async ([code, value]) => {
  const { sessions } = window.jupyterapp.serviceManager;
  const [model] = sessions.running();
  const kernelConnectionOptions = { handleComms: false };
  const session = sessions.connectTo({ model, kernelConnectionOptions });
  const request = { code, silent: true, user_expressions: { value } };
  const { content } = await session.kernel.requestExecute(request).done;
  session.dispose();
  return [content.status, content.user_expressions?.value.data?.["text/plain"] ?? content.evalue];
}"""
CONNECTED = """() => {
  const session = window.jupyterapp.shell.currentWidget?.sessionContext?.session;
  return session?.kernel?.connectionStatus === "connected";
}"""
# the board whose root element is given
RECORDING = "({ regviz: { recording: r } }) => r && { received: r.nReceived, of: r.nFrames }"


class Lab(NamedTuple):
    """JupyterLab with a notebook, in a page."""

    page: Page
    errors: list[str]

    @property
    def board(self) -> Locator:
        """The board of the first cell."""
        return self.page.locator(".regviz-board").first

    def run_cell(self, index: int) -> None:
        """Start a cell of the notebook."""
        self.page.evaluate(
            "index => void (window.jupyterapp.shell.currentWidget.content.activeCellIndex = index)",
            index,
        )
        self.command("notebook:run-cell")

    def command(self, name: str, **arguments: str) -> None:
        """Start a command of JupyterLab."""
        run = "([name, given]) => void window.jupyterapp.commands.execute(name, given)"
        self.page.evaluate(run, [name, arguments])

    def kernel(self, value: str, code: str = "") -> Any:
        """Return the value of an expression in the kernel, after running some code."""
        status, text = self.page.evaluate(EXECUTE, [code, f"__import__('json').dumps({value})"])
        assert status == "ok", text
        return json.loads(text[1:-1])

    def wait_for(self, value: str, expected: Any) -> None:
        """Wait until an expression in the kernel has a value."""
        for _ in range(100):
            if (found := self.kernel(value)) == expected:
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(f"{value} is {found}, not {expected}")


def listen(page: Page) -> list[str]:
    """Return a list that errors of a page are added to."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(error.stack or str(error)))
    page.on("console", lambda one: errors.append(one.text) if one.type == "error" else None)
    return errors


@pytest.fixture(scope="module")
def lab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    settings = folder / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet))
    cells = [nbformat.v4.new_code_cell(code) for code in (SETUP + OBSERVE, WATCH, TWICE)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    (folder / "work").mkdir()
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / "work/a.ipynb")
    server = Server(f"http://127.0.0.1:{(port := free_port())}", folder / "log", "/api")
    options = ["--no-browser", "--allow-root", "--expose-app-in-browser", f"--port={port}"]
    options += ["--ip=127.0.0.1", "--IdentityProvider.token=", f"--notebook-dir={folder / 'work'}"]
    own = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
    environment = {f"JUPYTER_{name}": str(folder / name) for name in own} | {
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "IPYTHONDIR": str(folder / "ipython"),
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "jupyterlab", *options]
    with start(command, folder, server, **environment), browser.new_context() as context:
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.set_viewport_size({"width": 1400, "height": 1000})
        opened = Lab(page, listen(page))
        page.goto(f"{server.url}/lab/tree/a.ipynb")
        page.locator(".jp-Notebook .jp-Cell").nth(1).wait_for()
        # a cell that is run before asks for a kernel
        page.wait_for_function(CONNECTED)
        opened.run_cell(0)
        opened.board.locator(".card").nth(3).wait_for()
        yield opened


def test_jupyterlab_shows_the_board_of_any_experiment(lab: Lab):
    expect(lab.board.locator(".card h2")).to_contain_text(["None", "L1", "Elastic", "Early"])
    expect(lab.board.locator(".epoch")).to_have_text("epoch 200 / 200")
    value = "[history.metrics['test_loss'][-1, k] for k in board.networks.values()]"
    losses = [f"{loss:.2f}" for loss in lab.kernel(value)[:3]]
    expect(lab.board.locator(".test_loss dd").nth(0)).to_have_text(losses[0])
    expect(lab.board.locator(".test_loss dd").nth(1)).to_have_text(losses[1])
    expect(lab.board.locator(".test_loss dd").nth(2)).to_have_text(losses[2])
    assert lab.errors == []


def test_the_visitor_and_python_set_focus_levels_and_epoch_each_once(lab: Lab):
    page, board = lab.page, lab.board
    lab.wait_for("board.focus", "l1")  # the board's own choice
    lab.kernel("None", "changes.clear()")
    board.locator(".card").nth(2).locator("h2").click()
    lab.wait_for("board.focus", "elastic_net")
    board.locator(".card").nth(1).locator(".strength-index").press("ArrowRight")
    lab.wait_for("board.levels['l1']", 0.02)
    box = board.locator(".timeline input").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + 17
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 60, y, steps=5)
    page.mouse.up()
    shown = int(board.locator(".now").inner_text())
    assert 0 < shown < 200
    lab.wait_for("board.epoch", shown)
    assert lab.kernel("changes") == ["focus", "levels", "epoch"]

    set_all = "board.focus, board.epoch = 'none', 40; board.levels = {'elastic_net': (0.01, 0.75)}"
    lab.kernel("None", set_all)
    expect(board.locator(".card.focused h2")).to_contain_text("None")
    expect(board.locator(".now")).to_have_text(str(lab.kernel("board.epoch")))
    expect(board.locator(".card").nth(2).locator(".dial")).to_contain_text("75 % L1")
    page.wait_for_timeout(500)  # longer than the delay until a board reports its view
    assert lab.kernel("changes[3:]") == ["focus", "epoch", "levels"]
    assert lab.errors == []


def test_keys_are_for_the_board_or_for_the_notebook(lab: Lab):
    loop = lab.board.locator("[data-icon=loop]")
    cells = lab.page.locator(".jp-Notebook .jp-Cell").count()
    lab.board.locator(".card").nth(1).locator(".pick").focus()
    lab.page.keyboard.press("b")  # in Jupyter: a new cell
    lab.page.keyboard.press("l")
    expect(loop).to_have_attribute("aria-pressed", "true")
    assert lab.page.locator(".jp-Notebook .jp-Cell").count() == cells
    lab.page.locator(".jp-InputPrompt").nth(1).click()
    lab.page.keyboard.press("l")  # in Jupyter: line numbers
    lab.page.wait_for_timeout(200)
    expect(loop).to_have_attribute("aria-pressed", "true")
    loop.click()


def test_the_board_has_the_notebooks_theme_and_nothing_else_of_it(lab: Lab):
    hostile = "* { color: red !important; font: 40px serif !important } .card { display: none }"
    added = lab.page.add_style_tag(content=hostile)
    for theme, mode, shade in (
        ("JupyterLab Dark", "dark", "rgb(17, 17, 17)"),
        ("JupyterLab Light", "light", "rgb(255, 255, 255)"),
    ):
        lab.command("apputils:change-theme", theme=theme)
        expect(lab.board).to_have_attribute("data-theme", mode)
        # a second change while it is shown is an error of JupyterLab
        expect(lab.page.locator("#jupyterlab-splash")).to_have_count(0)
        expect(lab.board.locator(".transport")).to_have_css("background-color", shade)
    expect(lab.board).to_have_css("color", "rgb(31, 36, 48)")
    expect(lab.board.locator(".summary")).to_have_css("font-size", "15px")
    expect(lab.board.locator(".card").first).to_be_visible()
    added.evaluate("element => element.remove()")


def test_a_training_is_watched_and_interrupted_as_any_cell(lab: Lab):
    lab.run_cell(1)
    # a board begins when it is seen
    lab.page.locator(".regviz-notebook").nth(1).scroll_into_view_if_needed()
    watched = lab.page.locator(".regviz-board").nth(1)
    for _ in range(300):
        growing = watched.evaluate(RECORDING)
        if growing and growing["received"] > 2:
            break
        lab.page.wait_for_timeout(100)
    assert 2 < growing["received"] < growing["of"] == 101
    lab.command("notebook:interrupt-kernel")
    expect(lab.page.locator(".jp-Notebook")).to_contain_text("KeyboardInterrupt")
    expect(watched.locator(".status")).not_to_have_class("status training")
    kept = watched.evaluate(RECORDING)
    assert growing["received"] <= kept["received"] == kept["of"] < 101
    assert lab.kernel("1 + 1") == 2
    assert lab.errors == []


def test_a_history_shown_twice_is_two_views_of_one_board(lab: Lab):
    lab.run_cell(2)
    cell = lab.page.locator(".jp-Notebook .jp-Cell").filter(has_text=TWICE)
    views = cell.locator(".regviz-notebook")
    expect(views).to_have_count(2)
    for i in (0, 1):
        views.nth(i).scroll_into_view_if_needed()
        expect(views.nth(i).locator(".now")).to_have_text("200")
    first, second = views.nth(0), views.nth(1)
    first.locator(".card").nth(2).locator("h2").click()
    expect(second.locator(".card.focused h2")).to_contain_text("Elastic")
    second.locator(".card").nth(1).locator(".strength-index").press("ArrowRight")
    expect(first.locator(".card").nth(1).locator(".dial")).to_contain_text("0.02")
    second.locator(".timeline input").press("Home")
    expect(first.locator(".now")).to_have_text("0")
    lab.wait_for("type(board).of(history).epoch", 0)
    assert lab.errors == []


def test_marimo_shows_the_board_and_runs_the_cells_that_use_it(browser: Browser, tmp_path: Path):
    notebook = tmp_path / "notebook.py"
    notebook.write_text(MARIMO.format(setup="    " + SETUP.replace("\n", "\n    ")))
    config = tmp_path / "config" / "marimo" / "marimo.toml"
    config.parent.mkdir(parents=True)
    config.write_text('[runtime]\nauto_instantiate = true\n[display]\ntheme = "dark"\n')
    server = Server(f"http://127.0.0.1:{(port := free_port())}", tmp_path / "log", "/health")
    options = ["--headless", "--no-token", "--skip-update-check", "--host", "127.0.0.1"]
    command = [sys.executable, "-m", "marimo", "edit", *options, "--port", str(port)]
    environment = {f"XDG_{name}_HOME": str(tmp_path) for name in ("STATE", "CACHE", "DATA")}
    environment |= {"XDG_CONFIG_HOME": str(tmp_path / "config"), "HOME": str(tmp_path)}
    environment["PYTHONPATH"] = str(ROOT)
    with (
        start([*command, str(notebook)], tmp_path, server, **environment),
        browser.new_context(viewport={"width": 1400, "height": 1000}) as context,
    ):
        page = context.new_page()
        page.set_default_timeout(60_000)
        errors = listen(page)
        page.goto(server.url)
        board = page.locator(".regviz-board").first
        expect(board.locator(".card h2")).to_contain_text(
            ["None", "L1", "Elastic", "Early"], timeout=60_000
        )
        expect(board).to_have_attribute("data-theme", "dark")
        expect(board.locator(".epoch")).to_have_text("epoch 200 / 200")
        board.locator(".card").nth(2).locator("h2").click()
        expect(page.locator("body")).to_contain_text("elastic_net at 200")
        # a history at the end of a cell, which the button runs again
        shown = page.locator(".regviz-notebook").nth(1)
        shown.scroll_into_view_if_needed()
        shown.locator(".card").nth(2).locator("h2").click()
        expect(shown.locator(".card.focused h2")).to_contain_text("Elastic")
        replaced = shown.element_handle()
        page.locator("marimo-button button").first.click()
        expect(board.locator(".now")).to_have_text("7")
        page.wait_for_function("(element) => !element.isConnected", arg=replaced)
        shown.scroll_into_view_if_needed()
        expect(shown.locator(".card.focused h2")).to_contain_text("L1")
        expect(shown.locator(".epoch")).to_have_text("epoch 200 / 200")
        assert errors == []
