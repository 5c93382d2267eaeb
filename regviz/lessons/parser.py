"""Reads lessons from Markdown files; docs/howto/lessons.md describes the format."""

import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from regviz.lessons.claim import all_studies
from regviz.lessons.lesson import (
    DRAGS,
    PANELS,
    Anatomy,
    Board,
    ClaimFigure,
    Lesson,
    Question,
    StudyFigure,
    Task,
    Why,
)
from regviz.lessons.results import Record
from regviz.lessons.task import ANY, FOCUS, parse_condition
from regviz.scenes.link import from_query
from regviz.scenes.scene import Scene
from regviz.spec.validation import boolean, choice, integer, invalid, one_of, text

SECTIONS = ("Predict", "See", "Why", "Try", "Sources")
_FENCE = "+++"
_NAME = re.compile(r"(?:\d+-)?(?P<key>[a-z0-9]+(?:-[a-z0-9]+)*)\.md")
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ANSWER = re.compile(r"- \[([ x])\] (.+)")
_NUMBER = re.compile(r"\{([a-z]\w*\.\w+)(?:\.(\w+))?(?::([^{}]*))?\}")
_FORMAT = re.compile(r",?(\.\d)?[fg%]")


class LessonError(ValueError):
    """A fault in a lesson's file; the message has file, line, field, allowed values and value."""


@dataclass(frozen=True)
class _Part:
    """A part of a file with the number of its first line."""

    text: str
    line: int


