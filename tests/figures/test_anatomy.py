"""Tests of the figures of one training step."""

import numpy as np
import pytest

import regviz
from regviz import Regularization, figures
from regviz.figures import anatomy as drawn

ROWS = (
    Regularization(l1=0.05),
    Regularization(drop_rate=0.5),
    Regularization(l2=0.1, max_norm=0.5),
)
DATA = regviz.DataSpec("three_blobs", n_samples=60)
EXPERIMENT = regviz.Experiment(
    DATA, regviz.NetworkSpec((4, 3)), regviz.TrainingSpec("momentum", epochs=5), ROWS
)
STEPS = [regviz.anatomy(EXPERIMENT, k, 5, 3) for k in range(len(ROWS))]


def test_a_parameters_place_and_index_are_inverse_and_names_tell_all_apart():
    for steps in STEPS[:1]:
        indices = range(steps.layout.n_parameters)
        places = [drawn.place_of(steps, index) for index in indices]
        assert [drawn.index_of(steps, place) for place in places] == list(indices)
        assert len({drawn.weight_name(steps, index) for index in indices}) == len(indices)
        biases = [drawn.weight_name(steps, index).startswith("bias") for index in indices]
        np.testing.assert_array_equal(biases, ~steps.layout.is_weight)


@pytest.mark.parametrize("steps", STEPS)
def test_the_arrows_lead_from_the_old_to_the_new_weight_and_their_numbers_add_up(steps):
    for i, step in enumerate(steps.steps):
        for index in range(0, len(step.old), 5):
            figure = figures.weight_step(steps, i, index)
            arrows = [a for a in figure.layout.annotations if a.showarrow]
            assert [arrow.ax for arrow in arrows] == [
                step.old[index],
                *(arrow.x for arrow in arrows[:-1]),
            ]
            assert arrows[-1].x == pytest.approx(step.new[index], abs=1e-12)
            n, path = drawn.decimals(step, index), drawn.rounded_path(step, index)
            written = [drawn.number(change, n) for change in np.diff(path)]
            total = sum(float(text.replace("−", "-")) for text in written)
            assert round(path[0] + total, n) == round(path[-1], n)


def test_a_layers_map_has_the_chosen_quantity_of_its_weights():
    steps = STEPS[0]
    for quantity in drawn.QUANTITIES:
        figure = figures.layer_map(steps, 1, 2, quantity)
        step = steps.steps[1]
        values = step.changes.get(quantity)
        values = getattr(step, quantity) if values is None else values
        np.testing.assert_array_equal(figure.data[0].z, values[-12:].reshape(3, 4))
        power, unit = drawn._unit(np.abs(figure.data[0].z).max() or 1)
        assert figure.layout.title.text.count("10") == (power != 0) == bool(unit)
        written = [[float(text.replace("−", "-")) for text in row] for row in figure.data[0].text]
        atol = 0.051 * 10.0**power
        np.testing.assert_allclose(np.multiply(written, 10.0**power), figure.data[0].z, 0, atol)
    with pytest.raises(ValueError, match="quantity"):
        figures.layer_map(steps, 0, 0, "loss")


def test_the_network_has_every_units_value_and_crosses_those_that_are_dropped():
    steps = STEPS[1]
    step = steps.steps[0]
    figure = figures.anatomy_network(steps, 0, 2)
    nodes = [trace for trace in figure.data if "markers" in trace.mode]
    assert [len(trace.text) for trace in nodes] == [2, 4, 3, 3]
    crossed = [text == "✕" for trace in nodes[1:3] for text in trace.text]
    masks = [value == 0 for mask in step.masks[1:] for value in mask[:, 2]]
    assert crossed == masks
    assert any(crossed)
    assert not all(crossed)
    assert nodes[-1].text == tuple(f"{value:.2f}" for value in step.values[-1][:, 2])


def test_inputs_of_a_table_have_the_names_of_its_columns():
    data = regviz.DataSpec("diabetes")
    table = regviz.Experiment(data, regviz.NetworkSpec(()), regviz.TrainingSpec(epochs=1))
    steps = regviz.anatomy(table, epoch=1)
    assert drawn.unit_names(steps, 0) == list(data.columns)
    assert drawn.weight_name(steps, 2) == f"{data.columns[2]} → ŷ"
    assert figures.layer_map(steps, 0, 0).layout.xaxis.ticktext == (*data.columns, "bias")
