"""Fixtures of the server's tests."""

import logging

import pytest


@pytest.fixture
def log(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> pytest.LogCaptureFixture:
    """Collect the records of RegViz's loggers."""
    monkeypatch.setattr(logging.getLogger("regviz"), "propagate", True)
    return caplog
