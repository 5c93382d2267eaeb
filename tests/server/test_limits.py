"""Tests of limits read from environment variables."""

from dataclasses import fields
from pathlib import Path

import pytest

from regviz.server.limits import Limits


def test_without_variables_the_defaults_hold():
    assert Limits.from_environment({"PATH": "/bin", "HOME": ""}) == Limits()


def test_an_empty_variable_stands_for_the_default():
    assert Limits.from_environment({"REGVIZ_SESSIONS": "", "REGVIZ_EMBED": "  "}) == Limits()


def test_every_limit_can_be_set(tmp_path: Path):
    found = Limits.from_environment(
        {
            "REGVIZ_SESSIONS": "7",
            "REGVIZ_SESSIONS_PER_ADDRESS": "6",
            "REGVIZ_TRAININGS": "8",
            "REGVIZ_TRAINING_SECONDS": "2.5",
            "REGVIZ_THREADS": "3",
            "REGVIZ_ACTIVE": "5",
            "REGVIZ_CACHE_MB": "64",
            "REGVIZ_CACHE_MINUTES": "0.5",
            "REGVIZ_EMBED": "https://example.org http://localhost:8000 https://*.example.com",
            "REGVIZ_METRICS_PORT": "9100",
            "REGVIZ_STREAMLIT_PATCHES": "0",
            "REGVIZ_IMPORTS": "extensions course.datasets",
            "REGVIZ_LESSONS": str(tmp_path),
            "REGVIZ_STUDIES": "9",
            "REGVIZ_ACTIVE_STUDIES": "2",
            "REGVIZ_STUDY_SECONDS": "99.5",
            "REGVIZ_STUDY_NETWORKS": "500",
            "REGVIZ_STUDY_CACHE_MB": "16",
            "REGVIZ_SCHEDULER": "tls://scheduler.example:8786",
        }
    )
    origins = ("https://example.org", "http://localhost:8000", "https://*.example.com")
    assert found == Limits(
        7,
        6,
        8,
        2.5,
        3,
        5,
        64,
        0.5,
        origins,
        9100,
        0,
        ("extensions", "course.datasets"),
        (str(tmp_path),),
        9,
        2,
        99.5,
        500,
        16,
        "tls://scheduler.example:8786",
    )
    assert all(getattr(found, f.name) != f.default for f in fields(Limits))


@pytest.mark.parametrize(
    ("name", "text", "allowed"),
    [
        ("SESSIONS", "many", "a whole number"),
        ("SESSIONS", "0", "a whole number from 1 to 100000"),
        ("SCHEDULER", "scheduler:8786", "an address such as 'tcp://scheduler:8786'"),
        ("SESSIONS", "1.5", "a whole number"),
        ("SESSIONS_PER_ADDRESS", "0", "a whole number from 1 to 100000"),
        ("TRAININGS", "inf", "a whole number"),
        ("TRAINING_SECONDS", "nan", "a number"),
        ("TRAINING_SECONDS", "0", "a number above 0 to 1e+06"),
        ("THREADS", "0", "a whole number from 1 to 64"),
        ("ACTIVE", "1001", "a whole number from 1 to 1000"),
        ("CACHE_MB", "-1", "a whole number from 1 to 1000000"),
        ("CACHE_MINUTES", "1e9", "a number above 0 to 100000"),
        ("STREAMLIT_PATCHES", "2", "a whole number from 0 to 1"),
        ("METRICS_PORT", "70000", "a whole number from 0 to 65535"),
        ("EMBED", "example.org", "origins such as"),
        ("EMBED", "https://example.org/course", "origins such as"),
        ("EMBED", "https://a.example; script-src *", "origins such as"),
        ("EMBED", "https://example.org:port", "origins such as"),
        ("EMBED", "javascript://example.org", "origins such as"),
        ("IMPORTS", "extensions.py", "names of modules such as 'extensions'"),
        ("LESSONS", "no-folder", "folders that exist"),
        ("IMPORTS", "ring,mostly_l1", "names of modules such as 'extensions'"),
    ],
)
def test_what_is_not_allowed_is_named(name: str, text: str, allowed: str):
    with pytest.raises(ValueError, match="must be") as refused:
        Limits.from_environment({f"REGVIZ_{name}": text})
    assert str(refused.value).startswith(f"REGVIZ_{name} must be {allowed}")
    assert "got " in str(refused.value)


def test_a_variable_that_is_no_limit_is_logged_and_passed_over(caplog: pytest.LogCaptureFixture):
    assert Limits.from_environment({"REGVIZ_SESSION": "3"}) == Limits()
    assert "REGVIZ_SESSION is no setting" in caplog.text
    assert "REGVIZ_SESSIONS" in caplog.text
