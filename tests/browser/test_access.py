"""Tests of the board's accessibility: keyboard, text alternatives, contrast, widths."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from devtools.board import SETTLED
from regviz.engine.history import History
from regviz.methods.catalogue import METHODS
from regviz.methods.strengths import N_STRENGTHS
from regviz.scenes.showcase import LINE_UP
from tests.browser.conftest import wait_until
from tests.browser.visitor import (
    INITIAL_VIEW,
    OpenPage,
    grid_of,
    read_cards,
    resize_window,
    seek,
    set_view,
    train_cached,
    wait_until_complete,
    wait_until_idle,
)

# the focused element's name, focus ring and visibility, or null outside the board
ACTIVE = """() => {
  const { element, help } = window.board();
  const active = element.getRootNode().activeElement;
  if (!active || active === element || !element.contains(active)) return null;
  // a radio button is hidden beneath its label's text
  const drawn = active.type === "radio" ? active.nextElementSibling : active;
  const { outlineStyle, outlineWidth } = getComputedStyle(drawn);
  const readout = element.querySelector(".network .readout");
  const box = drawn.getBoundingClientRect();
  return {
    name: active.ariaLabel ?? active.textContent,
    // a focused unit has a drawn frame and a readout instead of an outline
    outlined: (outlineStyle === "solid" && parseFloat(outlineWidth) >= 2)
      || (active.matches(".units button") && !readout.hidden),
    inside: box.width > 0 && box.top >= -1 && box.bottom <= innerHeight + 1,
  };
}"""
BLUR = "window.board().element.getRootNode().activeElement?.blur(), document.activeElement?.blur()"
MIDDLE = """(element) => {
  element.scrollIntoView({ block: "center" });
  const { left, top, width, height } = element.getBoundingClientRect();
  return [left + width / 2, top + height / 2];
}"""
FOCUSABLE = "button, input, select, [tabindex]"


@pytest.fixture(scope="module")
def board_page(open_pages: OpenPage) -> Page:
    page = open_pages()
    wait_until_complete(page)
    return page


@pytest.fixture
def page(board_page: Page) -> Page:
    """The board at the end of its run, without a focused element."""
    board_page.mouse.move(0, 0)
    board_page.evaluate(BLUR)
    board_page.evaluate(
        """view => {
          const board = window.board();
          board.state = { ...board.state, speed: 1, loop: false };
          board.setView({ ...board.view, ...view });
        }""",
        INITIAL_VIEW,
    )
    seek(board_page, -1)
    return board_page


@pytest.fixture(scope="module")
def history() -> History:
    return train_cached(grid_of().experiment)


def tab_stops(page: Page) -> list[dict]:
    """Press Tab through the whole board, and return the focused elements."""
    page.evaluate("window.board().element.focus()")
    found = []
    while len(found) < 200:
        page.keyboard.press("Tab")
        active = page.evaluate(ACTIVE)
        if active is None:
            break
        found.append(active)
    return found


def tab_to(page: Page, name: str) -> None:
    """Press Tab until an element whose name matches has the focus."""
    if page.evaluate(ACTIVE) is None:
        page.evaluate("window.board().element.focus()")
    seen = []
    for _ in range(100):
        page.keyboard.press("Tab")
        active = page.evaluate(ACTIVE)
        if active is None:
            break
        seen.append(active["name"])
        if re.fullmatch(name, active["name"]):
            return
    pytest.fail(f"the tab key does not lead to {name}, but to {seen}")


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def state(page: Page, name: str):
    return page.evaluate(f"window.board().{name}")


def test_the_tab_key_stops_at_everything_and_one_sees_where(page: Page):
    found = tab_stops(page)
    names = [stop["name"] for stop in found]
    labels = ["None", "L1", "L2", "Elastic net", "Dropout", "Max-norm", "Early stopping"]
    expected = [
        *("Play", "Back to the start", "One step back", "One step forward", "Epoch", "Speed 1×"),
        *("Start over at the end", "Strength of all methods", "Move all strengths together"),
        *(
            "Keyboard",
            *labels,
            *(f"{n}: look at {label} closely" for n, label in enumerate(labels, 1)),
        ),
        *(f"Strength of {label}" for label in labels[1:6]),
        *("Mix of Elastic net", "Dropout of Max-norm"),
        *("test loss", "train loss", "gap", "accuracy", "exact zeros"),
        *("classes only", "input x₁.", "log scale", "all layers", "Prune weights below"),
    ]
    assert set(expected) <= set(names)
    assert any("Arrow keys move a crosshair" in name for name in names)
    assert [stop["name"] for stop in found if not stop["outlined"]] == []
    assert [stop["name"] for stop in found if not stop["inside"]] == []


def test_the_space_bar_plays_and_pauses_wherever_nothing_else_needs_it(page: Page):
    seek(page, 0)
    assert page.evaluate("document.activeElement === document.body")
    top = page.evaluate("window.board().element.getBoundingClientRect().top")
    press(page, "Space")
    # repeat, so that playing does not end by itself
    page.evaluate("window.board().commands.toggleLoop()")
    page.wait_for_function("window.board().frame > 3")
    press(page, "Space")
    frame = state(page, "frame")
    page.wait_for_function(f"{SETTLED}(window.board())")
    assert (state(page, "frame"), state(page, "playing")) == (frame, False)
    page.evaluate("window.board().commands.toggleLoop()")
    # nor does the key scroll the page
    assert page.evaluate("window.board().element.getBoundingClientRect().top") == top


def test_the_keyboard_plays_steps_and_goes_to_any_epoch(page: Page):
    tab_to(page, "Play")
    press(page, "Enter")
    assert state(page, "playing")
    press(page, "Space")
    assert not state(page, "playing")
    tab_to(page, "Back to the start")
    press(page, "Enter")
    assert state(page, "frame") == 0
    tab_to(page, "One step back")
    press(page, "Enter")
    assert state(page, "frame") == 0
    tab_to(page, "One step forward")
    press(page, "Enter", "Enter")
    assert state(page, "frame") == 2
    tab_to(page, "Epoch")
    for key, frame in (("ArrowLeft", 1), ("ArrowRight", 2), ("End", 100), ("Home", 0)):
        press(page, key)
        assert state(page, "frame") == frame
    tab_to(page, "Speed 1×")
    press(page, "Enter")
    assert state(page, "state.speed") == 2
    press(page, "-", "-")
    assert state(page, "state.speed") == 0.5
    press(page, "+")
    assert state(page, "state.speed") == 1
    tab_to(page, "Start over at the end")
    press(page, "Enter")
    assert state(page, "state.loop")
    press(page, "l")
    assert not state(page, "state.loop")
    for key, kind in (("b", "best"), ("s", "stop")):
        [mark] = page.evaluate(f"window.board().marks.filter(m => m.kind === {kind!r})")
        press(page, key)
        assert state(page, "frame") == mark["frame"]


def test_the_keyboard_sets_every_strength(page: Page):
    initial = {key: METHODS[key].default_index for key in LINE_UP if key != "none"}
    press(page, "ArrowUp")
    assert state(page, "view.strengthIndices") == {key: i + 1 for key, i in initial.items()}
    press(page, "ArrowDown", "ArrowDown")
    assert state(page, "view.strengthIndices") == {key: i - 1 for key, i in initial.items()}
    tab_to(page, "Strength of all methods")
    press(page, "End")
    strongest = N_STRENGTHS - 1
    linked = {key: strongest - initial["l1"] + i for key, i in initial.items()}
    assert state(page, "view.strengthIndices") == linked
    tab_to(page, "Move all strengths together")
    press(page, "Enter")
    tab_to(page, "Strength of L2")
    press(page, "ArrowLeft", "ArrowLeft")
    assert state(page, "view.strengthIndices") == linked | {"l2": strongest - 2}


def test_the_keyboard_sets_the_mix_of_elastic_net_and_the_dropout_of_max_norm(page: Page):
    tab_to(page, "Mix of Elastic net")
    press(page, "ArrowLeft")
    tab_to(page, "Dropout of Max-norm")
    press(page, "Home")
    assert state(page, "view.variantIndices") == {"elastic_net": 1, "max_norm": 0}
    expected = {"L1": None, "Elastic net": "25 % L1", "Max-norm": "no dropout"}

    def variants() -> dict[str, str | None]:
        return {c["label"]: c["variant"] for c in read_cards(page) if c["label"] in expected}

    # texts follow the pictures, 25 times a second
    wait_until(page, lambda: variants() == expected)
    assert state(page, "view.strengthIndices") == {}


def test_the_keyboard_chooses_what_is_seen_large_and_how(page: Page):
    for digit, name in enumerate(["None", "L1", "L2", "Elastic net", "Dropout", "Max-norm"], 1):
        press(page, str(digit))
        wait_until_idle(page)
        expect(page.locator(".focus h2 .name")).to_have_text(name)
    press(page, "7")
    wait_until_idle(page)
    expect(page.locator(".focus h2 .name")).to_have_text("Early stopping")
    press(page, "8")
    tab_to(page, "3: look at L2 closely")
    press(page, "Space")
    assert state(page, "view.focus") == "l2"
    tab_to(page, "classes only")
    press(page, "Enter")
    assert state(page, "view.discrete")
    press(page, "d")
    assert not state(page, "view.discrete")
    wait_until_idle(page)
    tab_to(page, "Boundary of L2 .*")
    press(page, "ArrowRight", "ArrowUp", "ArrowUp")
    assert state(page, "place") == pytest.approx({"x": 0.52, "y": 0.46})
    expect(page.locator(".card .there").first).to_be_visible()
    tab_to(page, "log scale")
    assert state(page, "place") is None
    press(page, "Enter")
    expect(page.get_by_role("button", name="log scale")).to_have_attribute("aria-pressed", "true")
    press(page, "Enter")
    tab_to(page, "all layers")
    press(page, "ArrowRight")
    expect(page.get_by_role("radio", name="into layer 1")).to_be_checked()
    expect(page.locator(".weights-panel .readout")).to_have_text(re.compile(r"of 16 exactly 0"))
    press(page, "ArrowLeft")
    tab_to(page, "Prune weights below")
    tab_to(page, "Prune weights below")  # the first one is the heading
    press(page, "ArrowRight", "ArrowRight")
    assert state(page, "view.threshold") > 0
    press(page, "Home")
    assert state(page, "view.threshold") == 0


def test_the_keyboard_changes_a_weight_and_takes_it_back(page: Page):
    before = page.evaluate("window.board().stage.cards[1].boundary.toDataURL()")
    tab_to(page, r"input x₁\..*")
    press(page, "ArrowRight", "End")
    assert page.evaluate(ACTIVE)["name"].startswith("output: bias")
    press(page, "ArrowLeft")
    assert "of layer 3" in page.evaluate(ACTIVE)["name"]
    press(page, "End", "Enter")
    assert page.evaluate(ACTIVE)["name"] == "Weight or bias"
    tab_to(page, "Value")
    press(page, "End")
    wait_until_idle(page)
    assert page.evaluate("window.board().view.edits.l1.size") == 1
    assert page.evaluate("window.board().stage.cards[1].boundary.toDataURL()") != before
    press(page, "Escape")
    expect(page.locator(".network .editor")).to_be_hidden()
    assert page.evaluate(ACTIVE)["name"].startswith("output: bias")
    tab_to(page, "Reset 1 edit")
    press(page, "Enter")
    wait_until_idle(page)
    assert page.evaluate("window.board().view.edits.l1.size") == 0
    assert page.evaluate("window.board().stage.cards[1].boundary.toDataURL()") == before


def test_the_help_opens_and_closes_and_gives_the_focus_back(page: Page):
    dialog = page.get_by_role("dialog", name="Keyboard")
    press(page, "?")
    expect(dialog).to_be_visible()
    frame = state(page, "frame")
    press(page, "Home", "3")  # meanwhile the board receives no keys
    assert (state(page, "frame"), state(page, "view.focus")) == (frame, "l1")
    press(page, "Escape")
    expect(dialog).to_be_hidden()
    tab_to(page, "Keyboard")
    press(page, "Enter")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("button", name="Close")).to_be_focused()
    press(page, "Enter")
    expect(dialog).to_be_hidden()
    assert page.evaluate(ACTIVE)["name"] == "Keyboard"


def test_every_picture_says_in_words_what_it_shows(page: Page, history: History):
    labels = """() => [...window.board().element.querySelectorAll("canvas[role=img]")]
      .filter((canvas) => canvas.clientWidth).map((canvas) => canvas.ariaLabel)"""
    seen = []
    for frame in (5, 15):
        seek(page, frame)
        texts = page.evaluate(labels)
        assert len(texts) == 2 * 7 + 6
        epoch = history.epochs[frame]
        assert [text for text in texts if not re.search(rf"\bepoch {epoch}\b", text)] == []
        seen += texts
        k = page.evaluate("window.board().stage.displayed[1].k")
        loss, share = (history.metrics[name][frame, k] for name in ("test_loss", "sparsity"))
        expected = (
            rf"L1, λ₁ = .*, at epoch {epoch}: test loss {loss:.2f},"
            rf".* {100 * share:.0f} % of 152 weights are exactly zero\."
        )
        assert re.fullmatch(expected, texts[2])
    assert len(set(seen)) == len(seen)


def test_panels_out_of_sight_are_up_to_date_once_all_rests(page: Page, history: History):
    page.evaluate("window.board().element.scrollIntoView()")
    set_view(page, focus="elastic_net")
    seek(page, 8)
    k = page.evaluate("window.board().stage.displayed[3].k")
    loss = history.metrics["test_loss"][8, k]
    expect(page.locator(".pruning .verdict")).to_contain_text(f"test loss {loss:.2f}.")
    expect(page.locator(".pruning .verdict")).to_contain_text("Elastic net: ")


def test_every_term_explains_itself_under_the_pointer_and_with_the_focus(page: Page):
    set_view(page, focus="dropout")  # its panel shows one more term
    tip = page.locator(".regviz-board .tip")
    shown = (
        "(tip => tip.hidden ? null : tip.textContent)(window.board().element.querySelector('.tip'))"
    )
    terms = page.locator(".regviz-board [data-tip]").element_handles()
    visible = [term for term in terms if term.is_visible()]
    assert len(visible) > 60
    texts = {term: term.get_attribute("data-tip") for term in visible}
    assert all(len(text.split()) >= 3 for text in texts.values())
    # bottom up, as an explanation covers the elements below
    for term, text in reversed(texts.items()):
        # except sliders and elements that lie over others
        if not term.evaluate(
            "e => e.matches('.strength-index, .mark') || e.closest('.units') !== null"
        ):
            page.mouse.move(*term.evaluate(MIDDLE))
            assert page.evaluate(shown) == text
    page.mouse.move(0, 0)
    expect(tip).to_be_hidden()
    by_focus = set()
    for term, text in texts.items():
        target = term.query_selector("input") or term
        if target.evaluate(f"e => e.matches({FOCUSABLE!r})"):
            target.focus()
            assert page.evaluate(shown) == text
            by_focus.add(text)
            page.evaluate(BLUR)
            assert page.evaluate(shown) is None
    # explanations of elements without focus are available by keyboard elsewhere
    assert set(texts.values()) == by_focus


# --- themes and widths ---


@pytest.mark.parametrize("width", [360, 390])
def test_the_number_of_the_epoch_fits_beside_the_keys_on_phones(open_page: OpenPage, width: int):
    page = open_page(width, 844, query="?v=2&epochs=20000")
    bar = page.locator(".regviz-board .transport")
    expect(bar.locator(".epoch")).to_contain_text("/ 20000")
    keys = [bar.get_by_role("button", name=name) for name in ("Back to the start", "Project")]
    first, last = (key.bounding_box() for key in keys)
    assert first["y"] == last["y"]
    expect(bar.locator(".epoch")).to_have_accessible_name(re.compile("^epoch [0-9]+ / 20000$"))


# of the window; a page opens at the first one. 1351 is that of a laptop beside a scrollbar.
WIDTHS = [(390, 768), (1351, 1920)]
HEIGHT = 900

TEXTS = """
  const shadowed = (node) => node.parentElement ?? node.getRootNode().host ?? null;
  const isSeen = (element) => {
    const { visibility, display } = getComputedStyle(element);
    return visibility !== "hidden" && display !== "none" && element.getClientRects().length > 0;
  };
  const textsOf = (root) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const found = [];
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node.parentElement;
      if (!node.data.trim() || !isSeen(element) || element.closest("option, .tip")) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const box of range.getClientRects())
        if (box.width) found.push({ node, element, box, text: node.data });
    }
    return found;
  };
