"""The document that a browser loads first: ours, around what Streamlit's page loads and runs."""

import functools
import logging
from html.parser import HTMLParser
from string import Template

from regviz.board.offline import modules
from regviz.server.assets import ASSETS, STREAMLIT, place

_logger = logging.getLogger("regviz.index")
TEMPLATE = ASSETS / "index.html"
WATCH = ASSETS / "waiting.js"
ROOT = '<div id="root">'  # in which Streamlit's scripts draw
LOADED = ("modulepreload", "stylesheet")  # links that a page cannot do without; fonts it can


class Parts(HTMLParser):
    """What a page loads and runs.

    Parameters
    ----------
    page : str
        HTML.

    Attributes
    ----------
    tags : list of str
        Its scripts, and its links to scripts and styles, as they are written.
    inline : list of str
        The text of scripts that are written into it.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.inline: list[str] = []
        self._script = self._inline = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a link, or begin a script."""
        known = dict(attrs)
        self._script = tag == "script"
        self._inline = self._script and "src" not in known
        if self._script or (tag == "link" and known.get("rel") in LOADED):
            self.tags.append(self.get_starttag_text() or "")
        if self._inline:
            self.inline.append("")

    def handle_endtag(self, tag: str) -> None:
        """End a script."""
        if self._script:
            self.tags[-1] += f"</{tag}>"
        self._script = self._inline = False

    def handle_data(self, data: str) -> None:
        """Keep the text of a script."""
        if self._script:
            self.tags[-1] += data
        if self._inline:
            self.inline[-1] += data


@functools.cache
def document() -> str:
    """The page as HTML.

    It has a title and a description for those who find or pass on a link, and a word for those who
    wait. Streamlit's has its own name, and tells of an interface for programs that is closed here;
    it is the page nevertheless if it is not built as expected.
    """
    theirs = (STREAMLIT / "index.html").read_text("utf-8")
    parts = Parts(theirs)
    if ROOT not in theirs or not any('type="module"' in tag for tag in parts.tags):
        _logger.warning("Streamlit's own page is served: it has no %s or no module", ROOT)
        return theirs
    template = Template(TEMPLATE.read_text("utf-8"))
    # Else a browser learns of each module from the one that imports it. Low, as the controls are
    # there without any of them, and the board waits for all.
    ahead = [
        f'<link rel="modulepreload" fetchpriority="low" href="./{place()}/{folder}/{name}">'
        for folder in ("board", "picker")
        for name in modules(ASSETS / folder / "main.js")
    ]
    return template.substitute(
        place=place(), watch=WATCH.read_text("utf-8"), parts="\n    ".join([*parts.tags, *ahead])
    )
