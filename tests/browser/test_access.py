"""The board for everyone: by keyboard alone, in words, in both themes and at every width."""

import re

import pytest
from playwright.sync_api import Page, expect

from devtools.board import SETTLED
from regviz.engine.history import History
from tests.browser.visitor import START, Open, complete, go, grid_of, look, resize, still, trained

# what has the keyboard's focus, or null outside the board
ACTIVE = """() => {
  const { element, help } = window.board();
  const active = element.getRootNode().activeElement;
  if (!active || active === element || !element.contains(active)) return null;
  // a radio button is hidden beneath its label's text
  const drawn = active.type === "radio" ? active.nextElementSibling : active;
  const { outlineStyle, outlineWidth } = getComputedStyle(drawn);
  const told = element.querySelector(".network .readout");
  const box = drawn.getBoundingClientRect();
  return {
    name: active.ariaLabel ?? active.textContent,
    // a unit's frame is drawn, and what it computes is told beside it
    outlined: (outlineStyle === "solid" && parseFloat(outlineWidth) >= 2)
      || (active.matches(".units button") && !told.hidden),
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
def opened(open_pages: Open) -> Page:
    page = open_pages()
    complete(page)
    return page


@pytest.fixture
def page(opened: Page) -> Page:
    """The board at the end of its run, with nothing focused."""
    opened.mouse.move(0, 0)
    opened.evaluate(BLUR)
    opened.evaluate(
        """view => {
          const board = window.board();
          board.state = { ...board.state, speed: 1, loop: false };
          board.setView({ ...board.view, ...view });
        }""",
        START,
    )
    go(opened, -1)
    return opened


@pytest.fixture(scope="module")
def history() -> History:
    return trained(grid_of().experiment)


def stops(page: Page) -> list[dict]:
    """Press the tab key from the board's beginning to its end: what it stops at."""
    page.evaluate("window.board().element.focus()")
    found = []
    while len(found) < 200:
        page.keyboard.press("Tab")
        active = page.evaluate(ACTIVE)
        if active is None:
            break
        found.append(active)
    return found


def reach(page: Page, name: str) -> None:
    """Press the tab key until what is called so has the focus; from there on, or from the start."""
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
    found = stops(page)
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
        *("test loss", "train loss", "gap", "accuracy", "exact zeros"),
        *("classes only", "input x₁.", "log scale", "all layers", "Prune weights below"),
    ]
    assert set(expected) <= set(names)
    assert any("Arrow keys move a crosshair" in name for name in names)
    assert [stop["name"] for stop in found if not stop["outlined"]] == []
    assert [stop["name"] for stop in found if not stop["inside"]] == []


def test_the_space_bar_plays_and_pauses_wherever_nothing_else_needs_it(page: Page):
    go(page, 0)
    assert page.evaluate("document.activeElement === document.body")
    top = page.evaluate("window.board().element.getBoundingClientRect().top")
    press(page, "Space")
    page.evaluate("window.board().commands.toggleLoop()")  # so that it plays until it is paused
    page.wait_for_function("window.board().frame > 3")
    press(page, "Space")
    held = state(page, "frame")
    page.wait_for_function(f"{SETTLED}(window.board())")
    assert (state(page, "frame"), state(page, "playing")) == (held, False)
    page.evaluate("window.board().commands.toggleLoop()")
    # neither does it scroll the page
    assert page.evaluate("window.board().element.getBoundingClientRect().top") == top


def test_the_keyboard_plays_steps_and_goes_to_any_epoch(page: Page):
    reach(page, "Play")
    press(page, "Enter")
    assert state(page, "playing")
    press(page, "Space")
    assert not state(page, "playing")
    reach(page, "Back to the start")
    press(page, "Enter")
    assert state(page, "frame") == 0
    reach(page, "One step back")
    press(page, "Enter")
    assert state(page, "frame") == 0
    reach(page, "One step forward")
    press(page, "Enter", "Enter")
    assert state(page, "frame") == 2
    reach(page, "Epoch")
    for key, frame in (("ArrowLeft", 1), ("ArrowRight", 2), ("End", 100), ("Home", 0)):
        press(page, key)
        assert state(page, "frame") == frame
    reach(page, "Speed 1×")
    press(page, "Enter")
    assert state(page, "state.speed") == 2
    press(page, "-", "-")
    assert state(page, "state.speed") == 0.5
    press(page, "+")
    assert state(page, "state.speed") == 1
    reach(page, "Start over at the end")
    press(page, "Enter")
    assert state(page, "state.loop")
    press(page, "l")
    assert not state(page, "state.loop")
    for key, kind in (("b", "best"), ("s", "stop")):
        [mark] = page.evaluate(f"window.board().marks.filter(m => m.kind === {kind!r})")
        press(page, key)
        assert state(page, "frame") == mark["frame"]


