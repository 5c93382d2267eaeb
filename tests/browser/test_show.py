"""Tests of the widget of `regviz.show` in a page, by the module that notebooks load."""

import base64
import re
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

import regviz
from regviz.figures._drawing import MAX_TINT
from regviz.methods import palette
from regviz.methods.palette import mix, rgb_of
from regviz.notebook.module import module_text
from tests.support.models import PROBLEMS

RENDER = """async ([text, message]) => {
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const widget = await (await import(url)).default();
  const { buffer } = Uint8Array.from(atob(message), (c) => c.charCodeAt(0));
  const model = { get: (name) => (name === "models" ? new DataView(buffer) : undefined) };
  window.remove = widget.render({ model, el: document.body });
}"""

# the pixel near the upper left corner of a picture
CORNER = """(canvas) => Array.from(canvas.getContext("2d").getImageData(2, 2, 1, 1).data)"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_page(viewport={"width": 820, "height": 800}, color_scheme="light") as page:
        problem = PROBLEMS["binary"]()
        shown = regviz.show(
            problem.models, problem.X, problem.y, X_test=problem.X_test, y_test=problem.y_test
        )
        page.evaluate(RENDER, [module_text(), base64.b64encode(shown.models).decode()])
        expect(page.locator(".card")).to_have_count(4)
        page.fields = shown.fields
        yield page


def place(page: Page, x: float, y: float) -> np.ndarray:
    """Return the point of the plane at a share of the picture."""
    (left, right), (low, high) = page.fields.x, page.fields.y
    return np.array([[left + x * (right - left), high - y * (high - low)]])


def test_pointing_at_one_picture_asks_all_models(page: Page):
    models = PROBLEMS["binary"]().models
    first = page.locator("canvas.boundary").first
    box = first.bounding_box()
    first.hover(position={"x": 0.3 * box["width"], "y": 0.4 * box["height"]})
    texts = page.locator(".there").all_text_contents()
    point = place(page, 0.3, 0.4)
    p = float(re.fullmatch(r"p (\.\d\d)", texts[0])[1])
    assert p == pytest.approx(models[0].predict_proba(point)[0, 1], abs=0.015)
    score = float(texts[1].removeprefix("score ").replace("−", "-"))
    assert score == pytest.approx(models[1].decision_function(point)[0], abs=0.03)
    assert texts[3] == models[3].predict(point)[0]
    for text in texts:
        expect(page.locator(".answers")).to_contain_text(text)
    page.mouse.move(0, 0)
    expect(page.locator(".there").first).to_be_hidden()

    first.focus()
    page.keyboard.press("ArrowLeft")
    x, y = place(page, 0.48, 0.5)[0]
    number = f"at ({x:.2f}, {y:.2f}): LogisticRegression p".replace("-", "−")
    expect(page.locator(".answers")).to_contain_text(number)


def test_pictures_have_the_colours_of_the_theme_around_them(page: Page):
    pictures = page.locator("canvas.boundary").all()
    labels = [canvas.get_attribute("aria-label") for canvas in pictures]
    assert labels[0].startswith("LogisticRegression: decision boundary. test accuracy ")
    classes = PROBLEMS["binary"]().models[3].predict(place(page, 0.01, 0.01))
    assert classes == ["no"]
    page.emulate_media(color_scheme="dark")
    for theme, background in (("dark", "#10141c"), ("light", "#ffffff")):
        page.evaluate("(colour) => (document.body.style.background = colour)", background)
        expect(page.locator(".comparison")).to_have_attribute("data-theme", theme)
        full = mix(palette.BLANK[theme], palette.CLASSES[0], MAX_TINT[theme])
        assert pictures[3].evaluate(CORNER) == pytest.approx([*rgb_of(full), 255], abs=2)
    page.evaluate("window.remove()")
    assert page.locator("body > *").count() == 0
