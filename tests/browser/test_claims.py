"""Tests of *Try this* in a browser: clicks, undo, links, keys, sizes, phones, accessibility."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from regviz.scenes.claims import CLAIMS, Claim
from tests.browser.conftest import MessageHolder, page_opener, wait_until
from tests.browser.test_access import LOW_CONTRAST_TEXTS
from tests.browser.test_axe import found, rules_in_both_themes
from tests.browser.test_offline import offline_opener, run_of, wait_until_decoded
from tests.browser.test_project import (
    HEIGHT,
    RECORD_TEXTS,
    SMALL_TEXTS,
    SMALLEST,
    assert_fits,
    project,
)
from tests.browser.visitor import (
    INITIAL_VIEW,
    OpenPage,
    find_slider,
    query_of,
    resize_window,
    seek,
    set_view,
    wait_until_complete,
    wait_until_idle,
    wait_until_settled,
)

QUERY = "?v=1&epochs=60&hidden=4"
TILE = ".regviz-board .tile"
PRESSED = f"{TILE}[aria-pressed=true]"
# the whole state that an undo restores
STATE = """() => {
  const { view, recording, state } = board();
  const edits = Object.entries(view.edits).filter(([, each]) => each.size);
  const indices = Object.fromEntries(recording.cards.map((card) =>
    [card.key, view.strengthIndices[card.key] ?? card.strength_index]));
  const variantIndices = Object.fromEntries(recording.cards.map((card) =>
    [card.key, view.variantIndices[card.key] ?? card.variant_index]));
  return { ...view, edits: edits.map(([key, each]) => [key, [...each]]), variantIndices,
           strengthIndices: indices, link: recording.link,
           epoch: recording.epochs[state.frame], mode: state.mode };
}"""


@pytest.fixture(scope="module")
def opened(open_pages: OpenPage) -> Page:
    page = open_pages(query=QUERY)
    wait_until_complete(page)
    return page


@pytest.fixture
def page(opened: Page) -> Page:
    """A page at the end of a short run, with no claim open."""
    while opened.evaluate("board().claims.undo || board().askedClaim !== null"):
        undo(opened)
    set_view(opened, **INITIAL_VIEW)
    opened.wait_for_function("!document.fullscreenElement")
    resize_window(opened, 1400, 900)
    opened.emulate_media(color_scheme="light", reduced_motion="reduce")
    seek(opened, -1)
    wait_until_settled(opened)
    return opened


def await_claim(page: Page, key: str | None) -> None:
    """Wait until the board shows a claim, or none before all claims, and its whole run."""
    wait_until_complete(page)
    page.wait_for_function(
        """(key) => board().complete && board().askedClaim === null && board().shownClaim === key
           && (key !== null || !board().claims.undo)""",
        arg=key,
    )
    wait_until_settled(page)
    wait_until_idle(page)


def try_claim(page: Page, claim: Claim) -> None:
    page.locator(TILE).get_by_text(claim.title, exact=True).click()
    await_claim(page, claim.key)


def undo(page: Page) -> None:
    page.evaluate("board().commands.undoClaim()")
    await_claim(page, None)


def of(key: str) -> Claim:
    (claim,) = (claim for claim in CLAIMS if claim.key == key)
    return claim


def assert_shown(page: Page, claim: Claim) -> None:
    """Assert that the board shows a claim's text, and its line-up, focus and strengths."""
    expect(page.locator(PRESSED)).to_have_text([claim.title])
    expect(page.locator(".regviz-board .said p")).to_have_text(f"{claim.title}. {claim.watch}")
    grid = claim.scene.grid()
    shown = page.evaluate("board().stage.displayed.map(({ k }) => k)")
    rows = claim.networks(grid)
    assert shown[: len(rows)] == rows
    assert page.evaluate("board().view.focus") == claim.scene.focus
    assert page.evaluate("board().recording.epochs.at(-1)") == claim.scene.training.epochs
    assert page.evaluate("board().frame === board().recording.nFrames - 1")


# Click, undo, link


