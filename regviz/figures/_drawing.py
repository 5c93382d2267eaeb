"""Drawing by matplotlib: squares side by side, with names above and numbers below, as a PNG."""

import io
import math
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import pairwise_distances_argmin

from regviz.extras import missing
from regviz.figures._traces import class_colour
from regviz.figures.fields import Facts, Fields, Floats
from regviz.methods import palette
from regviz.methods.labels import digits, shortened
from regviz.methods.palette import Theme, mix, rgb_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

IN_A_ROW = 4
# in CSS pixels, of which a figure has `UNITS` per inch
UNITS = 100
SIDE, GAP, MARGIN, LINE, LEGEND = 208, 16, 14, 17, 26
# image pixels per CSS pixel by the largest number of panels, so that no picture exceeds 150 kB
SCALES = {6: 1.5, 8: 1.25}
# the largest share of a class's colour, as in assets/board/draw/theme.js
MAX_TINT: dict[Theme, float] = {"light": 0.78, "dark": 0.62}
HOURGLASS = [(-1, 1), (1, 1), (-1, -1), (1, -1), (-1, 1)]
MARKERS: dict[str, Any] = {
    **{"circle": "o", "triangle-up": "^", "square": "s", "diamond": "D", "cross": "P"},
    **{"triangle-down": "v", "star": "*", "pentagon": "p", "hourglass": HOURGLASS, "x": "X"},
}


def fields_picture(fields: Fields, note: str, alt: str, *, theme: Theme = "light") -> bytes:
    """Draw models' outputs over a plane side by side, and return a PNG.

    Parameters
    ----------
    fields : Fields
    note : str
        The line below the pictures, before the legend.
    alt : str
        The text alternative.
    theme : {"light", "dark"}
    """
    with panels(fields.models, note, theme, fields) as (figure, axes):
        for axis, outputs in zip(axes, fields.outputs, strict=True):
            _draw_field(axis, fields, outputs.astype(np.float64), theme)
            _draw_points(axis, fields, theme)
        return png(figure, palette_of(fields.models, len(fields.classes), theme), alt)


