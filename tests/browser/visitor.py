"""Actions on the page, state of the page, and the library's expected results."""

import base64
import functools
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from playwright.sync_api import Download, FrameLocator, Locator, Page, expect

import regviz
from devtools.board import SEARCH_BOARD, SETTLED, find_board
from regviz.scenes.frames import rounded
from regviz.scenes.showcase import LINE_UP, SHOWCASE
from regviz.scenes.strength_grid import StrengthGrid
from regviz.spec.experiment import DataSpec, NetworkSpec, TrainingSpec
from tests.browser.conftest import wait_until

OpenPage = Callable[..., Page]
train_cached = functools.cache(regviz.train)

# the board's initial view
INITIAL_VIEW: dict[str, Any] = {
    "focus": "l1",
    "strengthIndices": {},
    "variantIndices": {},
    "linked": True,
    "discrete": False,
    "threshold": 0,
    "edits": {},
    "projected": False,
    "chosen": None,
    "blank": False,
}

# violations of the content security policy
LISTEN = """window.violations = [];
document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) =>
  window.violations.push(`${effectiveDirective} ${blockedURI}`));"""

# all networks at all frames, and the networks shown on the cards
READ_PARAMETERS = """async () => {
  const { copyRow } = await import(assets + "/board/state/recording.js");
  const { recording } = window.board();
  const { nReceived, nParameters, diverged } = recording;
  const shape = [nReceived, diverged.length, nParameters];
  const all = new Float32Array(shape[0] * shape[1] * shape[2]);
  const row = new Float32Array(nParameters);
  for (let t = 0, at = 0; t < shape[0]; t++)
    for (let k = 0; k < shape[1]; k++, at += nParameters)
      all.set(copyRow(recording, t, k, row), at);
  const bytes = await new Promise((done) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.split(",")[1]);
    reader.readAsDataURL(new Blob([all]));
  });
  return { bytes, shape, shown: window.board().stage.displayed.map(({ k }) => k) };
}"""

READ_CARDS = """() => window.board().stage.cards.map((card, c) => {
  const shown = window.board().stage.displayed[c];
  const text = (element) => element?.hidden ? null : element?.textContent;
  const numbers = Object.fromEntries(Object.entries(card.values).map(([n, e]) => [n, text(e)]));
  return {
    ...numbers, k: shown.k, t: shown.t, label: shown.card.label, strength: text(card.strength),
    variant: text(card.variant),
    zeros: text(card.zeros), there: text(card.there), remark: text(card.remark),
    focused: card.element.classList.contains("focused"),
  };
})"""


def grid_of(
    data: DataSpec = SHOWCASE.data,
    network: NetworkSpec = SHOWCASE.network,
    training: TrainingSpec = SHOWCASE.training,
    phases: tuple[regviz.Phase, ...] = (),
) -> StrengthGrid:
    """Return the grid that the page trains for these settings."""
    return StrengthGrid.of(LINE_UP, data, network, training, phases)


def wait_until_complete(page: Page) -> str:
    """Wait until all networks have arrived, and return the run's id."""
    find_board(page)
    page.wait_for_function("window.board().complete", timeout=60_000)
    return page.evaluate("window.board().recording.run")


def wait_for_new_run(page: Page, before: str) -> str:
    """Wait until another run has arrived, and return its id."""
    page.wait_for_function(
        f"window.board().recording.run !== {before!r} && window.board().complete", timeout=60_000
    )
    return page.evaluate("window.board().recording.run")


def wait_until_settled(page: Page) -> None:
    """Wait until the board and the page's script are idle and all messages are shown."""
    # pages without a board have nothing to wait for
    is_settled = f"((board) => !board || {SETTLED}(board))(({SEARCH_BOARD})(document)?.regviz)"
    while True:
        page.wait_for_function(is_settled)
        wait_until(page, lambda: page.exchange.idle)
        app = page.get_by_test_id("stApp")
        expect(app).to_have_attribute("data-test-script-state", "notRunning")
        expect(app.locator("[data-stale=true]")).to_have_count(0)
        if page.evaluate(is_settled) and page.exchange.idle:
            return


def find_slider(page: Page, label: str) -> Locator:
    """Return a slider of the sidebar.

    One that Streamlit has replaced, and still keeps for its focus, is hidden.
    """
    return page.locator(f'input[type=range][aria-label="{label}"]').filter(visible=True)


def move_slider(page: Page, label: str, keys: Sequence[str]) -> str:
    """Move a slider of the sidebar, wait for the new run, and return its id."""
    before = page.evaluate("window.board().recording.run")
    slider = find_slider(page, label)
    slider.focus()
    for key in keys:
        slider.press(key)
    if len(keys) > 1:
        wait_until_settled(page)  # a run of an intermediate value may have arrived
    return wait_for_new_run(page, before)


