"""Tests of the options of the command `regviz`."""

import re

import pytest

from regviz import cli


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--port", "abc"], "argument --port: must be a whole number from 1 to 65535, got 'abc'"),
        (["--port", "65536"], "argument --port: must be .*, got '65536'"),
        (["--port", "0"], "argument --port: must be .*, got '0'"),
        (["--host", "foo..bar"], "argument --host/--address: must be .*, got 'foo..bar'"),
    ],
)
def test_an_option_that_is_not_allowed_is_named(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit, match="2"):
        cli.main(["serve", *options])
    *_, line = capsys.readouterr().err.splitlines()
    assert line.startswith("regviz serve: error: argument")
    assert re.search(message, line)
