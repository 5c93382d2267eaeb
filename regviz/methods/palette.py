"""Colours and shapes of the board and the Plotly figures; methods have theirs in their records.

The colours of methods and classes differ from each other, also under simulated protanopia,
deuteranopia and tritanopia (`tests/methods/test_palette.py`). Colour is never the only cue: methods
are labelled, and classes have different shapes.
"""

from typing import Literal

Theme = Literal["light", "dark"]

EARLY_STOPPING: dict[Theme, str] = {"light": "#7c4308", "dark": "#e99e69"}

# The last seven maximise the smallest difference between any two, under all kinds of vision that
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
    """Interpolate between two colours ``"#rrggbb"``; ``share``, 0 to 1, is that of ``second``."""
    pairs = zip(rgb_of(first), rgb_of(second), strict=True)
    return "#" + "".join(f"{round(a + share * (b - a)):02x}" for a, b in pairs)


def rgb_of(colour: str) -> tuple[int, ...]:
    """Return red, green and blue, 0 to 255, of ``"#rrggbb"``."""
    return tuple(bytes.fromhex(colour.removeprefix("#")))
