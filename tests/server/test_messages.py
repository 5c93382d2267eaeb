"""Tests of the check of Streamlit's message definitions at start."""

import pytest
from streamlit.runtime.state import common

from regviz.server import messages
from regviz.server.messages import check_messages


def test_the_pinned_streamlit_has_all_that_is_read():
    check_messages()


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("FROM_BROWSERS", "rerun_script.gone"),
        ("FROM_BROWSERS", "rerun_script.query_string.gone"),
        ("TO_BROWSERS", "gone.initialize"),
    ],
)
def test_a_field_that_is_missing_is_named(name: str, place: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(messages, name, (place,))
    with pytest.raises(ValueError, match=f"must have {place}"):
        check_messages()


def test_widget_ids_with_another_prefix_are_reported(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(common, "GENERATED_ELEMENT_ID_PREFIX", "##ID")
    with pytest.raises(ValueError, match=r"widget ids must begin with .*, got .*##ID-"):
        check_messages()
