"""Write the answers of all lessons into the teacher's document.

    python -m devtools.teaching

The table in docs/howto/teaching.md follows from the lessons' files: the right answer of *Predict*,
and the solution of *Try*, which a test solves the task with.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import parse_qsl

from devtools.serving import ROOT
from regviz.lessons.course import course
from regviz.lessons.lesson import Lesson
from regviz.methods.catalogue import EARLY_STOPPING, METHODS

DOCUMENT = Path(ROOT) / "docs" / "howto" / "teaching.md"
HEAD = "| lesson | answer of *Predict* | a solution of *Try* |\n|---|---|---|\n"
_TABLE = re.compile(re.escape(HEAD) + r"(\|.*\n)*")


def answers(lessons: Iterable[Lesson]) -> str:
    """Return the table of the lessons' answers, in Markdown."""
    return HEAD + "".join(
        f"| {lesson.title} | {_cell(lesson.question.answers[lesson.question.right])}"
        f" | {_solution(lesson)} |\n"
        for lesson in lessons
    )


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def _solution(lesson: Lesson) -> str:
    """Return the solution in words, such as ``"L1 at 0.05, epoch 100"``."""
    words = []
    for name, value in parse_qsl(lesson.task.solution):
        if name == "focus":
            key = "none" if value == EARLY_STOPPING else value
            words.append(f"{METHODS[key].label} in focus")
        elif name in METHODS:
            words.append(f"{METHODS[name].label} at {value}")
        else:
            words.append(f"{name.replace('_', ' ')} {value}")
    return ", ".join(words)


def main() -> None:
    """Replace the table in the document."""
    text = DOCUMENT.read_text("utf-8")
    if not _TABLE.search(text):
        raise SystemExit(f"{DOCUMENT} has no table that begins with {HEAD!r}")
    rows = answers(course())
    DOCUMENT.write_text(_TABLE.sub(lambda _: rows, text), "utf-8")


if __name__ == "__main__":
    main()
