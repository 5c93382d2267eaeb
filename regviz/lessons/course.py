"""The lessons of the course in their order."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from regviz.lessons.lesson import Lesson
from regviz.lessons.parser import LessonError, parse
from regviz.lessons.results import table

FOLDER = Path(__file__).with_name("texts")


def read_lessons(folder: Path) -> list[Lesson]:
    """Return the lessons of a folder's Markdown files, in the order of their names.

    Raises
    ------
    LessonError
        If a file cannot be read as a lesson, or two have the same key.
    """
    lessons: dict[str, Lesson] = {}
    for path in sorted(folder.glob("*.md")):
        lesson = parse(path.name, path.read_text("utf-8"), table())
        if before := lessons.get(lesson.key):
            raise LessonError(f"{path.name}: its name in links is that of {before.file}")
        lessons[lesson.key] = lesson
    return list(lessons.values())


@cache
def course(own: Sequence[str] = ()) -> tuple[Lesson, ...]:
    """Return the course, and after it a teacher's own lessons.

    Parameters
    ----------
    own : tuple of str
        Folders with lessons. One with the key of a lesson of the course replaces it.

    Raises
    ------
    LessonError
        As in `read_lessons`.
    """
    lessons = {lesson.key: lesson for lesson in read_lessons(FOLDER)}
    for folder in own:
        lessons |= {lesson.key: lesson for lesson in read_lessons(Path(folder))}
    return tuple(lessons.values())
