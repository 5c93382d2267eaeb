"""Tests of lessons as one HTML file."""

import re
from html import unescape

import numpy as np
import pytest
import scipy.stats
from defusedxml.ElementTree import fromstring

import regviz
from regviz.lessons.article import Recorded, article
from regviz.lessons.claim import all_studies
from regviz.lessons.course import course
from regviz.lessons.lesson import Lesson
from regviz.lessons.markdown import html
from regviz.lessons.offline import lesson_page
from regviz.lessons.parser import parse
from regviz.lessons.results import table
from regviz.lessons.study_numbers import MINUS, NO_BREAK
from regviz.lessons.study_results import read
from regviz.scenes.offline import recording
from tests.lessons.test_lessons import NAME, TEMPLATE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nb\n\nc", "<p>a\nb</p>\n<p>c</p>"),
        ("- a\n  b\n- c", "<ul><li>a b</li><li>c</li></ul>"),
        ("Some:\n1. a\n2. b", "<p>Some:</p>\n<ul><li>a</li><li>b</li></ul>"),
        ("### A", "<h3>A</h3>"),
        ("**a** and *b* `*c*`", "<p><strong>a</strong> and <em>b</em> <code>*c*</code></p>"),
        (r"$\href{https://a.org}{b}$", r"<p><code>\href{https://a.org}{b}</code></p>"),
        (r"$\text{<b>a</b>}$", r"<p><code>\text{&lt;b&gt;a&lt;/b&gt;}</code></p>"),
        (r"$\text{<b>}$", r"<p><code>\text{&lt;b&gt;}</code></p>"),
        (r"$a_1_2$", r"<p><code>a_1_2</code></p>"),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
        ("`<b>` [x](https://a.org)", '<p><code>&lt;b&gt;</code> <a href="https://a.org">x</a></p>'),
        ('[x](https://a"onclick=f)', '<p>[x](https://a"onclick=f)</p>'),
        ("[x](javascript:alert)", "<p>[x](javascript:alert)</p>"),
        ("", ""),
    ],
)
def test_markdown_becomes_html(text: str, expected: str):
    assert html(text) == expected


def article_of(lesson: Lesson) -> str:
    return article(lesson, {key: Recorded(scene.grid()) for key, scene in lesson.scenes.items()})


def test_a_study_is_a_figure_a_table_of_paired_differences_and_a_program():
    lesson = next(lesson for lesson in course() if lesson.key == "width")
    page = article_of(lesson)
    by_method = {}
    for row in read("width.fixed").table.to_pylist():
        if row["network.hidden"] == "4":
            by_method.setdefault(row["method"], []).append(row["test_loss"])
    l2, dropout = by_method["l2"], by_method["dropout"]
    test = scipy.stats.ttest_rel(l2, dropout)
    low, high = test.confidence_interval(0.95)
    told = (f"{np.mean(l2) - np.mean(dropout):.3f}", f"{low:.3f} to {high:.3f}", "yes")
    cells = "".join(f"<td>{text.replace('-', MINUS).replace(' ', NO_BREAK)}</td>" for text in told)
    assert test.pvalue * 12 < 0.05, "clear after the strictest correction"
    assert f"<td>{np.mean(dropout):.3f}</td></tr>" in page
    assert f'<th scope="row">4</th>{cells}' in page
    assert page.count('<svg class="claim-chart"') == 1 + 3, "a panel for each noise"
    program = unescape(re.findall(r'<pre class="program"><code>(.*?)</code>', page, re.DOTALL)[0])
    assert f"study-{all_studies()['width.fixed'].id}" in program


def test_formulas_are_mathml():
    (formula,) = fromstring(html(r"$$\frac{a^*}{b} < \lambda_1$$"))
    assert formula.get("display") == "block"
    assert [each.tag for each in formula[0]] == ["mfrac", "mo", "msub"]
    assert "".join(formula.itertext()) == "a*b<λ1"


@pytest.mark.parametrize("lesson", course(), ids=lambda lesson: lesson.key)
def test_all_formulas_of_the_course_are_mathml(lesson: Lesson):
    why = [block for block in lesson.why if isinstance(block, str)]
    texts = [*why, *lesson.question.answers, lesson.question.text, lesson.question.explanation]
    texts += [lesson.idea, lesson.introduction, lesson.before, lesson.after, lesson.text]
    page = "\n".join(map(html, texts))
    assert "\\" not in page, "a command that latex2mathml does not know"
    assert page.count("<math") == sum(text.replace("$$", "$").count("$") // 2 for text in texts)


def test_the_file_has_the_text_the_numbers_and_the_board():
    lesson = parse(
        NAME, TEMPLATE.replace("epochs=300", "epochs=5").replace("epoch=16", "epoch=5"), table()
    )
    grid = lesson.scenes["narrow"].grid()
    history = regviz.train(grid.experiment)
    run = recording(grid, grid.rows({}), history, "offline")
    page = lesson_page(lesson, "narrow", grid, run)
    assert page.count("data-message") == 1 + page.count("script[data-message]")
    order = ["<h1>Smaller weights", "<h2>Predict", "<h2>See", "<h2>Why", "<h2>Try", "<h2>Sources"]
    places = [page.index(heading) for heading in order]
    assert places == sorted(places)
    record = table()["noise.gap_grows_with_width"]
    assert f"<td>{record.median('gap_8'):.3g}</td>" in page
    assert f"{record.n_held} of 20 seeds" in page
    assert "http://" not in page[places[0] : places[-1]]