@pytest.mark.parametrize("claim", [of("l1_inputs"), of("early_stopping")], ids=lambda c: c.key)
def test_a_click_shows_the_claim_and_an_undo_all_that_was_there(page: Page, claim: Claim):
    page.keyboard.press("d")
    page.keyboard.press("3")
    for change in (
        "commands.setStrength('l2', 6)",
        "commands.toggleLink()",
        "commands.setStrength('dropout', 1)",
        "commands.prune(0.05)",
        "commands.edit(2, -1.25)",
    ):
        page.evaluate(f"board().{change}")
    seek(page, 12)
    before, address = page.evaluate(STATE), query_of(page)
    assert before["edits"] == [["l2", [[2, -1.25]]]]
    assert before["mode"] == "resting"
    try_claim(page, claim)
    assert_shown(page, claim)
    assert page.evaluate("[board().view.threshold, board().view.edits]") == [0, {}]
    page.get_by_role("button", name="Back to your settings").click()
    await_claim(page, None)
    assert page.evaluate(STATE) == before
    assert query_of(page) == address
    expect(page.locator(PRESSED)).to_have_count(0)
    expect(page.locator(".regviz-board .said")).to_be_hidden()


def test_claims_in_a_row_are_undone_at_once(page: Page):
    before = page.evaluate(STATE)
    for key in ("l2", "elastic_net"):
        try_claim(page, of(key))
    undo(page)
    assert page.evaluate(STATE) == before


def test_the_address_of_a_claim_shows_it_again(page: Page, open_page: OpenPage):
    try_claim(page, of("max_norm"))
    address = query_of(page)
    assert address.endswith("&try=max_norm")
    for query in (address, "try=max_norm"):
        again = open_page(query=f"?{query}")
        await_claim(again, "max_norm")
        assert_shown(again, of("max_norm"))


def test_changed_settings_are_no_longer_called_the_claim(page: Page):
    claim = of("l2")
    try_claim(page, claim)
    seek(page, 5)
    page.keyboard.press("1")
    assert "try=l2" in query_of(page)  # another look at the same networks
    page.evaluate("board().commands.setStrength('l2', 9)")
    wait_until_settled(page)
    assert "try=" not in query_of(page)
    expect(page.locator(PRESSED)).to_have_count(0)
    said = page.locator(".regviz-board .said p")
    expect(said).to_have_text(f"The settings have changed since “{claim.title}”.")
    try_claim(page, claim)
    assert_shown(page, claim)
    # the strength that the visitor chose is what an undo returns to first
    page.evaluate("board().commands.undoClaim()")
    page.wait_for_function("board().view.strengthIndices.l2 === 9 && board().shownClaim === null")
    undo(page)


def test_a_change_in_the_sidebar_ends_the_claim(page: Page):
    try_claim(page, of("l2"))
    page.get_by_text("Early stopping", exact=True).first.click()
    page.wait_for_function("board().complete && board().shownClaim === null")
    wait_until_settled(page)
    assert "try=" not in query_of(page)
    undo(page)


def test_a_claim_plays_its_run(page: Page):
    page.emulate_media(reduced_motion="no-preference")
    page.evaluate(
        """() => {
          window.frames = [];
          const { draw } = board();
          board().draw = function () { frames.push(this.frame); return draw.call(this); };
        }"""
    )
    page.locator(TILE).get_by_text(of("l1_late").title).click()
    page.wait_for_function("board().claim === 'l1_late' && board().playing")
    page.wait_for_function("board().complete && !board().playing", timeout=60_000)
    frames = page.evaluate("frames.slice(frames.indexOf(0))")
    assert frames == sorted(frames)
    assert frames[-1] == page.evaluate("board().recording.nFrames - 1")
    assert len(set(frames)) > 2  # a slow machine leaves frames out
    page.evaluate("delete board().draw")


# Keys


