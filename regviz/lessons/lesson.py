"""Lessons as values: what a lesson's file says, with its numbers and scenes filled in."""

from collections.abc import Mapping
from dataclasses import dataclass

from regviz.lessons.task import Condition
from regviz.scenes.scene import Scene

PANELS = ("boundary", "network", "losses", "sparsity", "weights", "pruning")  # below the cards
DRAGS = ("strength", "second", "epoch", "scene")


@dataclass(frozen=True)
class Question:
    """The question of *Predict*.

    Attributes
    ----------
    text : str
        Markdown.
    answers : tuple of str
        Two to five.
    right : int
        Index of the right answer.
    explanation : str
        Markdown, shown after the choice.
    """

    text: str
    answers: tuple[str, ...]
    right: int
    explanation: str


@dataclass(frozen=True)
class Board:
    """The board of *See*.

    Attributes
    ----------
    scenes : tuple of (str, str)
        A label and a key of `Lesson.scenes` for each scene that the visitor can choose; a single
        one has an empty label.
    choose : str
        Label of the slider that chooses the scene; empty with a single scene.
    show : tuple of str
        Panels of `PANELS` below the cards.
    drag : str
        The one control that stays, of `DRAGS`: the strength, the method's second parameter, the
        epoch, or the scene.
    """

    scenes: tuple[tuple[str, str], ...]
    choose: str
    show: tuple[str, ...]
    drag: str


@dataclass(frozen=True, eq=False)  # equal and hashed by identity, as a key of caches
class ClaimFigure:
    """A figure of a claim's measured numbers over all seeds.

    Attributes
    ----------
    claim : str
        Name of the claim.
    title, x, y : str
        Title, and labels of the axes.
    at : tuple of str or tuple of float
        Positions on the x axis: numbers, or names.
    lines : mapping of str to tuple of str
        For each line, by its name, the figure of the claim at each position. A single line has an
        empty name.
    errors : bool
        Whether means with standard errors are drawn instead of all seeds and their medians.
    """

    claim: str
    title: str
    x: str
    y: str
    at: tuple[str, ...] | tuple[float, ...]
    lines: Mapping[str, tuple[str, ...]]
    errors: bool = False


@dataclass(frozen=True)
class StudyFigure:
    """A figure of a study of claims: test loss by an axis, with a line for each method.

    If strengths are chosen, a second figure shows them.

    Attributes
    ----------
    study : str
        Name of the study, such as ``"width.chosen"``.
    title : str
    x : str
        Path of the axis of the study that is the x axis.
    label : str
        Name of its values, such as ``"hidden units"``.
    facet : str
        Path of the study's other axis, with a panel for each of its values; empty if it has none.
    compare : tuple of (str, str)
        Keys of the two methods whose paired difference is told.
    baseline : str
        Key of the method from which the figure shows paired differences; empty to show losses.
    """

    study: str
    title: str
    x: str
    label: str
    facet: str
    compare: tuple[str, str]
    baseline: str = ""


@dataclass(frozen=True)
class Anatomy:
    """One training step of a scene's network, as the page's Anatomy view shows it.

    Attributes
    ----------
    scene : str
        Key of `Lesson.scenes`.
    method : str
        Key of the method.
    epoch : int
        The epoch before the step.
    """

    scene: str
    method: str
    epoch: int


Why = str | ClaimFigure | StudyFigure | Anatomy  # a part of *Why*: a text or a figure


@dataclass(frozen=True)
class Task:
    """The task of *Try*, which the page recognises as solved.

    Attributes
    ----------
    condition : Condition
    of : str
        The method that must meet it: ``"focus"`` for the one in focus, ``"any"`` for any of the
        board, or a key.
    scene : str
        Key of `Lesson.scenes`.
    drag : str
        The control of `DRAGS` that the task needs.
    solution : str
        Parameters of a link that show a solution of the scene, such as ``"l1=0.01&focus=l1"``.
    solved : Scene
        The scene with the solution.
    """

    condition: Condition
    of: str
    scene: str
    drag: str
    solution: str
    solved: Scene


@dataclass(frozen=True)
class Lesson:
    """A lesson, as `regviz.lessons.parser.parse` reads it from a file.

    Attributes
    ----------
    key : str
        Name in links: the file's name without number and suffix, such as ``"noise"``.
    file : str
        Name of the file.
    title, idea : str
        Title, and the one idea in a sentence.
    minutes : int
    scenes : mapping of str to Scene
    claims : tuple of str
        Names of claims, in the order of their list at the end.
    introduction : str
        Markdown, as all texts: with numbers of claims filled in.
    question : Question
    before, after : str
        Texts of *See* before and after the board.
    board : Board
    why : tuple of str, ClaimFigure, StudyFigure or Anatomy
        Texts and figures in their order.
    text : str
        Text of *Try*.
    task : Task
    sources : str
        Text after the claims' sources; may be empty.
    """

    key: str
    file: str
    title: str
    idea: str
    minutes: int
    scenes: Mapping[str, Scene]
    claims: tuple[str, ...]
    introduction: str
    question: Question
    before: str
    board: Board
    after: str
    why: tuple[Why, ...]
    text: str
    task: Task
    sources: str
