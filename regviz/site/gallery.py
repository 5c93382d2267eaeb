"""The gallery: twelve scenes, each with a sentence that a test or a claim supports."""

from dataclasses import dataclass
from functools import cache

from regviz.lessons.claim import all_claims
from regviz.lessons.course import course
from regviz.lessons.results import table
from regviz.scenes.claims import CLAIMS
from regviz.scenes.scene import Scene

# of the course: lesson, scene, title, and the claim that the sentence is
_OF_LESSONS = (
    ("fat", "main", "More inputs than points", "fat.it_finds_more"),
    ("late", "main", "It understands late", "grokking.it_understands_later"),
    ("pruning", "main", "L1 leaves little to store", "pruning.l1_needs_the_fewest"),
    ("too-strong", "main", "Both ends of the path are bad", "too_strong.the_path_has_two_ends"),
)


@dataclass(frozen=True)
class Entry:
    """A scene of the gallery.

    Attributes
    ----------
    key : str
        Name of its page and files.
    title, sentence : str
    scene : Scene
    """

    key: str
    title: str
    sentence: str
    scene: Scene


@cache
def gallery() -> tuple[Entry, ...]:
    """Return the scenes of *Try this*, and after them those of lessons."""
    entries = [Entry(c.key.replace("_", "-"), c.title, c.watch, c.scene) for c in CLAIMS]
    lessons = {lesson.key: lesson for lesson in course()}
    for key, scene, title, claim in _OF_LESSONS:
        sentence = f"{all_claims()[claim].sentence} So in {table()[claim].count}."
        entries.append(Entry(key, title, sentence, lessons[key].scenes[scene]))
    return tuple(entries)
