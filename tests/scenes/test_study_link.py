"""Tests of links of studies: round trips, named problems, and the scene of a cell."""

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

import regviz
from regviz import Experiment, NetworkSpec, Phase, PointsSpec, Scene, Study, TrainingSpec
from regviz.scenes.study_link import (
    MAX_CELLS,
    chosen_strengths,
    from_query,
    link,
    scene_of,
    study_of,
    to_query,
)
from regviz.scenes.study_text import axes_text
from regviz.studies.axes import paths_of
from tests.support.scenes import link_parameters

VALUES = {
    "data.name": ("moons", "xor"),
    "data.n_samples": (100, 40),
    "data.noise": (0.1, 1e-07, 0.3),
    "data.label_noise": (0.0, 0.25),
    "data.train_fraction": (0.5, 0.3),
    "data.validation_fraction": (0.2, 0.4),
    "data.standardize": (False, True),
    "network.hidden": ((), (2,), (8, 8)),
    "network.activation": ("relu", "tanh"),
    "network.features": (("x1", "x2"), ("x1", "x1*x2", "sin(x1)")),
    "network.normalization": ("none", "layer"),
    "network.affine": (True, False),
    "training.optimizer": ("adam", "sgd"),
    "training.learning_rate": (0.03, 0.001),
    "training.batch_size": (None, 5),
    "training.epochs": (30, 20),
    "training.momentum": (0.5, 0.95),
    "training.beta1": (0.5, 0.9),
    "training.beta2": (0.99, 0.9),
    "training.epsilon": (1e-08, 0.1),
    "training.dtype": ("float64", "float32"),
}
BASE = Experiment(training=TrainingSpec(epochs=20), phases=(Phase(5),))
SEVERAL = {"l1": (0.001,), "elastic_net": (0.01, 0.1)}


def again(study: Study) -> tuple[Study, list[str]]:
    return from_query(link_parameters(link("https://example.org/study", study)))


def test_a_link_opens_the_study_that_it_was_made_of():
    assert set(VALUES) == set(paths_of(BASE))
    methods = ("l1", "none", "elastic_net")
    axes = [dict(pair) for pair in itertools.combinations(VALUES.items(), 2)]
    for vary in [{}, *({path: values} for path, values in VALUES.items()), *axes[::7]]:
        study = Study(BASE, vary, methods)
        assert again(study) == (study, []), vary
    points = tuple((x / 10, -x / 7, x % 2) for x in range(40))
    own = Experiment(PointsSpec(points, "binary"), NetworkSpec(()))
    for changes in (
        dict(methods=(*methods, "early_stopping")),
        dict(methods=("early_stopping", "l2")),
        dict(strengths=4),
        dict(strengths=SEVERAL, variants={"elastic_net": 0.75}),
        dict(strengths=1, choose=None),
        dict(seeds=(3,)),
        dict(seeds=range(5, 25)),
        dict(seeds=(4, 2, 2**32 - 1)),
        dict(base=own, vary={"data.train_fraction": (0.5, 0.6)}),
    ):
        study = replace(Study(BASE, {}, methods), **changes)
        assert again(study) == (study, []), changes


def test_the_study_of_a_scene_has_its_shown_strengths_and_its_link_is_short():
    scene = Scene(methods=("none", "l1", "elastic_net"), strengths={"l1": 0.003})
    study = study_of(replace(scene, variants={"elastic_net": 0.25}), {"data.noise": (0.1, 0.2)})
    shown = dict(study.strengths)
    assert shown["l1"] == (0.003,)
    assert study.methods == ("none", "l1", "elastic_net", "early_stopping")
    assert study.cells[0].experiment.regularizations[2].l1 == shown["elastic_net"][0] / 4
    assert to_query(study_of(Scene(), strengths="grid")) == {}
    with pytest.raises(ValueError, match="methods must be those of the catalogue, as a link"):
        to_query(Study())


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"vary": "data.foo=1"}, "vary must be one of 'data.name', 'data.n_samples', "),
        (
            {"vary": "data.noise=0,0.1;data.noise=0.2"},
            "data.noise of vary must be there once, with all its values: the first is used.",
        ),
        ({"vary": "data.noise"}, "data.noise of vary must be a number, got '': ignored."),
        ({"vary": "data.noise=9"}, "data.noise of vary must be a number from 0 to 2, got '9': "),
        (
            {"vary": "network.hidden=8,8-x"},
            "network.hidden of vary must be none, or units by laye",
        ),
        ({"vary": "training.batch_size=999"}, "training.batch_size of vary must be at most 60, "),
        (
            {"strengths": "l3=1"},
            "strengths must be grid, a number of strengths, or strengths by m",
        ),
        ({"strengths": "l2=2000"}, "strengths must be a number from 0 to 1000, got 'l2=2000': ig"),
        ({"strengths": "13"}, "strengths must be a whole number from 1 to 12, got '13': ignored."),
        (
            {"seeds": "1-9999999999"},
            "seeds must be a number of seeds from 1 to 1000, or seeds suc",
        ),
        ({"seeds": "3,3"}, "seeds must be without repetition, got '3,3': ignored."),
        ({"methods": "l2,l9"}, "methods must be one of 'none', 'l1', 'l2', "),
        ({"methods": ""}, "methods must be one of none, l1, l2, "),
        ({"choose": "none"}, "choose must be 'validation', as a method has several strengths, got"),
        (
            {"vary": "data.validation_fraction=0,0.25"},
            "data.validation_fraction of vary must be above 0 with early stopping, got '0': ",
        ),
        ({"noise": "9"}, "noise must be a number from 0 to 2, got '9': ignored."),
        ({"validation_fraction": "0"}, "Without validation points no strength can be chosen"),
    ],
)
def test_a_wrong_value_is_named_and_the_rest_is_kept(query: dict[str, str], message: str):
    study, problems = from_query({"data": "moons", "epochs": "30"} | query)
    assert len(problems) == 1
    assert problems[0].startswith(message)
    assert (study.base.data.name, study.base.training.epochs) == ("moons", 30)


