"""Tests of the served index.html."""

import functools
import re
import tomllib
from pathlib import Path

import pytest

from regviz.server import index
from regviz.server.assets import ASSETS, STREAMLIT, assets_path
from regviz.server.index import WATCH, Parts, document

ROOT = Path(__file__).parents[2]
MODES = ("light", "dark")
STREAMLIT_INDEX = (STREAMLIT / "index.html").read_text("utf-8")


def test_it_loads_and_runs_what_streamlits_does():
    _, *tags = (tag for tag in Parts(document()).tags if "./assets/" not in tag)
    assert tags == Parts(STREAMLIT_INDEX).tags
    ours, *theirs = Parts(document()).inline
    assert ours == WATCH.read_text("utf-8")
    assert theirs == Parts(STREAMLIT_INDEX).inline
    # except for a font, which some pages do not need
    loaded = {
        path for path in re.findall(r"\./static/[^\"]+", STREAMLIT_INDEX) if "/media/" not in path
    }
    assert len(loaded) > 50
    assert set(re.findall(r"\./static/[^\"]+", document())) == loaded


def test_fonts_and_colours_are_those_of_the_drawn_page():
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]
    assert f"font-family: {theme['font']} !important;" in document()
    variables = {
        "paper": ("backgroundColor",),
        "side": ("sidebar", "backgroundColor"),
        "ink": ("textColor",),
        "shape": ("sidebar", "secondaryBackgroundColor"),
        "edge": ("borderColor",),
    }
    for name, path in variables.items():
        expected = {functools.reduce(dict.__getitem__, path, theme[mode]) for mode in MODES}
        assert set(re.findall(rf"--{name}: (#\w+);", document())) == expected


def test_it_speaks_of_nothing_else():
    assert "<title>RegViz</title>" in document()
    text = re.sub(r"\./static/\S+", "", document())
    assert not re.search("streamlit|snowflake|agent", text, re.IGNORECASE)
    for name in ("description", "og:title", "og:description"):
        (text,) = re.findall(rf'"{name}"\s+content="([^"]+)"', document())
        assert 20 < len(text) < 200


@pytest.mark.parametrize(
    "page",
    [
        '<div id="root"></div><script src="./static/js/index.js"></script>',
        '<main></main><script type="module" src="./static/js/index.js"></script>',
    ],
)
def test_a_page_that_is_built_otherwise_is_served_as_it_is(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "index.html").write_text(page)
    monkeypatch.setattr(index, "STREAMLIT", tmp_path)
    assert document.__wrapped__() == page


def test_our_modules_are_preloaded_and_not_loaded_one_after_the_other():
    link = rf'modulepreload" fetchpriority="low" href="\./{assets_path()}/([^"]+)"'
    ahead = set(map(ASSETS.joinpath, re.findall(link, document())))
    assert {ASSETS / "board" / "main.js", ASSETS / "picker" / "main.js"} <= ahead
    for path in ahead:
        needed = re.findall(r'(?:from|import) "(\.[^"]+\.js)"', path.read_text("utf-8"))
        assert {(path.parent / name).resolve() for name in needed} <= ahead


@pytest.mark.parametrize(
    ("page", "tags", "inline"),
    [
        ("<p>a<script>b < c && 1</script>d", ["<script>b < c && 1</script>"], ["b < c && 1"]),
        ("<script src='x.js'></script>", ["<script src='x.js'></script>"], []),
        (
            "<link rel=stylesheet href=a><link rel=icon href=b>",
            ["<link rel=stylesheet href=a>"],
            [],
        ),
        ("<!-- <script>a</script> -->", [], []),
    ],
)
def test_parts_are_kept_as_they_are_written(page: str, tags: list[str], inline: list[str]):
    parts = Parts(page)
    assert (parts.tags, parts.inline) == (tags, inline)