@contextmanager
def panels(
    models: Sequence[Facts], note: str, theme: Theme, fields: Fields | None = None
) -> Iterator[tuple["Figure", list["Axes"]]]:
    """Make a figure with one square for each model, its name above and its numbers below."""
    matplotlib = _matplotlib()
    n = len(models)
    columns = IN_A_ROW if n > 2 * IN_A_ROW else math.ceil(n / math.ceil(n / IN_A_ROW))
    names = [textwrap.wrap(model.name, 31)[:2] for model in models]
    above = LINE * max(map(len, names)) + 5
    below = LINE * max(len(model.numbers) for model in models) + 8
    down = above + SIDE + below + GAP
    width = max(columns * (SIDE + GAP) - GAP, 2 * SIDE) + 2 * MARGIN
    words = textwrap.wrap(note, int(width / 6.4))
    footer = LEGEND * (fields is not None) + LINE * len(words)
    height = math.ceil(n / columns) * down + footer + 2 * MARGIN - GAP // 2
    ink, paper = palette.INK[theme], palette.BLANK[theme]
    muted = mix(ink, paper, 0.25)
    # names are shown as they are, also with dollar signs
    with matplotlib.style.context(["default", {"text.parse_math": False}]):
        figure = matplotlib.figure.Figure((width / UNITS, height / UNITS), facecolor=paper)

        def write(x: float, y: float, text: str, size: float = 8.6, **look: Any) -> None:
            figure.text(x / width, 1 - y / height, text, fontsize=size, va="baseline", **look)

        axes = []
        for k, (model, lines) in enumerate(zip(models, names, strict=True)):
            left = MARGIN + (k % columns) * (SIDE + GAP)
            top = MARGIN + (k // columns) * down + above
            box = (left / width, 1 - (top + SIDE) / height, SIDE / width, SIDE / height)
            axis = figure.add_axes(box, xticks=[], yticks=[])
            axis.spines[:].set(color=mix(paper, ink, 0.15), linewidth=0.6)
            axes.append(axis)
            for i, line in enumerate(reversed(lines)):
                colour = _name_colour(model, theme)
                write(left, top - 7 - i * LINE, line, 8.4, color=colour, weight="bold")
            for i, (term, value) in enumerate(model.numbers):
                at = top + SIDE + (i + 1) * LINE
                write(left, at, term, color=muted)
                write(left + SIDE, at, value, color=ink, weight="bold", ha="right")
        for i, line in enumerate(words):
            at = height - MARGIN - LEGEND * (fields is not None) - LINE * (len(words) - 1 - i)
            write(MARGIN, at, line, 8, color=muted)
        if fields is not None:
            _draw_legend(figure, fields, theme, width, height)
        yield figure, axes


def _matplotlib() -> Any:
    """Import matplotlib, or say how to install it."""
    try:
        import matplotlib
        import matplotlib.figure
        import matplotlib.style
    except ImportError as error:
        raise ImportError(missing("A static picture", "matplotlib", "notebook")) from error
    return matplotlib


def png(figure: "Figure", shades: Sequence[str], alt: str) -> bytes:
    """Return a figure as a PNG with a palette, which takes a third of the bytes."""
    from PIL import Image, PngImagePlugin  # a dependency of matplotlib

    drawn, packed, chunks = io.BytesIO(), io.BytesIO(), PngImagePlugin.PngInfo()
    scale = next((each for most, each in SCALES.items() if len(figure.axes) <= most), 1.0)
    figure.savefig(
        drawn,
        format="png",
        dpi=UNITS * scale,
        facecolor=figure.get_facecolor(),
        pil_kwargs={"compress_level": 0},
    )
    chunks.add_text("Description", alt)
    pixels = np.asarray(Image.open(drawn).convert("RGB"))
    colours = np.array([rgb_of(shade) for shade in shades], dtype=np.uint8)
    # tables over all colours: to sort the pixels would take most of the time
    codes = pixels @ np.array([1 << 16, 1 << 8, 1], dtype=np.uint32)
    nearest = np.zeros(1 << 24, dtype=np.uint8)
    nearest[codes] = 1
    present = np.flatnonzero(nearest)
    parts = np.stack([present >> 16, present >> 8, present], axis=1).astype(np.uint8)
    nearest[present] = pairwise_distances_argmin(parts, colours)
    image = Image.fromarray(nearest[codes], "P")
    image.putpalette(colours.tobytes())
    image.save(packed, "PNG", optimize=True, pnginfo=chunks)
    return packed.getvalue()


def palette_of(models: Sequence[Facts], n_classes: int, theme: Theme) -> list[str]:
    """Return at most 256 colours: names, ink, points, and as many tints of the classes as fit."""
    ink, paper = palette.INK[theme], palette.BLANK[theme]
    shades = [mix(paper, ink, share) for share in np.linspace(0, 1, 17)]
    for name in dict.fromkeys(_name_colour(model, theme) for model in models):
        shades += [mix(paper, name, share) for share in (0.25, 0.5, 0.75, 1)]
    classes = [class_colour(c, theme) for c in range(max(n_classes, 2))]
    full = [mix(paper, colour, MAX_TINT[theme]) for colour in classes]
    for colour, tint in zip(classes, full, strict=True):
        edge = mix(colour, ink, 0.55)
        shades += [_train_colour(colour, theme), edge, mix(tint, edge, 0.5), mix(tint, ink, 0.5)]
    shades = list(dict.fromkeys(shades))
    steps = np.linspace(0, 1, (256 - len(shades)) // len(classes) + 1)[1:]
    return shades + [mix(paper, tint, share) for tint in full for share in steps]


def _name_colour(model: Facts, theme: Theme) -> str:
    return mix(model.colours[theme], palette.INK[theme], 0.2)


def _draw_legend(
    figure: "Figure", fields: Fields, theme: Theme, width: float, height: float
) -> None:
    """Draw the signs of training points by class, of test points and of the boundary."""
    from matplotlib.lines import Line2D

    signs, words = [], []
    names = [*fields.classes] or ["training points"]
    for c, name in enumerate(names):
        own = _train_colour(class_colour(c, theme), theme)
        colour = own if fields.classes else palette.INK[theme]
        marker = _marker(c) if fields.classes else "o"
        signs.append(
            Line2D([], [], ls="", marker=marker, ms=6.5, mfc=colour, mec=palette.BLANK[theme])
        )
        words.append(shortened(name, 18))
    ink = palette.INK[theme]
    if len(fields.points["test"][1]):
        signs.append(Line2D([], [], ls="", marker="o", ms=4.5, mfc="none", mec=ink))
        words.append("test points")
    signs.append(Line2D([], [], color=ink, lw=1.3))
    middle = digits(target_scale(fields)[0])
    words.append(f"prediction {middle}" if fields.task == "regression" else "boundary")
    figure.legend(
        signs,
        words,
        loc="lower left",
        bbox_to_anchor=((MARGIN - 6) / width, 4 / height),
        ncols=len(signs) if len(signs) <= IN_A_ROW * 2 else IN_A_ROW * 2,
        fontsize=8,
        frameon=False,
        labelcolor=ink,
        handlelength=1.2,
        handletextpad=0.4,
        columnspacing=1.2,
        borderpad=0,
    )


def _draw_field(axis: "Axes", fields: Fields, outputs: Floats, theme: Theme) -> None:
    """Draw one model's colours over the plane, and its boundaries or contours."""
    extent = (*fields.x, *fields.y)
    middle, reach = target_scale(fields)
    image = _colours(fields, outputs, middle, reach, theme)
    axis.imshow(image, extent=extent, origin="lower", aspect="auto", interpolation="bilinear")
    if fields.task == "multiclass":
        best = [np.delete(outputs, c, axis=0).max(axis=0) for c in range(len(outputs))]
        leads = list(outputs - np.stack(best))
    else:
        leads = [outputs[0] - (middle if fields.task == "regression" else 0)]
    for lead in leads:
        if lead.min() < 0 < lead.max():
            axis.contour(lead, [0], extent=extent, colors=palette.INK[theme], linewidths=1.1)


def _colours(fields: Fields, outputs: Floats, middle: float, reach: float, theme: Theme) -> Floats:
    """Return the colour of each grid point, of shape (n, n, 3), as assets/board/draw/scale.js."""
    paper = np.array(rgb_of(palette.BLANK[theme])) / 255
    if fields.task == "multiclass":
        shares = np.exp(outputs - outputs.max(axis=0))
        shares /= shares.sum(axis=0)
        best, n = shares.argmax(axis=0), len(shares)
        tint = (shares.max(axis=0) - 1 / n) / (1 - 1 / n)
    else:
        if fields.task == "regression":
            tint = np.clip((outputs[0] - middle) / reach, -1, 1)
        else:
            tint = np.tanh(outputs[0] / 2)  # 2 · sigmoid − 1
        best, tint = (tint > 0).astype(int), np.abs(tint)
    ends = np.array([rgb_of(class_colour(c, theme)) for c in range(max(len(outputs), 2))]) / 255
    colours: Floats = paper + MAX_TINT[theme] * tint[..., None] * (ends[best] - paper)
    return colours


def target_scale(fields: Fields) -> tuple[float, float]:
    """Return the value without colour, and the distance from it at which the colour is full.

    The former is 0 if the training targets have both signs, and else the middle of their range.
    """
    y = fields.points["train"][1]
    low, high = float(y.min()), float(y.max())
    middle = 0.0 if low < 0 < high else (low + high) / 2
    return middle, max(high - middle, middle - low) or 1.0


def _draw_points(axis: "Axes", fields: Fields, theme: Theme) -> None:
    """Draw test points, hollow, and training points on top, filled; classes differ in shape."""
    ink, paper = palette.INK[theme], palette.BLANK[theme]
    for split in ("test", "train"):
        X, y = fields.points[split]
        crowd = 0.8 if len(y) > 250 else 1.0
        filled = split == "train"
        for c in range(max(len(fields.classes), 1)):
            own = y == c if fields.classes else np.ones(len(y), dtype=bool)
            if not own.any():
                continue
            if fields.classes:
                colour: Any = _train_colour(class_colour(c, theme), theme)
                edge = paper if filled else mix(class_colour(c, theme), ink, 0.55)
            else:
                colour = _value_colours(fields, y[own], theme)
                edge = ink
            axis.scatter(
                X[own, 0],
                X[own, 1],
                s=crowd * (26 if filled else 9),
                marker=_marker(c),
                facecolors=colour if filled else "none",
                edgecolors=edge,
                linewidths=0.8 if filled else 0.7,
                zorder=3,  # over the lines
                alpha=1.0 if filled else 0.8 if len(y) <= 150 else 0.5,
            )
    axis.set(xlim=fields.x, ylim=fields.y)


def _value_colours(fields: Fields, y: Floats, theme: Theme) -> Floats:
    """Return the colours of targets, of shape (n, 3): those of equal predictions."""
    colours: Floats = _colours(fields, y[None, None], *target_scale(fields), theme)[0]
    return colours


def _train_colour(colour: str, theme: Theme) -> str:
    """Return the colour of training points, which stand out against the boundary's colours."""
    return mix(colour, "#000000", 0.25) if theme == "light" else mix(colour, "#ffffff", 0.3)


def _marker(c: int) -> Any:
    return MARKERS[palette.SHAPES[c % len(palette.SHAPES)]]


def draw_bars(axis: "Axes", values: Floats, reach: float, colour: str, theme: Theme) -> None:
    """Draw one bar for each input, and a dot on the axis where it is exactly 0."""
    ink, paper = palette.INK[theme], palette.BLANK[theme]
    at = np.arange(len(values))
    axis.set_facecolor(mix(paper, ink, 0.04))
    axis.bar(at, values, width=0.8, color=mix(colour, paper, 0.25))
    axis.axhline(0, color=mix(paper, ink, 0.5), linewidth=0.8)
    zeros = at[values == 0]
    axis.plot(zeros, np.zeros(len(zeros)), ".", color=ink, markersize=3.5)
    low = -1.08 * reach if (values < 0).any() else 0
    axis.set(xlim=(-0.7, len(values) - 0.3), ylim=(low, 1.08 * reach))
