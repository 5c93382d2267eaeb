"""The HTML document of the page: our template, with the scripts and links of Streamlit's own."""

import functools
import logging
from html.parser import HTMLParser
from string import Template

from regviz.scenes.offline import modules
from regviz.server.assets import ASSETS, STREAMLIT, assets_path

_logger = logging.getLogger("regviz.index")
TEMPLATE = ASSETS / "index.html"
WATCH = ASSETS / "waiting.js"
ROOT = '<div id="root">'  # the element that Streamlit's scripts render into
LOADED = (
    "modulepreload",
    "stylesheet",
)  # `rel` of the links to keep; those of fonts are not needed


class Parts(HTMLParser):
    """Parser for the scripts and links of a page.

    Parameters
    ----------
    page : str
        The page as HTML.

    Attributes
    ----------
    tags : list of str
        The source of each script element, and of each link to a script or style sheet.
    inline : list of str
        The text of each inline script.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.inline: list[str] = []
        self._script = self._inline = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record a link, or begin a script."""
        attributes = dict(attrs)
        self._script = tag == "script"
        self._inline = self._script and "src" not in attributes
        if self._script or (tag == "link" and attributes.get("rel") in LOADED):
            self.tags.append(self.get_starttag_text() or "")
        if self._inline:
            self.inline.append("")

    def handle_endtag(self, tag: str) -> None:
        """End a script."""
        if self._script:
            self.tags[-1] += f"</{tag}>"
        self._script = self._inline = False

    def handle_data(self, data: str) -> None:
        """Record the text of a script."""
        if self._script:
            self.tags[-1] += data
        if self._inline:
            self.inline[-1] += data


@functools.cache
def document() -> str:
    """Return the page as HTML.

    Unlike Streamlit's own page it has RegViz's title and description, for search engines and link
    previews, and the page's outline to show while scripts load. If Streamlit's page is not built as
    expected, it is returned unchanged, and a warning is logged.
    """
    theirs = (STREAMLIT / "index.html").read_text("utf-8")
    parts = Parts(theirs)
    if ROOT not in theirs or not any('type="module"' in tag for tag in parts.tags):
        _logger.warning("Streamlit's own page is served: it has no %s or no module", ROOT)
        return theirs
    template = Template(TEMPLATE.read_text("utf-8"))
    # Without these links, a browser discovers each module only in the one that imports it. Their
    # priority is low, as Streamlit's controls need none of them.
    preloads = [
        f'<link rel="modulepreload" fetchpriority="low" href="./{assets_path()}/{folder}/{name}">'
        for folder in ("board", "picker")
        for name in modules(ASSETS / folder / "main.js")
    ]
    return template.substitute(
        place=assets_path(),
        watch=WATCH.read_text("utf-8"),
        parts="\n    ".join([*parts.tags, *preloads]),
    )
