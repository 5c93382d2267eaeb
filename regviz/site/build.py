"""Build the site: train all its scenes, and write its files."""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from regviz.engine import compiled
from regviz.engine.recorder import train
from regviz.lessons.article import Recorded, requested_view
from regviz.lessons.lesson import Lesson
from regviz.resources import resource
from regviz.scenes.offline import board_script, message_script, recording, style_sheet
from regviz.scenes.scene import Scene
from regviz.scenes.strength_grid import StrengthGrid
from regviz.site.gallery import Entry
from regviz.site.pages import COURSE, GALLERY, HOW_TO, LOGO, SCRIPT, START, STYLES, Pages
from regviz.site.pages import lesson_file, scene_file
from regviz.site.stills import still
from regviz.spec.validation import invalid

RECORDINGS = "recordings"  # folder of their scripts
# Frames of the first messages of a recording. The first picture waits for the first message only,
# and each further one has about as many frames as play while it arrives.
LENGTHS = (4, 16, 32)


@dataclass(frozen=True)
class Job:
    """A scene to train and to record.

    Attributes
    ----------
    name : str
        Name of its files.
    scene : Scene
    strengths, variants : bool
        Which networks can be shown, as of `StrengthGrid.around`.
    picture : bool
        Whether to draw the still picture of the gallery, too.
    """

    name: str
    scene: Scene
    strengths: bool = True
    variants: bool = True
    picture: bool = False


@dataclass(frozen=True)
class Made:
    """The files of a recorded scene: texts by name, and the recording."""

    texts: Mapping[str, str]
    recorded: Recorded


def build(
    folder: Path,
    lessons: Sequence[Lesson],
    entries: Sequence[Entry],
    documentation: Path | None = None,
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
    jobs = _jobs(lessons, entries)
    compiled.prepare()
    made: dict[str, Made] = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for job, one in zip(jobs, pool.map(_made, jobs), strict=True):
            made[job.name] = one
            for name, text in one.texts.items():
                (folder / name).write_text(text, "utf-8", newline="\n")
            tell(job.name)
    for name, text in _texts(lessons, entries, made, documentation is not None).items():
        (folder / name).write_text(text, "utf-8", newline="\n")
    shutil.copyfile(resource("assets/logo.svg"), folder / LOGO)
    if documentation is not None:
        shutil.copytree(documentation, folder / "docs")


def _clear(folder: Path) -> None:
    """Remove an earlier site."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / SCRIPT).is_file():
            raise invalid("folder", "empty, or one with an earlier site", str(folder))
        shutil.rmtree(folder)


def _jobs(lessons: Sequence[Lesson], entries: Sequence[Entry]) -> list[Job]:
    """Return all scenes of the site, the opening page's first."""
    jobs = [Job("opening", Scene())]
    for lesson in lessons:
        task, board = lesson.task, lesson.board
        for key in _shown(lesson):
            drags = {board.drag, task.drag} if key == task.scene else {board.drag}
            name = f"{lesson.key}-{key}"
            jobs.append(Job(name, lesson.scenes[key], "strength" in drags, "second" in drags))
    jobs += [Job(_entry(entry), entry.scene, picture=True) for entry in entries]
    return jobs


def _shown(lesson: Lesson) -> list[str]:
    """Return the keys of a lesson's scenes on the board: those of the slider, and the task's."""
    return list(dict.fromkeys([*(key for _, key in lesson.board.scenes), lesson.task.scene]))


def _entry(entry: Entry) -> str:
    return f"gallery-{entry.key}"


def _made(job: Job) -> Made:
    """Train a scene, and return its files."""
    scene = job.scene
    whole = scene.grid()
    rows = whole.rows(scene.strength_indices(whole), scene.variant_indices(whole))
    grid = whole.around(rows, strengths=job.strengths, variants=job.variants)
    history = train(grid.experiment)
    view = requested_view(scene, grid, play=True)
    shown = grid.rows(view["strength_indices"], view["variant_indices"])
    messages = recording(grid, shown, history, job.name, view, LENGTHS)
    names = [f"{job.name}-{i}" for i in range(len(messages))]
    files = [f"{RECORDINGS}/{name}.js" for name in names]
    texts = dict(zip(files, map(message_script, names, messages), strict=True))
    if job.picture:
        texts[f"still-{job.name.removeprefix('gallery-')}.svg"] = still(scene, grid, history)
    return Made(texts, Recorded(grid, tuple(files)))


def _texts(
    lessons: Sequence[Lesson],
    entries: Sequence[Entry],
    made: Mapping[str, Made],
    documentation: bool,
) -> dict[str, str]:
    """Return the pages, script and style sheet of the site by name."""
    pages = Pages(lessons, entries, documentation)
    texts = {
        START: pages.start(made["opening"].recorded.files),
        COURSE: pages.course(),
        GALLERY: pages.gallery(),
        HOW_TO: pages.how_to(),
        "404.html": pages.missing(),
        SCRIPT: board_script(),
        STYLES: style_sheet(),
    }
    for i, lesson in enumerate(lessons):
        recorded = {key: made[f"{lesson.key}-{key}"].recorded for key in _shown(lesson)}
        texts[lesson_file(lesson)] = pages.lesson(i, recorded)
    for i, entry in enumerate(entries):
        texts[scene_file(entry)] = pages.scene(i, made[_entry(entry)].recorded.files)
    return texts