def test_keys_go_from_claim_to_claim(page: Page):
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("j")
    await_claim(page, CLAIMS[0].key)
    page.keyboard.press("k")
    await_claim(page, CLAIMS[-1].key)
    # the text of a claim is there at once, before the server has answered
    for key in "jjj":
        page.keyboard.press(key)
    expect(page.locator(PRESSED)).to_have_text([CLAIMS[2].title])
    await_claim(page, CLAIMS[2].key)
    assert_shown(page, CLAIMS[2])
    # those of remote controls scroll the page while it is not projected
    page.keyboard.press("PageDown")
    assert page.evaluate("board().askedClaim") is None
    undo(page)


def test_a_control_moved_before_a_claim_has_arrived_changes_nothing_in_it(
    browser: Browser, url: str
):
    """The browser sends the values of all its controls, which are still those before the claim.

    The claim's are lost on the way: Streamlit drops messages that it has not sent before the next
    run of the page begins.
    """
    claim = of("l1_inputs")

    def n_runs() -> int:
        """Return the number of the page's complete runs, without those ended for the next one."""
        ends = [m.script_finished for m in holder.messages if m.HasField("script_finished")]
        return ends.count(ForwardMsg.FINISHED_SUCCESSFULLY)

    with browser.new_context() as context:
        holder = MessageHolder(context, ForwardMsg)
        with page_opener(context, url) as open_page:
            page = open_page(query=QUERY)
            wait_until_complete(page)
            wait_until_settled(page)
            holder.holding = True
            page.locator(TILE).get_by_text(claim.title, exact=True).click()
            wait_until(page, n_runs)
            before = n_runs()
            find_slider(page, "Noise").press("ArrowRight")
            wait_until(page, lambda: n_runs() > before)
            begins = [message.HasField("new_session") for message in holder.messages]
            holder.release(len(begins) - 1 - begins[::-1].index(True))
            wait_until_complete(page)
            wait_until_settled(page)
            assert find_slider(page, "Noise").input_value() == str(claim.scene.data.noise)
            assert_shown(page, claim)


def test_keys_that_are_typed_into_a_field_open_nothing(page: Page):
    page.get_by_label("Seed", exact=True).first.focus()
    for key in "jk":
        page.keyboard.press(key)
    assert page.evaluate("board().askedClaim") is None
    page.evaluate("document.activeElement.blur()")


def test_a_tile_is_reached_and_pressed_by_the_keyboard_and_keeps_the_focus(page: Page):
    page.locator(TILE).first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    await_claim(page, CLAIMS[1].key)
    focused = "board().element.getRootNode().activeElement.textContent"
    assert page.evaluate(focused) == CLAIMS[1].title


def test_a_remote_control_goes_from_claim_to_claim_while_projecting(page: Page):
    page.evaluate(RECORD_TEXTS)
    project(page)
    for key, claim in (
        *(("PageDown", claim) for claim in CLAIMS),
        ("PageUp", CLAIMS[-2]),
    ):
        page.evaluate("canvasTexts.length = 0")
        page.keyboard.press(key)
        await_claim(page, claim.key)
        text = page.locator(".regviz-board .said p")
        expect(text).to_have_text(f"{claim.title}. {claim.watch}")
        expect(text).to_be_in_viewport(ratio=1)
        assert page.evaluate("board().view.projected")
        n_texts, _, small = page.evaluate(SMALL_TEXTS, SMALLEST)
        assert n_texts > 50
        assert small == []
        assert_fits(page)
        cards = page.locator(".regviz-board .card:visible")
        expect(cards).to_have_count(len(claim.scene.methods) + claim.scene.early_stopping)
        for part in (*cards.all(), page.locator(".regviz-board .transport")):
            box: Any = part.bounding_box()
            assert box["y"] >= 0
            assert box["y"] + box["height"] <= HEIGHT, claim.key
    # the same by the pointer
    page.locator(".regviz-board .chooser").get_by_label("Next claim").click()
    await_claim(page, CLAIMS[-1].key)
    undo(page)
    assert page.evaluate("board().view.projected")


