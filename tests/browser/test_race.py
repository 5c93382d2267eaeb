"""Tests of the animated figure of one weight's decay."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from regviz import Regularization, figures

ROWS = [Regularization(l1=1.0), Regularization(l2=1.0)]
POINTS = """() => {
  const figure = document.querySelector(".js-plotly-plot");
  const xaxis = figure._fullLayout.xaxis;
  return [...figure.querySelectorAll(".scatterlayer .point")].map((point) => {
    const [x, y] = point.getAttribute("transform").match(/-?\\d[-\\d.e]*/g).map(Number);
    return [xaxis.p2c(x), figure._fullLayout.yaxis.p2c(y)];
  });
}"""


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """The figure in an HTML file, as in a notebook."""
    path = tmp_path / "race.html"
    figure = figures.weight_race(ROWS, 1.2, 0.05, 50)
    figure.write_html(path, auto_play=False)
    page = browser.new_page()
    page.clock.install()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(path.as_uri())
    page.wait_for_selector(".scatterlayer .point")
    yield page
    page.close()
    # Plotly rejects a paused animation's promise without a reason, which stays unhandled
    assert [error for error in errors if error != "undefined"] == []


def press(page: Page, name: str) -> None:
    page.locator(".updatemenu-button").filter(has_text=name).click()


def test_nothing_moves_until_the_viewer_starts_it(page: Page) -> None:
    page.clock.run_for(10_000)
    for x, y in page.evaluate(POINTS):
        assert (x, y) == pytest.approx((0, 1.2), abs=0.02)


def test_the_points_run_to_where_the_closed_forms_say(page: Page) -> None:
    press(page, "Play")
    page.clock.run_for(60_000)
    assert page.locator(".slider-label").first.text_content() == "step 50"
    l1, l2 = page.evaluate(POINTS)
    assert l1 == pytest.approx((50, 0), abs=0.02)
    assert l2 == pytest.approx((50, 1.2 / 1.05**50), abs=0.02)


def test_it_can_be_paused_and_looked_at_step_by_step(page: Page) -> None:
    press(page, "Play")
    page.clock.run_for(500)
    press(page, "Pause")
    page.clock.run_for(1000)
    stopped = page.evaluate(POINTS)
    page.clock.run_for(60_000)
    assert page.evaluate(POINTS) == stopped
    (n, l1), (_, l2) = stopped
    assert 0 < n < 50
    assert l1 == pytest.approx(max(1.2 - 0.05 * n, 0), abs=0.02)
    assert l2 == pytest.approx(1.2 / 1.05**n, abs=0.02)
