"""Colours and shapes of the board and the Plotly figures; each method's is in its record.

Methods and classes have hues of their own, so that a method's colour is never taken for a class.
All stay apart under the common kinds of colour blindness, and none carries a meaning alone: methods
are labelled, and classes differ by shape.
"""

from typing import Literal

Theme = Literal["light", "dark"]

EARLY_STOPPING: dict[Theme, str] = {"light": "#7c4308", "dark": "#e99e69"}

# As far apart as ten can be, given the first three, under all kinds of vision that
# tests/methods/test_palette.py simulates. For regression, the first two are the ends of the scale.
CLASSES: tuple[str, ...] = (
    *("#2c7fc4", "#e5822e", "#587e3c", "#880bff", "#a0ce82"),
    *("#a5637c", "#65cffc", "#603a71", "#d1babb", "#4131ae"),
)
SHAPES: tuple[str, ...] = (
    *("circle", "triangle-up", "square", "diamond", "cross"),
    *("triangle-down", "star", "pentagon", "hourglass", "x"),
)
BLANK: dict[Theme, str] = {"light": "#ffffff", "dark": "#10141c"}
INK: dict[Theme, str] = {"light": "#1b2430", "dark": "#e8ecf2"}


def mix(first: str, second: str, share: float) -> str:
    """``first`` with this share, 0 to 1, of ``second``: colours ``"#rrggbb"``."""
    pairs = zip(rgb_of(first), rgb_of(second), strict=True)
    return "#" + "".join(f"{round(a + share * (b - a)):02x}" for a, b in pairs)


def rgb_of(colour: str) -> tuple[int, ...]:
    """Red, green and blue, 0 to 255, of ``"#rrggbb"``."""
    return tuple(bytes.fromhex(colour.removeprefix("#")))
