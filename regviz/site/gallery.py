"""The gallery: twelve scenes, each with a sentence that a test or a claim supports."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from regviz.lessons.claim import all_claims
from regviz.lessons.course import course
from regviz.lessons.results import table
from regviz.scenes.claims import CLAIMS
from regviz.scenes.scene import Scene

# claims of *Try this*, without "Ten times the weights", the network of "Dropout trains worse"
_OF_CLAIMS = ("early_stopping", "l2", "l1_inputs", "l1_late", "elastic_net", "dropout", "max_norm")
# of the course: lesson, scene, title, the claim that is the sentence, and the view that shows it
_OF_LESSONS: tuple[tuple[str, str, str, str, Mapping[str, Any]], ...] = (
    ("fat", "main", "More inputs than points", "fat.it_finds_more", {}),
    ("scale", "batch", "L2 does less with batch normalization", "scale.l2_loses_its_effect", {}),
    ("late", "main", "A network that understands late", "grokking.it_understands_later", {}),
    (
        *("pruning", "main", "Group lasso removes units", "pruning.units_vanish"),
        {"focus": "group_lasso", "strengths": (("group_lasso", 0.005),)},
    ),
    ("too-strong", "main", "Too strong, and nothing is left", "too_strong.l1_collapses", {}),
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


def _apart(watch: str) -> str:
    """Return the sentence of a claim of *Try this* for a page without a board below it."""
    before, _, after = watch.partition("In the network below, ")
    return before + after[:1].upper() + after[1:]


@cache
def gallery() -> tuple[Entry, ...]:
    """Return the scenes: first those of *Try this*, then those of lessons."""
    tried = [claim for claim in CLAIMS if claim.key in _OF_CLAIMS]
    entries = [Entry(c.key.replace("_", "-"), c.title, _apart(c.watch), c.scene) for c in tried]
    lessons = {lesson.key: lesson for lesson in course()}
    for key, name, title, claim, view in _OF_LESSONS:
        sentence = f"{all_claims()[claim].sentence} So in {table()[claim].count}."
        scene = replace(lessons[key].scenes[name], epoch=None, **view)
        entries.append(Entry(key, title, sentence, scene))
    return tuple(entries)