"""

# texts that are cut off, outside of their container, or overlap each other
CUT_OFF_TEXTS = f"""() => {{ {TEXTS}
  const {{ element: board }} = window.board();
  const wrong = [];
  // the row of claims scrolls sideways
  const isScrolledOut = ({{ element, box }}) => {{
    const row = element.closest(".tiles")?.getBoundingClientRect();
    return row && (box.left < row.left || box.right > row.right);
  }};
  const all = textsOf(board).filter((each) => !isScrolledOut(each));
  for (const {{ element, box, text }} of all) {{
    const {{ display }} = getComputedStyle(element);
    if (display !== "inline" && element.scrollWidth > element.clientWidth + 1)
      wrong.push(`cut: ${{text}}`);
    if (box.left < -1 || box.right > innerWidth + 1) wrong.push(`outside: ${{text}}`);
    for (let above = element; above !== board; above = above.parentElement) {{
      const frame = above.getBoundingClientRect();
      const clips = getComputedStyle(above).overflowX !== "visible";
      const owns = above.matches(".card, .panel, .transport, .legend, .key, .toggle, .pick");
      if ((clips || owns) && (box.left < frame.left - 1 || box.right > frame.right + 1))
        wrong.push(`beyond ${{above.className}}: ${{text}}`);
    }}
  }}
  for (const [i, a] of all.entries())
    for (const b of all.slice(i + 1)) {{
      if (a.element.closest(".there, .remark") || b.element.closest(".there, .remark")) continue;
      // on phones the bar sticks, above the cards
      if (a.element.closest(".transport") !== b.element.closest(".transport")) continue;
      const across = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
      const down = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
      // the lines of a text may touch
      if (across > 1 && down > 4) wrong.push(`${{a.text}} upon ${{b.text}}`);
    }}
  return wrong;
}}"""

# texts below a selector (default: the board) with too little contrast, and the contrast
# as WCAG 2 defines it
LOW_CONTRAST_TEXTS = f"""(selector) => {{ {TEXTS}
  const root = selector ? document.querySelector(selector) : window.board().element;
  const context = Object.assign(document.createElement("canvas"), {{ width: 1, height: 1 }})
    .getContext("2d", {{ willReadFrequently: true }});
  const known = new Map();
  const parse = (colour) => {{
    if (!known.has(colour)) {{
      context.clearRect(0, 0, 1, 1);
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
      known.set(colour, [...context.getImageData(0, 0, 1, 1).data].map((x) => x / 255));
    }}
    return known.get(colour);
  }};
  const over = ([r, g, b, a], below) => [r, g, b].map((x, i) => a * x + (1 - a) * below[i]);
  const luminance = (colour) => {{
    const [r, g, b] = colour.map((x) => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }};
  const pale = new Set();
  let n = 0;
  for (const {{ element, text }} of textsOf(root)) {{
    if (element.closest(":disabled, svg, [data-testid=stIconMaterial]")) continue;
    // only screen readers find it
    if (element.offsetWidth <= 1 && element.offsetHeight <= 1) continue;
    // lies above the thumb that contains it
    if (element.closest("[data-testid=stSliderThumbValue]")) continue;
    let [behind, opacity] = [[1, 1, 1], 1];
    const chain = [];
    for (let above = element; above; above = shadowed(above))
      chain.unshift(getComputedStyle(above));
    for (const style of chain) {{
      behind = over(parse(style.backgroundColor), behind);
      opacity *= Number(style.opacity);
    }}
    if (opacity === 0) continue;
    const [r, g, b, a] = parse(getComputedStyle(element).color);
    const [x, y] = [luminance(over([r, g, b, a * opacity], behind)), luminance(behind)];
    const contrast = (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
    n++;
    if (contrast < 4.5) pale.add(`${{contrast.toFixed(2)}}: ${{text}} (${{element.className}})`);
  }}
  return [n, [...pale]];
}}"""

# positions of all elements at every frame of the run
JUMPS = """async () => {
  const board = window.board();
  const boxed = ".card, .card > *, .card canvas, .card dt, .pick, .transport > *, .legend, .legend"
    + " .status, .focus h2, .panel, .panel > *, .panel canvas, .panel h3 > :not(.chart-at)";
  const elements = [...board.element.querySelectorAll(boxed)].filter((e) => e.clientHeight);
  const places = () => elements.map((element) => {
    const { left, top, width, height } = element.getBoundingClientRect();
    return [left, top + scrollY, width, height].map(Math.round).join();
  });
  board.commands.restart();
  board.commands.changeSpeed(1);
  if (!board.playing) board.commands.toggle();
  await new Promise(requestAnimationFrame);
  const first = places();
  const moved = new Set();
  const frames = new Set();
  while (board.playing) {
    await new Promise(requestAnimationFrame);
    frames.add(board.frame);
    places().forEach((place, i) => {
      if (place !== first[i]) moved.add(`${elements[i].className}: ${first[i]} to ${place}`);
    });
  }
  return [frames.size, elements.length, [...moved]];
}"""


@pytest.fixture(scope="module", params=WIDTHS, ids=lambda widths: str(widths[0]))
def opened_at(request: pytest.FixtureRequest, open_pages: OpenPage) -> tuple[Page, tuple[int, int]]:
    page = open_pages(request.param[0], HEIGHT)
    wait_until_complete(page)
    return page, request.param


@pytest.fixture
def sized(opened_at: tuple[Page, tuple[int, int]]) -> tuple[Page, tuple[int, int]]:
    """A page at the end of its run, in the light theme, and the window widths to test."""
    page, widths = opened_at
    page.evaluate("window.board().help.element.close(), window.board().point(null)")
    resize_window(page, widths[0], HEIGHT)
    change_theme(page, "light")
    set_view(page, **INITIAL_VIEW)
    seek(page, -1)
    return page, widths


def change_theme(page: Page, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.wait_for_function(f"window.board().stage.theme.mode === {scheme!r}")


def test_no_text_is_cut_and_nothing_wider_than_the_window(sized: tuple[Page, tuple[int, int]]):
    page, widths = sized
    for width in widths:
        resize_window(page, width, HEIGHT)
        for focus, strength_index, threshold in (
            ("dropout", 0, 0),
            ("max_norm", 4, 0),
            ("l1", 7, 0.2),
        ):
            strength_indices = dict.fromkeys(
                ("l1", "l2", "elastic_net", "dropout", "max_norm"), strength_index
            )
            set_view(page, focus=focus, strengthIndices=strength_indices, threshold=threshold)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate(CUT_OFF_TEXTS) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(
    sized: tuple[Page, tuple[int, int]], scheme: str
):
    page, _ = sized
    change_theme(page, scheme)
    page.evaluate("window.board().point({ x: 0.3, y: 0.4 })")
    set_view(page, threshold=0.1)
    for focus in ("none", "l1", "l2", "elastic_net", "dropout", "max_norm", "early_stopping"):
        set_view(page, focus=focus)
        n, pale = page.evaluate(LOW_CONTRAST_TEXTS)
        assert n > 150
        assert pale == []
    page.evaluate("window.board().point(null)")
    page.evaluate("window.board().help.element.showModal()")
    assert page.evaluate(LOW_CONTRAST_TEXTS)[1] == []


def test_nothing_moves_while_the_run_is_played(sized: tuple[Page, tuple[int, int]]):
    page, _ = sized
    page.emulate_media(reduced_motion="no-preference")
    page.evaluate("window.board().element.scrollIntoView()")
    frames, elements, moved = page.evaluate(JUMPS)
    assert frames > 1  # a slow machine leaves frames out
    assert elements > 100
    assert moved == []


def test_what_was_left_out_of_a_large_run_can_be_had_by_keyboard_until_the_next(page: Page):
    found = page.evaluate(
        """async () => {
          const { makeLegend, updateStatus } = await import(assets + "/board/panels/legend.js");
          const legend = makeLegend();
          const epochs = [0, 1, 2];
          const run = (half, n) => ({ epochs: epochs.slice(0, n), nReceived: n, nFrames: 3, half,
            lastEpoch: 2, diverged: new Int32Array(2).fill(-1) });
          return [run(true, 3), run(true, 1), run(false, 3)].map((recording) => {
            updateStatus(legend, recording);
            const { textContent, tabIndex, dataset } = legend.status;
            return [textContent, tabIndex, dataset.tip?.split(":")[0] ?? null];
          });
        }"""
    )
    assert found == [
        ["2 networks, 2 epochs", 0, "half precision"],
        ["training… 0 %", -1, None],
        ["2 networks, 2 epochs", -1, None],
    ]
