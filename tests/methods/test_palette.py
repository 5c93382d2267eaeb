"""Tests of colours: distances under colour-blindness, and contrast."""

import re
from pathlib import Path

import pytest

from regviz.methods import palette
from regviz.methods.catalogue import EARLY_STOPPING, METHODS, colour
from tests.support.colours import VISION, contrast, nearest

COLOURED = (*METHODS, EARLY_STOPPING)


@pytest.mark.parametrize("vision", VISION)
def test_classes_are_told_apart(vision: str):
    assert nearest(list(palette.CLASSES), vision) > 20


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_methods_are_told_apart(vision: str, theme: palette.Theme):
    assert nearest([colour(key)[theme] for key in COLOURED], vision) > 20


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_signs_of_links_are_told_apart(vision: str, theme: str):
    source = Path(__file__).parents[2] / "assets" / "board" / "draw" / "diagram.js"
    line = re.search(rf"{theme}: {{ positive: (.*), negative: (.*) }}", source.read_text())
    assert line
    assert nearest([colour.strip('"') for colour in line.groups()], vision) > 20


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_methods_stand_out_against_the_page(theme: palette.Theme):
    for colours in map(colour, COLOURED):
        assert contrast(colours[theme], palette.BLANK[theme]) > 3


def test_a_mixture_lies_on_the_line_between_two_colours():
    assert palette.rgb_of("#0a10ff") == (10, 16, 255)
    assert palette.mix("#0a10ff", "#000000", 0) == "#0a10ff"
    assert palette.mix("#0a10ff", "#00ff00", 1) == "#00ff00"
    # 10, 16, 255 and a quarter of the way to 50, 0, 55
    assert palette.mix("#0a10ff", "#320037", 0.25) == "#140ccd"
