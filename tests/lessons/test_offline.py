"""Tests of lessons as one HTML file."""

import numpy as np
import pytest
import scipy.stats
from defusedxml.ElementTree import fromstring

import regviz
from regviz.lessons.article import Recorded, article
from regviz.lessons.course import course
from regviz.lessons.lesson import Lesson
from regviz.lessons.markdown import html
from regviz.lessons.offline import lesson_page
from regviz.lessons.parser import parse
from regviz.lessons.results import table
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


def test_a_figure_with_errors_is_also_a_table_of_means_and_standard_errors():
    lesson = next(lesson for lesson in course() if lesson.key == "width")
    page = article_of(lesson)
    values = table()["width.l2_is_ahead"].figures["difference_64"]
    assert f"<td>{np.mean(values):.3g} ± {scipy.stats.sem(values):.2g}</td>" in page
    assert "means ± standard errors</caption>" in page


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
