"""Tests of the charts over epochs: values, axes, pointer events."""

import numpy as np
import pytest
from playwright.sync_api import Page

import regviz
from regviz.engine import measures
from tests.browser.conftest import SET_ASSETS

EPOCHS = 12
METRICS = ("train_loss", "validation_loss", "test_loss", "penalty", "sparsity")
# a recording of the first `n_received` frames, and a panel that shows it
SETUP = """async ({ header, arrays, cards }) => {
  const load = (name) => import(`${assets}/board/${name}.js`);
  const { start } = await load("state/recording");
  const [losses, sparsity] = await Promise.all([load("panels/losses"), load("panels/sparsity")]);
  const { makeLosses, updateLosses, describeLosses } = losses;
  const { makeSparsity, updateSparsity, describeSparsity } = sparsity;
  const floats = ([name, values]) => [name, Float32Array.from(values)];
  const message = (held) => ({
    header: { ...header, epochs: header.epochs.slice(0, held) },
    arrays: Object.fromEntries(Object.entries(arrays).map(floats)),
  });
  const theme = { dark: false, mode: "light", ink: "#14181f", paper: "#ffffff" };
  const sought = [];
  const focused = [];
  let again = () => {};
  const handlers = {
    onSeek: (frame) => sought.push(frame),
    onFocus: (card) => focused.push(card),
    onChange: () => again(),
  };
  const panels = { losses: makeLosses(handlers), sparsity: makeSparsity(handlers) };
  const styles = ["board", "chart"].map((name) => {
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet" });
    link.href = `${assets}/board/styles/${name}.css`;
    document.head.append(link);
    return new Promise((done) => (link.onload = done));
  });
  await Promise.all(styles);
  document.body.className = "regviz-board";
  for (const { element } of Object.values(panels)) {
    element.style.width = "380px";
    document.body.append(element);
  }
  let recording;
  const show = (k, frame, held = header.epochs.length, run = "a", networks = [0, 1], keep) => {
    again = () => show(k, frame, held, run, networks, true);
    if (!keep) recording = start(message(held));
    recording.run = run;
    const everyone = networks.map((network, c) => ({ card: cards[c], c, k: network, t: frame }));
    const view = { card: cards[k], everyone, theme, ratio: 1 };
    updateLosses(panels.losses, recording, k, frame, view);
    updateSparsity(panels.sparsity, recording, k, frame, view);
    describeLosses(panels.losses, recording, k, frame);
    describeSparsity(panels.sparsity, recording, k, frame);
  };
  const read = (name) => {
    const lines = [...panels[name].element.querySelectorAll("dl > div")];
    const text = (line, part) => line.querySelector(part).textContent;
    return Object.fromEntries(lines.map((line) => [text(line, "button"), text(line, "dd")]));
  };
  window.charts = { panels, show, read, sought, focused };
}"""


@pytest.fixture(scope="module")
def history() -> regviz.History:
    return regviz.train(
        regviz.Experiment(
            regviz.DataSpec("moons", n_samples=120, validation_fraction=0.3),
            regviz.NetworkSpec((6, 4)),
            regviz.TrainingSpec("adam", learning_rate=0.05, epochs=EPOCHS),
            (regviz.Regularization(), regviz.Regularization(l1=0.02)),
        )
    )


@pytest.fixture
def charts(browser, url: str, history: regviz.History) -> Page:
    """A page with both panels, `window.charts`."""
    page = browser.new_page(viewport={"width": 400, "height": 800})
    page.add_init_script(SET_ASSETS)
    page.route("**/blank", lambda route: route.fulfill(content_type="text/html", body="<body>"))
    page.goto(f"{url}/blank")
    networks = range(len(history.experiment.regularizations))
    cards = [
        {"key": str(k), "label": f"network {k}", "colour": {"light": ("#b5174f", "#3450c4")[k]}}
        for k in networks
    ]
    header = {
        "run": "a",
        "frame": 0,
        "cards": [
            {"variants": [{"networks": [k]}], "variant_index": 0, "strength_index": 0}
            for k in networks
        ],
        "n_networks": len(networks),
        "n_frames": len(history.epochs),
        "epochs": history.epochs.tolist(),
        "diverged": history.diverged.tolist(),
        "last_epoch": EPOCHS,
        "metrics": METRICS,
        "task": "binary",
        "layers": history.layout.sizes,
        "activation": "tanh",
        "normalization": "none",
        "features": ["x1", "x2"],
        "columns": [],
    }
    arrays = {
        "parameters": history.parameters.ravel().tolist(),
        "metrics": np.stack([history.metrics[m] for m in METRICS], axis=2).ravel().tolist(),
        "train": [0, 0, 1],
        "validation": [0, 0, 1],
        "test": [0, 0, 1],
    }
    page.evaluate(SETUP, {"header": header, "arrays": arrays, "cards": cards})
    yield page
    page.close()