def test_the_help_lists_the_keys_where_there_are_claims(page: Page, open_page: OpenPage):
    keys = ".regviz-board .keys dl > :is(.claims-keys, .changes-keys)"
    listed = "(rows) => rows.map((row) => getComputedStyle(row).display !== 'none')"
    assert page.locator(keys).evaluate_all(listed) == [True, True, True]
    hidden = open_page(query=f"{QUERY}&hide=claims")
    wait_until_complete(hidden)
    assert hidden.locator(keys).evaluate_all(listed) == [True, False, False]
    expect(hidden.locator(TILE)).to_have_count(0)
    hidden.keyboard.press("j")
    assert hidden.evaluate("board().askedClaim") is None


def test_an_offline_page_has_no_claims_and_its_keys_do_nothing(browser: Browser, tmp_path: Path):
    with offline_opener(browser, tmp_path) as open_file:
        page = wait_until_decoded(open_file(run_of().page()))
        before = page.evaluate("JSON.stringify(board().view)")
        for key in ("j", "k", "PageDown"):
            page.keyboard.press(key)
        assert page.evaluate("JSON.stringify(board().view)") == before
        expect(page.locator(".regviz-board .claims")).to_be_hidden()
        page.keyboard.press("?")
        expect(page.locator(".regviz-board .keys")).to_be_visible()
        expect(page.get_by_text("next or previous claim")).to_be_hidden()


# Sizes


def test_row_and_cards_fit_the_first_screen(page: Page):
    assert_first_screen_fits(page)
    for claim in CLAIMS:
        try_claim(page, claim)
        assert_first_screen_fits(page)


def assert_first_screen_fits(page: Page) -> None:
    tiles: list[Any] = [tile.bounding_box() for tile in page.locator(TILE).all()]
    assert len(tiles) == len(CLAIMS)
    assert {tile["y"] for tile in tiles} == {tiles[0]["y"]}
    # two lines of text, and no tile is cut
    assert max(tile["height"] for tile in tiles) < 44
    row: Any = page.locator(".regviz-board .tiles").bounding_box()
    assert tiles[-1]["x"] + tiles[-1]["width"] <= row["x"] + row["width"]
    for card in page.locator(".regviz-board .card").all():
        box: Any = card.bounding_box()
        assert box["y"] + box["height"] <= 900
    assert_fits(page)


def test_on_a_phone_the_row_scrolls_and_the_page_does_not(page: Page):
    resize_window(page, 390, 844)
    wait_until_idle(page)
    row = page.locator(".regviz-board .tiles")
    assert row.evaluate("(row) => row.scrollWidth > 2 * row.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    last = page.locator(TILE).last
    try_claim(page, CLAIMS[-1])
    box, around = last.bounding_box(), row.bounding_box()
    assert box is not None
    assert around is not None
    assert around["x"] <= box["x"]
    assert box["x"] + box["width"] <= around["x"] + around["width"] + 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    undo(page)


def test_a_link_on_a_phone_scrolls_the_row_to_its_claim(open_page: OpenPage):
    page = open_page(390, 844, query=f"?try={CLAIMS[4].key}")
    await_claim(page, CLAIMS[4].key)
    expect(page.locator(PRESSED)).to_be_in_viewport(ratio=0.95)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def assert_accessible(page: Page) -> None:
    own = [f'class="{name}' for name in ("claims", "tile", "said", "chip", "steps", "changed")]
    for options in rules_in_both_themes(page):
        violations = [each for each in found(page, options) if any(n in each[1] for n in own)]
        assert violations == []
        # axe-core leaves out texts whose ancestors overlap or are translucent
        assert page.evaluate(LOW_CONTRAST_TEXTS)[1] == []


def test_an_open_claim_is_accessible(page: Page):
    try_claim(page, of("l2"))
    for width in (1400, 390):
        resize_window(page, width, 900)
        assert_accessible(page)
    page.evaluate("board().commands.setStrength('l2', 9)")
    wait_until_settled(page)
    for width in (390, 1400):
        resize_window(page, width, 900)
        assert_accessible(page)


def test_a_projected_claim_is_accessible(page: Page):
    try_claim(page, of("l2"))
    project(page)
    assert_accessible(page)
