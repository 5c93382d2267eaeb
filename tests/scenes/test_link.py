"""Tests of links and experiment files: round trips, old versions, named errors."""

import json
import re
import runpy
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regviz import (
    DataSpec,
    Experiment,
    NetworkSpec,
    Phase,
    PointsSpec,
    Regularization,
    TrainingSpec,
)
from regviz.data.datasets import make_dataset
from regviz.methods.catalogue import METHODS, RESERVED
from regviz.scenes.link import (
    LINK_VERSION,
    MAX_LINK_CHARS,
    fitting,
    from_query,
    link,
    parameter_names,
    to_query,
)
from regviz.scenes.scene import DEFAULTS, FILE_VERSION, MAX_PINS, Scene
from regviz.scenes.showcase import SHOWCASE
from tests.support.methods import MOSTLY_L1
from tests.support.scenes import link_parameters, scenes

# -------------------------------------------------------------------------------- round trips


@settings(deadline=None, max_examples=60)
@given(scenes())
def test_a_link_opens_the_scene_that_it_was_made_of(scene):
    address = link("https://example.org/regviz", scene)
    assert from_query(link_parameters(address)) == (scene, [])


@settings(deadline=None, max_examples=40)
@given(scenes())
def test_a_file_opens_the_scene_that_it_was_made_of(scene):
    assert Scene.from_json(scene.to_json()) == scene


@settings(deadline=None, max_examples=20)
@given(scenes())
def test_the_experiment_of_a_link_is_the_experiment_that_was_linked(scene):
    scene = replace(scene, training=replace(scene.training, epochs=50), phases=(), epoch=None)
    again, _ = from_query(link_parameters(link("", scene)))
    assert again.grid() == scene.grid()


def test_what_is_at_its_default_stays_out():
    assert to_query(Scene()) == {}
    assert link("https://example.org", Scene()) == f"https://example.org?v={LINK_VERSION}"
    scene = Scene(replace(SHOWCASE.data, noise=0.3), focus="l2", strengths={"l1": 0.003})
    assert to_query(scene) == {"noise": "0.3", "focus": "l2", "l1": "0.003"}


def test_the_newest_version_stands_for_the_page_as_it_opens():
    # a change of the showcase needs a new version; old versions keep their meaning
    assert DEFAULTS[LINK_VERSION] == Scene() == from_query({})[0]
    assert max(DEFAULTS) == LINK_VERSION == FILE_VERSION


def test_a_method_that_is_added_to_the_catalogue_is_not_in_the_line_up_of_old_versions(monkeypatch):
    monkeypatch.setitem(METHODS, "mostly_l1", MOSTLY_L1)
    names = ("none", "l1", "l2", "elastic_net", "dropout", "max_norm")
    # the modules' defaults, as after a start with this method
    scenes = Path(__file__).parents[2] / "regviz" / "scenes"
    assert runpy.run_path(str(scenes / "showcase.py"))["LINE_UP"] == names
    assert runpy.run_path(str(scenes / "scene.py"))["Scene"]().methods == names
    assert from_query({"v": "1"})[0].methods == from_query({"v": "2"})[0].methods == names
    assert "mostly_l1" in from_query({"v": "1", "methods": "none,mostly_l1"})[0].methods


def test_no_method_can_have_the_name_of_another_parameter():
    parameters = (parameter_names(False) | parameter_names(True)) - {*METHODS}
    variants = {"elastic_net_l1_ratio", "max_norm_drop_rate"}
    assert variants <= parameters
    parameters -= variants
    parameters |= {field.name for field in fields(Scene)}
    assert not parameters - RESERVED
    assert not RESERVED & {*METHODS}
    assert {"noise", "points", "v", "seed", "training_seed", "strengths", "embed"} <= parameters


POINTS = PointsSpec([(i, i % 7, i % 2) for i in range(20)])