def test_the_keyboard_sets_every_strength(page: Page):
    press(page, "ArrowUp")
    assert set(page.evaluate("Object.values(window.board().view.strengthIndices)")) == {5}
    press(page, "ArrowDown", "ArrowDown")
    assert set(page.evaluate("Object.values(window.board().view.strengthIndices)")) == {3}
    reach(page, "Strength of all methods")
    press(page, "End")
    assert set(page.evaluate("Object.values(window.board().view.strengthIndices)")) == {7}
    reach(page, "Move all strengths together")
    press(page, "Enter")
    reach(page, "Strength of L2")
    press(page, "ArrowLeft", "ArrowLeft")
    strength_indices = state(page, "view.strengthIndices")
    assert strength_indices.pop("l2") == 5
    assert set(strength_indices.values()) == {7}


def test_the_keyboard_chooses_what_is_seen_large_and_how(page: Page):
    for digit, name in enumerate(["None", "L1", "L2", "Elastic net", "Dropout", "Max-norm"], 1):
        press(page, str(digit))
        still(page)
        expect(page.locator(".focus h2 .name")).to_have_text(name)
    press(page, "7")
    still(page)
    expect(page.locator(".focus h2 .name")).to_have_text("Early stopping")
    press(page, "8")
    reach(page, "3: look at L2 closely")
    press(page, "Space")
    assert state(page, "view.focus") == "l2"
    reach(page, "classes only")
    press(page, "Enter")
    assert state(page, "view.discrete")
    press(page, "d")
    assert not state(page, "view.discrete")
    still(page)
    reach(page, "Boundary of L2 .*")
    press(page, "ArrowRight", "ArrowUp", "ArrowUp")
    assert state(page, "place") == pytest.approx({"x": 0.52, "y": 0.46})
    expect(page.locator(".card .there").first).to_be_visible()
    reach(page, "log scale")
    assert state(page, "place") is None
    press(page, "Enter")
    expect(page.get_by_role("button", name="log scale")).to_have_attribute("aria-pressed", "true")
    press(page, "Enter")
    reach(page, "all layers")
    press(page, "ArrowRight")
    expect(page.get_by_role("radio", name="into layer 1")).to_be_checked()
    expect(page.locator(".weights-panel .readout")).to_have_text(re.compile(r"of 16 exactly 0"))
    press(page, "ArrowLeft")
    reach(page, "Prune weights below")
    reach(page, "Prune weights below")  # the first one is the heading
    press(page, "ArrowRight", "ArrowRight")
    assert state(page, "view.threshold") > 0
    press(page, "Home")
    assert state(page, "view.threshold") == 0


def test_the_keyboard_changes_a_weight_and_takes_it_back(page: Page):
    before = page.evaluate("window.board().stage.cards[1].boundary.toDataURL()")
    reach(page, r"input x₁\..*")
    press(page, "ArrowRight", "End")
    assert page.evaluate(ACTIVE)["name"].startswith("output: bias")
    press(page, "ArrowLeft")
    assert "of layer 3" in page.evaluate(ACTIVE)["name"]
    press(page, "End", "Enter")
    assert page.evaluate(ACTIVE)["name"] == "Weight or bias"
    reach(page, "Value")
    press(page, "End")
    still(page)
    assert page.evaluate("window.board().view.edits.l1.size") == 1
    assert page.evaluate("window.board().stage.cards[1].boundary.toDataURL()") != before
    press(page, "Escape")
    expect(page.locator(".network .editor")).to_be_hidden()
    assert page.evaluate(ACTIVE)["name"].startswith("output: bias")
    reach(page, "Reset 1 edit")
    press(page, "Enter")
    still(page)
    assert page.evaluate("window.board().view.edits.l1.size") == 0
    assert page.evaluate("window.board().stage.cards[1].boundary.toDataURL()") == before


def test_the_help_opens_and_closes_and_gives_the_focus_back(page: Page):
    dialog = page.get_by_role("dialog", name="Keyboard")
    press(page, "?")
    expect(dialog).to_be_visible()
    frame = state(page, "frame")
    press(page, "Home", "3")  # no key reaches the board meanwhile
    assert (state(page, "frame"), state(page, "view.focus")) == (frame, "l1")
    press(page, "Escape")
    expect(dialog).to_be_hidden()
    reach(page, "Keyboard")
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
        go(page, frame)
        said = page.evaluate(labels)
        assert len(said) == 2 * 7 + 5
        epoch = history.epochs[frame]
        assert [text for text in said if not re.search(rf"\bepoch {epoch}\b", text)] == []
        seen += said
        k = page.evaluate("window.board().stage.displayed[1].k")
        loss, share = (history.metrics[name][frame, k] for name in ("test_loss", "sparsity"))
        expected = (
            rf"L1, λ₁ = .*, at epoch {epoch}: test loss {loss:.2f},"
            rf".* {100 * share:.0f} % of 152 weights are exactly zero\."
        )
        assert re.fullmatch(expected, said[2])
    assert len(set(seen)) == len(seen)


