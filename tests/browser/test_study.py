"""Tests of the page Study in a browser: on the server's threads, and on a Dask cluster."""

import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from devtools.serving import Server, free_port, serve
from regviz.scenes.link import from_query
from tests.browser.conftest import poll_conditions
from tests.browser.test_access import LOW_CONTRAST_TEXTS
from tests.browser.test_axe import CONTRAST, RULES, accepted_violations, found
from tests.browser.visitor import find_slider, wait_until_settled
from tests.support.waiting import wait_until

TINY = "?v=2&hidden=2&epochs=20&methods=none,l2&early_stopping=0&strengths=2&seeds=3"
LINES = f"{TINY}&vary=data.noise=0.1,0.3"
N_CELLS = 60
# a minute and a half of one core
LONG = (
    "?v=2&methods=none,l2&epochs=300&strengths=3&seeds=20&vary=network.hidden=32-32-32;data.noise="
    + ",".join(f"{i / 100:g}" for i in range(N_CELLS))
)
# counts of the figures that were visible one after the other, of the frames without one, and places
WATCH = """() => {
  const seen = window.seen = { figures: 0, blank: 0, tops: new Set() };
  let last = null;
  const look = () => {
    const all = [...document.querySelectorAll(".st-key-study_figure .js-plotly-plot")];
    const figure = all.find((one) =>
      one.querySelector(".main-svg") && one.checkVisibility({ visibilityProperty: true }));
    if (figure) {
      seen.figures += figure !== last;
      seen.tops.add(Math.round(figure.getBoundingClientRect().top));
      last = figure;
    } else seen.blank += 1;
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""


def open_study(context: BrowserContext, url: str, query: str = LINES, **size: int) -> Page:
    page = poll_conditions(context.new_page())
    page.set_viewport_size({"width": 1400, "height": 900} | size)
    page.goto(f"{url}/study{query}")
    expect(page.get_by_role("heading", name="Study: many trainings")).to_be_visible()
    return page


def run(page: Page) -> None:
    """Press Run, unless another test has run the same study."""
    button, link = (
        page.get_by_role("button", name="Run"),
        page.get_by_role("link", name="Open this cell"),
    )
    expect(button.or_(link).first).to_be_visible()
    if button.is_visible():
        button.click()
    expect(link).to_be_visible()


def test_icons_are_there_with_the_page_whatever_way_it_is_opened(context: BrowserContext, url: str):
    page = poll_conditions(context.new_page())
    # without the interval after whose twentieth tick the icons' font is loaded on any page
    page.add_init_script(
        """window.setInterval = ((own) => (call, ms, ...rest) =>
             ms === 1000 ? 0 : own(call, ms, ...rest))(window.setInterval);"""
    )
    page.goto(f"{url}/study{LINES}")
    page.wait_for_function("document.documentElement.dataset.icons === ''")
    page.close()


TITLES = {
    "Map of winners": "Lowest mean test loss",
    "Lines": "Test loss",
    "Differences from None": "Difference from None",
    "Strengths chosen": "Chosen strengths",
}


def show_view(page: Page, view: str) -> None:
    """Choose a view, and wait for its figure."""
    choice = page.get_by_role("radio", name=view)
    expect(choice).to_have_count(1)  # that of the unfinished study is gone
    choice.click()
    drawn = page.locator(".st-key-study_figure .gtitle")
    expect(drawn.filter(has_text=re.compile(f"^{TITLES[view]}"))).to_be_visible()
    expect(drawn).to_have_count(1)  # that of the view before is gone


def test_a_step_back_in_the_history_undoes_a_change(context: BrowserContext, url: str):
    page = open_study(context, url)
    seeds = find_slider(page, "Seeds")
    seeds.press("ArrowRight")
    page.wait_for_url(re.compile("seeds=4"))
    page.go_back()
    expect(seeds).to_have_value("3")
    # the slider before it had the keyboard's focus
    expect(page.locator('input[aria-label="Seeds"]:visible')).to_have_count(1)
    page.close()


@pytest.fixture(scope="module")
def finished(context: BrowserContext, url: str) -> Iterator[Page]:
    """A page with the result of a tiny study."""
    page = open_study(context, url)
    run(page)
    yield page
    page.close()


def test_a_point_that_is_clicked_is_the_cell_that_opens(finished: Page):
    chart = finished.locator(".st-key-study_figure .js-plotly-plot")
    # two cells with two methods each, and rings around both signs of the chosen cell
    expect(chart.locator(".scatterlayer .point")).to_have_count(6)
    wait_until_settled(finished)
    # the last sign of the first line is noise 0.3
    sign = chart.locator(".scatterlayer .trace:has(.point)").first.locator(".point").last
    sign.scroll_into_view_if_needed()
    box = sign.bounding_box()
    finished.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(finished.get_by_role("combobox", name=re.compile("Cell"))).to_have_value("Noise 0.3")
    wait_until_settled(finished)  # the link follows the choice in the same run
    link = finished.get_by_role("link", name="Open this cell")
    query = parse_qs(urlsplit(link.get_attribute("href") or "").query)
    scene, problems = from_query({name: values[0] for name, values in query.items()})
    assert not problems
    assert (scene.data.noise, scene.network.hidden) == (0.3, (2,))


def test_points_of_every_panel_and_view_choose_their_cell_one_after_the_other(
    context: BrowserContext, url: str
):
    vary = "network.hidden=2,8,32;data.noise=0.1,0.3"
    page = open_study(context, url, f"{TINY}&vary={vary}")
    run(page)
    cell = page.get_by_role("combobox", name=re.compile("Cell"))
    for view in ("Lines", "Differences from None", "Map of winners"):
        show_view(page, view)
        drawn = page.locator(".st-key-study_figure .js-plotly-plot")
        for width, noise in ((8, 0.3), (32, 0.1), (8, 0.3)):
            wait_until_settled(page)  # a click while the figure is drawn anew is lost
            page.wait_for_timeout(400)  # Plotly takes two clicks within 300 ms for a double click
            # of some sign of the cell: its place on the page
            place = drawn.evaluate(PLACE, f"units of the hidden layer {width}, noise {noise}<br>")
            page.mouse.move(place["x"] - 3, place["y"] - 3)
            page.mouse.move(place["x"], place["y"], steps=3)
            hover = drawn.locator(".hoverlayer")  # Plotly chooses what is hovered
            expect(hover).to_contain_text(f"hidden layer {width}, noise {noise}")
            page.mouse.click(place["x"], place["y"])
            expect(cell).to_have_value(f"Width {width}, Noise {noise}")
    page.close()


# the place of the first sign whose text about itself begins with some words
PLACE = """(chart, words) => {
  chart.scrollIntoView({ block: "center" });
  for (const trace of chart._fullData) {
    const i = (trace.customdata ?? []).findIndex((one) => one[1].startsWith(words));
    if (i >= 0) {
      const box = chart.getBoundingClientRect();
      const [x, y] = [chart._fullLayout[trace.xaxis.replace("x", "xaxis")],
        chart._fullLayout[trace.yaxis.replace("y", "yaxis")]];
      return {
        x: box.left + x._offset + x.d2p(trace.x[i]),
        y: box.top + y._offset + y.d2p(trace.y[i]),
      };
    }
  }
}"""


def test_the_page_is_accessible_in_both_themes(finished: Page):
    for scheme, rules in (("light", RULES), ("dark", CONTRAST)):
        finished.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        finished.wait_for_timeout(500)
        violations = found(finished, rules)
        assert [one for one in violations if not accepted_violations(*one[:2])] == []
        assert finished.evaluate(LOW_CONTRAST_TEXTS, "body")[1] == []


def test_a_phone_shows_all_of_a_result_without_scrolling_sideways(
    context: BrowserContext, url: str
):
    page = open_study(context, url, width=390, height=844)
    run(page)
    main = page.get_by_test_id("stMain")
    assert main.evaluate("(main) => main.scrollWidth <= main.clientWidth")
    page.close()


# of each tick's label: its angle, whether the chart cuts it, and whether it meets another
LABELS = """() => {
  const found = [];
  for (const chart of document.querySelectorAll(".st-key-study_figure .js-plotly-plot")) {
    const all = chart.getBoundingClientRect();
    const texts = [...chart.querySelectorAll(":is(.xaxislayer-above, .yaxislayer-above) text")]
      .filter((text) => /tick$/.test(text.parentElement.getAttribute("class")));
    // the last line: those before it are empty
    const last = texts.map((text) => text.querySelector("tspan:last-of-type") ?? text);
    const boxes = last.map((line) => line.getBoundingClientRect());
    boxes.forEach((box, i) => {
      const angle = /rotate\\((-?[\\d.]+)/.exec(texts[i].getAttribute("transform") ?? "");
      const meets = (other, j) =>
        i !== j &&
        box.left < other.right &&
        other.left < box.right &&
        box.top < other.bottom &&
        other.top < box.bottom;
      found.push({
        text: texts[i].textContent,
        angle: Number(angle?.[1] ?? 0),
        cut: box.left < all.left || box.right > all.right || box.bottom > all.bottom,
        meets: boxes.some(meets),
      });
    });
  }
  return found;
}"""


def test_no_label_of_an_axis_is_turned_cut_or_covered_on_a_phone(context: BrowserContext, url: str):
    vary = "training.optimizer=sgd,momentum,adam,adamw;data.noise=0,0.05,0.1,0.15,0.2,0.25"
    page = open_study(context, url, f"{TINY}&vary={vary}", width=390, height=844)
    run(page)
    for view in TITLES:
        show_view(page, view)
        labels = page.evaluate(LABELS)
        assert len(labels) > 8
        wrong = [one for one in labels if one["angle"] or one["cut"] or one["meets"]]
        assert wrong == [], view
    page.close()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A Dask scheduler and a worker on the loopback interface."""
    from distributed import LocalCluster

    options = dict(host="127.0.0.1", protocol="tcp://", dashboard_address=None)
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, **options) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def on_cluster(cluster: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose studies run on the cluster, with metrics at ``/metrics`` of `METRICS`."""
    folder: Path = tmp_path_factory.mktemp("study")
    variables = {
        "REGVIZ_SCHEDULER": cluster.scheduler_address,
        "REGVIZ_METRICS_PORT": str(METRICS),
        "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "5s",  # it is waited for below
    }
    with serve(folder, **variables) as server:
        yield server


METRICS = free_port()


def n_studies() -> int:
    """Return the number of unfinished studies that the metrics state."""
    with urllib.request.urlopen(f"http://127.0.0.1:{METRICS}/metrics", timeout=5) as answer:
        return int(float(re.findall(r"^regviz_studies (\S+)", answer.read().decode(), re.M)[0]))


def computed(cluster: Any) -> set[str]:
    """Return the keys of the cells that the cluster has computed."""
    log = cluster.scheduler.transition_log
    return {key for key, _, finish, *_ in log if finish == "memory" and key.startswith("regviz-")}


def test_with_a_scheduler_studies_run_there_fill_in_and_stop_when_the_tab_closes(
    browser: Browser, on_cluster: Server, cluster: Any
):
    with browser.new_context() as context:
        page = open_study(context, on_cluster.url)
        expect(page.get_by_text("on the cluster")).to_be_visible()
        run(page)
        assert len(computed(cluster)) == 2

        page.goto(f"{on_cluster.url}/study{LONG}")
        page.get_by_role("button", name="Run").click()
        expect(page.locator(".st-key-study_figure .main-svg").first).to_be_visible()
        page.evaluate(WATCH)
        expect(
            page.get_by_text(re.compile(rf"^([4-9]|[1-5]\d) of {N_CELLS} cells, about .* left"))
        ).to_be_visible(timeout=120_000)
        seen = page.evaluate("({ ...window.seen, tops: [...window.seen.tops] })")
        assert seen["figures"] > 1  # drawn anew, and never away nor moved
        assert (seen["blank"], len(seen["tops"])) == (0, 1)
        visible = page.locator(".st-key-study_figure .js-plotly-plot:visible")
        expect(visible).to_have_count(1)  # the older one is not left above it
        assert n_studies() == 1
        page.close()
    wait_until(lambda: n_studies() == 0)
    wait_until(lambda: not cluster.scheduler.tasks)
    assert '"outcome": "stopped"' in on_cluster.logged()
    assert len(computed(cluster)) < N_CELLS


def test_without_its_cluster_a_server_says_so_and_trains_on(
    browser: Browser, on_cluster: Server, cluster: Any
):
    cluster.close()
    with browser.new_context() as context:
        page = open_study(context, on_cluster.url, LINES.replace("seeds=3", "seeds=4"))
        page.get_by_role("button", name="Run").click()
        expect(page.get_by_text("no scheduler answers")).to_be_visible(timeout=60_000)
        page.get_by_role("link", name="Playground").click()
        expect(page.locator(".regviz-board .card canvas").first).to_be_visible()