# links of earlier releases, which must still open
EARLIER_LINKS = {
    "v=1": Scene(
        DataSpec("circles", 400, 0.2, 0.0, 0.2, 0.25, True, 2),
        NetworkSpec((8, 8, 8), "tanh", ("x1", "x2")),
        TrainingSpec("momentum", 0.05, 10, 400, 0.9, 0.9, 0.999, 1e-8, "float32", 100, 2),
        ("none", "l1", "l2", "elastic_net", "dropout", "max_norm"),
        strengths={"elastic_net": 0.005},  # its initial strength in version 1
    ),
    "v=2": Scene(
        DataSpec("circles", 400, 0.2, 0.0, 0.2, 0.25, True, 9),
        NetworkSpec((8, 8, 8), "tanh", ("x1", "x2")),
        TrainingSpec("momentum", 0.01, 10, 1000, 0.9, 0.9, 0.999, 1e-8, "float32", 100, 9),
        ("none", "l1", "l2", "elastic_net", "dropout", "max_norm"),
    ),
    "v=1&data=moons&noise=0.35&label_noise=0.1&n_samples=200&train_fraction=0.3&seed=7"
    "&hidden=4,2&activation=relu&features=x1,x2,x1%5E2,x1*x2&optimizer=adam&learning_rate=0.003"
    "&batch_size=all&epochs=200&methods=none,l1,dropout&early_stopping=0&onset=50&focus=dropout"
    "&l1=0.01&dropout=0.2&epoch=137&hide=network,training": Scene(
        DataSpec("moons", 200, 0.35, 0.1, 0.3, 0.25, True, 7),
        NetworkSpec((4, 2), "relu", ("x1", "x2", "x1^2", "x1*x2")),
        TrainingSpec("adam", 0.003, None, 200, seed=7),
        ("none", "l1", "dropout"),
        early_stopping=False,
        phases=(Phase(50),),
        focus="dropout",
        strengths={"l1": 0.01, "dropout": 0.2},
        epoch=137,
        hide=("network", "training"),
    ),
    "v=1&hidden=none&data=plane&seed=3&training_seed=4&elastic_net=0.5&l2=2&max_norm=1.5": Scene(
        DataSpec("plane", 400, 0.2, 0.0, 0.2, 0.25, True, 3),
        NetworkSpec((), "tanh", ("x1", "x2")),
        TrainingSpec("momentum", 0.05, 10, 400, seed=4),
        strengths={"elastic_net": 0.5, "l2": 2.0, "max_norm": 1.5},
    ),
}


@pytest.mark.parametrize(("query", "scene"), EARLIER_LINKS.items())
def test_a_link_of_long_ago_opens(query, scene):
    assert from_query(link_parameters(f"?{query}")) == (scene, [])


def test_links_and_files_of_version_1_open_at_the_strengths_of_version_1():
    for query in ({}, {"data": "moons", "epochs": "50"}, {"points": POINTS.to_text()}):
        opened, _ = from_query({"v": "1"} | query)
        grid = opened.grid()
        indices = dict(
            zip(grid.methods, grid.strength_indices(opened.strength_indices(grid)), strict=True)
        )
        assert indices["elastic_net"] == indices["l1"] == METHODS["l1"].default_index
        assert grid.variant_indices(opened.variant_indices(grid)) == [0, 0, 0, 2, 0, 1]
        values = [grid.values(key)[i] for key, i in (("elastic_net", 2), ("max_norm", 1))]
        assert values == [0.5, 0.1]
        assert opened.approximations(grid) == []
        written = json.loads(opened.to_json()) | {"regviz": 1, "strengths": {}}
        assert Scene.from_json(json.dumps(written)) == opened
        # what is asked for comes first
        given, _ = from_query({"v": "1", "elastic_net": "0.1"} | query)
        assert dict(given.strengths) == {"elastic_net": 0.1}
        assert given.variants == ()
    assert from_query({"v": "1", "methods": "none,l1"})[0].strengths == ()


def test_a_file_of_version_1_has_the_defaults_of_version_1():
    assert Scene.from_json('{"regviz": 1}') == from_query({"v": "1"})[0]
    scene = Scene.from_json('{"regviz": 1, "data": {"name": "moons"}, "training": {"seed": 4}}')
    assert scene == from_query({"v": "1", "data": "moons", "training_seed": "4"})[0]


