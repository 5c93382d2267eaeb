"""Write a screenshot of the page, served by a new server.

    python -m devtools.screenshot page.png
    python -m devtools.screenshot page.png --link "data=moons&focus=l2&l2=0.01" --view Forces
    python -m devtools.screenshot page.png --page learn --link "lesson=l1&scene=main"

The screenshot shows the page after all networks are trained and drawn.
"""

import argparse
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from devtools.board import SETTLED, find_board
from devtools.browsers import find_chromium
from devtools.serving import serve

WAIT_SECONDS = 60
STABLE_SECONDS = 2  # time without a change of the page's height
# the height of the page's scrolling element, or 0 while Streamlit runs or elements are stale
HEIGHT = """() => {
  const app = document.querySelector("[data-testid=stApp]");
  const runs = app.dataset.testScriptState !== "notRunning";
  if (runs || app.querySelector("[data-stale=true]")) return 0;
  return document.querySelector("[data-testid=stMain]").scrollHeight;
}"""
TO_TOP = "(heading) => heading.scrollIntoView({ block: 'start', behavior: 'instant' })"


def screenshot(
    file: str | Path,
    link: str = "",
    view: str | None = None,
    width: int = 1440,
    height: int = 1000,
    dark: bool = False,
    path: str = "",
) -> None:
    """Write a screenshot of the page to a file.

    Parameters
    ----------
    file : str or Path
        Path of the PNG file.
    link : str
        Query string of the page.
    view : str, optional
        Label of a view to open below the board and scroll to.
    width, height : int
        Size of the window, in CSS pixels.
    dark : bool
        Whether to use the dark theme.
    path : str
        Path of the page's address: empty, or ``"learn"`` for a lesson.

    Raises
    ------
    TimeoutError
        If the board is not drawn, or the view not open, after `WAIT_SECONDS`.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder)) as server,
        sync_playwright() as playwright,
    ):
        chromium = playwright.chromium.launch(
            executable_path=find_chromium(), args=["--no-sandbox"]
        )
        page = chromium.new_page(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",  # the board shows the last epoch without playing up to it
        )
        page.goto(f"{server.url}/{path}?{link}")
        page.wait_for_selector(".regviz-board .card canvas", timeout=1000 * WAIT_SECONDS)
        board = find_board(page)
        _wait(page, lambda: page.evaluate(f"{board}.complete && {SETTLED}({board})"))
        if view is not None:
            page.get_by_role("radio", name=view, exact=True).click()
            _wait_until_stable(page)
            page.get_by_role("heading", name="Understand").evaluate(TO_TOP)
        page.screenshot(path=file)
        chromium.close()


def _wait(page: Page, condition: Callable[[], object]) -> None:
    """Wait until a condition is true, by polling.

    `Page.wait_for_function` evaluates text in the page, which the content security policy forbids.
    """
    for _ in range(10 * WAIT_SECONDS):
        if condition():
            return
        page.wait_for_timeout(100)
    raise TimeoutError(f"the page is not drawn after {WAIT_SECONDS} s")


def _wait_until_stable(page: Page) -> None:
    """Wait until the page has kept its height for `STABLE_SECONDS`."""
    heights: list[int] = []

    def is_stable() -> bool:
        heights.append(page.evaluate(HEIGHT))
        last = heights[-10 * STABLE_SECONDS :]
        return len(last) == 10 * STABLE_SECONDS and last[0] > 0 and len(set(last)) == 1

    _wait(page, is_stable)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", help="a PNG file to write")
    parser.add_argument("--link", default="", help="query string of the page")
    parser.add_argument("--view", help="label of a view to open below the board")
    parser.add_argument("--width", type=int, default=1440, help="of the window, in CSS pixels")
    parser.add_argument("--height", type=int, default=1000, help="of the window, in CSS pixels")
    parser.add_argument("--page", dest="path", default="", help="path of the page, such as learn")
    parser.add_argument("--dark", action="store_true", help="take the dark theme")
    screenshot(**vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    main()
