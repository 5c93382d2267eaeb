"""Tests of the picture of a run as a PNG, by its pixels."""

import io
import sys

import numpy as np
import pytest
from PIL import Image

import regviz
from regviz import Regularization
from regviz.figures import static
from regviz.figures._drawing import MAX_TINT, palette_of
from regviz.figures.fields import facts_of
from regviz.methods import palette
from regviz.methods.catalogue import METHODS
from regviz.methods.palette import mix, rgb_of

ROWS = (Regularization(), Regularization(l1=0.02), Regularization(l2=0.01))


def run(name="moons", rows=ROWS, hidden=(4,), epochs=30):
    training = regviz.TrainingSpec(optimizer="momentum", learning_rate=0.05, epochs=epochs)
    data = regviz.DataSpec(name, n_samples=80)
    return regviz.train(regviz.Experiment(data, regviz.NetworkSpec(hidden), training, rows))


def pixels(picture):
    image = Image.open(io.BytesIO(picture))
    return np.asarray(image.convert("RGB")).astype(int), image.text


def has(image, colour, tolerance=3):
    """Return whether a colour covers at least ten pixels."""
    return (np.abs(image - rgb_of(colour)).max(axis=2) <= tolerance).sum() >= 10


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_picture_has_the_colours_of_background_classes_and_methods(theme):
    picture = static.static_picture(run(), theme=theme)
    image, text = pixels(picture)
    assert tuple(image[0, 0]) == rgb_of(palette.BLANK[theme])
    for colour in palette.CLASSES[:2]:
        assert has(image, mix(palette.BLANK[theme], colour, MAX_TINT[theme]), 12)
    for key in ("none", "l1", "l2"):
        assert has(image, mix(METHODS[key].colour[theme], palette.INK[theme], 0.2))
    assert text["Description"] == static.static_alt(run())


def test_equal_runs_have_the_same_bytes_whatever_the_user_has_set_in_matplotlib():
    import matplotlib

    history = run()
    first = static.static_picture(history)
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "savefig.dpi": 40}):
        assert static.static_picture(history) == first
    assert len(first) < 150_000


def test_the_palette_has_the_networks_in_their_order_whatever_the_hashes_of_the_process():
    facts = facts_of(run(epochs=1), [2, 0, 1], -1)
    shades = palette_of(facts, 2, "light")
    names = [mix(fact.colours["light"], palette.INK["light"], 0.2) for fact in facts]
    assert [shade for shade in shades if shade in names] == names
    assert len(shades) <= 256


@pytest.mark.parametrize("name", ["three_blobs", "bumps", "small_and_fat"])
def test_the_alternative_has_each_networks_loss_and_zeros(name):
    history = run(name, epochs=3)
    image, text = pixels(static.static_picture(history))
    assert image.std() > 10
    for k, label in enumerate(history.labels):
        zeros = np.mean(np.concatenate([w.ravel() for w in history.weights(k)]) == 0)
        loss = history.metrics["test_loss"][-1, k]
        assert (
            f"{label}, test loss {loss:.2f}, exact zeros {100 * zeros:.0f} %" in text["Description"]
        )


def test_a_large_grid_shows_as_many_networks_of_each_method_and_says_so():
    l1 = tuple(Regularization(l1=0.001 * (i + 1)) for i in range(20))
    l2 = tuple(Regularization(l2=0.001 * (i + 1)) for i in range(3))
    history = run(rows=(Regularization(), *l1, *l2), epochs=2)
    shown = static.chosen_rows(history)
    assert shown == [0, 1, 7, 14, 20, 21, 22, 23]
    assert len(static.static_picture(history)) < 150_000


def test_a_diverged_network_says_when():
    training = regviz.TrainingSpec(learning_rate=10.0, epochs=20)
    data, network = regviz.DataSpec("bumps"), regviz.NetworkSpec((3,), activation="linear")
    history = regviz.train(regviz.Experiment(data, network, training))
    assert history.diverged[0] >= 0
    assert f"diverged at epoch {history.diverged[0]}" in static.static_alt(history)
    static.static_picture(history)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"t": 99}, "t must be a whole number"),
        ({"theme": "sepia"}, "theme must be one of"),
        ({"history": "run"}, "history must be a History"),
    ],
)
def test_errors_name_the_parameter(arguments, message):
    with pytest.raises(ValueError, match=message):
        static.static_picture(**{"history": run(epochs=1), **arguments})


def test_without_matplotlib_the_error_has_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(
        ImportError, match=r'A static picture needs matplotlib[^$]*pip install "[^"]*\[notebook\]'
    ):
        static.static_picture(run(epochs=1))
