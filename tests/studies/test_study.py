"""Tests of `regviz.Study`: its values, cells and errors."""

import pickle
from dataclasses import replace

import pytest

import regviz
from regviz.methods.catalogue import METHODS, offered
from regviz.studies.cost import cell_seconds
from regviz.studies.study import Study

BASE = regviz.Experiment(
    regviz.DataSpec("moons", n_samples=100),
    regviz.NetworkSpec(hidden=(4,)),
    regviz.TrainingSpec(epochs=20),
)
OWN = regviz.PointsSpec(tuple((x / 20, -x / 30, x % 2) for x in range(20)))


def test_cells_are_all_combinations_and_the_last_axis_varies_fastest():
    study = Study(BASE, vary={"network.hidden": [(), [8, 8]], "data.noise": [0, 0.5, 1]})
    assert len(study.cells) == 6
    assert [cell.values for cell in study.cells] == [
        (("network.hidden", hidden), ("data.noise", noise))
        for hidden in ((), (8, 8))
        for noise in (0.0, 0.5, 1.0)
    ]
    last = study.cells[-1]
    assert last.experiment.network.hidden == (8, 8)
    assert last.experiment.data.noise == 1
    assert study.cell({"network.hidden": (8, 8), "data.noise": 1}) == last
    assert study.cells[1:3] == [study.cells[1], study.cells[2]]
    with pytest.raises(IndexError):
        study.cells[6]
    with pytest.raises(ValueError, match="values must be empty, as the study has no axes, got"):
        Study(BASE).cell({"data.noise": 0.1})


def test_axes_have_names_texts_and_columns_for_tables():
    hidden, size = Study(
        BASE, vary={"network.hidden": [(), (8,), (8, 4)], "training.batch_size": [5, None]}
    ).axes
    assert hidden.label == "Hidden layers"
    assert hidden.column == ("", "8", "8-4")
    assert hidden.texts == ("none", "8", "8-4")
    assert size.column == ("5", "all")


def test_equal_studies_are_equal_hash_equally_and_survive_json_and_pickle():
    vary = {"network.hidden": ((4,), (8,)), "data.noise": (0.1, 0.2)}
    own = {"methods": ("l2", "none"), "strengths": {"l2": (0.1, 0.01)}, "seeds": range(1, 4)}
    study = Study(BASE, vary, **own)
    same = Study(BASE, {path: list(values) for path, values in vary.items()}, **own)
    assert study == same
    assert hash(study) == hash(same)
    for again in (Study.from_json(study.to_json()), pickle.loads(pickle.dumps(study))):
        assert again == study
        assert again.id == study.id
    assert replace(study, seeds=(1,)) != study
    # the order of the axes is that of the cells and of the table
    assert Study(BASE, dict(reversed(vary.items())), **own) != study


def test_a_mapping_of_the_same_strengths_in_another_order_is_the_same_study():
    one = Study(BASE, methods=("l1", "l2"), strengths={"l1": 0.1, "l2": (0.2, 0.1)})
    other = Study(BASE, methods=("l1", "l2"), strengths={"l2": (0.1, 0.2), "l1": [0.1]})
    assert one == other
    assert one.id == other.id


def test_a_mapping_of_the_same_variants_in_another_order_is_the_same_study():
    methods, values = ("elastic_net", "max_norm"), {"elastic_net": 0.75, "max_norm": 0.1}
    one = Study(BASE, methods=methods, variants=values)
    other = Study(BASE, methods=methods, variants=dict(reversed(values.items())))
    assert one == other
    assert one.id == other.id


def test_the_grid_is_the_strengths_that_the_page_offers_for_each_cell():
    study = Study(BASE, vary={"data.name": ["moons", "bumps"]}, methods=("none", "l1", "max_norm"))
    for cell in study.cells:
        parts = cell.experiment.data, cell.experiment.network, cell.experiment.training
        for method, index in (("l1", 0), ("max_norm", 1)):
            wanted = offered((method,), *parts)[0][index]
            rows = [row for row in cell.rows if row.method == method]
            assert [cell.experiment.regularizations[row.network] for row in rows] == list(wanted)
            assert [row.strength_index for row in rows] == list(range(12))
            assert [row.strength for row in rows] == [METHODS[method].strength(r) for r in wanted]