def test_a_file_may_leave_out_all_but_what_is_particular():
    assert Scene.from_json('{"regviz": 2}') == Scene()
    scene = Scene.from_json('{"data": {"name": "moons"}, "focus": "l2"}')
    assert scene == Scene(replace(SHOWCASE.data, name="moons"), focus="l2")
    # the default, which a link omits
    assert scene == from_query({"data": "moons", "focus": "l2"})[0]


def test_a_file_without_a_known_name_is_no_experiment():
    with pytest.raises(ValueError, match="file must be an object with one or more of regviz"):
        Scene.from_json("{}")


def test_links_and_files_of_version_1_say_when_regularization_begins():
    expected = Scene.from_json('{"regviz": 1}')
    assert expected.phases == ()
    late = replace(expected, phases=(Phase(70),))
    assert from_query({"v": "1", "onset": "70"}) == (late, [])
    assert Scene.from_json('{"regviz": 1, "onset": 70}') == late
    assert Scene.from_json('{"regviz": 1, "onset": 0}') == expected
    scene, problems = from_query({"v": "1", "onset": "400"})
    assert scene == expected
    assert problems == ["onset must be above 0 and below epochs, 400, got '400': ignored."]


def test_phases_are_in_links_and_files():
    rows = (
        Regularization(),
        Regularization(l1=0.01, l2=0.02, drop_rate=0.1, input_drop_rate=0.2, max_norm=1.5),
        Regularization(l2=0.1, decoupled=True),
        Regularization(l2=0.1, corrected=True),
    )
    phases = (
        *(Phase(10, rows[0]), Phase(20, rows[1], 0.03)),
        *(Phase(30, rows[2], 1e-5), Phase(40, rows[3])),
    )
    scene = Scene(phases=phases)
    text = (
        "10,20~l1~0.01~l2~0.02~drop_rate~0.1~input_drop_rate~0.2~max_norm~1.5~learning_rate~0.03,"
        "30~l2~0.1~decoupled~1~learning_rate~1e-05,40~l2~0.1~corrected~1"
    )
    assert to_query(scene) == {"phases": text}
    assert from_query({"phases": text}) == (scene, [])
    assert f"phases={text}" in link("", scene)  # no character is escaped
    assert Scene.from_json(scene.to_json()) == scene


def test_phases_of_an_experiment_are_those_of_its_scene():
    phases = (Phase(3, Regularization(l1=0.1), 0.2),)
    assert Scene.of(Experiment(phases=phases)).phases == phases


def test_an_experiment_of_the_library_opens_at_its_strengths():
    parts = DataSpec("xor"), NetworkSpec((3,)), TrainingSpec(epochs=20)
    l1 = METHODS["l1"].strengths(*parts)[2]
    rows = (
        Regularization(),
        Regularization(l1=l1, onset=5),
        Regularization.elastic_net(0.1),
        Regularization(drop_rate=0.3),
        Regularization(max_norm=2.0, drop_rate=0.1),
    )
    experiment = Experiment(*parts, rows)
    scene = Scene.from_json(experiment.to_json())
    assert (scene.data, scene.network) == (experiment.data, experiment.network)
    assert scene.training == experiment.training
    assert scene.methods == ("none", "l1", "elastic_net", "dropout", "max_norm")
    assert dict(scene.strengths) == dict(l1=l1, elastic_net=0.1, dropout=0.3, max_norm=2.0)
    assert dict(scene.variants) == dict(elastic_net=0.5, max_norm=0.1)
    assert scene.phases == (Phase(5),)
    (sentence,) = scene.missing(experiment)
    assert "Elastic net λ = 0.1, 50 % L1" in sentence
    assert "λ₁" not in sentence
    assert Scene().missing(SHOWCASE) == []


# -------------------------------------------------------------------------- shown strengths


