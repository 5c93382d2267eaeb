"""Build the site: train all its scenes, and write its files."""

import os
import shutil
from collections.abc import Callable, Container, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
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
    lesson_file,
    scene_file,
    still_file,
)
from regviz.site.stills import still
from regviz.spec.validation import invalid

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
    entries : list of Entry
        Scenes of the gallery that show it.
    """

    name: str
    rows: list[int]
    entries: list[Entry] = field(default_factory=list)


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
    tell : callable
        Called with the name of each scene that is recorded.

    Raises
    ------
    ValueError
        If the folder has files of others, or there is no documentation in its folder.
    """
    _clear(folder)
    if documentation is not None and not (documentation / "index.html").is_file():
        raise invalid("documentation", "a folder with index.html", str(documentation))
    (folder / RECORDINGS).mkdir(parents=True)
    plan = _plan(lessons, entries)
    compiled.prepare()
    recorded: dict[StrengthGrid, Recorded] = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for grid, made in zip(plan.jobs, pool.map(_made, plan.jobs.items()), strict=True):
            recorded[grid] = Recorded(grid, tuple(name for name in made if name.endswith(".js")))
            _write(folder, made)
            tell(plan.jobs[grid].name)
    pages = Pages(lessons, entries, documentation is not None, base)
    _write(folder, _texts(pages, plan, recorded))
    shutil.copyfile(resource("assets/logo.svg"), folder / LOGO)
    if documentation is not None:
        shutil.copytree(documentation, folder / DOCS)


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

    add("opening", Scene())
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
    for entry in entries:
        jobs[add(f"gallery-{entry.key}", entry.scene)].entries.append(entry)
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
    for entry in job.entries:
        made[still_file(entry)] = still(entry.scene, grid, history)
    return made


def _texts(pages: Pages, plan: Plan, recorded: Mapping[StrengthGrid, Recorded]) -> dict[str, str]:
    """Return the pages, script and style sheet of the site by name."""
    texts = {
        START: pages.start(recorded[Scene().grid()]),
        COURSE: pages.course(),
        GALLERY: pages.gallery(),
        HOW_TO: pages.how_to(),
        MISSING: pages.missing(),
        SCRIPT: board_script(),
        STYLES: style_sheet(),
    }
    for i, (lesson, grids) in enumerate(zip(pages.lessons, plan.lessons, strict=True)):
        scenes = {key: recorded[grid] for key, grid in grids.items()}
        texts[lesson_file(lesson)] = pages.lesson(i, scenes)
    for i, entry in enumerate(pages.entries):
        texts[scene_file(entry)] = pages.scene(i, recorded[entry.scene.grid()])
    return texts
