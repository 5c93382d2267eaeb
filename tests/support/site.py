"""A small site: two lessons and one scene of the gallery."""

from pathlib import Path

from regviz.lessons.course import course
from regviz.lessons.lesson import Lesson
from regviz.site.build import build
from regviz.site.gallery import Entry, gallery


def small() -> tuple[list[Lesson], list[Entry]]:
    """Return lessons whose recordings are small, with one and with several scenes, and an entry."""
    lessons = [lesson for lesson in course() if lesson.key in ("noise", "exact-zero")]
    return lessons, [entry for entry in gallery() if entry.key == "l1-inputs"]


def build_small(folder: Path, base: str = "", repository: str = "") -> Path:
    """Build the small site, and return its folder."""
    build(folder, *small(), base=base, repository=repository)
    return folder
