"""Tests of the board's interaction: strengths, epochs, pruning, crosshair, edits."""

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Locator, Page, expect

import regviz
from regviz.engine.history import History
from regviz.methods.catalogue import METHODS
from regviz.scenes.showcase import LINE_UP, SHOWCASE
from tests.browser.visitor import (
    INITIAL_VIEW,
    OpenPage,
    all_boundary_pixels,
    boundary_pixels,
    choose_data,
    grid_of,
    is_rounded,
    read_cards,
    release_pointer,
    seek,
    set_view,
    train_cached,
    wait_until_complete,
    wait_until_idle,
    wait_until_settled,
)

EARLY_STOPPING = 6


@pytest.fixture(scope="module")
def board_page(open_pages: OpenPage) -> Page:
    page = open_pages()
    wait_until_complete(page)
    wait_until_settled(page)
    return page


@pytest.fixture
def page(board_page: Page) -> Page:
    """The board at the end of its run, as it opens."""
    release_pointer(board_page)
    # to the window's upper edge, below Streamlit's transparent header
    board_page.evaluate("board().element.scrollIntoView()")
    seek(board_page, -1)
    set_view(board_page, **INITIAL_VIEW)
    return board_page


def test_at_rest_all_cards_have_the_full_resolution(page: Page):
    seek(page, 20)
    expected = all_boundary_pixels(page)
    wait_until_settled(page)
    # as while a slider is dragged: no answer of the server makes the board draw again
    page.evaluate("board().reporter.pointerDown = true")
    page.evaluate("() => { performance.now = () => 0; }")  # all drawings are quick
    try:
        seek(page, 21)
        # the next drawing is the one after which the resolution rises again
        page.evaluate("board().resolution = { coarse: 1, slow: 0, quick: 40 }")
        seek(page, 20)
        assert page.evaluate("board().resolution.coarse") == 0
        assert all_boundary_pixels(page) == expected
        seek(page, 21)
        # drawn for an export before its animation frame
        reduced = page.evaluate(
            """() => {
              board().resolution = { coarse: 1, slow: 0, quick: 0 };
              board().commands.seek(20);
              board().exported();
              return board().reduced;
            }"""
        )
        assert reduced
        assert all_boundary_pixels(page) == expected
    finally:
        page.evaluate("() => { delete performance.now; }")
        page.evaluate("board().reporter.pointerDown = false")


@pytest.fixture(scope="module")
def history() -> History:
    """The history of the page's grid."""
    return train_cached(grid_of().experiment)


def outputs(history: History, row: NDArray[np.floating], X: NDArray[np.floating]):
    """Return a network's logits ``(n,)``, computed in NumPy and double precision."""
    units = np.asarray(X, np.float64).T
    *hidden, last = (block.astype(np.float64) for block in history.layout.split(row))
    for block in hidden:
        units = np.tanh(block[:, :-1] @ units + block[:, -1:])
    return (last[:, :-1] @ units + last[:, -1:])[0]


def score(history: History, row: NDArray[np.floating], split: str = "test"):
    """Return mean cross-entropy and accuracy."""
    X, y = history.dataset.points(split)
    z = outputs(history, row, X)
    return np.mean(np.logaddexp(0, z) - y * z), np.mean((z > 0) == (y == 1))


def is_weight(history: History) -> NDArray[np.bool_]:
    marks = np.zeros(history.parameters.shape[2], bool)
    for block in history.layout.split(marks):
        block[:, :-1] = True
    return marks


def assert_recorded(history: History, card: dict) -> None:
    """Assert that a card shows its network's recorded numbers."""
    at = {name: values[card["t"], card["k"]] for name, values in history.metrics.items()}
    assert is_rounded(card["test_loss"], at["test_loss"], 2)
    assert is_rounded(card["train_loss"], at["train_loss"], 2)
    assert is_rounded(card["gap"].replace("+", ""), at["gap"], 2)
    assert card["test_accuracy"] == percent(at["test_accuracy"])
    assert card["sparsity"] == percent(at["sparsity"])
    weights = history.parameters[card["t"], card["k"]][is_weight(history)]
    assert card["zeros"] == f"{(weights == 0).sum()} of {weights.size} exactly 0"
    # that a network is constant is said by tests/js/test_summary.py
    assert card["remark"] in (None, "same answer everywhere")


def percent(share: float) -> str:
    if 0 < share < 0.005:
        return "<1 %"
    if 0.995 <= share < 1:
        return ">99 %"
    return f"{int(100 * share + 0.5 + 1e-5)} %"


