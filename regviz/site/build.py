"""Build the site: train all its scenes, and write its files."""

import os
import re
import shutil
from collections.abc import Callable, Container, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from regviz.engine import compiled
from regviz.engine.recorder import train
from regviz.lessons.article import Recorded
from regviz.lessons.lesson import DRAGS, Lesson
from regviz.resources import resource
from regviz.scenes.offline import board_script, message_script, recording, style_sheet
from regviz.scenes.scene import Scene
from regviz.scenes.strength_grid import StrengthGrid
from regviz.site.gallery import Entry
from regviz.site.pages import (
    COURSE,
    DOCS,
    GALLERY,
    HOW_TO,
    LOGO,
    MISSING,
    SCRIPT,
    START,
    STYLES,
    Pages,
    docs_links,
    lesson_file,
    scene_file,
    still_file,
)
from regviz.site.stills import still
from regviz.spec.validation import invalid

SITE_LINKS = '<span class="site"></span>'  # of docs/_templates/site.html
RECORDINGS = "recordings"  # folder of their scripts
# Frames of the first messages of a recording. The first picture waits for the first message only,
# and each further one has about as many frames as play while it arrives.
MESSAGE_FRAMES = (4, 16, 32)


# Bound on the bytes of all frames of a recording before compression; half of that of the page's. It
# reduces the three largest recordings by a half, the opening scene's to 2.1 MB.
MAX_BYTES = 5_000_000


@dataclass
class Job:
    """A recording: a grid to train, and what is drawn of it.

    Attributes
    ----------
    name : str
        Name of its files.
    rows : list of int
        Networks shown first, as of `regviz.scenes.offline.recording`.
    stills : dict of str to Scene
        Scenes of its still pictures, by name.
    """

    name: str
    rows: list[int]
    stills: dict[str, Scene] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """All recordings of a site by grid, and the grids of its lessons' scenes."""

    jobs: Mapping[StrengthGrid, Job]
    lessons: Sequence[Mapping[str, StrengthGrid]]


def build(
    folder: Path,
    lessons: Sequence[Lesson],
    entries: Sequence[Entry],
    documentation: Path | None = None,
    base: str = "",
    repository: str = "",
    tell: Callable[[str], None] = lambda text: None,
) -> None:
    """Write the site. The same arguments give the same bytes.

    Parameters
    ----------
    folder : Path
        A folder that does not exist, is empty, or has an earlier site, which is replaced.
    lessons : sequence of Lesson
    entries : sequence of Entry
        The scenes of the gallery.
    documentation : Path, optional
        A folder with the documentation as HTML, which is copied.
    base : str
        Address of the folder on its host, as of `regviz.site.pages.Pages`.
    repository : str
        Address of the repository of the source code, as of `regviz.site.pages.Pages`.
    tell : callable
        Called with the name of each scene that is recorded.

    Raises
    ------
    ValueError
        If the folder has files of others, there is no documentation in its folder, or
        ``repository`` is no address of the web.
    """
    if repository and not re.fullmatch(r"https?://[^\s\"'<>`$;&|\\]+", repository):
        raise invalid("repository", "an address that starts with https://", repository)
    if documentation is not None and not (documentation / "index.html").is_file():
        raise invalid("documentation", "a folder with index.html", str(documentation))
    _clear(folder)
    (folder / RECORDINGS).mkdir(parents=True)
    _write(folder, {SCRIPT: board_script()})  # first, as `_clear` knows an interrupted site by it
    plan = _plan(lessons, entries)
    compiled.prepare()
    recorded: dict[StrengthGrid, Recorded] = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for grid, made in zip(plan.jobs, pool.map(_made, plan.jobs.items()), strict=True):
            recorded[grid] = Recorded(grid, tuple(name for name in made if name.endswith(".js")))
            _write(folder, made)
            tell(plan.jobs[grid].name)
    pages = Pages(lessons, entries, documentation is not None, base, repository)
    _write(folder, _texts(pages, plan, recorded))
    shutil.copyfile(resource("assets/logo.svg"), folder / LOGO)
    if documentation is not None:
        _copy_documentation(documentation, folder / DOCS)


