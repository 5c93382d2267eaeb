"""The record of a toy dataset is checked when it is built and registered."""

import re

import pytest

from regviz import ToyDataset, register_dataset
from regviz.spec.toy import DATASETS


@pytest.mark.parametrize(
    ("parameter", "value", "allowed"),
    [
        ("name", "no name", "an identifier such as 'moons'"),
        ("label", None, "a text that is not empty"),
        ("label", "", "a text that is not empty"),
        ("label", " ", "a text that is not empty"),
        ("task", "ternary", "one of 'binary', 'multiclass', 'regression'"),
        ("make", None, "a function"),
        ("collapse", 0, "a number above 0 to 1000"),
        ("n_classes", 21, "a whole number from 3 to 20"),
    ],
)
def test_a_record_with_a_wrong_value_is_refused_by_name(parameter, value, allowed):
    values = dict(name="ring", label="Ring", task="binary", make=DATASETS["moons"].make)
    with pytest.raises(
        ValueError, match=re.escape(f"{parameter} must be {allowed}, got {value!r}")
    ):
        ToyDataset(**values | {parameter: value})


def test_something_else_than_a_record_is_refused():
    with pytest.raises(ValueError, match="dataset must be a ToyDataset, got 'moons'"):
        register_dataset("moons")
