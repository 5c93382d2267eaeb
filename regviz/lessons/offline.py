"""A lesson as one HTML file: its text, and the board with one of its scenes."""

import re
import statistics
from collections.abc import Sequence
from html import escape
from itertools import groupby

from defusedxml.ElementTree import ParseError, fromstring
from latex2mathml import exceptions
from latex2mathml.converter import convert

from regviz.analysis.regularization_path import standard_error
from regviz.lessons.claim import all_claims
from regviz.lessons.lesson import ClaimFigure, Lesson
from regviz.lessons.results import Record, table
from regviz.scenes.offline import offline_page

ONE_SEED = "The board shows one seed. Numbers in the text are medians over twenty seeds."
_CODE = re.compile(r"(\$\$?)(.+?)\1|`(.+?)`", re.DOTALL)
_BOLD = re.compile(r"\*\*(.+?)\*\*", re.DOTALL)
_ITALIC = re.compile(r"\*(.+?)\*", re.DOTALL)
_LINK = re.compile(r"\[([^\]]+)\]\((https?://[^\s)]+)\)")
_STYLE = """<style>
main > :is(p, ul, details, table) { max-width: 75ch; }
main table td { padding: 0 0.6rem; }
</style>
"""
_XMLNS = ' xmlns="http://www.w3.org/1998/Math/MathML"'  # not needed in HTML
# latex2mathml's errors have no common class
_LATEX_ERRORS = tuple(each for each in vars(exceptions).values() if isinstance(each, type))
_ITEM = re.compile(r"(?:[-*]|\d+\.) +")


def lesson_page(lesson: Lesson, messages: Sequence[bytes]) -> str:
    """Return an HTML file with a lesson's text and a board, which makes no network requests.

    Formulas are MathML, and a claim's figure is a table of its medians or means.

    Parameters
    ----------
    lesson : Lesson
    messages : sequence of bytes
        All messages of a scene's run, as of `regviz.scenes.offline.recording`.
    """
    question = lesson.question
    answers = "".join(f"<li>{_inline(answer)}</li>" for answer in question.answers)
    right = _inline(question.answers[question.right])
    above = [
        html(lesson.introduction),
        "<h2>Predict</h2>",
        html(question.text),
        f"<ul>{answers}</ul>",
        f"<details><summary>The answer</summary><p><strong>{right}</strong></p>",
        html(question.explanation),
        f"<p><strong>{_inline(lesson.idea)}</strong></p></details>",
        "<h2>See</h2>",
        html(lesson.before),
        f"<p><small>{ONE_SEED}</small></p>",
    ]
    below = [html(lesson.after), "<h2>Why</h2>"]
    for block in lesson.why:
        if isinstance(block, str):
            below.append(html(block))
        elif isinstance(block, ClaimFigure):
            below.append(_numbers(block))
    below += ["<h2>Try</h2>", html(lesson.text), "<h2>Sources</h2>", _sources(lesson)]
    return offline_page(
        messages, lesson.title, above=_STYLE + "\n".join(above), below="\n".join(below)
    )


def html(text: str) -> str:
    """Convert a lesson's Markdown to HTML: paragraphs, headings, lists, emphasis, code, links.

    All else, such as HTML, is shown as it is written.
    """
    parts = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        for is_item, lines in groupby(_joined(paragraph), lambda line: bool(_ITEM.match(line))):
            if is_item:
                items = "".join(f"<li>{_inline(_ITEM.sub('', x, count=1))}</li>" for x in lines)
                parts.append(f"<ul>{items}</ul>")
                continue
            content = "\n".join(lines)
            heading = re.match(r"#{3,6} +", content)
            name = "h3" if heading else "p"
            body = content[heading.end() :] if heading else content
            parts.append(f"<{name}>{_inline(body)}</{name}>")
    return "\n".join(part for part in parts if part != "<p></p>")


def _joined(paragraph: str) -> list[str]:
    """Return the lines of a paragraph, with those that continue a list's item joined to it."""
    lines: list[str] = []
    for line in paragraph.split("\n"):
        if lines and _ITEM.match(lines[-1]) and not _ITEM.match(line):
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line)
    return lines


def _inline(text: str) -> str:
    """Convert emphasis, code, formulas and links within a line."""
    parts, end = [], 0
    for found in _CODE.finditer(text):
        parts.append(_emphasis(text[end : found.start()]))
        parts.append(
            f"<code>{escape(found[3])}</code>" if found[3] else _formula(found[2], found[1] == "$$")
        )
        end = found.end()
    return "".join([*parts, _emphasis(text[end:])])


def _formula(latex: str, is_block: bool) -> str:
    r"""Convert a formula to MathML, or to LaTeX as code if it is not well-formed.

    latex2mathml does not escape HTML in ``\text{…}`` and keeps the address of ``\href``. A formula
    with either is shown as LaTeX.
    """
    try:
        mathml = str(convert(latex, display="block" if is_block else "inline")).replace(_XMLNS, "")
        elements = list(fromstring(mathml).iter())
    except (ParseError, *_LATEX_ERRORS):
        elements = []
    # the names of all MathML elements begin with m
    is_safe = all(e.tag.startswith("m") and "href" not in e.attrib for e in elements)
    return mathml if elements and is_safe else f"<code>{escape(latex)}</code>"


def _emphasis(text: str) -> str:
    text = _LINK.sub(r'<a href="\2">\1</a>', escape(text, quote=False))
    return _ITALIC.sub(r"<em>\1</em>", _BOLD.sub(r"<strong>\1</strong>", text))


def _numbers(block: ClaimFigure) -> str:
    record = table()[block.claim]
    head = "".join(f"<th>{escape(str(place))}</th>" for place in block.at)
    rows = []
    for name, figures in block.lines.items():
        cells = "".join(f"<td>{_number(record, figure, block.errors)}</td>" for figure in figures)
        rows.append(f"<tr><th>{escape(name) or escape(block.y)}</th>{cells}</tr>")
    kind = "means ± standard errors" if block.errors else "medians"
    caption = f"{escape(block.title)}: {escape(block.y)} by {escape(block.x)}, {kind}"
    return f"<table><caption>{caption}</caption><tr><td></td>{head}</tr>{''.join(rows)}</table>"


def _number(record: Record, figure: str, errors: bool) -> str:
    if not errors:
        return f"{record.median(figure):.3g}"
    values = record.figures[figure]
    return f"{statistics.fmean(values):.3g} ± {standard_error(values):.2g}"


def _sources(lesson: Lesson) -> str:
    claims, records = all_claims(), table()
    items = []
    for name in lesson.claims:
        sentence, source = claims[name].sentence, claims[name].source
        text = f"{escape(sentence)} {records[name].count}"
        items.append(f"<li>{text}{': ' + escape(source) if source else ''}</li>")
    return f"<ul>{''.join(items)}</ul>\n{html(lesson.sources)}"
