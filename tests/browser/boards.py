"""A page with nothing but the board, without Streamlit; modules are served from disk."""

from base64 import b64encode
from collections.abc import Iterable

from playwright.sync_api import BrowserContext, Page, Route

from regviz.scenes.offline import BOARD

SITE = "http://board.test"
EMPTY = (
    "<!doctype html><html lang=en><title>Board</title><link rel=icon href='data:,'><main></main>"
)


def open_empty(context: BrowserContext) -> Page:
    """Open a page with an empty ``main``, from which the modules of the board can be imported."""

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(f"{SITE}/")
        if path:
            route.fulfill(path=BOARD.parent / path)
        else:
            route.fulfill(body=EMPTY, content_type="text/html")

    context.route("**/*", answer)
    page = context.new_page()
    page.goto(f"{SITE}/")
    return page


def in_base64(messages: Iterable[bytes]) -> list[str]:
    """Return the messages in base64."""
    return [b64encode(message).decode() for message in messages]
