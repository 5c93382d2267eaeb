"""Tests of claims' figures as SVG."""

import re

import numpy as np
import pytest
from defusedxml.ElementTree import fromstring

from regviz.figures import claim_figures
from regviz.figures.svg import claim_svg, nice_ticks
from regviz.methods.catalogue import METHODS

VALUES = np.random.default_rng(0).normal(size=(3, 20)) + np.arange(3)[:, None]


def svg_of(lines: dict[str, np.ndarray], **more):
    figures = [
        claim_figures("A", "x", "y", ["2", "4", "8"], lines, theme=theme, **more)
        for theme in ("light", "dark")
    ]
    return fromstring(claim_svg(*figures))


def heights(svg) -> tuple[float, float]:
    """Return slope and offset of the y axis, from the labels of its ticks."""
    paths = [path.get("d") for path in svg.findall("path")]
    places = [float(re.fullmatch(r"M\d+ ([\d.]+)H\d+", d)[1]) for d in paths]
    texts = [text.text for text in svg.findall("text")][: len(places)]
    slope, offset = np.polyfit([float(t.replace("−", "-")) for t in texts], places, 1)
    return slope, offset


def test_seeds_and_medians_are_drawn_at_their_values():
    svg = svg_of({"L2": VALUES})
    slope, offset = heights(svg)
    dots, line = svg.findall("g")
    drawn = [float(circle.get("cy")) for circle in dots.iter("circle")]
    np.testing.assert_allclose(drawn, slope * VALUES.ravel() + offset, atol=0.06)
    points = [p.split(",") for p in line.find("polyline").get("points").split()]
    expected = slope * np.median(VALUES, axis=1) + offset
    np.testing.assert_allclose([float(y) for _, y in points], expected, atol=0.06)
    steps = np.diff([float(x) for x, _ in points])
    np.testing.assert_allclose(steps, steps[0], atol=0.1)
    colour = METHODS["l2"].colour
    assert line.get("style") == f"--light:{colour['light']};--dark:{colour['dark']}"


def test_error_bars_are_one_standard_error_long_on_both_sides():
    svg = svg_of({"L1": VALUES, "L2": VALUES + 1}, errors=True)
    slope, _ = heights(svg)
    line = svg.findall("g")[0]
    bars = [re.fullmatch(r"M[\d.]+ ([\d.]+)V([\d.]+)", p.get("d")) for p in line.findall("path")]
    sizes = VALUES.std(axis=1, ddof=1) / np.sqrt(20)
    lengths = [float(bar[1]) - float(bar[2]) for bar in bars]
    np.testing.assert_allclose(lengths, -slope * 2 * sizes, atol=0.11)


def test_the_text_alternative_is_that_of_the_figure_and_names_are_text():
    name = '<b>"&'
    svg = svg_of({name: VALUES, "b": VALUES})
    assert svg.get("role") == "img"
    assert svg.get("aria-label").startswith("A. Median y by x: ")
    assert name in [text.text for text in svg.iter("text")]
    assert [text.text for text in svg.iter("text")][-2:] != [None, None]


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.02, 0.97, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (-0.13, 0.01, [-0.15, -0.1, -0.05, 0, 0.05]),
        (97, 103, [96, 98, 100, 102, 104]),
        (0, 0, [0, 0.2]),
        (3, 3, [3, 4]),
    ],
)
def test_ticks_are_few_round_numbers_around_the_values(low: float, high: float, ticks: list[float]):
    assert nice_ticks(low, high) == ticks
