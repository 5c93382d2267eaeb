"""Tests of colours: distances under colour-blindness, and contrast."""

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

from regviz.methods import palette
from regviz.methods.catalogue import EARLY_STOPPING, METHODS, colour
from tests.support.colours import linear_rgb, luminance

# Machado, Oliveira & Fernandes 2009, severity 1: matrices for linear RGB
VISION = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
TO_XYZ = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
) / np.array([[0.9505], [1.0], [1.089]])


COLOURED = (*METHODS, EARLY_STOPPING)


def lab(colour: str, vision: str) -> np.ndarray:
    """Return the CIE L*a*b* coordinates of a colour under a kind of vision."""
    xyz = TO_XYZ @ np.clip(np.asarray(VISION[vision]) @ linear_rgb(colour), 0, 1)
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def nearest(colours: list[str], vision: str) -> float:
    """Return the smallest CIE 1976 difference of two colours; 2.3 is just noticeable."""
    seen = [lab(colour, vision) for colour in colours]
    return min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(seen, 2))


def contrast(one: str, other: str) -> float:
    """Return WCAG's contrast ratio."""
    light, dark = sorted(map(luminance, (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


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