def test_a_number_of_strengths_is_spread_evenly_with_both_ends():
    every = [row.strength for row in Study(BASE, methods=("l1",)).cells[0].rows]
    few = [row.strength for row in Study(BASE, methods=("l1",), strengths=4).cells[0].rows]
    assert few == [every[i] for i in (0, 4, 7, 11)]
    scene = regviz.Scene(data=BASE.data, network=BASE.network, training=BASE.training)
    one = Study(BASE, methods=("l1", "dropout"), strengths=1).cells[0].experiment
    grid = scene.grid()
    assert set(one.regularizations) < set(grid.only(grid.rows({})).regularizations)


def test_given_strengths_go_from_weak_to_strong_and_others_are_the_initial_ones():
    strengths = {"l2": (0.1, 0.01), "max_norm": (1, 3)}
    study = Study(BASE, methods=("l2", "max_norm", "l1"), strengths=strengths)
    found = [(row.method, row.strength) for row in study.cells[0].rows]
    assert found[:4] == [("l2", 0.01), ("l2", 0.1), ("max_norm", 3), ("max_norm", 1)]
    initial = Study(BASE, methods=("l1",), strengths=1).cells[0].rows[0].strength
    assert found[4:] == [("l1", initial)]


def test_equal_networks_are_one():
    study = Study(BASE, methods=("none", "early_stopping", "l1"))
    (cell,) = study.cells
    assert len(cell.rows) == 14
    assert len(cell.experiment.regularizations) == 13
    assert cell.rows[0].network == cell.rows[1].network
    assert cell.n_networks == 14 * 20


def test_without_methods_the_regularizations_are_those_of_the_base():
    own = (
        regviz.Regularization(),
        regviz.Regularization(l2=0.1),
        regviz.Regularization(l2=0.2),
        regviz.Regularization(l2=0.1, drop_rate=0.1, onset=5),
    )
    (cell,) = Study(replace(BASE, regularizations=own)).cells
    assert cell.experiment.regularizations == own
    found = [(row.method, row.strength_index) for row in cell.rows]
    assert found == [("none", 0), ("l2", 0), ("l2", 1), ("l2+dropout@5", 0)]


def test_without_methods_too_strengths_go_from_weak_to_strong():
    def found(*own):
        (cell,) = Study(replace(BASE, regularizations=own)).cells
        rows = [cell.experiment.regularizations[row.network] for row in cell.rows]
        return rows, [(row.method, row.strength_index) for row in cell.rows]

    l1 = [regviz.Regularization(l1=strength) for strength in (1, 5)]
    radii = [regviz.Regularization(max_norm=radius) for radius in (3, 1)]
    late = [regviz.Regularization(l2=strength, onset=5) for strength in (0.1, 0.2)]
    rows, names = found(l1[1], *radii[::-1], *late[::-1], l1[0])
    assert rows == [*l1, *radii, *late]
    assert names == [(method, i) for method in ("l1", "max_norm", "l2@5") for i in (0, 1)]
    # neither is the stronger
    both = [regviz.Regularization(l2=b, drop_rate=a) for a, b in ((0.2, 0.1), (0.1, 0.2))]
    for order in (both, both[::-1]):
        assert found(*order) == (order, [("l2+dropout", 0), ("l2+dropout", 1)])


