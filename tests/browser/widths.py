"""Checks of a page at several widths: no text is cut off."""

from playwright.sync_api import Page

from tests.browser.test_access import TEXTS

# resolves after half a second without a change of any width, and when each figure fills its place
WIDTHS_REST = """() => new Promise((done) => {
  const widths = () => [...document.querySelectorAll(".js-plotly-plot, .js-plotly-plot svg, p")]
    .map((element) => Math.round(element.getBoundingClientRect().width)).join();
  const fills = (figure) => {
    const [svg, place] = [figure.querySelector(".main-svg"), figure.parentElement];
    return !svg || Math.abs(svg.getBoundingClientRect().width - place.clientWidth) < 1;
  };
  const filled = () => [...document.querySelectorAll(".js-plotly-plot")].every(fills);
  let [known, since] = [widths(), performance.now()];
  const look = (now) => {
    const found = widths();
    if (found !== known) [known, since] = [found, now];
    if (now - since > 500 && filled()) done();
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


def assert_fits(page: Page) -> None:
    """Assert that on a phone, a laptop and a projector no text is cut off, and nothing scrolls."""
    for width in (390, 1400, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate(WIDTHS_REST)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        cut_off = page.evaluate(CUT_OFF_TEXTS)
        assert cut_off == [], f"at {width} pixels: {cut_off}"
