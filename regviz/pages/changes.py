"""Detection of changed controls outside of fragments during a fragment's run.

A browser may send a control's change together with a fragment's own message. Streamlit then runs
the fragment alone, but calls the control's callback.
"""

from regviz.pages.state import page_state


def begin_page() -> None:
    """Reset the flag: a run of the whole page applies all changes."""
    page_state().changed = False


def note_change() -> None:
    """Set the flag: the callback `on_change` of every control outside of fragments."""
    page_state().changed = True


def changed() -> bool:
    """Return whether a control has changed since the last run of the whole page began."""
    return page_state().changed