def test_the_nearest_value_of_a_second_parameter_is_shown_and_strengths_are_those_of_its_variant():
    query = {"elastic_net_l1_ratio": "0.8", "elastic_net": "0.004", "max_norm_drop_rate": "0"}
    scene, problems = from_query(query)
    assert problems == []
    assert dict(scene.variants) == {"elastic_net": 0.8, "max_norm": 0.0}
    grid = scene.grid()
    assert scene.variant_indices(grid) == {"elastic_net": 3, "max_norm": 0}
    index = scene.strength_indices(grid)["elastic_net"]
    assert grid.strengths("elastic_net", 3)[index] in (0.003, 0.005)
    sentences = scene.approximations(grid)
    assert sentences[1:] == [
        "Mix of Elastic net is not offered at 0.8 here: the nearest, 0.75, is shown."
    ]
    rows = grid.rows(scene.strength_indices(grid), scene.variant_indices(grid))
    net, bound = (grid.experiment.regularizations[rows[i]] for i in (3, 5))
    assert net.l1 == pytest.approx(3 * net.l2)
    assert (bound.max_norm, bound.drop_rate) == (1.0, 0.0)


def test_a_value_of_a_second_parameter_out_of_range_is_ignored_with_a_message():
    scene, problems = from_query({"elastic_net_l1_ratio": "2", "max_norm_drop_rate": "x"})
    assert scene == Scene()
    assert problems == [
        "elastic_net_l1_ratio must be a number from 0 to 1, got '2': ignored.",
        "max_norm_drop_rate must be a number, got 'x': ignored.",
    ]


def test_the_nearest_strength_that_is_offered_is_shown():
    scene = Scene(strengths={"l1": 0.0031, "dropout": 0.999, "max_norm": 1.1})
    grid = scene.grid()
    strength_indices = scene.strength_indices(grid)
    assert grid.strengths("l1")[strength_indices["l1"]] == 0.003
    assert grid.strengths("dropout")[strength_indices["dropout"]] == max(grid.strengths("dropout"))
    assert grid.strengths("max_norm")[strength_indices["max_norm"]] in (1.0, 1.2)
    assert "l2" not in strength_indices


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(methods=()), r"^methods must be at least one of"),
        (dict(methods=("l3",)), r"^methods must be one of .*got 'l3'"),
        (dict(methods="l1"), r"^methods must be a list"),
        (dict(focus="l3"), r"^focus must be one of"),
        (dict(methods=("l1",), focus="l2"), r"^focus must be 'l1', got 'l2'"),
        (dict(focus="early_stopping", early_stopping=False), r"^focus must be one of"),
        (dict(phases=(Phase(1000),)), r"^phases\[0\].until must be above 0 and below epochs, 1000"),
        (dict(phases=3), r"^phases must be a sequence of Phase"),
        (dict(epoch=1001), r"^epoch must be a whole number from 0 to 1000, got 1001"),
        (dict(strengths={"none": 1.0}), r"^strengths must be one of"),
        (dict(strengths={"l1": -1.0}), r"^l1 must be a number from 0 to 1000, got -1"),
        (dict(strengths={"max_norm": 0.0}), r"^max_norm must be a number above 0"),
        (dict(strengths={"max_norm": None}), r"^max_norm must be a number, got None"),
        (dict(strengths=[1]), r"^strengths must be a number for each"),
        (dict(variants={"l1": 0.5}), r"^variants must be one of 'elastic_net', 'max_norm'"),
        (dict(variants={"elastic_net": 1.5}), r"^l1_ratio must be a number from 0 to 1, got 1.5"),
        (dict(variants={"max_norm": "0"}), r"^drop_rate must be a number from 0 to 0.999"),
        (dict(variants={"max_norm": None}), r"^max_norm must be a number, got None"),
        (dict(variants=3), r"^variants must be a number for each"),
        (dict(hide=("sidebar",)), r"^hide must be one of"),
        (dict(early_stopping=1), r"^early_stopping must be True or False"),
        (dict(data="moons"), r"^data must be a DataSpec or a PointsSpec"),
    ],
)
def test_a_scene_that_cannot_be_shown_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Scene(**changes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"^file must be JSON text"),
        ("[]", r"^file must be an object"),
        ('{"regviz": 99}', r"^regviz must be a whole number from 1 to 2, got 99"),
        ('{"colour": "red"}', r"^a parameter of file must be one of .*got 'colour'"),
        ('{"data": {"nane": "moons"}}', r"^a parameter of data must be one of .*got 'nane'"),
        ('{"training": {"epochs": 0}}', r"^epochs must be"),
        ('{"data": {"points": [[1, 2]]}}', r"^points must be rows of three to 101 numbers"),
        ("[" * 100_000, r"^file must be JSON text"),
    ],
)
def test_a_file_that_is_wrong_is_refused_by_name(text, message):
    with pytest.raises(ValueError, match=message):
        Scene.from_json(text)