def read(page: Page, panel: str) -> dict[str, str]:
    return page.evaluate("(panel) => charts.read(panel)", panel)


def show(page: Page, *state: int | str | list[int]) -> None:
    page.evaluate("(state) => charts.show(...state)", state)


def where(epoch: float) -> dict[str, float]:
    """Return the position of an epoch on the losses' chart: its margins are 46 px and 14 px."""
    return {"x": 46 + (380 - 46 - 14) * epoch / EPOCHS, "y": 100}


def test_the_legend_tells_the_losses_of_the_epoch_that_is_shown(charts: Page, history):
    for k, frame in [(0, 0), (1, 5), (0, EPOCHS)]:
        show(charts, k, frame)
        value = {name: f"{history.metrics[name][frame, k]:.3f}" for name in METRICS[:4]}
        assert read(charts, "losses") == {
            "test": value["test_loss"],
            "validation": value["validation_loss"],
            "train": value["train_loss"],
            # a method without a penalty keeps the space, for the same layout on all cards
            "penalty": value["penalty"] if k == 1 else "none",
        }
        assert f"at epoch {frame}" in charts.locator(".chart-at").first.text_content()
        label = charts.locator("canvas").first.get_attribute("aria-label")
        assert label is not None
        assert f"network {k}" in label
        assert value["test_loss"] in label


def test_the_legend_tells_the_sparsity_of_the_epoch_that_is_shown(charts: Page, history):
    for k, frame in [(0, 3), (1, EPOCHS)]:
        show(charts, k, frame)
        weights = np.concatenate([w.ravel() for w in history.weights(k, frame)])
        found = read(charts, "sparsity")
        zeros, effective = (weights == 0).sum(), measures.effective_weights(weights)
        assert found["exact zeros"].startswith(f"{zeros} of {weights.size} · ")
        assert found["Hoyer sparsity"] == f"{measures.hoyer(weights):.2f}"
        assert found["effective weights"].startswith(f"{effective:.1f} of {weights.size} · ")


def test_the_values_under_the_pointer_are_told_until_it_leaves(charts: Page, history):
    show(charts, 1, EPOCHS)
    at, canvas = charts.locator(".chart-at").first, charts.locator("canvas").first
    canvas.hover(position=where(4.3))
    assert at.text_content() == "at epoch 4"
    assert read(charts, "losses")["test"] == f"{history.metrics['test_loss'][4, 1]:.3f}"
    show(charts, 1, EPOCHS - 1)  # the readout follows the pointer also while the run plays
    assert at.text_content() == "at epoch 4"
    charts.mouse.move(390, 790)
    assert at.text_content() == f"at epoch {EPOCHS - 1}"
    assert charts.evaluate("charts.sought") == []


def test_a_click_and_a_drag_seek(charts: Page):
    show(charts, 1, EPOCHS)
    canvas = charts.locator("canvas").first
    canvas.click(position=where(7))
    assert charts.evaluate("charts.sought") == [7]
    box = canvas.bounding_box()
    y = box["y"] + 100
    charts.mouse.move(box["x"] + where(2)["x"], y)
    charts.mouse.down()
    charts.mouse.move(box["x"] + where(3)["x"], y)
    charts.mouse.move(399, y)  # to the right of the chart: the last epoch
    charts.mouse.up()
    charts.mouse.move(box["x"] + where(5)["x"], y)
    assert charts.evaluate("charts.sought") == [7, 2, 3, EPOCHS]


def test_frames_that_arrive_leave_axis_and_legend_in_place(charts: Page):
    show(charts, 1, 1, 3)
    charts.evaluate("window.before = charts.panels.losses.element.querySelector('dl button')")
    chart = "charts.panels.losses.chart"
    tops = []
    for n_received in range(4, EPOCHS + 2):
        show(charts, 1, 1, n_received)
        tops.append(charts.evaluate(f"{chart}.high"))
    assert tops == sorted(tops)
    assert charts.evaluate("before.isConnected")
    # a hovered frame beyond those received becomes the last one
    charts.locator("canvas").first.hover(position=where(EPOCHS))
    show(charts, 1, 0, 2, "b")
    assert charts.locator(".chart-at").first.text_content() == "at epoch 1"


def test_playing_draws_axes_and_lines_once(charts: Page):
    show(charts, 1, 0)
    drawn = charts.evaluate(
        """async () => {
          const { drawChart } = await import(assets + "/board/panels/chart.js");
          const { chart } = charts.panels.losses;
          // its size comes with the first frame that the browser lays out
          for (let i = 0; i < 300 && !chart.drawn; i++) await new Promise(requestAnimationFrame);
          const before = chart.drawn;
          for (let now = 0; now < 12; now++) {
            drawChart(chart, { ...chart.data, now }, chart.theme, 1);
          }
          return { before: before !== null, same: chart.drawn === before };
        }"""
    )
    assert drawn == {"before": True, "same": True}


