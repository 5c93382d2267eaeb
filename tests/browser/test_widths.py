"""Tests of views and popovers at several widths: no text is cut off."""

import pytest
from playwright.sync_api import Page, expect

from regviz.pages.understand import VIEWS
from tests.browser.test_access import TEXTS
from tests.browser.test_views import EPOCHS, view
from tests.browser.visitor import OpenPage, wait_until_complete, wait_until_settled

# resolves after half a second without a change of any width
WIDTHS_REST = """() => new Promise((done) => {
  const widths = () => [...document.querySelectorAll(".js-plotly-plot, .js-plotly-plot svg, p")]
    .map((element) => Math.round(element.getBoundingClientRect().width)).join();
  let [known, since] = [widths(), performance.now()];
  const look = (now) => {
    const found = widths();
    if (found !== known) [known, since] = [found, now];
    if (now - since > 500) done();
    else requestAnimationFrame(look);
  };
  look(since);
})"""
# texts that are cut off or outside of their view or popover
CUT_OFF_TEXTS = f"""() => {{ {TEXTS}
  const roots = [...document.querySelectorAll("[data-testid=stMain], [data-testid=stPopoverBody]")];
  const wrong = [];
  for (const root of roots)
    for (const {{ element, box, text }} of textsOf(root)) {{
      // what scrolls of itself, the grid, which is drawn, and what is there for no eye
      if (element.closest("pre, [data-testid=stDataFrame], .regviz-alt, .slider-labels")) continue;
      if (element.closest(".katex")) continue;
      const figure = element.closest("svg.main-svg")?.getBoundingClientRect();
      if (figure && (box.left < figure.left - 1 || box.right > figure.right + 1
        || box.top < figure.top - 1 || box.bottom > figure.bottom + 1))
        wrong.push(`beyond its figure: ${{text}}`);
      if (box.left < -1 || box.right > innerWidth + 1) wrong.push(`outside: ${{text}}`);
      for (let above = element; above && above !== root; above = above.parentElement) {{
        if (getComputedStyle(above).overflowX === "visible" || above.closest("svg")) continue;
        const frame = above.getBoundingClientRect();
        if (box.left < frame.left - 1 || box.right > frame.right + 1)
          wrong.push(`cut: ${{text}}`);
      }}
    }}
  return wrong;
}}"""


@pytest.fixture(scope="module")
def phone(open_pages: OpenPage) -> Page:
    page = open_pages(390, 900, "light", f"?v=2&epochs={EPOCHS}")
    wait_until_complete(page)
    return page


def assert_fits(page: Page) -> None:
    for width in (390, 1400, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate(WIDTHS_REST)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(CUT_OFF_TEXTS) == [], width
    page.set_viewport_size({"width": 390, "height": 900})


@pytest.mark.parametrize("name", VIEWS)
def test_no_text_of_a_view_is_cut_at_any_width(phone: Page, name: str):
    view(phone, name)
    assert_fits(phone)


@pytest.mark.parametrize("name", ["Share", "Save · open"])
def test_no_text_of_a_popover_is_cut_at_any_width(phone: Page, name: str):
    button = phone.get_by_role("button", name=name)
    button.click()
    expect(phone.get_by_test_id("stPopoverBody")).to_be_visible()
    wait_until_settled(phone)
    assert_fits(phone)
    phone.keyboard.press("Escape")
    expect(phone.get_by_test_id("stPopoverBody")).to_be_hidden()