# ------------------------------------------------------------------------------------ pins


PIN = Scene(network=NetworkSpec((4,)), focus="l2", strengths={"l1": 0.003}, epoch=20)


def test_a_link_has_the_query_of_each_pin():
    query = to_query(Scene(pins=(PIN, Scene())))
    assert query == {"pins": "v=2&hidden=4&focus=l2&l1=0.003&epoch=20;v=2"}
    assert from_query(query) == (Scene(pins=(PIN, Scene())), [])


def test_a_pin_is_read_in_its_own_version():
    scene, _ = from_query({"v": "2", "pins": "v=1;v=2"})
    assert scene.pins == (from_query({"v": "1"})[0], Scene())


def test_pins_hide_nothing():
    assert Scene(pins=(replace(PIN, hide=("data",)),)).pins == (PIN,)


@pytest.mark.parametrize(
    ("text", "pins", "problem"),
    [
        ("v=2&noise=loud;v=2", 2, "Pin 1: noise must be a number, got 'loud': ignored."),
        ("v=2;hidden=4&pins=v=2", 2, "Pin 2: 'pins' is not a parameter of a link: ignored."),
        (";".join(["v=2"] * 6), MAX_PINS, "pins must be at most 4, got 6: the rest is ignored."),
    ],
)
def test_a_pin_that_is_wrong_is_named_and_the_rest_holds(text, pins, problem):
    scene, problems = from_query({"pins": text, "noise": "0.3"})
    assert problems == [problem]
    assert len(scene.pins) == pins
    assert scene.data.noise == 0.3
    assert not any(pin.pins for pin in scene.pins)


def test_pins_are_in_a_link_as_long_as_they_fit():
    drawn = np.random.default_rng(0).normal(size=(700, 2)).round(3).tolist()
    points = PointsSpec([(*x, i % 2) for i, x in enumerate(drawn)])
    small = Scene(pins=(PIN,) * MAX_PINS)
    assert fitting(small) == small
    own = Scene(points, pins=(Scene(points, NetworkSpec((4,))), PIN))
    assert len(link("", own)) > MAX_LINK_CHARS
    assert fitting(own) == Scene(points)
    assert len(link("", fitting(own))) <= MAX_LINK_CHARS


@pytest.mark.parametrize("pins", [3, "pins", {"l1": 1}, [3], [Scene(pins=(PIN,))], [PIN] * 5])
def test_pins_are_scenes_without_pins(pins):
    with pytest.raises(ValueError, match=r"^pins must be at most 4 scenes without pins, got "):
        Scene(pins=pins)


@pytest.mark.parametrize(
    ("pins", "message"),
    [
        (3, "^pins must be a list of scenes, got 3"),
        ([3], r"^pins\[0\] must be an object"),
        ([{}, {"noise": 1}], r"^a parameter of pins\[1\] must be one of"),
        ([{"pins": []}], r"^a parameter of pins\[0\] must be one of"),
        ([{"epoch": -1}], "^epoch must be a whole number"),
        ([{}] * 9, "^pins must be at most 4 scenes"),
    ],
)
def test_a_file_with_wrong_pins_is_refused_by_name(pins, message):
    with pytest.raises(ValueError, match=message):
        Scene.from_json(json.dumps({"regviz": 2, "pins": pins}))