def drag(
    page: Page, slider: Locator, to: float, during: Callable[[], object]
) -> list[tuple[str, object]]:
    """Drag a slider's thumb to a share of its track; return values and ``during()`` on the way."""
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    start = slider.evaluate("s => (s.valueAsNumber - s.min) / (s.max - s.min)")
    y = box["y"] + box["height"] / 2
    seen = []
    page.mouse.move(box["x"] + 8 + start * (box["width"] - 16), y)
    page.mouse.down()
    for step in range(1, 9):
        share = start + (to - start) * step / 8
        page.mouse.move(box["x"] + 8 + share * (box["width"] - 16), y)
        page.wait_for_function("!window.board().stale")
        seen.append((slider.input_value(), during()))
    return seen


@pytest.mark.parametrize(
    ("name", "to", "released"),
    [
        ("Strength of L1", 1.0, 1),
        ("Strength of all methods", 0.0, 1),
        ("Mix of Elastic net", 1.0, 1),
        ("Dropout of Max-norm", 0.0, 1),
        ("Epoch", 0.1, 1),
        ("Prune weights below", 0.9, 0),
    ],
)
def test_dragging_redraws_at_once_and_sends_nothing(
    page: Page, name: str, to: float, released: int
):
    if name == "Strength of L1":
        set_view(page, linked=False)
    wait_until_settled(page)  # the server has the view of the test before
    before = all_boundary_pixels(page)
    n_sent = page.exchange.n_sent
    card = {"Mix of Elastic net": 3, "Dropout of Max-norm": 5}.get(name, 1)
    seen = drag(
        page,
        page.get_by_role("slider", name=name, exact=True),
        to,
        lambda: boundary_pixels(page, card),
    )
    n_values = 2 if name == "Dropout of Max-norm" else 3
    assert len({value for value, _ in seen}) >= n_values
    assert len({seen_then for _, seen_then in seen}) >= n_values
    # the thumb is held for longer than the debounce time, and nothing is sent
    page.wait_for_function("window.board().fine && !window.board().reporter.timer")
    assert page.exchange.n_sent == n_sent
    page.mouse.up()
    # the view is sent once, for links and the views below; nothing else is sent
    wait_until_settled(page)
    assert page.exchange.n_sent == n_sent + released
    differ = [a != b for a, b in zip(before, all_boundary_pixels(page), strict=True)]
    if name in ("Strength of L1", "Mix of Elastic net", "Dropout of Max-norm"):
        assert differ == [c == card for c in range(7)]
    elif name == "Strength of all methods":
        assert differ == [c not in (0, EARLY_STOPPING) for c in range(7)]
    elif name == "Epoch":
        assert all(differ[:6])
    else:
        assert all(differ)


def test_the_chart_of_all_methods_has_the_losses_of_the_cards_and_sends_nothing(page: Page):
    wait_until_settled(page)
    n_sent = page.exchange.n_sent
    switch = page.get_by_role("region", name="Losses").get_by_role("button", name="all methods")
    switch.press("Enter")
    wait_until_idle(page)
    values = """() => {
      const { losses } = board().focus.panels;
      return losses.data.series.map(({ values }) => values[losses.data.now]);
    }"""
    expected = """() => {
      const { recording, stage: { displayed } } = board();
      return displayed.map(({ k, t }) => metric(recording, "test_loss", t, k));
    }"""
    page.evaluate(
        """async () => {
          window.metric = (await import(`${assets}/board/state/recording.js`)).metric;
        }"""
    )
    before = page.evaluate(values)
    assert before == page.evaluate(expected)
    assert page.exchange.n_sent == n_sent
    page.get_by_role("slider", name="Strength of L2").press("ArrowRight")
    wait_until_idle(page)
    assert page.evaluate(values) == page.evaluate(expected) != before
    page.get_by_role("region", name="Losses").get_by_role("button", name="Dropout").press("Enter")
    wait_until_idle(page)
    assert page.evaluate("board().view.focus") == "dropout"
    switch.press("Enter")


def test_the_slider_of_a_card_moves_all_of_them_unless_unlinked(page: Page):
    slider = page.get_by_role("slider", name="Strength of L2")
    everyone = page.get_by_role("slider", name="Strength of all methods")
    slider.press("ArrowRight")
    linked = {key: METHODS[key].default_index + 1 for key in LINE_UP if key != "none"}
    assert page.evaluate("board().view.strengthIndices") == linked
    expect(everyone).to_have_attribute("aria-valuetext", "9 of 12")
    page.get_by_role("button", name="Move all strengths together").click()
    slider.press("ArrowRight")
    assert page.evaluate("board().view.strengthIndices") == linked | {"l2": linked["l2"] + 1}
    expect(everyone).to_have_attribute("aria-valuetext", "differs from card to card")


