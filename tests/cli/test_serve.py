"""Tests of the end of `regviz serve`; tests/project/test_installation.py starts it."""

import click
import pytest
from streamlit.web import cli as streamlit

from tests.cli.conftest import Done, Run


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (click.Abort(), Done(130, "", "")),
        (click.UsageError("No such option '--x'."), Done(2, "", "Error: No such option '--x'.\n")),
    ],
)
def test_it_ends_quietly_when_interrupted_and_names_a_wrong_option(
    error: Exception, expected: Done, run: Run, monkeypatch: pytest.MonkeyPatch
):
    def end(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(streamlit, "main", end)
    assert run("serve", "--port", "8600") == expected
