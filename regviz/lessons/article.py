"""A lesson as HTML around a recorded board, for its page of the site and for its saved file.

``assets/board/lesson.js`` shows the answer, the scenes and the state of the task.
"""

import dataclasses
import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, get_args

import plotly.graph_objects as go

from regviz.analysis.regularization_path import standard_error
from regviz.figures import claim_figures
from regviz.figures.svg import claim_svg
from regviz.lessons.claim import all_claims, all_studies
from regviz.lessons.lesson import Anatomy, ClaimFigure, Lesson, StudyFigure, Why
from regviz.lessons.markdown import html, inline
from regviz.lessons.results import Record, table
from regviz.lessons.study_numbers import Panel, Table, method_note, panels
from regviz.methods.catalogue import METHODS
from regviz.methods.palette import Theme
from regviz.programs.study import study_program
from regviz.scenes.offline import board_html
from regviz.scenes.strength_grid import StrengthGrid
from regviz.scenes.view import view_of

ONE_SEED = "The board shows one seed. Numbers in the text are medians over twenty seeds."
HELD = "The board appears here after your prediction."
NOT_RECORDED = (
    "One training step, number by number: this needs RegViz itself, as it is not recorded."
)
# measures of tasks that messages do not have
_UNKNOWN = ("train_accuracy",)


@dataclass(frozen=True)
class Recorded:
    """A recorded scene of a lesson.

    Attributes
    ----------
    grid : StrengthGrid
        The grid that was recorded.
    files : tuple of str
        Addresses of its scripts, as of `regviz.scenes.offline.board_html`; empty if its messages
        are in the page.
    still : str
        Address of its still picture, as of `regviz.scenes.offline.board_html`.
    """

    grid: StrengthGrid
    files: tuple[str, ...] = ()
    still: str = ""


def article(
    lesson: Lesson, recorded: Mapping[str, Recorded], place: str = "", how_to: str = ""
) -> str:
    """Return a lesson's article: predict, see, why, try, sources.

    Formulas are MathML, and claims' figures are SVG, each with a table of its medians or means.

    Parameters
    ----------
    lesson : Lesson
    recorded : mapping of str to Recorded
        Those scenes of the lesson that are recorded, by their keys; at least one.
    place : str
        Text above the title, such as ``"Lesson 1 of 17"``.
    how_to : str
        HTML of a link to instructions for starting RegViz; empty if there are none.
    """
    question = lesson.question
    answers = "".join(
        f'<label><input type="radio" name="answer"> <span>{inline(answer)}</span></label>'
        for answer in question.answers
    )
    first = next(iter(recorded.values()))
    above = f'<p class="place">{escape(place)}</p>' if place else ""
    why = "\n".join(_block(block, how_to) for block in lesson.why)
    return f"""<article class="lesson" data-lesson="{escape(json.dumps(_data(lesson, recorded)))}">
<div class="intro">
{above}<h1>{escape(lesson.title)}</h1>
{html(lesson.introduction)}
<h2>Predict</h2>
{html(question.text)}
<fieldset class="answers"><legend>Your prediction</legend>{answers}</fieldset>
<p class="judged" role="status"></p>
<details class="answer"><summary>The answer</summary>
<p><strong>{inline(question.answers[question.right])}</strong></p>
{html(question.explanation)}
<p><strong>{inline(lesson.idea)}</strong></p></details>
</div>
<div class="rest see"><h2>See</h2>
{html(lesson.before)}
<p class="small">{ONE_SEED}</p></div>
<div class="right"><p class="held">{HELD}</p>
<div class="rest">{_slider(lesson, recorded)}{board_html(first.files, still=first.still)}</div>
</div>
<div class="rest">{html(lesson.after)}
<h2>Why</h2>
{why}</div>
<div class="rest"><h2>Try</h2>
{html(lesson.text)}
{_task(lesson, recorded)}</div>
<div class="rest"><h2>Sources</h2>
{_sources(lesson)}</div>
</article>"""


def _data(lesson: Lesson, recorded: Mapping[str, Recorded]) -> dict[str, Any]:
    """Return what ``assets/board/lesson.js`` needs, for JSON."""
    task = lesson.task
    sides = [side for c in task.condition.comparisons for side in (c.left, c.right)]
    known = not any(side.measure in _UNKNOWN for side in sides)
    solvable = recorded.get(task.scene)
    scenes = {
        key: {
            "files": " ".join(one.files),
            "view": view_of(lesson.scenes[key], one.grid, play=True),
            "end": lesson.scenes[key].training.epochs,
        }
        for key, one in recorded.items()
    }
    return {
        "key": lesson.key,
        "right": lesson.question.right,
        "show": list(lesson.board.show),
        "drag": lesson.board.drag,
        "scenes": scenes,
        "choices": [key for _, key in lesson.board.scenes if key in recorded],
        "task": {
            "scene": task.scene,
            "of": task.of,
            "drag": task.drag,
            "condition": dataclasses.asdict(task.condition) if known else None,
            "names": {key: METHODS[key].label for key in lesson.scenes[task.scene].methods},
            "solution": solvable and view_of(task.solved, solvable.grid, play=False),
        },
    }


