"""Update the README's screenshot: ``python -m tests.browser.picture`` with a running server."""

import argparse
from pathlib import Path

from playwright.sync_api import sync_playwright

from devtools.board import find_board
from devtools.browsers import find_chromium
from tests.browser.conftest import poll_conditions

PICTURE = Path(__file__).parent.parent.parent / "assets" / "screenshots" / "board.png"


def main() -> None:
    """Open the page, wait for the run, and write the screenshot."""
    parser = argparse.ArgumentParser(description="Take the README's picture of a served page.")
    parser.add_argument("--url", default="http://localhost:8501")
    url = parser.parse_args().url
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        page = poll_conditions(
            browser.new_page(viewport={"width": 1400, "height": 900}, device_scale_factor=1.5)
        )
        page.goto(url)
        page.wait_for_selector(".regviz-board .card canvas")
        find_board(page)
        page.wait_for_function("window.board().complete && !window.board().playing")
        page.wait_for_timeout(1000)
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main()
