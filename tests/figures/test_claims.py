"""Tests of the figures of claims."""

import pytest

from regviz.figures import claim_seeds


def test_a_row_has_the_value_of_each_seed_and_a_cross_where_the_claim_is_false():
    figure = claim_seeds({"gap_8": [0.1, 0.3, 0.2], "zeros": [0, 2, 4]}, [True, False, True])
    assert [list(trace.x) for trace in figure.data] == [[0.1, 0.3, 0.2], [0, 2, 4]]
    assert all(list(trace.marker.symbol) == ["circle", "x", "circle"] for trace in figure.data)
    assert [line.x0 for line in figure.layout.shapes] == [0.2, 2]
    assert "gap 8, median 0.2" in [title.text for title in figure.layout.annotations]
    assert "2 of 3 seeds hold" in figure.layout.meta["alt"]


@pytest.mark.parametrize("values", [{}, {"gap": [0.1, 0.2]}])
def test_another_number_of_values_than_seeds_is_an_error(values: dict[str, list[float]]):
    with pytest.raises(ValueError, match=r"figures.*\(3,\)"):
        claim_seeds(values, [True, False, True])
