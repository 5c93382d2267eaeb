"""The page's script in Streamlit's `AppTest`, and the messages to the board."""

import json
import struct
from typing import Any

from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from regviz.pages import SCRIPT
from regviz.pages.learn import PATH
from regviz.scenes.strength_grid import StrengthGrid

QUICK = dict(hidden="2", epochs="50")  # settings of a short training


def open_page(**query: str) -> AppTest:
    """Open the page with query parameters."""
    page = AppTest.from_file(str(SCRIPT), default_timeout=30)
    for name, text in query.items():
        page.query_params[name] = text
    return page.run()


def send(page: AppTest, **state: Any) -> AppTest:
    """Run the page as if the board had sent this state."""
    page.session_state["board"] = state
    page.run()
    assert not page.exception
    return page


def set_view(page: AppTest, **view: Any) -> AppTest:
    """Run the page as if the board had sent this view as the answer to the last request."""
    return send(page, view={"request_id": page.session_state["page"].requested_view["id"]} | view)


def boards(page: AppTest) -> list[Any]:
    """Return the messages of Streamlit for the boards on the page."""
    return [e.proto for e in page.main if "regviz_board" in getattr(e.proto, "component_name", "")]


def header(page: AppTest) -> dict:
    """Return the header of the message that the board was sent."""
    (board,) = boards(page)
    (length,) = struct.unpack_from("<I", board.bytes)
    return json.loads(board.bytes[4 : 4 + length])


def received_epochs(page: AppTest) -> list[int]:
    """Request frames as a browser does until all have arrived, and return their epochs."""
    epochs: list[int] = []
    sent = header(page)
    for _ in range(100):
        assert sent["frame"] == len(epochs)
        epochs += sent["epochs"]
        if len(epochs) == sent["n_frames"]:
            return epochs
        sent = header(send(page, more={"run": sent["run"], "n_received": len(epochs)}))
    raise AssertionError("the grid never became complete")


def grid_on(page: AppTest) -> StrengthGrid:
    """Return the grid that the board shows."""
    return page.session_state["page"].shown[0]


def widget(kind: list, label: str) -> Any:
    """Return the only widget of a kind with this label."""
    (found,) = (each for each in kind if each.label == label)
    return found


def open_lesson(**query: str) -> AppTest:
    """Open the page *Learn* with query parameters."""
    page = AppTest.from_file(str(SCRIPT), default_timeout=30)
    page._page_hash = calc_hash(PATH)  # `switch_page` knows pages of files only
    for name, text in query.items():
        page.query_params[name] = text
    return page.run()


def method_switch(page: AppTest, method: str) -> Any:
    """Return the switch of a method in the line-up, or of early stopping."""
    return page.toggle(key=page.session_state["page"].control_keys[f"use_{method}"])