def test_the_key_is_that_of_the_content():
    study = Study(BASE, vary={"data.noise": [0.1, 0.2]}, methods=("none", "l2"), seeds=(3, 4))
    other = Study(
        replace(BASE, data=replace(BASE.data, noise=0.2, seed=5)),
        methods=("none", "l2"),
        seeds=(3, 4),
    )
    # neither the axes nor the seeds of the base matter, nor the recording without early stopping
    assert other.cells[0].key == study.cells[1].key
    longer = replace(BASE, training=replace(BASE.training, frames=7))
    assert replace(study, base=longer).cells[0].key == study.cells[0].key
    stopping = replace(study, methods=("none", "early_stopping"))
    assert replace(stopping, base=longer).cells[0].key != stopping.cells[0].key
    keys = {cell.key for cell in study.cells} | {
        replace(study, seeds=(3, 5)).cells[0].key,
        replace(study, methods=("none", "l1")).cells[0].key,
    }
    assert len(keys) == 4
    # in a store of an earlier process or machine: another key is another `FORMAT`
    assert study.cells[0].key.startswith("4fd9f49b3e9bd3b0")


def test_a_million_cells_are_made_one_at_a_time():
    noises = [i / 100 for i in range(100)]
    rates = [0.01 + i / 1000 for i in range(100)]
    widths = [(i,) for i in range(1, 65)] + [(i, i) for i in range(1, 37)]
    study = Study(
        BASE,
        vary={"data.noise": noises, "training.learning_rate": rates, "network.hidden": widths},
        methods=("none", "l2"),
    )
    assert len(study.cells) == 10**6
    last = study.cells[10**6 - 1]
    assert last.experiment.network.hidden == (36, 36)
    assert last.experiment.data.noise == 0.99
    assert study.cells.position(-1) == (99, 99, 99)
    assert study.cells.index_of(last) == 10**6 - 1
    cost = study.cost()
    assert (cost.n_cells, cost.n_networks) == (10**6, 10**6 * 13 * 20)
    # an estimate from 1000 cells, compared with that from 2004 others
    assert cost.seconds == pytest.approx(
        499 * sum(cell_seconds(study.cells[i]) for i in range(0, 10**6, 499)), rel=0.1
    )