def test_pins_of_a_file_have_the_defaults_of_its_version():
    for version, default in DEFAULTS.items():
        scene = Scene.from_json(json.dumps({"regviz": version, "pins": [{}]}))
        assert scene.pins == (default.as_shown_in(version),)


# ------------------------------------------------------------------------- errors in links


HIDDEN = (
    "hidden must be none, or up to six whole numbers from 1 to 32, or one or two from 1 to 64,"
    " with commas between"
)


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({"colour": "red"}, "'colour' is not a parameter of a link: ignored."),
        ({"noise": "loud"}, "noise must be a number, got 'loud': ignored."),
        ({"noise": "7"}, "noise must be a number from 0 to 2, got '7': ignored."),
        ({"noise": "nan"}, "noise must be a number from 0 to 2, got 'nan': ignored."),
        ({"data": "mons"}, "got 'mons': ignored."),
        (
            {"normalization": "batch", "batch_size": "1"},
            "batch_size must be at least 2 with batch normalization, got '1': ignored.",
        ),
        ({"normalization": "group"}, "normalization must be one of"),
        ({"epochs": "1.5"}, "epochs must be a whole number, got '1.5': ignored."),
        ({"epochs": "9" * 9999}, "epochs must be a whole number, got '99999"),
        ({"hidden": "8,8,40"}, f"{HIDDEN}, got '8,8,40': ignored."),
        ({"hidden": ""}, f"{HIDDEN}, got '': ignored."),
        ({"hidden": "1,1,1,1,1,1,1"}, f"{HIDDEN}, got '1,1,1,1,1,1,1': ignored."),
        ({"features": "x1,x3"}, "features must be one of"),
        ({"features": ""}, "features must be a tuple of at least one feature"),
        ({"batch_size": "0"}, "batch_size must be a whole number from 1"),
        ({"methods": "l1,l3"}, "methods must be one of"),
        ({"methods": ""}, "methods must be at least one of"),
        ({"early_stopping": "yes"}, "early_stopping must be one of '0', '1', got 'yes'"),
        ({"onset": "5"}, "'onset' is not a parameter of a link: ignored."),
        ({"phases": "1000"}, "phases must be above 0 and below epochs, 1000, got '1000'"),
        ({"phases": "5,5"}, "phases must be above 5 and below epochs, 1000, got '5,5'"),
        ({"phases": "5~l3~1"}, "phases must be phases with commas between, each an epoch and any"),
        ({"phases": "5~l1"}, "phases must be phases with commas between, each an epoch and any"),
        ({"phases": "5~l1~x"}, "phases must be a number, got '5~l1~x'"),
        ({"phases": "5~l1~-1"}, "phases must be a number from 0 to 1000, got '5~l1~-1'"),
        ({"phases": "x"}, "phases must be a whole number, got 'x'"),
        ({"focus": "l3"}, "focus must be one of"),
        ({"l1": "-1"}, "l1 must be a number from 0 to 1000, got '-1'"),
        ({"dropout": "1"}, "dropout must be a number from 0 to 0.999, got '1'"),
        ({"max_norm": "0"}, "max_norm must be a number above 0"),
        ({"epoch": "1001"}, "epoch must be a whole number from 0 to 1000"),
        ({"hide": "everything"}, "hide must be one of"),
        ({"v": "9"}, "v must be one of 1, 2, got '9': read as 2."),
        ({"v": "1" * 5000}, "v must be one of 1, 2, got '1111"),
        ({"v": "²"}, "v must be one of 1, 2, got '²'"),
        ({"points": "abc"}, "points must be text written by PointsSpec.to_text"),
        ({"names": "a,b"}, "'names' is not a parameter of a link: ignored."),
        ({"data": "plane", "label_noise": "0.1"}, "label_noise must be 0 for 'plane'"),
        ({"n_samples": "20", "train_fraction": "0.05"}, "_fraction must be such that"),
    ],
)
def test_a_parameter_that_is_wrong_is_named_and_the_rest_holds(query, problem):
    scene, problems = from_query(query | {"activation": "relu"})
    assert len(problems) == 1
    assert problem in problems[0]
    assert len(problems[0]) < 300
    assert scene.network.activation == "relu"
    whole = Scene() if query.get("data") != "plane" else Scene(replace(SHOWCASE.data, name="plane"))
    assert replace(scene, network=SHOWCASE.network) == whole
    make_dataset(scene.data)


