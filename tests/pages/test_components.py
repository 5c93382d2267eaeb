"""Tests of the style sheet, and of the uploader, which a reason replaces where none can upload."""

import re
from types import SimpleNamespace
from typing import Any

import pytest
import streamlit as st
from streamlit.web.server.starlette import starlette_server_config

from regviz.pages.components import file_uploader
from regviz.pages.style import STYLE
from regviz.server.headers import upload_cookie


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The elements that are drawn for a browser without cookies."""
    found: list[str] = []
    context = SimpleNamespace(headers={"Host": "localhost"}, cookies={})
    monkeypatch.setattr(st, "context", context)
    monkeypatch.setattr(st, "get_option", lambda name: name == "server.enableXsrfProtection")
    for name in ("file_uploader", "info"):
        monkeypatch.setattr(st, name, lambda *_, name=name: found.append(name))
    upload_cookie.cache_clear()
    return found


@pytest.fixture(autouse=True)
def forget() -> Any:
    """Let later tests find the installed Streamlit's cookie again."""
    yield
    upload_cookie.cache_clear()


def test_a_browser_without_the_cookie_is_told_that_it_cannot_upload(drawn: list[str]):
    file_uploader("Points")
    assert drawn == ["info"]


def test_a_browser_with_the_cookie_can_upload_whatever_its_name_is(
    drawn: list[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(starlette_server_config, "XSRF_COOKIE_NAME", "renamed")
    st.context.cookies["renamed"] = "token"  # type: ignore[index]
    file_uploader("Points")
    assert drawn == ["file_uploader"]


def test_where_the_name_of_the_cookie_is_unknown_no_browser_is_blamed(
    drawn: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.delattr(starlette_server_config, "XSRF_COOKIE_NAME")
    file_uploader("Points")
    file_uploader("Run")
    assert drawn == ["file_uploader"] * 2
    (line,) = caplog.messages
    assert "XSRF_COOKIE_NAME" in line


def test_no_change_below_makes_the_whole_page_new():
    # a change below the subject of `:has` recalculates the styles of all that the rule may match
    subjects = re.findall(r"([^\s{},]+):has\(", re.sub(r"/\*.*?\*/", "", STYLE, flags=re.DOTALL))
    assert len(subjects) >= 3
    whole = r"(html|body|\.stApp|\.stAppViewContainer|\.stMain)(?![\w-])"
    assert not [each for each in subjects if re.match(whole, each)]