def choose_data(page: Page, label: str) -> str:
    """Choose a dataset by its picture, wait for the new run, and return its id."""
    before = page.evaluate("window.board().recording.run")
    radio = page.get_by_role("radio", name=label)
    radio.locator("..").click()  # the visible label of the hidden input
    return wait_for_new_run(page, before)


def choose_seed(page: Page, seed: int) -> None:
    """Enter another seed, and wait until its run arrives."""
    field = page.get_by_label("Seed", exact=True)
    field.fill(str(seed))
    field.press("Enter")
    page.wait_for_function(f"window.board().recording.link.includes('seed={seed}')")


def resize_window(page: Page, width: int, height: int) -> None:
    """Resize the window, and wait until all resize observers have been called."""
    page.set_viewport_size({"width": width, "height": height})
    # observers are called at the end of a frame, and act in the next
    page.evaluate(
        """async () => {
          for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame);
        }"""
    )


def wait_until_idle(page: Page) -> None:
    """Wait until the board does not play and is drawn at full resolution."""
    page.wait_for_function(
        "!window.board().playing && !window.board().stale && window.board().fine"
    )


def seek(page: Page, frame: int) -> None:
    """Seek to a frame (negative: from the end), and wait until it is drawn."""
    page.evaluate("f => board().commands.seek(f < 0 ? board().recording.nFrames + f : f)", frame)
    wait_until_idle(page)


def release_pointer(page: Page) -> None:
    """Release the mouse, and move it and the crosshair off the board."""
    page.mouse.up()
    page.mouse.move(0, 0)
    page.evaluate("window.board().point(null)")


def set_view(page: Page, **view: Any) -> None:
    """Change fields of the board's view, and wait until it is drawn."""
    page.evaluate("view => board().setView({ ...board().view, ...view })", view)
    wait_until_idle(page)


def query_of(page: Page) -> str:
    """Return the query of the address, once it has the board's view."""
    page.wait_for_function(f"{SETTLED}(window.board())")
    return urlsplit(page.url).query


def select_radio(page: Page, name: str) -> None:
    """Choose a radio button, such as a view or a source of points."""
    radio = page.get_by_role("radio", name=name, exact=True)
    if not radio.is_checked():
        radio.click()
    expect(radio).to_be_checked()


def download(page: Page, button: Locator) -> Download:
    """Click a button that saves a file, and return the download."""
    # Streamlit drops a file's address that is not sent before the page's next run
    wait_until_settled(page)
    with page.expect_download() as started:
        button.click()
    return started.value


def upload(page: Page | FrameLocator, name: str, text: str | bytes) -> None:
    """Upload a file by the page's file uploader."""
    content = text if isinstance(text, bytes) else text.encode()
    file = {"name": name, "mimeType": "text/csv", "buffer": content}
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)


def read_cards(page: Page) -> list[dict[str, Any]]:
    """Return the texts of every card, and the network and frame that it shows."""
    return page.evaluate(READ_CARDS)


def boundary_pixels(page: Page, card: int | None = None) -> str:
    """Return the image of a card's boundary, or of the large one, as a data URL."""
    canvas = "focus.panels.closeup.canvas" if card is None else f"stage.cards[{card}].boundary"
    return page.evaluate(f"window.board().{canvas}.toDataURL()")


def all_boundary_pixels(page: Page) -> list[str]:
    """Return the images of all cards' boundaries at full resolution, as data URLs."""
    # in one step, as an answer of the server makes the board draw again
    script = """(({ fine, stale, stage }) =>
        fine && !stale ? stage.cards.map(({ boundary }) => boundary.toDataURL()) : null
    )(window.board())"""
    return wait_until(page, lambda: page.evaluate(script))


def assert_browser_has(
    page: Page,
    grid: StrengthGrid,
    strength_indices: dict[str, int] | None = None,
    variant_indices: dict[str, int] | None = None,
) -> None:
    """Assert that the browser has the library's networks, as encoded.

    Also assert that its cards show the networks at these strengths and variants.
    """
    found = page.evaluate(READ_PARAMETERS)
    numbers = np.frombuffer(base64.b64decode(found["bytes"]), np.float32).reshape(found["shape"])
    expected = train_cached(grid.experiment)
    sent = rounded(expected.parameters)
    assert np.array_equal(numbers.view("u4"), sent.view("u4"))
    assert page.evaluate("window.board().recording.epochs") == expected.epochs.tolist()
    rows = grid.rows(strength_indices or {}, variant_indices)
    assert found["shown"][: len(rows)] == rows


def is_rounded(text: str | None, number: float, decimals: int) -> bool:
    """Return whether a text is the number rounded to ``decimals``."""
    if text is None or len(text.partition(".")[2]) != decimals:
        return False
    # a half may be rounded either way; 1e-5 allows for single precision
    return abs(float(text.replace("−", "-")) - number) <= 0.5 * 10**-decimals + 1e-5
