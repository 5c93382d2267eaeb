"""Tests of the content-addressed URL of static files."""

import asyncio
import functools
import re
from pathlib import Path

import pytest
from starlette.datastructures import Headers

from regviz.server import assets


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "main.js").write_text("1", "utf-8")
    (tmp_path / "style.css").write_text("2", "utf-8")
    (tmp_path / "picture.png").write_text("3", "utf-8")
    monkeypatch.setattr(assets, "ASSETS", tmp_path)
    monkeypatch.setattr(assets, "contents", assets.contents.__wrapped__)
    # clear the caches before and after each test
    monkeypatch.setattr(assets, "assets_path", functools.cache(assets.assets_path.__wrapped__))
    return tmp_path


def test_the_place_is_the_same_for_the_same_files(folder: Path):
    first = assets.assets_path.__wrapped__()
    assert re.fullmatch("assets/[0-9a-f]{16}", first)
    (folder / "picture.png").write_text("none of them", "utf-8")
    assert assets.assets_path.__wrapped__() == first


@pytest.mark.parametrize(
    ("path", "text"), [("deep/main.js", "2"), ("style.css", "1"), ("other.css", "2")]
)
def test_the_place_changes_with_each(folder: Path, path: str, text: str):
    first = assets.assets_path.__wrapped__()
    (folder / path).write_text(text, "utf-8")
    assert assets.assets_path.__wrapped__() != first


def test_the_place_changes_with_a_name(folder: Path):
    first = assets.assets_path.__wrapped__()
    (folder / "style.css").rename(folder / "styles.css")
    assert assets.assets_path.__wrapped__() != first


def test_what_is_served_is_what_the_place_stands_for(folder: Path):
    now = assets.files()
    (folder / "style.css").write_text("later", "utf-8")
    answer = asyncio.run(now[f"/{assets.assets_path()}/style.css"].answer(Headers()))
    assert answer.body == b"2"