def test_what_belongs_to_toy_data_is_not_taken_for_own_points():
    points = PointsSpec([(i, i % 7, i % 2) for i in range(20)])
    query = to_query(Scene(points)) | {"noise": "0.3"}
    scene, problems = from_query(query)
    assert scene == Scene(points)
    assert problems == ["'noise' is not a parameter of a link to own points: ignored."]


def test_streamlits_own_parameters_are_let_through():
    assert from_query({"embed": "true", "embed_options": "dark_theme"}) == (Scene(), [])


NAMES = [
    *("v", "data", "points", "task", "names", "n_samples", "train_fraction", "noise", "seed"),
    *("hidden", "features", "batch_size", "epochs", "methods", "phases", "focus", "l1", "epoch"),
    "pins",
]


@settings(deadline=None, max_examples=100)
@given(
    st.dictionaries(
        st.sampled_from(NAMES),
        st.text(max_size=30) | st.integers().map(str) | st.floats().map(str),
        max_size=6,
    )
)
def test_any_query_gives_a_scene_that_can_be_trained(query):
    scene, problems = from_query(query)
    make_dataset(scene.data)
    assert all(isinstance(problem, str) for problem in problems)


def test_four_hundred_points_fit_into_a_link():
    points = PointsSpec([(i % 17 / 3, i % 23 / 5, i % 2) for i in range(400)])
    assert len(link("https://example.org/regviz", Scene(points))) < MAX_LINK_CHARS


def test_the_documented_defaults_are_those_of_the_newest_version():
    page = (Path(__file__).parents[2] / "docs" / "reference" / "files.md").read_text()
    documented = re.search(
        r"The defaults of version 2(.*?); and of own points(.*?)The docstrings", page, re.DOTALL
    )
    assert documented
    toy, own = (dict(re.findall(r"`(\w+)=([^`]*)`", part)) for part in documented.groups())
    assert from_query(toy) == (Scene(), [])
    points = PointsSpec([(i, i % 7, i % 2) for i in range(20)])
    assert from_query({"points": points.to_text()} | own) == from_query(
        {"points": points.to_text()}
    )


def test_a_link_keeps_a_batch_that_is_larger_than_there_are_points():
    data = DataSpec("moons", n_samples=100, train_fraction=0.2, validation_fraction=0)
    scene = Scene(data, training=replace(Scene().training, batch_size=30))
    assert scene.grid().experiment.training.batch_size == 20
    found, problems = from_query(to_query(scene))
    assert (found, problems) == (scene, [])
    assert replace(found, data=DataSpec("moons")).grid().experiment.training.batch_size == 30


def test_the_plane_of_a_table_is_in_links_and_files_and_refused_for_other_data():
    scene = Scene(DataSpec("diabetes"), NetworkSpec(()), plane=(3, 9))
    assert to_query(scene)["plane"] == "3-9"
    assert from_query(to_query(scene)) == (scene, [])
    assert Scene.from_json(scene.to_json()) == scene
    _, problems = from_query({"data": "diabetes", "plane": "3-11"})
    assert problems == ["plane must be a whole number from 1 to 10, got '3-11': ignored."]
    _, problems = from_query({"data": "moons", "plane": "1-2"})
    assert problems == ["plane must be None for data with two columns, got '1-2': ignored."]
    for text in ("3", "3-3", "3-4-5", "a-b"):
        found, problems = from_query({"data": "diabetes", "plane": text})
        assert (found.plane, len(problems)) == (None, 1)
