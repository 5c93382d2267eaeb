"""Tests of the page's responsiveness while several seeds train."""

import re
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from devtools.serving import ROOT, serve
from tests.browser.conftest import page_opener
from tests.browser.visitor import select_radio, wait_until_complete

EPOCHS = 100
# the server stops the training of several seeds at the epoch written in a file
HOLD_TRAINING = """
import sys

if "streamlit" in sys.orig_argv:
    import time
    from pathlib import Path

    from regviz.jobs import run

    histories = run.histories

    def held(experiments, datasets, after_epoch, due):
        n_epochs = 0

        def count():
            nonlocal n_epochs
            n_epochs += 1
            after_epoch()

        # several seeds look at the file after every epoch
        several = len(experiments) > 1
        due = (lambda: True) if several else due
        for grown in histories(experiments, datasets, after_epoch=count, due=due):
            while several and n_epochs >= int(Path({file!r}).read_text()):
                time.sleep(0.01)
                yield grown
            yield grown

    run.histories = held
"""


def test_while_seeds_train_other_views_and_the_board_answer_and_stop_stops(
    browser: Browser, tmp_path: Path
):
    file = tmp_path / "epoch"
    file.write_text("20")
    (tmp_path / "sitecustomize.py").write_text(HOLD_TRAINING.format(file=str(file)))
    with (
        serve(tmp_path, PYTHONPATH=f"{tmp_path}:{ROOT}") as server,
        browser.new_context() as context,
        page_opener(context, server.url) as open_page,
    ):
        page = open_page(query=f"?v=2&epochs={EPOCHS}")
        wait_until_complete(page)
        assert_answers(page, file)


def assert_answers(page: Page, file: Path) -> None:
    """Assert that the page responds while the training of seeds is held at an epoch."""
    progress = page.get_by_role("progressbar")
    run = page.evaluate("board().recording.run")
    select_radio(page, "Compare")
    page.get_by_role("button", name="Over 5 seeds").click()
    expect(progress).to_have_attribute("aria-valuenow", "20")
    select_radio(page, "Code")
    expect(page.get_by_text("for the network in focus: L1")).to_be_visible()
    # the view follows the board
    page.evaluate("board().setView({ ...board().view, focus: 'l2' })")
    expect(page.get_by_text("for the network in focus: L2")).to_be_visible()
    expect(progress).to_have_count(0)
    # the training continues, and the progress bar updates by itself
    file.write_text("40")
    select_radio(page, "Compare")
    expect(progress).to_have_attribute("aria-valuenow", "40")
    file.write_text("60")
    expect(progress).to_have_attribute("aria-valuenow", "60")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(progress).to_have_count(0)
    expect(page.get_by_role("button", name="Over 5 seeds")).to_be_enabled()
    expect(page.get_by_test_id("stException")).to_have_count(0)
    assert page.evaluate("board().recording.run") == run
    assert page.evaluate("board().view.focus") == "l2"
    expect(page.get_by_text(re.compile("Mean ± standard error"))).to_have_count(0)