def test_no_link_of_known_names_raises():
    texts = {
        path: [axes_text(((path, (value,)),)).partition("=")[2] for value in values]
        for path, values in VALUES.items()
        if path.startswith("data.") or path in ("network.normalization", "training.batch_size")
    }  # the fields that have to fit one another
    texts["data.name"] += ["digits", "bumps", "diabetes"]
    texts["data.validation_fraction"] += ["0", "0.9"]
    texts["training.batch_size"] += ["1", "60"]
    random = np.random.default_rng(21)
    methods = ("none", "l1", "elastic_net", "dropout", "early_stopping")

    def some(options: Sequence[str], most: int) -> list[str]:
        return list(random.permutation(options)[: random.integers(1, most + 1)])

    for _ in range(100):
        axes = [f"{path}={','.join(some(texts[path], 3))}" for path in some(list(texts), 3)]
        query = {
            "vary": ";".join(axes),
            "methods": ",".join(some(methods, 4)),
            "strengths": some(("1", "3", "grid", "l1=0.01"), 1)[0],
            "validation_fraction": some(("0", "0.25"), 1)[0],
            "choose": some(("none", "validation"), 1)[0],
        }
        study, _ = from_query(query)
        assert again(study) == (study, []), query


def test_other_values_of_an_axis_are_kept_and_cells_are_limited():
    study, problems = from_query({"vary": "data.noise=0.1,9,0.3,0.1;network.hidden=2,none"})
    assert study.vary == (("data.noise", (0.1, 0.3)), ("network.hidden", ((2,), ())))
    assert len(problems) == 1
    many = ",".join(str(i / 1000) for i in range(1, 101))
    paths = ("data.noise", "data.label_noise", "training.momentum", "training.learning_rate")
    study, problems = from_query({"vary": ";".join(f"{path}={many}" for path in paths)})
    assert len(study.cells) == MAX_CELLS
    assert [one.partition(" of")[0] for one in problems] == list(paths[2:])


def test_the_scene_of_a_cell_shows_its_networks_at_the_chosen_strengths():
    data = regviz.DataSpec("moons", n_samples=60)
    base = Experiment(data, NetworkSpec((4,)), TrainingSpec(epochs=15))
    methods = ("l2", "none", "max_norm", "early_stopping")
    study = Study(base, {"data.noise": [0.1, 0.4]}, methods, strengths=3, seeds=(3, 8))
    result = study.run(progress=lambda _: None)
    cell = study.cells[1]
    chosen = chosen_strengths(result, cell, 8)
    scene = scene_of(cell, 8, chosen)
    assert (scene.data.noise, scene.data.seed, scene.training.seed) == (0.4, 8, 8)
    assert scene.early_stopping
    grid = scene.grid()
    history = regviz.train(grid.only(scene.rows(grid)))
    frame = result.chosen
    own = frame[(frame["cell"] == cell.key) & (frame["seed"] == 8)].set_index("method")
    expected = own.loc[list(scene.methods), "test_loss"]
    np.testing.assert_array_equal(history.metrics["test_loss"][-1], expected)
    _, losses = history.early_stopping(grid.patience)
    assert losses is not None
    assert set(chosen) == {"l2", "max_norm"}
