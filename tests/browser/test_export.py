"""Tests of the export of the cards as a picture (SVG and PNG)."""

import io
import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

import regviz
from regviz.engine.history import History
from regviz.methods.catalogue import METHODS
from regviz.methods.labels import dataset_label
from regviz.scenes.offline import recording
from regviz.scenes.showcase import SHOWCASE
from regviz.scenes.strength_grid import StrengthGrid
from regviz.spec.experiment import DataSpec, NetworkSpec, TrainingSpec
from tests.browser.boards import in_base64, open_empty
from tests.browser.visitor import read_cards, seek, set_view

SVG = "{http://www.w3.org/2000/svg}"
XLINK = "{http://www.w3.org/1999/xlink}"
TRAINING = replace(SHOWCASE.training, epochs=30)
NETWORK = NetworkSpec((6, 6), "leaky_relu")
KINDS = {
    "two classes": (DataSpec("circles"), TRAINING, list(METHODS)),
    "three classes": (DataSpec("three_spirals"), TRAINING, ["none", "l1"]),
    "values": (DataSpec("bumps"), TRAINING, ["none", "l1", "dropout"]),
    "lost": (DataSpec("plane"), TrainingSpec("sgd", 10.0, epochs=30), list(METHODS)),
}

NO_PNG = "the browser made no PNG"

MOUNT = """async (messages) => {
  const { render } = await import("/board/main.js");
  const parentElement = document.querySelector("main");
  for (const message of messages) {
    const data = Uint8Array.from(atob(message), (c) => c.charCodeAt(0));
    render({ data, parentElement, setTriggerValue() {}, setStateValue() {} });
  }
  const { regviz } = parentElement.querySelector(".regviz-board");
  window.board = () => regviz;
}"""
TO_SVG = """async () => (await import("/board/export/export.js")).boardSvg(board().exported())"""
# each text's box in SVG units, and its card
BOXES = """(svg) => {
  const parsed = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
  document.body.append(parsed);
  const place = (element) => {
    const box = element.getBoundingClientRect(), from = parsed.getBoundingClientRect();
    return [box.left - from.left, box.top - from.top, box.right - from.left, box.bottom - from.top];
  };
  const found = [...parsed.querySelectorAll("text")].map((text) => {
    const card = text.closest("[data-card]");
    return {
      text: text.textContent, box: place(text), card: card?.dataset.card ?? null,
      frame: place(card?.querySelector("rect") ?? parsed),
    };
  });
  parsed.remove();
  return found;
}"""


class ShownBoard(NamedTuple):
    page: Page
    grid: StrengthGrid
    history: History

    def svg(self) -> ElementTree.Element:
        return ElementTree.fromstring(self.page.evaluate(TO_SVG))


@pytest.fixture(scope="module")
def show(browser: Browser) -> Iterator[Callable[[str], ShownBoard]]:
    """A function that renders the board for a kind of run, by main.js."""
    found: dict[str, ShownBoard] = {}
    contexts, console_errors = [], []

    def heard(message: ConsoleMessage) -> None:
        if NO_PNG not in message.text:
            console_errors.append(message.text)

    def shown(kind: str) -> ShownBoard:
        if kind not in found:
            data, training, methods = KINDS[kind]
            grid = StrengthGrid.of(methods, data, NETWORK, training)
            history = regviz.train(grid.experiment)
            messages = recording(grid, grid.rows({}), history, "run")
            context = browser.new_context(
                viewport={"width": 1400, "height": 900}, reduced_motion="reduce"
            )
            contexts.append(context)
            context.on("console", heard)
            context.on("weberror", lambda error: console_errors.append(str(error.error)))
            page = open_empty(context)
            page.evaluate(MOUNT, in_base64(messages))
            page.wait_for_function("board().complete && board().size.width > 0")
            found[kind] = ShownBoard(page, grid, history)
        seek(found[kind].page, -1)
        return found[kind]

    yield shown
    for context in contexts:
        context.close()
    assert console_errors == []


def texts(element: ElementTree.Element) -> list[str]:
    return ["".join(text.itertext()) for text in element.iter(f"{SVG}text")]


def card_of(svg: ElementTree.Element, key: str) -> ElementTree.Element:
    (found,) = (group for group in svg.iter(f"{SVG}g") if group.get("data-card") == key)
    return found


def open_png(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data), formats=["PNG"])
    image.load()
    return image.convert("RGB")