def test_panels_out_of_sight_are_up_to_date_once_all_rests(page: Page, history: History):
    page.evaluate("window.board().element.scrollIntoView()")
    look(page, focus="elastic_net")
    go(page, 8)
    k = page.evaluate("window.board().stage.displayed[3].k")
    loss = history.metrics["test_loss"][8, k]
    expect(page.locator(".pruning .verdict")).to_contain_text(f"test loss {loss:.2f}.")
    expect(page.locator(".pruning .verdict")).to_contain_text("Elastic net: ")


def test_every_term_explains_itself_under_the_pointer_and_with_the_focus(page: Page):
    look(page, focus="dropout")  # whose network has a term more
    tip = page.locator(".regviz-board .tip")
    shown = (
        "(tip => tip.hidden ? null : tip.textContent)(window.board().element.querySelector('.tip'))"
    )
    terms = page.locator(".regviz-board [data-tip]").element_handles()
    visible = [term for term in terms if term.is_visible()]
    assert len(visible) > 60
    said = {term: term.get_attribute("data-tip") for term in visible}
    assert all(len(text.split()) >= 3 for text in said.values())
    # upwards, as an explanation lies over what stands below
    for term, text in reversed(said.items()):
        # but not what is dragged, or lies upon another
        if not term.evaluate(
            "e => e.matches('.strength-index, .mark') || e.closest('.units') !== null"
        ):
            page.mouse.move(*term.evaluate(MIDDLE))
            assert page.evaluate(shown) == text
    page.mouse.move(0, 0)
    expect(tip).to_be_hidden()
    by_focus = set()
    for term, text in said.items():
        target = term.query_selector("input") or term
        if target.evaluate(f"e => e.matches({FOCUSABLE!r})"):
            target.focus()
            assert page.evaluate(shown) == text
            by_focus.add(text)
            page.evaluate(BLUR)
            assert page.evaluate(shown) is None
    # what cannot be focused says nothing that cannot be had by keyboard
    assert set(said.values()) == by_focus


# --- themes and widths ---

PAGES = [(scheme, widths) for scheme in ("light", "dark") for widths in ((390, 768), (1400, 1920))]
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

# texts that are cut, lie outside of what they belong to, or upon each other
CUT = f"""() => {{ {TEXTS}
  const {{ element: board }} = window.board();
  const wrong = [];
  const all = textsOf(board);
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
      const across = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
      const down = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
      // the lines of a text may touch
      if (across > 1 && down > 4) wrong.push(`${{a.text}} upon ${{b.text}}`);
    }}
  return wrong;
}}"""

# texts below a selector, by default of the board, that stand out too little, with their contrast
# as WCAG 2 defines it
PALE = f"""(selector) => {{ {TEXTS}
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

# everything's place, at every frame while the run is played from its beginning to its end
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


@pytest.fixture(scope="module", params=PAGES, ids=lambda p: f"{p[0]}-{p[1][0]}")
def themed(request: pytest.FixtureRequest, open_pages: Open) -> tuple[Page, tuple[int, int]]:
    """A page in one theme, and the widths at which to look at it."""
    scheme, widths = request.param
    page = open_pages(widths[0], HEIGHT, scheme)
    complete(page)
    go(page, -1)
    assert page.evaluate("window.board().element.dataset.theme") == scheme
    return page, widths


def test_no_text_is_cut_and_nothing_wider_than_the_window(themed: tuple[Page, tuple[int, int]]):
    page, widths = themed
    for width in widths:
        resize(page, width, HEIGHT)
        for focus, strength_index, threshold in (
            ("dropout", 0, 0),
            ("max_norm", 4, 0),
            ("l1", 7, 0.2),
        ):
            strength_indices = dict.fromkeys(
                ("l1", "l2", "elastic_net", "dropout", "max_norm"), strength_index
            )
            look(page, focus=focus, strengthIndices=strength_indices, threshold=threshold)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate(CUT) == []
    look(page, **START)


def test_every_text_stands_out_from_what_is_behind_it(themed: tuple[Page, tuple[int, int]]):
    page, _ = themed
    page.evaluate("window.board().point({ x: 0.3, y: 0.4 })")
    look(page, threshold=0.1)
    for focus in ("none", "l1", "l2", "elastic_net", "dropout", "max_norm", "early_stopping"):
        look(page, focus=focus)
        n, pale = page.evaluate(PALE)
        assert n > 150
        assert pale == []
    page.evaluate("window.board().point(null)")
    page.evaluate("window.board().help.element.showModal()")
    assert page.evaluate(PALE)[1] == []
    page.evaluate("window.board().help.element.close()")
    look(page, **START)


def test_nothing_moves_while_the_run_is_played(themed: tuple[Page, tuple[int, int]]):
    page, _ = themed
    page.emulate_media(reduced_motion="no-preference")
    page.evaluate("window.board().element.scrollIntoView()")
    frames, elements, moved = page.evaluate(JUMPS)
    assert frames > 20
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
