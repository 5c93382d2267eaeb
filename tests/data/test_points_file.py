"""Tests of the CSV file of points."""

import io

import numpy as np

from regviz import Dataset, DataSpec, make_dataset
from regviz.data.points_file import points_csv


def read(text: str) -> np.ndarray:
    return np.genfromtxt(io.StringIO(text), delimiter=",", names=True, dtype=None, encoding="utf-8")


def test_every_point_is_read_back_as_the_very_same_number_in_its_split():
    for name in ("three_blobs", "bumps"):
        dataset = make_dataset(DataSpec(name, noise=0.2))
        table = read(points_csv(dataset))
        for split in ("train", "validation", "test"):
            X, y = dataset.points(split)
            rows = table[table["split"] == split]
            np.testing.assert_array_equal(np.column_stack([rows["x1"], rows["x2"]]), X)
            np.testing.assert_array_equal(rows["y"], y)


def test_classes_are_whole_numbers_and_values_are_not():
    classes = Dataset([[1.0], [2.0]], [0, 1])
    values = Dataset([[1.0], [2.0]], [0, 1], task="regression")
    assert points_csv(classes) == "x1,y,split\n1.0,0,train\n2.0,1,train\n"
    assert points_csv(values) == "x1,y,split\n1.0,0.0,train\n2.0,1.0,train\n"


def test_there_is_a_column_for_each_coordinate():
    dataset = Dataset(np.arange(10.0).reshape(2, 5), [0, 1])
    assert points_csv(dataset).splitlines()[0] == "x1,x2,x3,x4,x5,y,split"
