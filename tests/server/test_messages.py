"""Tests of the check of Streamlit's message definitions at start."""

import pytest
from streamlit.runtime.state import common

from regviz.server import messages
from regviz.server.connection import TOKENS
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


@pytest.mark.parametrize("kind", TOKENS)
def test_every_kind_that_is_passed_on_is_one_of_streamlits(
    kind: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(TOKENS, f"{kind}_gone", TOKENS[kind])
    with pytest.raises(ValueError, match=f"must have {kind}_gone in type"):
        check_messages()


@pytest.mark.parametrize("name", ["KIND", "OPERATION", "OPERATION_KIND"])
def test_kinds_are_looked_up_where_the_server_reads_them(
    name: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(messages, name, "gone")
    with pytest.raises(ValueError, match=r"must have .*deferred_file"):
        check_messages()


def test_widget_ids_with_another_prefix_are_reported(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(common, "GENERATED_ELEMENT_ID_PREFIX", "##ID")
    with pytest.raises(ValueError, match=r"widget ids must begin with .*, got .*##ID-"):
        check_messages()
