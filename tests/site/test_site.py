"""Tests of the site's files: all there, within its size, without addresses of others."""

import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import regviz
from regviz.lessons.claim import LEAST_HELD
from regviz.lessons.course import course
from regviz.lessons.results import table
from regviz.scenes.strength_grid import StrengthGrid
from regviz.site.__main__ import main
from regviz.site.build import build
from regviz.site.gallery import Entry, gallery
from tests.support.papers import blocks
from tests.support.site import build_small

MAX_BYTES = 40_000_000  # of the whole site
DOCUMENTATION_BYTES = 6_000_000  # as much as the documentation may have


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole site but for the documentation, which takes 10 s of processor time."""
    folder = tmp_path_factory.mktemp("site")
    build(folder, course(), gallery())
    return folder


class Addresses(HTMLParser):
    """The addresses in a page's attributes, and its scripts and styles in the page."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.linked: list[str] = []
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if tag == "a" and name == "href":
                self.linked.append(value or "")
            elif name in ("src", "href"):
                self.loaded.append(value or "")
            elif name == "data-files":
                self.loaded += (value or "").split()
            else:
                assert name not in ("action", "srcset", "poster", "background"), value


def test_each_link_and_each_file_of_a_page_is_in_the_folder(site: Path):
    pages = sorted(site.glob("*.html"))
    assert len(pages) == 5 + len(course()) + len(gallery())
    for page in pages:
        found = Addresses(page)
        for address in found.loaded + [a for a in found.linked if not a.startswith("http")]:
            assert (site / address).is_file(), f"{page.name}: {address}"
        # only sources in lessons' texts lead elsewhere, and only if they are clicked
        assert all(a.startswith("https://") for a in found.linked if ":" in a)


def test_the_policy_of_each_page_names_no_origin_but_its_own(site: Path):
    allowed = {"'none'", "'self'", "file:", "data:"}
    for page in site.glob("*.html"):
        policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page.read_text("utf-8"))
        assert policy
        rules = dict(rule.split(maxsplit=1) for rule in unescape(policy[1]).split("; "))
        assert rules.pop("default-src") == "'none'"
        assert set(rules.pop("style-src").split()) - allowed == {"'unsafe-inline'"}
        assert set(rules.pop("img-src").split()) - allowed == {"blob:"}
        (digest,) = set(rules.pop("script-src").split()) - allowed
        assert digest.startswith("'sha256-")
        assert set(rules.values()) == {"'none'"}


def test_no_recording_is_without_a_page_and_all_scenes_of_lessons_have_one(site: Path):
    texts = [page.read_text("utf-8") for page in site.glob("*.html")]
    recordings = [path.name for path in (site / "recordings").iterdir()]
    assert all(any(name in text for text in texts) for name in recordings)
    for lesson in course():
        text = (site / f"lesson-{lesson.key}.html").read_text("utf-8")
        shown = {key for _, key in lesson.board.scenes} | {lesson.task.scene}
        assert all(f"&quot;{key}&quot;: {{&quot;files&quot;" in text for key in shown)


def test_the_site_with_documentation_has_at_most_forty_megabytes(site: Path):
    size = sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
    assert size <= MAX_BYTES - DOCUMENTATION_BYTES


def test_the_first_picture_waits_for_few_bytes(site: Path):
    first = ("index.html", "regviz.js", "regviz.css", "recordings/opening-0.js")
    assert sum((site / name).stat().st_size for name in first) < 900_000


def test_the_same_site_has_the_same_bytes_and_replaces_an_earlier_one(site: Path, tmp_path: Path):
    again = build_small(build_small(tmp_path / "small"))
    built = [path.relative_to(again) for path in again.rglob("*") if path.is_file()]
    # pages tell the number of lessons and scenes
    same = [path for path in built if path.suffix != ".html"]
    assert len(same) > 10
    assert all((again / path).read_bytes() == (site / path).read_bytes() for path in same)


def test_texts_and_pictures_of_the_gallery_need_no_board_beside_them(site: Path):
    assert "network below" not in (site / "gallery.html").read_text("utf-8")
    picture = ElementTree.parse(site / "still-l1-inputs.svg")
    texts = [" ".join(text.itertext()) for text in picture.findall(".//{*}text")]
    inputs = ["x₁", "x₂", "x₁²", "x₂²", "x₁x₂", "sin x₁", "sin x₂"]
    assert [text for text in texts if text in inputs] == 2 * inputs
    _, history = last(next(entry for entry in gallery() if entry.key == "l1-inputs"))
    largest = max(np.abs(history.weights(k)[0]).max() for k in range(2))
    assert texts.count(f"size of weights, 0 to {largest:.2g}") == 2


def test_each_board_has_a_picture_where_scripts_do_not_run(site: Path):
    boards = 0
    for page in site.glob("*.html"):
        text = page.read_text("utf-8")
        assert ('class="recording"' in text) == ('<noscript><img src="still-' in text), page.name
        boards += 'class="recording"' in text
    assert boards == 1 + len(course()) + len(gallery())


