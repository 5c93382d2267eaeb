"""WCAG's linear RGB and relative luminance."""

import numpy as np
from numpy.typing import NDArray


def linear_rgb(colour: str) -> NDArray[np.floating]:
    """Return the linear RGB components of ``"#rrggbb"``, from 0 to 1."""
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def luminance(colour: str) -> float:
    """Return WCAG's relative luminance of ``"#rrggbb"``."""
    return float(linear_rgb(colour) @ [0.2126, 0.7152, 0.0722])