def _copy_documentation(documentation: Path, folder: Path) -> None:
    """Copy the documentation, with links to the parts of the site in its pages' headers."""
    shutil.copytree(documentation, folder)
    for page in folder.rglob("*.html"):
        depth = len(page.relative_to(folder).parents) - 1
        text = page.read_text("utf-8")
        page.write_text(text.replace(SITE_LINKS, docs_links(depth)), "utf-8", newline="\n")


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8", newline="\n")


def _clear(folder: Path) -> None:
    """Remove an earlier site."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / SCRIPT).is_file():
            raise invalid("folder", "empty, or one with an earlier site", str(folder))
        shutil.rmtree(folder)


def _plan(lessons: Sequence[Lesson], entries: Sequence[Entry]) -> Plan:
    """Return all recordings of the site, the opening page's first. Equal grids are one."""
    jobs: dict[StrengthGrid, Job] = {}

    def add(name: str, scene: Scene, drags: Container[str] = DRAGS) -> StrengthGrid:
        whole = scene.grid()
        rows = scene.rows(whole)
        grid = whole.around(rows, strengths="strength" in drags, variants="second" in drags)
        shown = scene.rows(grid)
        jobs.setdefault(grid, Job(name, shown))
        return grid

    opening = add("opening", Scene())
    jobs[opening].stills["opening"] = Scene()
    of_lessons = []
    for lesson in lessons:
        task, board = lesson.task, lesson.board
        keys = dict.fromkeys([*(key for _, key in board.scenes), task.scene])
        of_lessons.append(
            {
                key: add(
                    f"{lesson.key}-{key}",
                    lesson.scenes[key],
                    {board.drag, task.drag} if key == task.scene else {board.drag},
                )
                for key in keys
            }
        )
        first = lesson.board.scenes[0][1]
        jobs[of_lessons[-1][first]].stills[f"lesson-{lesson.key}"] = lesson.scenes[first]
    for entry in entries:
        jobs[add(f"gallery-{entry.key}", entry.scene)].stills[entry.key] = entry.scene
    return Plan(jobs, of_lessons)


def _made(item: tuple[StrengthGrid, Job]) -> dict[str, str]:
    """Train a grid, and return the texts of its scripts and still pictures by file."""
    grid, job = item
    history = train(grid.experiment)
    messages = recording(grid, job.rows, history, job.name, lengths=MESSAGE_FRAMES, limit=MAX_BYTES)
    made = {}
    for i, message in enumerate(messages):
        name = f"{job.name}-{i}"
        made[f"{RECORDINGS}/{name}.js"] = message_script(name, message)
    for name, scene in job.stills.items():
        made[still_file(name)] = still(scene, grid, history)
    return made


def _texts(pages: Pages, plan: Plan, recorded: Mapping[StrengthGrid, Recorded]) -> dict[str, str]:
    """Return the pages and the style sheet of the site by name."""

    def pictured(grid: StrengthGrid, name: str) -> Recorded:
        return replace(recorded[grid], still=still_file(name))

    texts = {
        START: pages.start(pictured(Scene().grid(), "opening")),
        COURSE: pages.course(),
        GALLERY: pages.gallery(),
        HOW_TO: pages.how_to(),
        MISSING: pages.missing(),
        STYLES: style_sheet(),
    }
    for i, (lesson, grids) in enumerate(zip(pages.lessons, plan.lessons, strict=True)):
        scenes = {key: pictured(grid, f"lesson-{lesson.key}") for key, grid in grids.items()}
        texts[lesson_file(lesson)] = pages.lesson(i, scenes)
    for i, entry in enumerate(pages.entries):
        texts[scene_file(entry)] = pages.scene(i, pictured(entry.scene.grid(), entry.key))
    return texts
