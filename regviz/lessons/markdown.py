"""The Markdown of lessons as HTML, with formulas as MathML."""

import re
from html import escape
from itertools import groupby

from defusedxml.ElementTree import ParseError, fromstring
from latex2mathml import exceptions
from latex2mathml.converter import convert

_CODE = re.compile(r"(\$\$?)(.+?)\1|`(.+?)`", re.DOTALL)
_BOLD = re.compile(r"\*\*(.+?)\*\*", re.DOTALL)
_ITALIC = re.compile(r"\*(.+?)\*", re.DOTALL)
_LINK = re.compile(r'\[([^\]]+)\]\((https?://[^\s")]+)\)')
_XMLNS = ' xmlns="http://www.w3.org/1998/Math/MathML"'  # not needed in HTML
# latex2mathml's errors have no common class
_LATEX_ERRORS = tuple(each for each in vars(exceptions).values() if isinstance(each, type))
_ITEM = re.compile(r"(?:[-*]|\d+\.) +")


def html(text: str) -> str:
    """Convert a lesson's Markdown to HTML: paragraphs, headings, lists, emphasis, code, links.

    All else, such as HTML, is shown as it is written.
    """
    parts = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        for is_item, lines in groupby(_joined(paragraph), lambda line: bool(_ITEM.match(line))):
            if is_item:
                items = "".join(f"<li>{inline(_ITEM.sub('', x, count=1))}</li>" for x in lines)
                parts.append(f"<ul>{items}</ul>")
                continue
            content = "\n".join(lines)
            heading = re.match(r"#{3,6} +", content)
            name = "h3" if heading else "p"
            body = content[heading.end() :] if heading else content
            parts.append(f"<{name}>{inline(body)}</{name}>")
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


def inline(text: str) -> str:
    """Convert emphasis, code, formulas and links within a line of Markdown to HTML."""
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