def _slider(lesson: Lesson, recorded: Mapping[str, Recorded]) -> str:
    """Return the slider of the scenes, if there are several."""
    labels = [label for label, key in lesson.board.scenes if key in recorded]
    if len(labels) < 2:
        return ""
    return (
        f'<label class="scene"><span>{escape(lesson.board.choose)}</span> <input type="range"'
        f' min="0" max="{len(labels) - 1}" step="1" value="0" autocomplete="off"'
        f' aria-valuetext="{escape(labels[0])}" data-labels="{escape("|".join(labels))}">'
        f"<output>{escape(labels[0])}</output></label>\n"
    )


def _task(lesson: Lesson, recorded: Mapping[str, Recorded]) -> str:
    if lesson.task.scene not in recorded:
        return '<p class="small">The task has another board than this file: it needs RegViz.</p>'
    return (
        '<p class="task-keys"><button type="button" class="put">Put the task on the board</button>'
        ' <button type="button" class="solve">Show a solution</button></p>\n'
        '<div class="outcome" role="status"></div>'
    )


def _block(block: Why, how_to: str) -> str:
    """Return the HTML of a part of *Why*."""
    if isinstance(block, str):
        return html(block)
    if isinstance(block, StudyFigure):
        return _study(block)
    if isinstance(block, Anatomy):
        return f'<p class="small">{NOT_RECORDED} {how_to}</p>'
    record = table()[block.claim]
    lines = {
        name: [record.figures[figure] for figure in figures]
        for name, figures in block.lines.items()
    }
    light, dark = (
        claim_figures(
            *(block.title, block.x, block.y, block.at, lines), errors=block.errors, theme=theme
        )
        for theme in ("light", "dark")
    )
    about = "mean ± standard error" if block.errors else "each dot a seed; lines: medians"
    return f"""<figure><figcaption><strong>{escape(block.title)}</strong> <span>{about}</span>\
</figcaption>
{claim_svg(light, dark)}
<details><summary>As numbers</summary>{_numbers(block, record)}</details></figure>"""


def _study(block: StudyFigure) -> str:
    """Return the HTML of a study's figure: its panels, findings, tables and program."""
    study = all_studies()[block.study]
    drawn, tables = "", ""
    for panel in panels(block):
        light, dark = (_panel(block, panel, theme) for theme in get_args(Theme))
        name = f"<p><strong>{escape(panel.name)}</strong></p>" if panel.name else ""
        drawn += f"{name}{claim_svg(light, dark)}\n<p>{escape(panel.finding)}</p>"
        tables += "".join(map(_table, panel.tables))
    about = f"mean ± standard error of {len(study.seeds)} seeds"
    return f"""<figure><figcaption><strong>{escape(block.title)}</strong> <span>{about}</span>\
</figcaption>
{drawn}
<details><summary>As numbers</summary>{tables}
<p class="small">{escape(method_note(block))}</p></details>
<details><summary>As a Python program</summary><pre class="program">\
<code>{escape(study_program(study))}</code></pre></details></figure>"""


def _panel(block: StudyFigure, panel: Panel, theme: Theme) -> go.Figure:
    """Return the figure of one panel: means with standard errors, a line for each method."""
    title = f"{block.title}, {panel.name}" if panel.name else block.title
    y = (
        f"test loss \N{MINUS SIGN} {METHODS[block.baseline].label}'s"
        if block.baseline
        else "test loss"
    )
    return claim_figures(title, block.label, y, panel.at, panel.lines, errors=True, theme=theme)


def _table(numbers: Table) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in numbers.head)
    rows = []
    for first, *others in numbers.rows:
        cells = "".join(f"<td>{escape(text)}</td>" for text in others)
        rows.append(f'<tr><th scope="row">{escape(first)}</th>{cells}</tr>')
    return (
        f'<div class="numbers"><table><caption>{escape(numbers.caption)}</caption>'
        f"<tr>{head}</tr>{''.join(rows)}</table></div>"
    )


def _numbers(block: ClaimFigure, record: Record) -> str:
    head = "".join(f'<th scope="col">{escape(str(place))}</th>' for place in block.at)
    rows = []
    for name, figures in block.lines.items():
        cells = "".join(f"<td>{_number(record, figure, block.errors)}</td>" for figure in figures)
        rows.append(f'<tr><th scope="row">{escape(name) or escape(block.y)}</th>{cells}</tr>')
    kind = "means ± standard errors" if block.errors else "medians"
    caption = f"{escape(block.y)} by {escape(block.x)}, {kind}"
    body = f"<tr><td></td>{head}</tr>{''.join(rows)}"
    return f'<div class="numbers"><table><caption>{caption}</caption>{body}</table></div>'


def _number(record: Record, figure: str, errors: bool) -> str:
    if not errors:
        return f"{record.median(figure):.3g}"
    values: Sequence[float] = record.figures[figure]
    return f"{statistics.fmean(values):.3g} ± {standard_error(values):.2g}"


def _sources(lesson: Lesson) -> str:
    claims, records = all_claims(), table()
    items = []
    for name in lesson.claims:
        sentence, source = claims[name].sentence, claims[name].source
        text = f"{escape(sentence)} <strong>{records[name].count}</strong>"
        items.append(f"<li>{text}{': ' + escape(source) if source else ''}</li>")
    return f"<ul>{''.join(items)}</ul>\n{html(lesson.sources)}"