@pytest.mark.parametrize("strength_index", [0, 4, 11])
def test_at_every_strength_and_epoch_the_numbers_are_those_of_the_history(
    page: Page, history: History, strength_index: int
):
    networks_by_method = grid_of().networks_by_method()
    keys = [key for key, _ in networks_by_method]
    set_view(page, strengthIndices=dict.fromkeys(keys, strength_index))
    for t in (0, 1, 12, 57, len(history.epochs) - 1):
        seek(page, t)
        shown = read_cards(page)
        assert [card["k"] for card in shown[:6]] == [
            networks[min(strength_index, len(networks) - 1)] for _, networks in networks_by_method
        ]
        assert [card["t"] for card in shown[:6]] == [t] * 6
        for card in shown:
            assert_recorded(history, card)


def test_pruned_networks_are_what_numpy_makes_of_them(page: Page, history: History):
    pruned_for_nothing = all_boundary_pixels(page)
    slider = page.get_by_role("slider", name="Prune weights below")
    table = page.locator(".pruning tbody tr")
    for position in (15, 35, 60, 100):
        slider.fill(str(position))
        wait_until_idle(page)
        threshold = page.evaluate("board().view.threshold")
        assert threshold > 0
        for c, card in enumerate(read_cards(page)):
            recorded = history.parameters[card["t"], card["k"]]
            small = np.abs(recorded.astype(np.float64)) < threshold
            row = np.where(small & is_weight(history), np.float32(0), recorded)
            left = np.count_nonzero(row[is_weight(history)])
            loss, accuracy = score(history, row)
            gap = loss - score(history, row, "train")[0]
            expect(table.nth(c).locator(".count")).to_have_text(str(left))
            assert table.nth(c).locator(".is").text_content() == percent(accuracy)
            assert is_rounded(card["test_loss"], loss, 2)
            assert is_rounded(card["gap"].replace("+", ""), gap, 2)
            assert card["test_accuracy"] == percent(accuracy)
            assert card["zeros"] == f"{152 - left} of 152 exactly 0"
            assert card["remark"].startswith("pruned")
    slider.press("Home")
    wait_until_idle(page)
    for card in read_cards(page):
        assert_recorded(history, card)
    assert all_boundary_pixels(page) == pruned_for_nothing