class _Reader:
    """Reads one file.

    Parameters
    ----------
    file : str
    results : mapping of str to Record
        Results of the claims by name.
    """

    def __init__(self, file: str, results: Mapping[str, Record]) -> None:
        self.file, self.results = file, results
        self.claims: tuple[str, ...] = ()
        self.scenes: dict[str, Scene] = {}
        self.queries: dict[str, dict[str, str]] = {}

    @contextmanager
    def at(self, line: int) -> Iterator[None]:
        """Add file and line to the message of a ValueError."""
        try:
            yield
        except LessonError:
            raise
        except ValueError as error:
            raise LessonError(f"{self.file}, line {line}: {error}") from error

    def lesson(self, key: str, source: str) -> Lesson:
        """Return the lesson of a file's text."""
        header, body = self._header(source)
        with self.at(1):
            keys = ("title", "idea", "minutes", "claims", "scenes")
            _only(header, keys, ("title", "idea", "minutes", "scenes"))
        values = {}
        for name in ("title", "idea"):
            with self.at(_line_of(source, name)):
                values[name] = text(name, header[name])
        with self.at(_line_of(source, "minutes")):
            minutes = integer("minutes", header["minutes"], 1, 60)
        with self.at(_line_of(source, "claims")):
            self.claims = _names("claims", header.get("claims", []), self.results)
        with self.at(_line_of(source, "[scenes]")):
            self._read_scenes(header["scenes"], source)
        introduction, sections = self._sections(body)
        board, before, after = self._see(sections["See"])
        task, task_text = self._try(sections["Try"], board)
        sources = sections.get("Sources")
        return Lesson(
            key,
            self.file,
            values["title"],
            values["idea"],
            minutes,
            self.scenes,
            self.claims,
            self._filled(introduction),
            self._question(sections["Predict"]),
            before,
            board,
            after,
            self._why(sections["Why"]),
            task_text,
            task,
            self._filled(sources) if sources else "",
        )

    def _header(self, source: str) -> tuple[dict[str, Any], _Part]:
        """Return the header's values and the text below it."""
        lines = source.split("\n")
        ends = [i for i, line in enumerate(lines) if line.rstrip() == _FENCE]
        if len(ends) < 2 or ends[0] != 0:
            with self.at(1):
                raise invalid("the header", f"TOML between two lines {_FENCE}", lines[0])
        header = self._toml(_Part("\n".join(lines[1 : ends[1]]), 2))
        return header, _Part("\n".join(lines[ends[1] + 1 :]), ends[1] + 2)

    def _toml(self, part: _Part) -> dict[str, Any]:
        try:
            return tomllib.loads(part.text)
        except tomllib.TOMLDecodeError as error:
            found = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)", str(error))
            line = part.line + (int(found[1]) - 1 if found and found[1] else 0)
            reason = str(error).removesuffix(found[0] if found else "")
            raise LessonError(f"{self.file}, line {line}: no valid TOML: {reason}") from error

    def _read_scenes(self, given: Any, source: str) -> None:
        if not isinstance(given, dict) or not given:
            raise invalid("scenes", "a name and a link's parameters for at least one scene", given)
        for name, link in given.items():
            with self.at(_line_of(source, name)):
                text(f"scenes.{name}", link)
                query = dict(parse_qsl(link.partition("?")[2] or link, keep_blank_values=True))
                self.queries[name] = query
                self.scenes[name] = _scene(f"scenes.{name}", query)

    def _sections(self, body: _Part) -> tuple[_Part, dict[str, _Part]]:
        """Return the text before the first section, and the sections by heading."""
        found: dict[str, _Part] = {}
        name, start = "", 0
        lines = body.text.split("\n")
        heads = [i for i, line in enumerate(lines) if line.startswith("## ")]
        for i in [*heads, len(lines)]:
            found[name] = _Part("\n".join(lines[start:i]), body.line + start)
            if i == len(lines):
                break
            name, start = lines[i][3:].strip(), i + 1
            with self.at(body.line + i):
                choice("the heading", name, SECTIONS)
                if name in found:
                    raise invalid("the heading", "there once", name)
        order = tuple(n for n in SECTIONS if n in found)
        with self.at(body.line):
            if order[:4] != SECTIONS[:4] or tuple(found)[1:] != order:
                wanted = ", ".join(SECTIONS[:4]) + " and, if wanted, Sources, in this order"
                raise invalid("the headings", wanted, list(found)[1:])
        return found.pop(""), found

    def _question(self, part: _Part) -> Question:
        asked: list[str] = []
        answers: list[tuple[bool, _Part]] = []
        explained: list[str] = []
        explained_from = part.line
        for i, line in enumerate(part.text.split("\n")):
            answer = _ANSWER.fullmatch(line.rstrip())
            if answer:
                answers.append((answer[1] == "x", _Part(answer[2], part.line + i)))
            elif line.startswith(">"):
                explained_from = explained_from if explained else part.line + i
                explained.append(line[1:].removeprefix(" "))
            elif not answers:
                asked.append(line)
            elif line.strip():
                with self.at(part.line + i):
                    raise invalid("a line of Predict", "an answer or an explanation", line)
        right = [i for i, (is_right, _) in enumerate(answers) if is_right]
        with self.at(part.line):
            if not 2 <= len(answers) <= 5 or len(right) != 1:
                allowed = "two to five, '- [ ] answer', and one of them '- [x] answer'"
                raise invalid("the answers of Predict", allowed, [a.text for _, a in answers])
            text("the question of Predict", "\n".join(asked))
            text("the explanation of Predict, lines with >", "\n".join(explained))
        return Question(
            self._filled(_Part("\n".join(asked), part.line)),
            tuple(self._filled(answer) for _, answer in answers),
            right[0],
            self._filled(_Part("\n".join(explained), explained_from)),
        )

    def _blocks(self, part: _Part, allowed: Collection[str]) -> list[tuple[str, _Part]]:
        """Return texts, with kind ``""``, and blocks in three backquotes in their order."""
        blocks: list[tuple[str, _Part]] = []
        end = 0

        def add(kind: str, start: int, stop: int) -> None:
            line = part.line + part.text.count("\n", 0, start)
            blocks.append((kind, _Part(part.text[start:stop], line)))

        for found in _BLOCK.finditer(part.text):
            line = part.line + part.text.count("\n", 0, found.start())
            with self.at(line):
                choice("the block", found[1], allowed)
            add("", end, found.start())
            add(found[1], *found.span(2))
            end = found.end()
        add("", end, len(part.text))
        return [(kind, block) for kind, block in blocks if kind or block.text.strip()]

    def _see(self, part: _Part) -> tuple[Board, str, str]:
        blocks = self._blocks(part, ("board",))
        kinds = [kind for kind, _ in blocks]
        with self.at(part.line):
            if kinds.count("board") != 1:
                raise invalid("See", "with one block ```board", f"{kinds.count('board')} blocks")
        i = kinds.index("board")
        around = blocks[:i], blocks[i + 1 :]
        before, after = ("\n\n".join(self._filled(b) for _, b in some) for some in around)
        block = blocks[i][1]
        values = self._toml(block)
        with self.at(block.line):
            _only(values, ("scene", "scenes", "choose", "show", "drag"))
            if ("scene" in values) == ("scenes" in values):
                raise invalid("board", "with either scene or scenes", list(values))
            scenes = self._choices(values)
            drag = choice("drag", values.get("drag", _default_drag(scenes)), DRAGS)
            if (drag == "scene") != (len(scenes) > 1):
                raise invalid("drag", "'scene' if and only if there are several scenes", drag)
            show = _names("show", values.get("show", []), PANELS)
        return Board(scenes, values.get("choose", ""), show, drag), before, after

    def _choices(self, values: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        if "scene" in values:
            return (("", choice("scene", values["scene"], self.scenes)),)
        given = values["scenes"]
        if not isinstance(given, dict) or len(given) < 2:
            raise invalid("scenes", "a label and a scene's name for at least two", given)
        text("choose", values.get("choose"))
        return tuple((label, choice("scenes", name, self.scenes)) for label, name in given.items())

    def _why(self, part: _Part) -> tuple[Why, ...]:
        readers: dict[str, Callable[[_Part], Any]] = {
            "": self._filled,
            "figure": self._figure,
            "study": self._study,
            "anatomy": self._anatomy,
        }
        return tuple(readers[kind](block) for kind, block in self._blocks(part, readers))

    def _figure(self, block: _Part) -> ClaimFigure:
        values = self._toml(block)
        with self.at(block.line):
            needed = ("claim", "title", "x", "y", "at")
            _only(values, (*needed, "values", "lines", "errors"), needed)
            errors = values.get("errors", False)
            boolean("errors", errors)
            claim = choice("claim", values["claim"], self.claims)
            title, x, y = (text(name, values[name]) for name in ("title", "x", "y"))
            at = values["at"]
            kinds = {isinstance(place, str) for place in at} if isinstance(at, list) else set()
            if len(kinds) != 1 or not all(isinstance(p, (str, int, float)) for p in at):
                raise invalid("at", "a list of numbers or of texts", at)
            if ("values" in values) == ("lines" in values):
                raise invalid("figure", "with either values or lines", list(values))
            lines = values.get("lines", {"": values.get("values")})
            if not isinstance(lines, dict) or not lines:
                raise invalid("lines", "names, each with a list of the claim's figures", lines)
            known = self.results[claim].figures
            for name, figures in lines.items():
                allowed = f"a list of {len(at)} of the claim's figures ({', '.join(known)})"
                if not isinstance(figures, list) or len(figures) != len(at):
                    raise invalid(f"lines.{name}" if name else "values", allowed, figures)
                for figure in figures:
                    choice(f"lines.{name}" if name else "values", figure, known)
            named = {name: tuple(figures) for name, figures in lines.items()}
        return ClaimFigure(claim, title, x, y, tuple(at), named, errors)

    def _study(self, block: _Part) -> StudyFigure:
        values = self._toml(block)
        with self.at(block.line):
            needed = ("study", "title", "x", "label", "compare")
            _only(values, (*needed, "facet", "baseline"), needed)
            studies = all_studies()
            name = choice("study", values["study"], studies)
            axes = tuple(axis.path for axis in studies[name].axes)
            given = (values["x"], *([values["facet"]] if "facet" in values else []))
            if set(given) != set(axes) or len(given) != len(axes):
                raise invalid("x and facet", f"the axes of the study ({', '.join(axes)})", given)
            compare = _names("compare", values["compare"], studies[name].methods or ())
            if len(set(compare)) != 2 or len(compare) != 2:
                raise invalid("compare", "a list of two methods of the study", compare)
            facet, baseline = values.get("facet", ""), values.get("baseline", "")
            if baseline:
                choice("baseline", baseline, studies[name].methods or ())
            title, label = (text(field, values[field]) for field in ("title", "label"))
        return StudyFigure(
            name, title, values["x"], label, facet, (compare[0], compare[1]), baseline
        )

    def _anatomy(self, block: _Part) -> Anatomy:
        values = self._toml(block)
        with self.at(block.line):
            _only(values, ("scene", "method", "epoch"), ("scene", "method", "epoch"))
            scene = choice("scene", values["scene"], self.scenes)
            method = choice("method", values["method"], self.scenes[scene].methods)
            last = self.scenes[scene].training.epochs
            return Anatomy(scene, method, integer("epoch", values["epoch"], 0, last))

    def _try(self, part: _Part, board: Board) -> tuple[Task, str]:
        blocks = self._blocks(part, ("task",))
        tasks = [block for kind, block in blocks if kind == "task"]
        with self.at(part.line):
            if len(tasks) != 1:
                raise invalid("Try", "with one block ```task", f"{len(tasks)} blocks")
        values = self._toml(tasks[0])
        with self.at(tasks[0].line):
            fields = ("solved", "of", "scene", "drag", "solution")
            _only(values, fields, ("solved", "solution"))
            condition = parse_condition(text("solved", values["solved"]))
            name = choice("scene", values.get("scene", board.scenes[-1][1]), self.scenes)
            methods = self.scenes[name].methods
            of = choice("of", values.get("of", FOCUS), (FOCUS, ANY, *methods))
            if others := condition.methods() - set(methods):
                raise invalid(
                    "solved", f"about methods of the scene ({', '.join(methods)})", others
                )
            drag = choice("drag", values.get("drag", board.drag), DRAGS)
            solution = dict(parse_qsl(text("solution", values["solution"])))
            solved = _scene("solution", self.queries[name] | solution)
        texts = "\n\n".join(self._filled(block) for kind, block in blocks if not kind)
        return Task(condition, of, name, drag, values["solution"], solved), texts

    def _filled(self, part: _Part) -> str:
        """Return a text with the numbers of its claims, without blank lines around."""

        def number(found: re.Match[str]) -> str:
            claim, figure, form = found.groups()
            line = part.line + part.text.count("\n", 0, found.start())
            with self.at(line):
                choice("a claim in the text", claim, self.claims)
                record = self.results[claim]
                if figure is None:
                    return record.count
                choice(f"a figure of {claim}", figure, record.figures)
                if not _FORMAT.fullmatch(form or ""):
                    raise invalid(f"the form of {figure}", "such as :.2f, :.0f, :.2g, :.0%", form)
                shown = format(record.median(figure), form)
                return shown.replace("-", "−").replace("%", "\N{NO-BREAK SPACE}%")

        return _NUMBER.sub(number, part.text).strip()


def parse(file: str, source: str, results: Mapping[str, Record]) -> Lesson:
    """Read a lesson.

    Parameters
    ----------
    file : str
        Name of the file, such as ``"01-noise.md"``.
    source : str
        Its text.
    results : mapping of str to Record
        Results of the claims that it may name, as of `regviz.lessons.results.table`.

    Raises
    ------
    LessonError
        If the file is not as docs/howto/lessons.md says.
    """
    name = _NAME.fullmatch(file)
    if not name:
        allowed = "a number, a hyphen and lower-case words, such as 01-noise.md"
        raise LessonError(str(invalid("the name of a lesson's file", allowed, file)))
    return _Reader(file, results).lesson(name["key"], source.replace("\r\n", "\n"))


def _scene(field: str, query: Mapping[str, str]) -> Scene:
    """Return the scene of a link's parameters; raise ValueError unless each can be followed."""
    scene, problems = from_query(query)
    if problems:
        raise ValueError(f"{field}: {' '.join(problems)}")
    if approximations := scene.approximations(scene.grid()):
        raise ValueError(f"{field}: {' '.join(approximations)}")
    return scene


def _default_drag(scenes: Sequence[object]) -> str:
    return "scene" if len(scenes) > 1 else "strength"


def _only(
    values: Mapping[str, Any], allowed: Collection[str], needed: Collection[str] = ()
) -> None:
    """Raise ValueError for a field that is unknown, or missing."""
    for name in values:
        choice("the field", name, allowed)
    for name in needed:
        if name not in values:
            raise ValueError(f"{name} is missing: the fields are {', '.join(allowed)}")


def _names(field: str, given: Any, allowed: Collection[str]) -> tuple[str, ...]:
    if not isinstance(given, list):
        raise invalid(field, f"a list of {one_of(allowed)}", given)
    return tuple(choice(field, name, allowed) for name in given)


def _line_of(source: str, name: str) -> int:
    """Return the number of the line of a header's field, or 1."""
    for i, line in enumerate(source.split("\n"), 1):
        if line.startswith(name) and re.match(r"\s*(=|$)", line[len(name) :]):
            return i
    return 1