WRONG = {
    "vary['data.noise'][1]: noise must be a number from 0 to 2, got 3": {
        "vary": {"data.noise": [0.1, 3]}
    },
    "vary['network.hidden'][0]: hidden[0] must be a whole number from 1 to 32, got 64": {
        "vary": {"network.hidden": [(64, 64, 64)]}
    },
    "a path of vary must be one of 'data.name', 'data.n_samples'": {"vary": {"data.seed": [1]}},
    "vary['data.noise'] must be without repetition, got [0.1, 0.1]": {
        "vary": {"data.noise": [0.1, 0.1]}
    },
    "vary['data.noise'] must be a sequence of at least one value, got none": {
        "vary": {"data.noise": []}
    },
    "vary['data.name'] must be a sequence of at least one value, got 'moons'": {
        "vary": {"data.name": "moons"}
    },
    "vary['data.name'][1] = 'diabetes' with vary['data.n_samples'][1] = 500: n_samples must be": {
        "vary": {"data.name": ["moons", "diabetes"], "data.n_samples": [400, 500]}
    },
    "vary['training.batch_size'][1] must be at most 40, the smallest number of training points": {
        "vary": {"training.batch_size": [10, 100]}
    },
    "vary['training.batch_size'][0] must be at least 2 with batch normalization, got 1": {
        "vary": {"training.batch_size": [1, 2], "network.normalization": ["none", "batch"]}
    },
    "vary['data.validation_fraction'][1] must be above 0, as validation points choose": {
        "vary": {"data.validation_fraction": [0.2, 0]},
        "methods": ("early_stopping",),
    },
    "a cell with data.n_samples = 20, data.train_fraction = 0.05, data.validation_fraction = 0.2": {
        "vary": {"data.n_samples": [400, 20], "data.train_fraction": [0.5, 0.05]}
    },
    "vary['data.name'][1] = 'bumps' with vary['data.label_noise'][0] = 0.1: label_noise must be": {
        "vary": {"data.name": ["moons", "bumps"], "data.label_noise": [0.1, 0.0]}
    },
    "methods[1] must be one of 'none', 'l1'": {"methods": ("none", "l3")},
    "methods must be without repetition, got ('l1', 'l1')": {"methods": ("l1", "l1")},
    "strengths must be 'grid', a whole number or a mapping, got 'some'": {
        "methods": ("l1",),
        "strengths": "some",
    },
    "strengths must be 'grid' without methods, got 3": {"strengths": 3},
    "strengths must be a whole number from 1 to 12, got 13": {"methods": ("l1",), "strengths": 13},
    "strengths['l2'][1] must be a finite number from 0, got -1": {
        "methods": ("l2",),
        "strengths": {"l2": (0.1, -1)},
    },
    "strengths['l2'] must be without repetition": {
        "methods": ("l2",),
        "strengths": {"l2": (0.1, 0.1)},
    },
    "a method of strengths must be 'l2', got 'l1'": {"methods": ("l2",), "strengths": {"l1": 1}},
    "seeds[1] must be a whole number from 0 to 4294967295, got -1": {"seeds": (0, -1)},
    "seeds must be without repetition, got [1, 1]": {"seeds": [1, 1]},
    "choose must be 'validation', as a method has several strengths, got None": {
        "methods": ("l2",),
        "choose": None,
    },
    "vary must be a mapping of paths, such as 'data.noise', to values, got 3": {"vary": 3},
    "vary[0] must be a pair of a path and its values, got 'data.noise'": {"vary": ["data.noise"]},
    "vary[1] must be a pair of a path and its values, got ('data.noise',)": {
        "vary": [("data.n_samples", [100]), ("data.noise",)]
    },
    "vary must be without repetition, got ['data.noise', 'data.noise']": {
        "vary": [("data.noise", [0.1]), ("data.noise", [0.2])]
    },
    "a path of vary must be one of 'data.name', 'data.n_samples', 'data.noise'": {
        "vary": [(["data.noise"], [0.1])]
    },
    "strengths[0] must be a pair of a method and its strengths, got 1": {
        "methods": ("l2",),
        "strengths": (1, 2),
    },
    "strengths must be empty, as no method of the study has strengths, got {'l2': 1}": {
        "methods": ("none",),
        "strengths": {"l2": 1},
    },
    "variants must be a mapping of methods, such as 'elastic_net', to numbers, got 0.5": {
        "methods": ("elastic_net",),
        "variants": 0.5,
    },
    "variants['elastic_net'] must be a finite number from 0, got 'half'": {
        "methods": ("elastic_net",),
        "variants": {"elastic_net": "half"},
    },
    "variants['elastic_net']: l1_ratio must be a number from 0 to 1, got 2": {
        "methods": ("none", "elastic_net"),
        "variants": {"elastic_net": 2},
    },
    "variants must be empty, as no method of the study has a second value, got {'l2': 1}": {
        "methods": ("l2",),
        "variants": {"l2": 1},
    },
    "choose must be 'validation', got 'test'": {"choose": "test"},
    "base must be an Experiment, got 3": {"base": 3},
}


@pytest.mark.parametrize("message", WRONG)
def test_an_error_names_the_axis_and_the_value(message):
    with pytest.raises(ValueError, match="must be") as caught:
        Study(**{"base": BASE, **WRONG[message]})
    assert str(caught.value).startswith(message)


def test_own_points_vary_in_their_split_only():
    base = replace(BASE, data=OWN, training=replace(BASE.training, batch_size=5))
    study = Study(base, vary={"data.train_fraction": [0.5, 0.6]}, methods=("none", "l2"))
    assert study.cells[1].experiment.data.train_fraction == 0.6
    with pytest.raises(ValueError, match="must be one of"):
        Study(base, vary={"data.noise": [0.1]})


def test_text_that_is_no_study_is_an_error():
    for text in ("{", '{"base": {"data": 3}}', '{"many": 3}', "[]"):
        with pytest.raises(ValueError, match="must be"):
            Study.from_json(text)