def size_of(svg: ElementTree.Element) -> tuple[int, int]:
    assert svg.get("viewBox") == f"0 0 {svg.get('width')} {svg.get('height')}"
    return int(svg.get("width")), int(svg.get("height"))


# ------------------------------------------------------------------------------ texts


@pytest.mark.parametrize("kind", ["two classes", "three classes", "values"])
@pytest.mark.parametrize("frame", [3, -1])
def test_every_card_says_what_it_says_on_screen(show, kind: str, frame: int):
    shown = show(kind)
    seek(shown.page, frame)
    svg = shown.svg()
    regression = shown.history.dataset.task == "regression"
    names = ["test_loss", "train_loss", "gap", *([] if regression else ["test_accuracy"])]
    on_screen = read_cards(shown.page)
    keys = shown.page.evaluate("board().stage.displayed.map(({ card }) => card.key)")
    assert len([g for g in svg.iter(f"{SVG}g") if g.get("data-card")]) == len(keys)
    for key, card in zip(keys, on_screen, strict=True):
        card_texts = texts(card_of(svg, key))
        assert card_texts[0] == card["label"]
        shown_strength = ", ".join(filter(None, (card["strength"], card["variant"])))
        assert card_texts[1] == (shown_strength or card_texts[1])
        for name in (*names, "sparsity"):
            label = shown.page.evaluate(
                "async (n) => (await import('/board/state/words.js')).TERMS[n].label", name
            )
            assert card_texts[card_texts.index(label) + 1] == card[name]
        assert card["zeros"] in card_texts
        loss = shown.history.metrics["test_loss"][card["t"], card["k"]]
        assert float(card["test_loss"]) == pytest.approx(loss, abs=0.0051)
    epoch = shown.history.epochs[frame]
    assert texts(svg)[0] == f"{dataset_label(shown.grid.experiment.data)}, epoch {epoch} of 30"
    description = "".join(svg.find(f"{SVG}desc").itertext())
    assert all(card["label"] in description for card in on_screen)


def test_the_size_of_sample_and_network_stand_above(show):
    shown = show("two classes")
    dataset = shown.history.dataset
    assert texts(shown.svg())[1] == (
        f"{len(dataset.y_train)} training and {len(dataset.y_test)} test points;"
        " network 2–6–6–1, leaky ReLU"
    )


def test_the_legend_is_that_of_the_board(show):
    for kind in ("two classes", "three classes", "values"):
        shown = show(kind)
        signs = shown.page.locator(".signs .sign").all_text_contents()
        assert texts(shown.svg())[-len(signs) :] == signs


def test_a_lost_network_says_so_instead_of_numbers(show):
    shown = show("lost")
    svg = shown.svg()
    lost = 0
    for card in read_cards(shown.page):
        key = shown.page.evaluate(
            "k => board().stage.displayed.find((s) => s.k === k).card.key", card["k"]
        )
        epoch = shown.history.diverged[card["k"]]
        card_texts = texts(card_of(svg, key))
        if 0 <= epoch <= shown.history.epochs[card["t"]]:
            lost += 1
            assert f"diverged at epoch {epoch}" in card_texts
            assert "test loss" not in card_texts
            whole = " ".join(card_texts)
            assert "The picture stays at the last network that was." in whole
    assert lost >= 5


def test_it_is_the_picture_of_this_moment_even_before_it_is_drawn(show):
    shown = show("two classes")
    svg = shown.page.evaluate(
        """async () => {
          const { boardSvg } = await import("/board/export/export.js");
          board().commands.prune(0.3);
          board().commands.seek(5);
          return boardSvg(board().exported());
        }"""
    )
    try:
        found = ElementTree.fromstring(svg)
        assert texts(found)[0].endswith(f", epoch {shown.history.epochs[5]} of 30")
        assert texts(found).count("pruned") == 8
    finally:
        set_view(shown.page, threshold=0)


def test_any_label_makes_well_formed_xml(show):
    shown = show("three classes")
    hostile = "</text>&<script>\"'\u0000]]>"
    was = shown.page.evaluate(
        "(l) => { const c = board().stage.displayed[0].card, w = c.label; c.label = l; return w; }",
        hostile,
    )
    try:
        svg = shown.svg()
    finally:
        shown.page.evaluate("(l) => (board().stage.displayed[0].card.label = l)", was)
    assert texts(card_of(svg, "none"))[0] == hostile.replace("\u0000", "")
    assert not list(svg.iter(f"{SVG}script"))


