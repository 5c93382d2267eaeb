"""Changes of the controls outside of the page's fragments, which a fragment's run may overlook.

A browser may send a control's change together with a fragment's own message, and Streamlit then
runs the fragment alone. Streamlit calls the control's callback all the same.
"""

from regviz.pages.state import page_state


def begin_page() -> None:
    """Forget the changes so far, as a run of the whole page draws everything anew."""
    page_state().changed = False


def note_change() -> None:
    """Note that a control has changed: the `on_change` of every control outside of fragments."""
    page_state().changed = True


def changed() -> bool:
    """Return whether a control has changed since the page was drawn."""
    return page_state().changed