def test_the_log_scale_is_a_button_that_says_its_state(charts: Page):
    show(charts, 1, 5)
    log = charts.get_by_role("button", name="log scale")
    assert log.get_attribute("aria-pressed") == "false"
    assert charts.evaluate("charts.panels.losses.chart.low") == 0
    log.click()
    assert log.get_attribute("aria-pressed") == "true"
    assert charts.evaluate("charts.panels.losses.chart.low") > 0
    show(charts, 0, 5)  # the scale stays when another network is in focus
    assert charts.evaluate("charts.panels.losses.chart.low") > 0


# ------------------------------------------------------------------------------ all methods


def show_all(page: Page) -> None:
    for panel in page.get_by_role("button", name="all methods").all():
        panel.click()
        assert panel.get_attribute("aria-pressed") == "true"


def test_all_methods_losses_and_zeros_are_told_at_the_shown_epoch(charts: Page, history):
    show(charts, 1, 5)
    show_all(charts)
    for k, frame in [(1, 5), (0, EPOCHS)]:
        show(charts, k, frame)
        test, train, zeros = (
            history.metrics[name][frame] for name in ("test_loss", "train_loss", "sparsity")
        )
        names = ["network 0", "network 1"]
        assert read(charts, "losses") == {n: f"{x:.3f}" for n, x in zip(names, test, strict=True)}
        shares = read(charts, "sparsity")
        assert [shares[name] for name in names] == [f"{int(100 * x + 0.5)} %" for x in zeros]
        label = charts.locator("canvas").first.get_attribute("aria-label")
        assert f"network 0 {test[0]:.3f}, network 1 {test[1]:.3f}." in label
        training = charts.get_by_role("button", name="training")
        training.click()
        assert read(charts, "losses")["network 0"] == f"{train[0]:.3f}"
        training.click()
    charts.get_by_role("button", name="all methods").first.click()
    assert "validation" in read(charts, "losses")
    assert not charts.get_by_role("button", name="training").is_visible()


def test_the_lines_of_all_methods_are_those_of_the_shown_strengths(charts: Page, history):
    show(charts, 0, 3)
    show_all(charts)
    show(charts, 0, 3, EPOCHS + 1, "a", [1, 1])  # the first card's strength moves
    values = read(charts, "losses")
    assert values["network 0"] == values["network 1"]
    assert values["network 0"] == f"{history.metrics['test_loss'][3, 1]:.3f}"


def test_the_line_in_focus_is_the_thickest_and_over_the_others(charts: Page):
    show(charts, 1, EPOCHS)
    show_all(charts)
    widths = "charts.panels.losses.data.series.map(({ width }) => width)"
    for focus in (0, 1):
        show(charts, focus, EPOCHS)
        drawn = charts.evaluate(widths)
        assert drawn[focus] > drawn[1 - focus]
        pressed = charts.locator("dl button").evaluate_all(
            "(all) => all.map((one) => one.getAttribute('aria-pressed'))"
        )
        assert pressed[:2] == [str(k == focus).lower() for k in (0, 1)]
        # the dots of both lines at one place: the pixel has the colour of the line in focus
        colour = charts.evaluate(
            """(k) => {
              const { chart, data } = charts.panels.sparsity;
              const x = 46 + (chart.width - 60) * 0, share = data.series[k].values[0];
              const y = chart.height - 34 - share * (chart.height - 66);
              const { data: pixel } = chart.picture.getContext("2d")
                .getImageData(Math.round(x) + 1, Math.round(y) - 1, 1, 1);
              return [...pixel].slice(0, 3);
            }""",
            focus,
        )
        own = [(0xB5, 0x17, 0x4F), (0x34, 0x50, 0xC4)]
        distances = [np.linalg.norm(np.subtract(colour, one)) for one in own]
        assert int(np.argmin(distances)) == focus


def place_on_line(page: Page, series: int, frame: int) -> dict[str, float]:
    """Return the position of a line of the losses at a frame."""
    return page.evaluate(
        """([i, frame]) => {
          const { chart, data } = charts.panels.losses;
          const share = data.series[i].values[frame] / chart.high;
          const x = 46 + (chart.width - 60) * data.epochs[frame] / data.lastEpoch;
          return { x, y: chart.height - 34 - share * (chart.height - 66) };
        }""",
        [series, frame],
    )