# ------------------------------------------------------------------------------ shapes


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("threshold", [0, 0.3])
def test_no_text_is_cut_or_covered_by_another(show, kind: str, threshold: float):
    shown = show(kind)
    set_view(shown.page, threshold=threshold)
    boxes = shown.page.evaluate(BOXES, shown.page.evaluate(TO_SVG).partition("\n")[2])
    set_view(shown.page, threshold=0)
    assert len(boxes) > 20
    for each in boxes:
        left, top, right, bottom = each["box"]
        low_x, low_y, high_x, high_y = each["frame"]
        inside = left >= low_x and top >= low_y and right <= high_x and bottom <= high_y
        assert inside, each
    for a, b in combinations(boxes, 2):
        if a["card"] != b["card"]:
            continue
        beside = a["box"][2] <= b["box"][0] or b["box"][2] <= a["box"][0]
        # line boxes may overlap by ascenders and descenders
        apart = a["box"][3] <= b["box"][1] + 5 or b["box"][3] <= a["box"][1] + 5
        assert beside or apart, (a, b)


@pytest.mark.parametrize("kind", ["two classes", "three classes", "values"])
def test_the_points_are_shapes_in_their_places(show, kind: str):
    shown = show(kind)
    svg, dataset = shown.svg(), shown.history.dataset
    (layer,) = (g for g in svg.iter(f"{SVG}g") if g.get("id") == "regviz-points")
    paths = list(layer)
    n_test, n_train = len(dataset.y_test), len(dataset.y_train)
    assert len(paths) == n_test + 2 * n_train
    low, high = shown.page.evaluate("board().recording.domain")
    filled = [path for path in paths if path.get("fill") != "none"]
    assert len(filled) == n_train
    for path, (x1, x2) in zip(filled, dataset.X_train, strict=True):
        corners = np.array(re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", path.get("d")), float)
        middle = (corners.min(axis=0) + corners.max(axis=0)) / 2
        if len(corners) == 1:  # a circle's path begins at its leftmost point
            middle += [216 / 50, 0]
        # a triangle's centre is below the middle of its box
        at = np.array([x1 - low, high - x2]) * 216 / (high - low)
        np.testing.assert_allclose(middle, at, atol=1)
    if kind != "values":
        pairs = {(y, path.get("fill")) for y, path in zip(dataset.y_train, filled, strict=True)}
        assert len(pairs) == len({y for y, _ in pairs}) == len({fill for _, fill in pairs})


def test_the_bars_are_the_weights(show):
    shown = show("two classes")
    svg = shown.svg()
    span, most = shown.page.evaluate("[board().axes.range, board().axes.most]")
    keys = list(shown.grid.methods)
    for key, card in zip(keys, read_cards(shown.page), strict=False):
        weights = np.concatenate([w.ravel() for w in shown.history.weights(card["k"], card["t"])])
        edges = np.linspace(0, span, 16)
        edges[-1] = np.inf
        left = np.histogram(-weights[weights < 0], edges)[0]
        right = np.histogram(weights[weights > 0], edges)[0]
        (bars,) = (
            g for g in card_of(svg, key).iter(f"{SVG}g") if "scale" in g.get("transform", "")
        )
        rects = [{n: float(rect.get(n, 0)) for n in ("x", "width", "height")} for rect in bars]
        *columns, axis, zero = rects
        assert axis["width"] == 216 * 4
        middle = [r for r in columns if r["x"] + r["width"] / 2 < 108 * 4]
        found_left = sorted(middle, key=lambda r: -r["x"])
        found_right = sorted((r for r in columns if r not in middle), key=lambda r: r["x"])
        for found, counts in ((found_left, left), (found_right, right)):
            heights = [r["height"] for r in found]
            expected = 220 * np.sqrt(counts[counts > 0] / most)
            np.testing.assert_allclose(heights, expected, atol=1)
        n_zeros = np.count_nonzero(weights == 0)
        assert zero["height"] == pytest.approx(4 + 220 * np.sqrt(n_zeros / most), abs=5)


def test_the_surfaces_are_the_networks_predictions(show):
    shown = show("two classes")
    svg = shown.svg()
    low, high = shown.page.evaluate("board().recording.domain")
    classes, blank = shown.page.evaluate("[board().recording.classes, board().recording.blank]")
    colours = [np.array([int(c[i : i + 2], 16) for i in (1, 3, 5)]) for c in classes[:2]]
    paper = np.array([int(blank["light"][i : i + 2], 16) for i in (1, 3, 5)])
    share = (np.arange(11) + 0.5) / 11
    places = np.stack(np.meshgrid(share, share), axis=-1).reshape(-1, 2)
    X = np.column_stack([low + places[:, 0] * (high - low), high - places[:, 1] * (high - low)])
    keys = list(shown.grid.methods)
    for key, card in zip(keys, read_cards(shown.page), strict=False):
        (image,) = card_of(svg, key).iter(f"{SVG}image")
        kind, _, data = image.get(f"{XLINK}href").partition(",")
        assert kind == "data:image/png;base64"
        surface = open_png(b64decode(data))
        assert surface.size == (432, 432)
        predicted = shown.history.predict(X, card["t"])[card["k"]]
        compared = 0
        for (x, y), p in zip(places, predicted, strict=True):
            pixel = np.array(surface.getpixel((int(432 * x), int(432 * y))))
            full = colours[int(p > 0.5)]
            expected = paper + 0.78 * abs(2 * p - 1) * (full - paper)
            # pixels of the line have the line's colour
            if abs(p - 0.5) > 0.2:
                compared += 1
                np.testing.assert_allclose(pixel, expected, atol=12)
        assert compared > 60


@pytest.mark.parametrize("kind", ["two classes", "values"])
@pytest.mark.parametrize(("scheme", "paper"), [("dark", (14, 17, 23)), ("light", (255, 255, 255))])
def test_the_png_is_the_svg_at_twice_its_size(show, kind: str, scheme: str, paper):
    page = show(kind).page
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.wait_for_function(f"board().stage.theme.mode === {scheme!r}")
    seek(page, -1)
    svg = show(kind).svg()
    data = page.evaluate(
        """async () => {
          const blob = await (await import("/board/export/export.js")).boardPng(board().exported());
          const bytes = new Uint8Array(await blob.arrayBuffer());
          return [blob.type, btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join(""))];
        }"""
    )
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.wait_for_function("board().stage.theme.mode === 'light'")
    assert data[0] == "image/png"
    image = open_png(b64decode(data[1]))
    width, height = size_of(svg)
    assert image.size == (2 * width, 2 * height)
    assert image.getpixel((1, 1)) == paper
    # the embedded surface's offset: margin, heading, padding of the card
    (embedded,) = card_of(svg, "none").iter(f"{SVG}image")
    surface = np.asarray(open_png(b64decode(embedded.get(f"{XLINK}href").partition(",")[2])))
    at = np.asarray(image)[2 * (24 + 52 + 52) :, 2 * (24 + 12) :][:432, :432]
    same = (np.abs(at.astype(int) - surface) <= 3).all(axis=2)
    # the remaining pixels are points
    assert same.mean() > 0.5
    assert same[20:60, 20:60].mean() > 0.5


# ------------------------------------------------------------------------------ the buttons


@pytest.mark.parametrize("kind", ["PNG", "SVG"])
def test_a_button_saves_the_picture(show, kind: str, tmp_path: Path):
    shown = show("three classes")
    with shown.page.expect_download() as saved:
        shown.page.get_by_role("button", name=f"Save as {kind}").click()
    assert saved.value.suggested_filename == f"regviz-epoch-30.{kind.lower()}"
    data = Path(saved.value.path()).read_bytes()
    if kind == "PNG":
        width, height = size_of(shown.svg())
        assert open_png(data).size == (2 * width, 2 * height)
    else:
        assert data.decode() == shown.page.evaluate(TO_SVG)


def test_where_no_picture_can_be_made_it_is_said(show):
    page = show("three classes").page
    page.evaluate(
        """() => {
          const { prototype } = HTMLCanvasElement;
          window.toBlob = prototype.toBlob;
          prototype.toBlob = (done) => done(null);
        }"""
    )
    page.get_by_role("button", name="Save as PNG").click()
    expect(page.locator(".save [role=status]")).to_have_text("No PNG could be made.")
    page.evaluate("() => { HTMLCanvasElement.prototype.toBlob = window.toBlob; }")
    with page.expect_download():
        page.get_by_role("button", name="Save as PNG").click()
    expect(page.locator(".save [role=status]")).to_have_text("")
