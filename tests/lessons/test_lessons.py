"""Tests of the lessons' files: each is read, its scenes open, and its task has a solution."""

import re
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pytest

import regviz
from devtools.teaching import DOCUMENT as DOCUMENT_FOR_TEACHERS
from devtools.teaching import answers
from regviz.engine.cost import seconds
from regviz.lessons.course import course, read_lessons
from regviz.lessons.lesson import Lesson
from regviz.lessons.parser import LessonError, parse
from regviz.lessons.results import table
from regviz.lessons.task import ANY, FOCUS, measures_of
from regviz.methods.catalogue import METHODS
from regviz.scenes.scene import Scene

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "howto" / "lessons.md").read_text("utf-8")
(TEMPLATE,) = re.findall(r"^````markdown\n(.*?)^````$", DOCUMENT, re.MULTILINE | re.DOTALL)
(NAME,) = re.findall(r"Save this as `(\S+)`", DOCUMENT)
ALL = [*course(), parse(NAME, TEMPLATE, table())]


def names(lesson: Lesson) -> str:
    return lesson.key


def is_solved(lesson: Lesson, scene: Scene) -> bool:
    """Return whether a scene's networks solve a lesson's task."""
    grid = scene.grid()
    rows = grid.rows(scene.strength_indices(grid), scene.variant_indices(grid))
    history = regviz.train(grid.only(rows))
    t = (
        len(history.epochs) - 1
        if scene.epoch is None
        else int(np.searchsorted(history.epochs, scene.epoch, side="right") - 1)
    )
    measures = {key: measures_of(history, k, t) for k, key in enumerate(scene.methods)}
    of = {FOCUS: [scene.focus], ANY: scene.methods}.get(lesson.task.of, [lesson.task.of])
    return any(lesson.task.condition.holds(measures, method) for method in of)


@pytest.mark.parametrize("lesson", ALL, ids=names)
def test_the_solution_of_a_task_solves_it(lesson: Lesson):
    assert is_solved(lesson, lesson.task.solved)


@pytest.mark.parametrize("lesson", ALL, ids=names)
def test_a_task_is_not_solved_at_the_start(lesson: Lesson):
    assert not is_solved(lesson, lesson.scenes[lesson.task.scene])


@pytest.mark.parametrize("lesson", ALL, ids=names)
def test_a_solution_changes_only_what_the_lesson_lets_its_reader_change(lesson: Lesson):
    changed = {name for name, _ in parse_qsl(lesson.task.solution)}
    second = {method.variants_parameter for method in METHODS.values()}
    dragged = {"strength": {*METHODS}, "second": second}
    left = [dragged.get(drag, set()) for drag in (lesson.board.drag, lesson.task.drag)]
    assert changed <= {"focus", "epoch"}.union(*left)


@pytest.mark.parametrize("lesson", ALL, ids=names)
def test_the_scenes_of_a_lesson_train_in_seconds(lesson: Lesson):
    for scene in lesson.scenes.values():
        assert seconds(scene.grid().experiment) < 10


def test_the_lessons_are_read_in_the_order_of_their_files(tmp_path: Path):
    (tmp_path / "02-b.md").write_text(TEMPLATE)
    (tmp_path / "10-a.md").write_text(TEMPLATE)
    assert [lesson.key for lesson in read_lessons(tmp_path)] == ["b", "a"]


@pytest.mark.parametrize("path", ["README.md", "docs/howto/teaching.md"])
def test_documents_say_how_long_lessons_are(path: str):
    words = {"three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8}
    text = (ROOT / path).read_text("utf-8")
    (told,) = re.findall(r"(\w+) (?:or|to) (\w+) minutes", text)
    minutes = [lesson.minutes for lesson in course()]
    assert [words[word] for word in told] == [min(minutes), max(minutes)]


def test_numbers_and_counts_of_claims_are_filled_in():
    record = table()["noise.gap_grows_with_width"]
    lesson = parse(NAME, TEMPLATE, table())
    assert f"{np.median(record.figures['gap_8']):.2f}" in lesson.question.explanation
    assert f"It was so in {sum(record.holds)} of 20 seeds." in lesson.why[0]


FAULTS = {
    "minutes = 4": (
        "minutes = 400",
        "line 4: minutes must be a whole number from 1 to 60",
    ),
    "minutes = 4\n": ("", "line 1: minutes is missing"),
    'title = "Smaller weights"': ('title = ""', "line 2: title must be a text that is not empty"),
    "hidden=8,8": ("hidden=8,x", "line 9: scenes.wide: hidden must be none, or up to six"),
    '["noise.gap_grows_with_width"]': ('["noise.gap"]', "line 5: claims must be"),
    "## See": ("## Look", "the heading must be one of"),
    "- [x] The wide": ("- [ ] The wide", "the answers of Predict must be two to five"),
    'drag = "scene"': ('drag = "scene', "no valid TOML"),
    'y = "test': ('errors = 1\ny = "test', "errors must be True or False, got 1"),
    'show = ["losses"]': ('show = ["loss"]', "show must be one of 'boundary'"),
    'solved = "none.test_loss': ('solved = "none.loss', "solved must be about one of train_loss"),
    "test_loss < 0.4 and": ("test_loss and", "solved must be comparisons such as"),
    "gap_8:.2f": ("gap_9:.2f", "line 23: a figure of noise.gap_grows_with_width must be one of"),
    "gap_2:.2f": ("gap_2:>9999d", "the form of gap_2 must be such as"),
    "values = [": ("lines = [", "lines must be names, each with a list"),
    'solution = "epoch=16': ('solution = "l2=0.0123', "L2 is not offered at 0.0123 here"),
}


@pytest.mark.parametrize("before", FAULTS)
def test_a_fault_is_told_with_file_line_and_what_is_allowed(before: str):
    after, told = FAULTS[before]
    assert before in TEMPLATE
    with pytest.raises(LessonError) as raised:
        parse(NAME, TEMPLATE.replace(before, after), table())
    assert str(raised.value).startswith(f"{NAME}, line ")
    assert told in str(raised.value)


STUDY = """```study
study = "width.chosen"
title = "Chosen strengths"
x = "network.hidden"
label = "hidden units"
facet = "data.noise"
compare = ["l2", "dropout"]
```
"""


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('"width.chosen"', '"width.none"', "study must be one of 'width.fixed', 'width.chosen'"),
        ('facet = "data.noise"\n', "", "x and facet must be the axes of the study"),
        ('["l2", "dropout"]', '["l2"]', "compare must be a list of two methods of the study"),
        ('["l2", "dropout"]', '["l2", "l1"]', "compare must be one of 'none', 'l2', 'dropout'"),
    ],
)
def test_a_fault_in_a_study_is_told(before: str, after: str, told: str):
    block = STUDY.replace(before, after)
    assert parse(NAME, TEMPLATE.replace("## Try", f"{STUDY}## Try"), table())
    with pytest.raises(LessonError) as raised:
        parse(NAME, TEMPLATE.replace("## Try", f"{block}## Try"), table())
    assert told in str(raised.value)


def test_the_teachers_document_answers_each_lesson():
    assert answers(course()) in DOCUMENT_FOR_TEACHERS.read_text("utf-8"), (
        "run `python -m devtools.teaching`"
    )


def test_the_teachers_document_names_lessons_by_their_titles():
    titles = {lesson.title for lesson in course()}
    plan = DOCUMENT_FOR_TEACHERS.read_text("utf-8").partition("## Answers")[0]
    named = set(re.findall(r"\*([^*\n]+)\*", plan)) - {"Learn", "Sources", "Share"}
    assert named <= titles
    assert len(named) >= 8
