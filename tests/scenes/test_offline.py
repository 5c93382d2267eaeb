"""Tests of the offline page: a run as one self-contained HTML file."""

import base64
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import regviz
from regviz.methods.catalogue import METHODS
from regviz.scenes.encoding import encode
from regviz.scenes.frames import rounded
from regviz.scenes.offline import BOARD, STYLES, modules, offline_page, recording
from regviz.scenes.showcase import SHOWCASE
from regviz.scenes.strength_grid import StrengthGrid
from tests.support.recordings import HalfUntil, decode, source_of

TRAINING = replace(SHOWCASE.training, epochs=12)
HOSTILE = "</title><script>alert(1)</script><!-- \"&amp;' </style>"


@pytest.fixture(scope="module")
def grid() -> StrengthGrid:
    return StrengthGrid.of(list(METHODS), SHOWCASE.data, regviz.NetworkSpec((3,)), TRAINING)


@pytest.fixture(scope="module")
def history(grid: StrengthGrid) -> regviz.History:
    return regviz.train(grid.experiment)


@pytest.fixture(scope="module")
def messages(grid: StrengthGrid, history: regviz.History) -> list[bytes]:
    return recording(grid, grid.rows({}), history, "run")


class Elements(HTMLParser):
    """The elements of a page: tag, attributes, text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.inside = False
        self.found: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs), []))
        self.inside = True

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.found[-1][2].append(data)

    def all(self, tag: str) -> list[tuple[dict[str, str | None], str]]:
        return [(attributes, "".join(text)) for t, attributes, text in self.found if t == tag]


def modules_of(page: str) -> dict[str, str]:
    """Return name and source of every module of a page."""
    (text,) = (t for a, t in Elements(page).all("script") if a.get("type") == "importmap")
    found = {}
    for name, url in json.loads(text)["imports"].items():
        kind, _, data = url.partition(",")
        assert kind == "data:text/javascript;base64"
        found[name] = base64.b64decode(data, validate=True).decode()
    return found


# ------------------------------------------------------------------------------ the recording


def assembled(messages: list[bytes]) -> tuple[list[int], np.ndarray]:
    """Return epochs and parameters of all messages, concatenated as the browser does."""
    epochs, blocks = [], []
    for message in messages:
        header, arrays = decode(message)
        assert header["frame"] == len(epochs)
        epochs += header["epochs"]
        blocks.append(arrays["parameters"].astype(np.float32))
    return epochs, np.concatenate(blocks)


@pytest.mark.parametrize("strength_indices", [{}, {"l1": 0, "dropout": 7}])
def test_every_network_is_there_at_every_epoch(
    grid: StrengthGrid, history: regviz.History, strength_indices: dict[str, int]
):
    epochs, parameters = assembled(recording(grid, grid.rows(strength_indices), history, "run"))
    assert epochs == history.epochs.tolist()
    assert np.array_equal(parameters, rounded(history.parameters))


def test_the_messages_are_those_of_a_run_on_the_page(
    grid: StrengthGrid, history: regviz.History, messages: list[bytes]
):
    assert messages == [encode(source_of(grid, history))]


def test_a_message_carries_one_precision_and_no_frame_is_lost(
    grid: StrengthGrid,
    history: regviz.History,
    half_until: HalfUntil,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("regviz.scenes.frames.MAX_BYTES", 0)
    half_until(5)
    messages = recording(grid, grid.rows({}), history, "run")
    kinds = [decode(message)[0]["arrays"]["parameters"][0] for message in messages]
    assert kinds == ["<f2", "<f4"]
    epochs, parameters = assembled(messages)
    assert epochs == [0, 1, 2, 3, 4, 6, 8, 10, 12]
    exact = history.parameters[epochs]
    np.testing.assert_allclose(parameters[:5], exact[:5], rtol=2**-10, atol=1e-7)
    np.testing.assert_allclose(parameters[5:], exact[5:], rtol=2**-18, atol=0)


def test_what_does_not_go_together_is_refused(grid: StrengthGrid, history: regviz.History):
    rows = grid.rows({})
    growing = next(iter(regviz.stream(grid.experiment)))
    other = regviz.train(grid.only(rows))
    for wrong in (growing, other):
        with pytest.raises(ValueError, match=r"history must be the complete run of the grid's"):
            recording(grid, rows, wrong, "run")
    for wrong_rows in (rows[:-1], [*rows, 0], [rows[1], *rows[1:]]):
        with pytest.raises(ValueError, match=r"rows must be one network of each of"):
            recording(grid, wrong_rows, history, "run")
    with pytest.raises(ValueError, match=r"messages must be at least one, got \[\]"):
        offline_page([], "Nothing")


# ------------------------------------------------------------------------------ the page


def test_the_page_holds_the_messages_as_they_are(messages: list[bytes]):
    scripts = Elements(offline_page(messages, "A run")).all("script")
    found = [base64.b64decode(text, validate=True) for a, text in scripts if "data-message" in a]
    assert found == messages


def test_the_modules_are_those_of_the_board_but_for_the_names_of_their_neighbours(
    messages: list[bytes],
):
    for name, source in modules_of(offline_page(messages, "A run")).items():
        file = name.removeprefix("regviz/")
        lines, _, url = source.rstrip("\n").rpartition("\n")
        assert url == f"//# sourceURL={name}"
        original = (BOARD / file).read_text(encoding="utf-8")
        for ours, theirs in zip(lines.splitlines(), original.splitlines(), strict=True):
            if ours != theirs:
                start, imported, end = re.split(r'"(.*)"', ours)
                same_start, specifier, same_end = re.split(r'"(.*)"', theirs)
                assert re.match(r"import|export|\}", start)
                assert (start, end) == (same_start, same_end)
                target = (BOARD / file).parent / specifier
                assert (BOARD / imported.removeprefix("regviz/")).samefile(target)


def test_every_module_that_is_needed_is_there_and_no_other(messages: list[bytes]):
    page_modules = modules_of(offline_page(messages, "A run"))
    needed = {"regviz/offline.js"}
    for source in page_modules.values():
        code = re.sub(r"/\*.*?\*/|^\s*//.*?$", "", source, flags=re.S | re.M)
        # static and dynamic imports
        needed |= set(re.findall(r'\b(?:from|import)\s*\(?\s*"([^"]+)"', code))
        assert "import.meta" not in code
    assert needed == set(page_modules)
    assert "regviz/main.js" not in page_modules


def test_imports_are_resolved_across_folders(tmp_path: Path):
    sources = {
        "main.js": 'import { a } from "./deep/a.js";\n',
        "deep/a.js": 'export { b } from "../other/b.js";\nimport "./c.js";\n',
        "other/b.js": 'import {\n  x,\n} from "../deep/c.js";\n/** @import {T} from "./t.js" */',
        "deep/c.js": 'import "../main.js";\n',
        "other/t.js": "",
    }
    for name, source in sources.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(source)
    del sources["other/t.js"]  # imported for its types only
    assert modules(tmp_path / "main.js") == sources


def test_the_page_has_all_styles_of_the_board(messages: list[bytes]):
    ((_, styles),) = Elements(offline_page(messages, "A run")).all("style")
    assert "@import" not in styles
    imported = re.findall(r'@import "(.+)";', (STYLES / "index.css").read_text(encoding="utf-8"))
    others = {"index.css", "offline.css", "notebook.css"}
    assert {path.name for path in BOARD.rglob("*.css")} == {*imported, *others}
    for name in imported:
        assert (STYLES / name).read_text(encoding="utf-8") in styles


def test_nothing_leads_out_of_the_page(messages: list[bytes]):
    found = Elements(offline_page(messages, "A run"))
    for _, attributes, _ in found.found:
        for name in ("src", "href", "action", "srcset", "data"):
            assert (attributes.get(name) or "data:").startswith("data:")
    policies = [a["content"] for a, _ in found.all("meta") if "http-equiv" in a]
    assert len(policies) == 1
    rules = dict(rule.split(maxsplit=1) for rule in policies[0].split("; "))
    assert rules["default-src"] == "'none'"
    for rule in rules.values():
        assert set(rule.split()) <= {"'none'", "'unsafe-inline'", "data:", "blob:"}
    assert "url(" not in found.all("style")[0][1]


@pytest.mark.parametrize("about", ["", HOSTILE])
def test_texts_are_nothing_but_texts(messages: list[bytes], about: str):
    plain = Elements(offline_page(messages, "A run", "x" if about else ""))
    hostile = Elements(offline_page(messages, HOSTILE, about))
    assert [tag for tag, *_ in hostile.found] == [tag for tag, *_ in plain.found]
    assert hostile.all("title")[0][1] == HOSTILE
    assert hostile.all("h1")[0][1] == HOSTILE
    paragraphs = [text for attributes, text in hostile.all("p") if "class" in attributes]
    assert paragraphs == ([HOSTILE] if about else [])


def test_the_board_takes_little_of_the_page():
    assert len(offline_page([b"\0\0\0"], "A run")) < 700_000
