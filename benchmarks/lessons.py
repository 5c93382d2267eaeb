"""Seconds until a lesson is shown, in headless Chromium.

    python -m benchmarks.lessons

Opens each lesson of the course by its link in the list, one after the other in one page, and prints
the seconds until its text is shown, and from the choice of an answer until the board has drawn its
networks. Each lesson but the first should open in under a second.
"""

import argparse
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from devtools.browsers import find_chromium
from devtools.serving import serve
from regviz.lessons.course import course
from regviz.lessons.lesson import Lesson

CANVAS = ".regviz-board .card canvas"


def main() -> None:
    """Print the table."""
    argparse.ArgumentParser(
        "python -m benchmarks.lessons", description=(__doc__ or "").splitlines()[0]
    ).parse_args()
    print(f"{'lesson':40}{'text':>8}{'board':>8}")
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder)) as server,
        sync_playwright() as playwright,
    ):
        chromium = playwright.chromium.launch(
            executable_path=find_chromium(), args=["--no-sandbox"]
        )
        page = chromium.new_page(viewport={"width": 1400, "height": 900})
        page.goto(f"{server.url}/learn")
        for lesson in course():
            text, board = _open(page, lesson)
            print(f"{lesson.title:40}{text:6.2f} s{board:6.2f} s", flush=True)
        chromium.close()


def _open(page: Page, lesson: Lesson) -> tuple[float, float]:
    """Open a lesson, and return the seconds until its text and from the answer to its board."""
    link = page.get_by_test_id("stSidebar").get_by_role("link", name=lesson.title)
    link.wait_for()
    page.wait_for_timeout(1000)  # as a visitor who reads
    start = time.perf_counter()
    link.click()
    page.get_by_role("heading", name=lesson.title).wait_for()
    text = time.perf_counter() - start
    page.wait_for_timeout(1000)
    start = time.perf_counter()
    page.get_by_role("radio").first.check(force=True)
    page.wait_for_selector(CANVAS)
    return text, time.perf_counter() - start


if __name__ == "__main__":
    main()
