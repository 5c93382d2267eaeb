"""The views below the board in Streamlit's `AppTest`."""

import time
from collections.abc import Mapping
from typing import Any

from streamlit.testing.v1 import AppTest

import regviz
from regviz.jobs.registry import JobRegistry
from regviz.pages.snapshot import BoardSnapshot
from regviz.scenes.strength_grid import StrengthGrid
from tests.support.playground import widget


def snapshot_of(
    grid: StrengthGrid,
    history: regviz.History | None = None,
    focus: str = "l1",
    strength_indices: Mapping[str, int] | None = None,
    variant_indices: Mapping[str, int] | None = None,
    runs: JobRegistry | None = None,
    visitor: str = "me",
) -> BoardSnapshot:
    """Return a snapshot of the board, by default of a trained grid at default strengths."""
    return BoardSnapshot(
        grid,
        regviz.train(grid.experiment) if history is None else history,
        grid.rows(strength_indices or {}, variant_indices),
        focus,
        "light",
        JobRegistry() if runs is None else runs,
        visitor,
    )


def view_script(module: str) -> None:
    """Show a module's view of the snapshot in the session; the script of `open_view`."""
    import importlib

    import streamlit as st

    importlib.import_module(module).show(st.session_state["snapshot"])


def open_view(name: str, snapshot: BoardSnapshot) -> AppTest:
    """Open the view of a module of `regviz.pages.understand`."""
    page = AppTest.from_function(
        view_script, default_timeout=30, kwargs={"module": f"regviz.pages.understand.{name}"}
    )
    page.session_state["snapshot"] = snapshot
    page.run()
    assert not page.exception
    return page


def show(page: AppTest, snapshot: BoardSnapshot) -> AppTest:
    """Run an open view with another snapshot."""
    page.session_state["snapshot"] = snapshot
    page.run()
    assert not page.exception
    return page


def markdown(page: AppTest) -> str:
    """Return all texts in Markdown."""
    return "\n".join(element.value for element in page.markdown)


def method_choice(page: AppTest) -> Any:
    """Return the view's choice of a method, whose key changes with the board's focus."""
    return widget(page.segmented_control, "Method")


def button_labels(page: AppTest) -> list[Any]:
    """Return the labels of all buttons."""
    return [button.label for button in page.button]


def run_until_trained(page: AppTest, seconds: float = 60) -> AppTest:
    """Rerun the page, as the browser does, until no seeds are in training."""
    deadline = time.monotonic() + seconds
    while "Stop" in button_labels(page):
        assert time.monotonic() < deadline, "the seeds are not done"
        time.sleep(0.05)
        page.run()
    assert not page.exception
    return page