def test_the_documentations_pages_link_to_the_site_around_it(tmp_path: Path):
    template = Path("docs/_templates/site.html").read_text("utf-8").strip()
    (tmp_path / "docs" / "howto").mkdir(parents=True)
    for name in ("index.html", "howto/install.html"):
        (tmp_path / "docs" / name).write_text(f"<header>{template}</header>", "utf-8")
    build(tmp_path / "site", [], [], documentation=tmp_path / "docs")
    for page in (tmp_path / "site" / "docs").rglob("*.html"):
        found = [(page.parent / address).resolve() for address in Addresses(page).linked]
        assert [path.name for path in found] == ["index.html", "course.html", "gallery.html"]
        assert all(path.parent == (tmp_path / "site").resolve() for path in found)
        assert all(path.is_file() for path in found)


@pytest.mark.parametrize("address", ["regviz", "javascript:alert(1)", 'https://a.org/"><b>'])
def test_a_repository_that_is_no_address_is_refused(address: str, tmp_path: Path):
    with pytest.raises(ValueError, match="repository must be an address"):
        build(tmp_path, [], [], repository=address)


def test_the_page_for_all_missing_addresses_links_to_the_path_of_the_site(
    site: Path, tmp_path: Path
):
    repository = "https://example.org/lab/regviz"
    build_small(tmp_path / "site", base="/course/", repository=repository)
    # a site with the address of its source code has it on the page on how to start
    start = (tmp_path / "site" / "start.html").read_text("utf-8")
    assert f'<a href="{repository}">' in start
    assert f"git clone {repository} regviz\ncd regviz" in start
    without = (site / "start.html").read_text("utf-8")
    assert "git clone" not in without
    assert "Ask for it the person who gave you these pages" in without
    found = Addresses(tmp_path / "site" / "404.html")
    assert all(address.startswith("/course/") for address in found.loaded + found.linked)
    assert "/course/index.html" in found.linked


def test_a_folder_of_others_is_left_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "thesis.txt").write_text("all of it")
    with pytest.raises(SystemExit):
        main([str(tmp_path)])
    assert "folder must be empty, or one with an earlier site" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_earlier_site_stays_if_there_is_no_documentation(tmp_path: Path):
    (tmp_path / "regviz.js").touch()
    with pytest.raises(ValueError, match="documentation must be a folder"):
        build(tmp_path, [], [], tmp_path / "docs")
    assert (tmp_path / "regviz.js").exists()


def test_an_interrupted_site_is_replaced_by_the_next(tmp_path: Path):
    folder = tmp_path / "site"

    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            build(folder, [], [], tell=interrupt)
    assert (folder / "regviz.js").is_file()


def test_the_commands_that_start_regviz_are_those_of_the_readme(site: Path):
    page = (site / "start.html").read_text("utf-8")
    readme = "".join(blocks("README.md", "sh"))
    for command in ("make run", "docker build --tag regviz .", "make site"):
        assert command in page
        assert command in readme
    assert "docker run --publish 8501:8501 regviz" in page


def test_there_are_twelve_scenes_and_each_claim_of_the_course_holds():
    assert len({entry.key for entry in gallery()}) == 12
    counts = {name: record.n_held for name, record in table().items()}
    for entry in gallery():
        told = [f"So in {n} of 20 seeds." in entry.sentence for n in range(LEAST_HELD, 21)]
        assert any(told) == ("seeds" in entry.sentence)
    assert min(counts.values()) >= LEAST_HELD


def last(entry: Entry) -> tuple[StrengthGrid, regviz.History]:
    """Train the networks that a scene shows first."""
    grid = entry.scene.grid()
    rows = grid.rows(entry.scene.strength_indices(grid), entry.scene.variant_indices(grid))
    return grid, regviz.train(grid.only(rows))


def test_the_boards_of_the_courses_scenes_show_what_their_sentences_say():
    entries = {entry.key: entry for entry in gallery()}
    grid, fat = last(entries["fat"])
    found = [np.count_nonzero(fat.weights(k)[0]) for k in range(2)]
    assert grid.methods == ("l1", "elastic_net")
    assert found[0] < found[1]
    grid, late = last(entries["late"])
    assert late.metrics["test_accuracy"][-1, grid.methods.index("l2")] >= 0.95
    knows = int((late.metrics["train_accuracy"][:, 1] == 1).argmax())
    understands = int((late.metrics["test_accuracy"][:, 1] >= 0.95).argmax())
    assert late.epochs[understands] > 3 * late.epochs[knows]
    grid, pruned = last(entries["pruning"])
    assert pruned.units_left(grid.methods.index("group_lasso")) <= 64 / 4
    grid, strong = last(entries["too-strong"])
    assert strong.metrics["sparsity"][-1, grid.methods.index("l1")] == 1
