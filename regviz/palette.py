"""The one place where colours and shapes are chosen, for the board and for the Plotly figures.

Methods and classes have hues of their own, so that a method's colour is never taken for a class.
All stay apart under the common kinds of colour blindness, and none carries a meaning alone: methods
are labelled, and classes differ by shape.
"""

from typing import Literal

Theme = Literal["light", "dark"]

METHODS: dict[str, dict[Theme, str]] = {
    "none": {"light": "#5f6b7a", "dark": "#a3adba"},
    "l1": {"light": "#b5174f", "dark": "#ff6f9c"},
    "l2": {"light": "#0f7f74", "dark": "#3fc9b8"},
    "elastic_net": {"light": "#7a3fb0", "dark": "#c08bf0"},
    "dropout": {"light": "#7d7a10", "dark": "#d3cc4e"},
    "max_norm": {"light": "#32409a", "dark": "#8fa0ff"},
    "early_stopping": {"light": "#a5561a", "dark": "#f0a35e"},
}

# Circles, triangles and squares; for regression the first and the second are the ends of the scale.
CLASSES: tuple[str, ...] = ("#2c7fc4", "#e5822e", "#1f9e77")
SHAPES: tuple[str, ...] = ("circle", "triangle-up", "square")
BLANK: dict[Theme, str] = {"light": "#ffffff", "dark": "#10141c"}
INK: dict[Theme, str] = {"light": "#1b2430", "dark": "#e8ecf2"}
