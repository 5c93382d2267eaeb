"""Still pictures of the gallery: two networks side by side, as SVG files that suit both themes."""

import base64
from collections.abc import Mapping
from html import escape
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from regviz.data.datasets import domain
from regviz.engine.history import History
from regviz.extras import missing
from regviz.methods import palette
from regviz.methods.catalogue import EARLY_STOPPING, METHODS
from regviz.methods.palette import Theme
from regviz.scenes.scene import Scene
from regviz.scenes.strength_grid import StrengthGrid

SIDE, GAP, LABEL = 200, 16, 26  # of a picture, between two, and of the line above them
PIXELS = 96  # along each side of a boundary's raster
OPACITY = 0.65  # of the class colour where the probability is 1, as in `regviz.figures`
RADIUS = 3.2
_STYLE = f"""text {{ font: 600 15px system-ui, sans-serif; fill: {palette.INK["light"]}; }}
.edge {{ fill: none; stroke: {palette.INK["light"]}; stroke-opacity: 0.25; }}
.point {{ stroke: {palette.INK["light"]}; stroke-width: 0.8; }}
.axis {{ stroke: {palette.INK["light"]}; stroke-opacity: 0.4; }}
.bars {{ fill: var(--light); }}
@media (prefers-color-scheme: dark) {{
  .bars {{ fill: var(--dark); }}
  text {{ fill: {palette.INK["dark"]}; }}
  .edge, .point, .axis {{ stroke: {palette.INK["dark"]}; }}
}}"""


def still(scene: Scene, grid: StrengthGrid, history: History) -> str:
    """Return an SVG document with the last networks of two methods of a scene.

    These are the method in focus and the first of the others. Networks with hidden layers are shown
    by their probabilities in the plane and the training points; linear models, and networks of more
    than two columns, by the size of each input's weights.

    Parameters
    ----------
    scene : Scene
    grid : StrengthGrid
        The scene's grid, of a classification or of linear regression.
    history : History
        The complete run of ``grid.experiment``.

    Raises
    ------
    ImportError
        If Pillow is not installed.
    """
    rows = dict(zip(grid.methods, scene.rows(grid), strict=True))
    focus = scene.focus or grid.methods[-1]
    if focus == EARLY_STOPPING:
        kept = int(history.early_stopping(grid.patience)[0][rows["none"]])
        shown = [("None", "none", -1), ("Early stopping", "none", kept)]
    else:
        other = next(key for key in grid.methods if key != focus)
        shown = [(METHODS[key].label, key, -1) for key in (other, focus)]
    in_plane = scene.network.hidden and history.dataset.n_columns == 2
    largest = max(_sizes(history, rows[key], t).max() for _, key, t in shown) or 1.0
    parts = []
    for i, (name, key, t) in enumerate(shown):
        at = f"translate({i * (SIDE + GAP)} 0)"
        if in_plane:
            picture = _boundary(history, rows[key], t)
        else:
            sizes = _sizes(history, rows[key], t) / largest
            picture = _bars(sizes, METHODS[key].colour)
        label = f'<text x="1" y="17">{escape(name)}</text>'
        parts.append(
            f'<g transform="{at}">{label}<g transform="translate(0 {LABEL})">{picture}</g></g>'
        )
    width, height = 2 * SIDE + GAP, SIDE + LABEL
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}"><style>{_STYLE}</style>{"".join(parts)}</svg>\n'
    )


def _boundary(history: History, k: int, t: int) -> str:
    """Return the probabilities of a network as an image, and the training points."""
    low, high = domain(history.dataset)
    centres = low + (high - low) * (np.arange(PIXELS) + 0.5) / PIXELS
    plane = np.stack(np.meshgrid(centres, centres[::-1]), axis=-1).reshape(-1, 2)
    values = history.predict(plane, t)[k]
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(missing("The site", "pillow", "notebook")) from error
    image = Image.fromarray(_coloured(values).reshape(PIXELS, PIXELS, 4), "RGBA")
    file = BytesIO()
    image.save(file, "PNG", optimize=True)
    data = base64.b64encode(file.getvalue()).decode()
    parts = [f'<image width="{SIDE}" height="{SIDE}" href="data:image/png;base64,{data}"/>']
    X, y = history.dataset.X_train, history.dataset.y_train
    scaled = (X - low) / (high - low) * SIDE
    for (x, up), target in zip(scaled, y, strict=True):
        colour = palette.CLASSES[int(target) % len(palette.CLASSES)]
        parts.append(_point(x, SIDE - up, int(target), colour))
    return "".join(parts) + f'<rect class="edge" width="{SIDE}" height="{SIDE}" rx="4"/>'


def _coloured(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Return a colour with opacity for each prediction of one network, of shape (n, 4)."""
    if values.ndim == 1:
        values = np.stack([1 - values, values], axis=1)
    winner = values.argmax(axis=1)
    share = np.sort(values, axis=1)
    lead = share[:, -1] - share[:, -2]
    rgb = np.array([palette.rgb_of(colour) for colour in palette.CLASSES], dtype=np.float64)
    opacity = 255 * OPACITY * lead
    return np.column_stack([rgb[winner], opacity]).round().astype(np.uint8)


def _point(x: float, y: float, target: int, colour: str) -> str:
    if target % 2 == 0:
        return f'<circle class="point" cx="{x:.1f}" cy="{y:.1f}" r="{RADIUS}" fill="{colour}"/>'
    r = 1.35 * RADIUS
    corners = f"{x:.1f},{y - r:.1f} {x + r:.1f},{y + 0.75 * r:.1f} {x - r:.1f},{y + 0.75 * r:.1f}"
    return f'<polygon class="point" points="{corners}" fill="{colour}"/>'


def _sizes(history: History, k: int, t: int) -> NDArray[np.float64]:
    """Return for each input the root of the sum of its squared weights."""
    return np.asarray(np.sqrt((history.weights(k, t)[0].astype(np.float64) ** 2).sum(axis=1)))


def _bars(sizes: NDArray[np.float64], colour: Mapping[Theme, str]) -> str:
    """Return a bar for each size, 0 to 1."""
    width = SIDE / len(sizes)
    bars = [
        f'<rect x="{(i + 0.15) * width:.1f}" y="{SIDE * (1 - size):.1f}"'
        f' width="{0.7 * width:.1f}" height="{SIDE * size:.1f}"/>'
        for i, size in enumerate(sizes.tolist())
        if size > 0
    ]
    colours = f"--light:{colour['light']};--dark:{colour['dark']}"
    axis = f'<path class="axis" d="M0 {SIDE}H{SIDE}"/>'
    return f'<g class="bars" style="{colours}">{"".join(bars)}</g>{axis}'
