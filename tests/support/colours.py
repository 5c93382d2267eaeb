"""WCAG's contrast, and differences of colours under kinds of vision."""

import itertools

import numpy as np
from numpy.typing import NDArray

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


def linear_rgb(colour: str) -> NDArray[np.floating]:
    """Return the linear RGB components of ``"#rrggbb"``, from 0 to 1."""
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def luminance(colour: str) -> float:
    """Return WCAG's relative luminance of ``"#rrggbb"``."""
    return float(linear_rgb(colour) @ [0.2126, 0.7152, 0.0722])


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
