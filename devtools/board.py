"""Access to the board of a page that is open in a browser."""

from playwright.sync_api import Page

# Streamlit logs this warning if a control changes while the board requests frames;
# `regviz.pages.changes` handles the change.
TWO_FRAGMENTS_WARNING = "Unexpected state: Multiple different fragmentIds"

# a JavaScript function that returns the board's root element below a node, also in shadow roots
SEARCH_BOARD = """function search(root) {
  const found = root.querySelector(".regviz-board");
  if (found) return found;
  for (const element of root.querySelectorAll("*"))
    if (element.shadowRoot) {
      const inner = search(element.shadowRoot);
      if (inner) return inner;
    }
  return null;
}"""

# whether a board is drawn at full resolution, unless it has no width, and its view is reported
SETTLED = """(({ size, fine, stale, refineTimer, playing, reporter }) =>
  (!size.width || (fine && !stale && !refineTimer)) && !playing && !reporter.timer)"""


def find_board(page: Page) -> str:
    """Return a JavaScript expression for the page's board."""
    page.evaluate(
        f"""() => {{
          {SEARCH_BOARD}
          let board = search(document);
          window.board = () => (board = board?.isConnected ? board : search(document)).regviz;
        }}"""
    )
    return "window.board()"