def test_the_card_of_early_stopping_is_held_at_the_best_epoch(page: Page, history: History):
    best = int(history.early_stopping(SHOWCASE.training.epochs // 10)[0][0])
    assert 0 < best < 90
    for t in (best - 1, best, best + 1, 100):
        seek(page, t)
        none, card = (read_cards(page)[c] for c in (0, EARLY_STOPPING))
        assert (card["k"], card["t"]) == (none["k"], min(t, best))
        kept = f"kept from epoch {history.epochs[best]}"
        assert card["strength"] == (kept if t >= best else "not stopped yet")
        assert_recorded(history, card)
        assert (boundary_pixels(page, 0) == boundary_pixels(page, EARLY_STOPPING)) == (t <= best)


def test_marks_stand_where_early_stopping_is_and_lead_there(page: Page, history: History):
    best, stopped = history.early_stopping(SHOWCASE.training.epochs // 10)
    for focus, c in (("none", 0), ("l1", 1), ("dropout", 4)):
        set_view(page, focus=focus)
        k = read_cards(page)[c]["k"]
        marks = {m["kind"]: m for m in page.evaluate("board().marks")}
        assert marks["best"]["frame"] == best[k]
        assert marks["best"]["epoch"] == history.epochs[best[k]]
        if "stop" in marks:
            assert marks["stop"]["frame"] == stopped[k]
        else:
            assert stopped[k] == 100
    set_view(page, focus="none")
    for kind, frame in (("best", best[0]), ("stop", stopped[0])):
        seek(page, 50)
        mark = page.locator(f".mark.{kind}")
        track = page.locator(".timeline input").bounding_box()
        box = mark.bounding_box()
        at = track["x"] + 8 + frame / 100 * (track["width"] - 16)
        assert box["x"] + box["width"] / 2 == pytest.approx(at, abs=1)
        mark.click()
        assert page.evaluate("board().frame") == frame


def assert_predicts(page: Page, history: History) -> None:
    """Point at places of the large boundary, and check the cards' predictions there."""
    canvas = page.locator(".closeup canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    low, high = page.evaluate("board().recording.domain")
    for share_x, share_y in ((0.5, 0.5), (0.52, 0.31), (0.25, 0.68), (0.9, 0.1)):
        # whole pixels, like those of a mouse
        x, y = (
            round(box[a] + s * box[b])
            for a, b, s in (("x", "width", share_x), ("y", "height", share_y))
        )
        page.mouse.move(x, y)
        page.wait_for_function("window.board().place && !window.board().pointed")
        place = page.evaluate("board().place")
        assert abs(place["x"] - share_x) * box["width"] < 2
        assert abs(place["y"] - share_y) * box["height"] < 2
        at = [low + place["x"] * (high - low), high - place["y"] * (high - low)]
        shown = read_cards(page)
        for t in {card["t"] for card in shown}:
            expected = history.predict([at], t)[:, 0]
            for card in shown:
                if card["t"] == t:
                    assert_predicted(card["there"], expected[card["k"]], history.dataset.task)
        readout = page.locator(".closeup .readout").text_content()
        assert all(f"{card['label']} {card['there']}" in readout for card in shown)
    page.mouse.move(2, 2)
    page.wait_for_function("!window.board().place && !window.board().pointed")
    assert {card["there"] for card in read_cards(page)} == {None}


def assert_predicted(text: str, expected, task: str) -> None:
    if task == "regression":
        assert is_rounded(text, expected, 2)
        return
    if task == "multiclass":
        best, _, share = text.partition(": ")
        assert expected[int(best)] >= expected.max() - 1e-5
        probability = expected.max()
    else:
        share, probability = text.removeprefix("p "), expected
    if share in (">.99", "<.01"):
        assert probability > 0.9949 if share == ">.99" else probability < 0.0051
    else:
        assert is_rounded(f"0{share}" if share.startswith(".") else share, probability, 2)


def test_every_card_says_what_its_network_predicts_at_the_crosshair(page: Page, history: History):
    seek(page, 37)
    assert_predicts(page, history)
    set_view(page, strengthIndices=dict.fromkeys(("l1", "l2", "dropout"), 6))
    assert_predicts(page, history)


def test_classes_only_is_the_class_that_is_more_probable(page: Page):
    soft = boundary_pixels(page)
    page.keyboard.press("d")
    wait_until_idle(page)
    button = page.get_by_role("button", name="classes only")
    expect(button).to_have_attribute("aria-pressed", "true")
    colours = page.evaluate(
        """() => {
          const { canvas } = window.board().focus.panels.closeup;
          const pixels = new Uint32Array(
            canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer);
          const counts = new Map();
          for (const p of pixels) counts.set(p, (counts.get(p) ?? 0) + 1);
          const most = [...counts.values()].sort((a, b) => b - a).slice(0, 2);
          return (most[0] + most[1]) / pixels.length;
        }"""
    )
    assert colours > 0.6  # two colours, and the points drawn on top
    button.click()
    wait_until_idle(page)
    assert boundary_pixels(page) == soft


def test_an_edited_weight_changes_that_network_alone_and_reset_brings_it_back(
    page: Page, history: History
):
    before, large, shown = all_boundary_pixels(page), boundary_pixels(page), read_cards(page)
    unit = page.get_by_role("button", name="output: bias").first
    unit.focus()
    page.keyboard.press("Enter")
    editor = page.get_by_role("dialog", name="Change the weights of output")
    row = history.parameters[-1, shown[1]["k"]].copy()
    index = len(row) - 9 + int(np.abs(row[-9:-1]).argmax())  # the output's largest weight
    editor.get_by_label("Weight or bias").select_option(str(index))
    row[index] *= -1
    editor.get_by_label("Value as a number").fill(str(row[index]))
    wait_until_idle(page)
    loss, accuracy = score(history, row)
    assert abs(loss - history.metrics["test_loss"][-1, shown[1]["k"]]) > 0.01
    edited = read_cards(page)
    assert edited[1]["remark"] == "edited"
    assert is_rounded(edited[1]["test_loss"], loss, 2)
    assert edited[1]["test_accuracy"] == percent(accuracy)
    assert edited[:1] + edited[2:] == shown[:1] + shown[2:]
    differ = [a != b for a, b in zip(before, all_boundary_pixels(page), strict=True)]
    assert differ == [c == 1 for c in range(7)]
    assert boundary_pixels(page) != large
    # the edit stays while another network is in focus and at another epoch
    set_view(page, focus="l2")
    expect(page.locator(".network .reset")).to_be_disabled()
    set_view(page, focus="l1")
    seek(page, 20)
    assert read_cards(page)[1]["remark"] == "edited"
    seek(page, -1)
    page.get_by_role("button", name="Reset 1 edit").click()
    wait_until_idle(page)
    assert read_cards(page) == shown
    assert all_boundary_pixels(page) == before
    assert boundary_pixels(page) == large


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_each_weight_and_bias_of_a_unit_can_be_chosen_and_set(
    page: Page, history: History, layer: int
):
    large, k = boundary_pixels(page), read_cards(page)[1]["k"]
    incoming = history.weights(k)[layer - 1]
    unit = int(np.abs(incoming).sum(axis=0).argmax())
    button = page.get_by_role("button", name=re.compile(f"^unit {unit + 1} of layer {layer}:"))
    button.focus()
    page.keyboard.press("Enter")
    editor = page.get_by_role("dialog", name=f"Change the weights of unit {unit + 1}")
    choice = editor.get_by_label("Weight or bias")
    sources = ["x₁", "x₂"] if layer == 1 else [f"unit {i + 1}" for i in range(8)]
    texts = choice.locator("option").all_text_contents()
    names = [text.partition(":")[0] for text in texts]
    assert names == [*(f"weight from {source}" for source in sources), "bias"]
    largest = int(np.abs(incoming[:, unit]).argmax())
    choice.select_option(index=largest)
    value = float(editor.get_by_label("Value as a number").input_value())
    assert value == pytest.approx(float(incoming[largest, unit]), abs=0.005)
    editor.get_by_role("button", name="Set to 0").click()
    wait_until_idle(page)
    n_left = np.count_nonzero(incoming[:, unit]) - 1
    expect(button).to_have_accessible_name(
        re.compile(f"{n_left} of {len(sources)} incoming weights are not 0")
    )
    assert boundary_pixels(page) != large
    editor.get_by_label("Value as a number").press("Escape")
    expect(editor).to_be_hidden()
    page.get_by_role("button", name="Reset 1 edit").click()
    wait_until_idle(page)
    assert boundary_pixels(page) == large


def test_the_crosshair_predicts_classes_and_values_as_well(open_page: OpenPage):
    page = open_page(query="?v=2&epochs=50")
    wait_until_complete(page)
    training = replace(SHOWCASE.training, epochs=50)
    for name, label in (("three_spirals", "Three spirals"), ("bumps", "Bumps (regression)")):
        choose_data(page, label)
        seek(page, -1)
        data = replace(SHOWCASE.data, name=name)
        assert_predicts(page, regviz.train(grid_of(data, training=training).experiment))


# --- a layer's view ---


def test_what_a_layer_sees_follows_epoch_and_strength_without_a_message(
    page: Page, history: History
):
    panel = page.get_by_role("region", name="Seen by a layer")
    panel.scroll_into_view_if_needed()
    wait_until_settled(page)
    n_sent = page.exchange.n_sent
    panel.get_by_role("radio", name="layer 3").focus()
    page.keyboard.press("ArrowLeft")
    expect(panel.get_by_role("radio", name="layer 2")).to_be_checked()
    panel.get_by_role("combobox", name="To the right").select_option("unit 4")
    panel.get_by_role("combobox", name="Upwards").select_option("unit 7")
    pictures = set()
    # while a slider is dragged, the board does not report its view either
    page.evaluate("board().reporter.pointerDown = true")
    for frame, strength in ((20, 7), (60, 7), (60, 3)):
        page.evaluate(f"board().commands.seek({frame})")
        page.evaluate(f"board().commands.setStrength('l1', {strength})")
        page.wait_for_function("!board().stale && board().fine")
        shown, k, places = page.evaluate(
            """() => {
              const { warp, canvas } = board().focus.panels.warp;
              const k = board().stage.displayed.find(({ card }) => card.key === "l1").k;
              return [canvas.toDataURL(), k, Array.from(warp.places)];
            }"""
        )
        pictures.add(shown)
        X, _ = history.dataset.points("train")
        units = X.T
        for block in history.layout.split(history.parameters[frame, k].astype(float))[:2]:
            units = np.tanh(block[:, :-1] @ units + block[:, -1:])
        seen = np.reshape(places, (-1, 2))[-len(X) :]
        np.testing.assert_allclose(seen, units[[3, 6]].T, atol=1e-3)
    assert len(pictures) == 3
    label = panel.get_by_role("img").get_attribute("aria-label")
    assert "hidden layer 2 of L1" in label
    assert f"epoch {history.epochs[60]}" in label
    assert page.exchange.n_sent == n_sent
