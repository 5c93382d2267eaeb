"""Find the board in a page that is open in a browser."""

from playwright.sync_api import Page

# Streamlit says so when a control moves in the instant in which the board asks for frames;
# `controls.moved` sees to it that the move counts.
TWO_AT_ONCE = "Unexpected state: Multiple different fragmentIds"

SEARCH = """function search(root) {
  const found = root.querySelector(".regviz-board");
  if (found) return found;
  for (const element of root.querySelectorAll("*"))
    if (element.shadowRoot) {
      const inner = search(element.shadowRoot);
      if (inner) return inner;
    }
  return null;
}"""


def find_board(page: Page) -> str:
    """JavaScript that finds the board's root element, inside its shadow root."""
    page.evaluate(
        f"""() => {{
          {SEARCH}
          let board = search(document);
          window.board = () => (board = board?.isConnected ? board : search(document)).regviz;
        }}"""
    )
    return "window.board()"