def test_a_click_on_a_line_or_a_name_focuses_its_method_and_elsewhere_seeks(charts: Page, history):
    show(charts, 1, EPOCHS)
    show_all(charts)
    canvas = charts.locator("canvas").first
    gaps = np.abs(np.diff(history.metrics["test_loss"], axis=1))[:, 0]
    frame = int(gaps.argmax())  # where the two lines are farthest apart
    assert gaps[frame] > 0
    canvas.click(position=place_on_line(charts, 0, frame))
    assert charts.evaluate("charts.focused") == [0]
    assert charts.evaluate("charts.sought") == []
    canvas.click(position={**where(7), "y": 40})  # above all lines
    assert charts.evaluate("charts.focused") == [0]
    assert charts.evaluate("charts.sought") == [7]
    # a drag that begins on a line seeks
    end = 2 if frame > 6 else 10
    start, box = place_on_line(charts, 0, frame), canvas.bounding_box()
    charts.mouse.move(box["x"] + start["x"], box["y"] + start["y"])
    charts.mouse.down()
    charts.mouse.move(box["x"] + where(end)["x"], box["y"] + start["y"])
    charts.mouse.up()
    assert charts.evaluate("charts.focused") == [0]
    assert charts.evaluate("charts.sought")[-1] == end
    name = charts.get_by_role("button", name="network 0").first
    name.focus()
    name.press("Enter")
    assert charts.evaluate("charts.focused") == [0, 0]


def test_numbers_at_the_ends_of_lines_do_not_overlap(charts: Page):
    tops = charts.evaluate(
        """async () => {
          const { endLabels } = await import(assets + "/board/draw/plot.js");
          const line = (value, card) => ({ values: [value, value], method: { card, colour: "" } });
          const series = [0, 0, 0.01, 0.5, 1, 1, 1].map(line);
          const data = { epochs: [0, 9], lastEpoch: 9, log: false, series };
          const labels = endLabels({ data, width: 300, height: 212, low: 0, high: 1 });
          return labels.map(({ y }) => y);
        }"""
    )
    assert len(tops) == 7
    assert min(np.diff(tops)) >= 11
    assert min(tops) >= 32
    assert max(tops) <= 212 - 34


def test_playing_draws_all_lines_once(charts: Page):
    show(charts, 1, 0)
    show_all(charts)
    same = charts.evaluate(
        """async () => {
          const { updateLosses } = await import(assets + "/board/panels/losses.js");
          const { losses } = charts.panels;
          for (let i = 0; i < 300 && !losses.chart.drawn; i++) {
            await new Promise(requestAnimationFrame);
          }
          const { drawn, theme } = losses.chart;
          const card = { key: "1" };
          const cards = [{ key: "0" }, card];
          for (let t = 0; t < 12; t++) {
            const everyone = [0, 1].map((k) => ({ card: cards[k], c: k, k, t }));
            updateLosses(losses, losses.recording, 1, t, { card, everyone, theme, ratio: 1 });
          }
          return drawn !== null && losses.chart.drawn === drawn && losses.data.now === 11;
        }"""
    )
    assert same


# ------------------------------------------------------------------------------ spikes

# a chart of a curve with or without a spike at frame 50: the end of its axis, and the pixel in the
# middle of the triangle above that frame
SPIKE = """async ([most, log]) => {
  const { drawChart } = await import(assets + "/board/panels/chart.js");
  const { chart } = charts.panels.losses;
  for (let i = 0; i < 300 && !chart.drawn; i++) await new Promise(requestAnimationFrame);
  const epochs = Array.from({ length: 101 }, (_, t) => t);
  const values = Float32Array.from(epochs, (t) => (t === 50 ? most : 0.5));
  const series = [{ ...chart.data.series[0], values, colour: "#ff0000" }];
  const axis = { key: `${most} ${log}`, log, yRange: [0.1, 0.5], yMost: Infinity };
  const run = { epochs, lastEpoch: 100, nFrames: 101, now: 100, marks: [] };
  drawChart(chart, { ...chart.data, ...axis, ...run, series }, chart.theme, 1);
  const x = 46 + (chart.width - 46 - 14) / 2;
  const [red, green] = chart.picture.getContext("2d").getImageData(x + 2, 32 + 7, 1, 1).data;
  return { high: chart.high, marked: red > 200 && green < 60 };
}"""


@pytest.mark.parametrize("log", [False, True])
def test_a_spike_leaves_the_chart_and_a_triangle_marks_it(charts: Page, log):
    show(charts, 1, 0)
    spiked = charts.evaluate(SPIKE, [30, log])
    flat = charts.evaluate(SPIKE, [0.5, log])
    assert spiked["marked"]
    assert not flat["marked"]
    assert spiked["high"] == flat["high"] <= 0.6
