"""A lesson as one HTML file: its text, and the board with one of its scenes."""

from collections.abc import Sequence

from regviz.lessons.article import Recorded, article
from regviz.lessons.lesson import Lesson
from regviz.scenes.offline import offline_page
from regviz.scenes.strength_grid import StrengthGrid


def lesson_page(lesson: Lesson, scene: str, grid: StrengthGrid, messages: Sequence[bytes]) -> str:
    """Return an HTML file with a lesson's article and a board, which makes no network requests.

    Parameters
    ----------
    lesson : Lesson
    scene : str
        Key of the scene on the board.
    grid : StrengthGrid
        The scene's grid.
    messages : sequence of bytes
        All messages of its run, as of `regviz.scenes.offline.recording`.
    """
    main = article(lesson, {scene: Recorded(grid)})
    return offline_page(messages, lesson.title, main=main)
