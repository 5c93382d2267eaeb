"""Tests of `regviz.studies.registered`: digests of datasets, and their way to workers."""

import importlib
import sys
import threading
from dataclasses import replace

import pytest

import regviz
from regviz.data.datasets import DATASETS, remove_dataset, replace_dataset
from regviz.studies import registered

SPEC = regviz.DataSpec("moons", n_samples=40)


def threshold(at):
    def make(n, noise, rng):
        X = rng.uniform(-1, 1, (n, 2))
        return X + noise * rng.normal(size=X.shape), (X[:, 0] > at).astype(float)

    return make


@pytest.fixture
def halves(monkeypatch):
    monkeypatch.setitem(DATASETS, "halves", None)
    monkeypatch.setattr(registered, "_received", {})

    def register(at, **fields):
        replace_dataset(regviz.ToyDataset("halves", "Halves", "binary", threshold(at), **fields))
        return regviz.DataSpec("halves", n_samples=40)

    return register


def test_data_that_nobody_registered_has_no_digest_and_no_record():
    points = regviz.PointsSpec(tuple((x / 20, -x / 30, x % 2) for x in range(20)))
    for data in (SPEC, points):
        assert registered.digest(data) == ""
        assert registered.packed(data) == (b"", "")


def test_a_digest_is_that_of_the_points_whatever_function_makes_them(halves):
    first = registered.digest(halves(0))
    assert len(first) == 64
    assert registered.digest(halves(0, collapse=0.1)) == first
    assert registered.digest(halves(0.1)) != first
    assert registered.digest(replace(halves(0), noise=0.2)) != first
    assert registered.digest(replace(halves(0), seed=1)) != first
    replace_dataset(replace(DATASETS["halves"], task="regression"))
    assert registered.digest(regviz.DataSpec("halves", n_samples=40)) != first


def test_cells_of_one_name_and_other_points_have_other_keys(halves):
    def key(at):
        study = regviz.Study(regviz.Experiment(halves(at)), methods=("none",), seeds=(3, 4))
        return study.cells[0].key

    assert key(0) == key(0) != key(0.5)


def test_a_record_replaces_an_earlier_one_that_was_received(halves):
    data = halves(0)
    sent, later = registered.packed(data), registered.packed(halves(0.5))
    del DATASETS["halves"]
    for record, digest in (sent, later, sent):
        with registered.received(data, record, digest):
            assert registered.digest(data) == digest


def test_a_record_that_is_in_use_is_replaced_after_it(halves):
    data = halves(0)
    first, second = registered.packed(data), registered.packed(halves(0.5))
    del DATASETS["halves"]
    digests, waits = [], threading.Event()

    def asked():
        waits.set()
        return False

    def use_second():
        with registered.received(data, *second, asked):
            digests.append(registered.digest(data))

    thread = threading.Thread(target=use_second)
    with registered.received(data, *first):
        thread.start()
        assert waits.wait(300)
        with registered.received(data, *first):
            assert registered.digest(data) == first[1]
        assert digests == []
    thread.join(300)
    assert not thread.is_alive()
    assert digests == [second[1]]


def test_a_cell_that_is_cancelled_waits_for_no_dataset(halves):
    data = halves(0)
    first, second = registered.packed(data), registered.packed(halves(0.5))
    del DATASETS["halves"]
    with registered.received(data, *first):
        with registered.received(data, *second, lambda: True) as there:
            assert not there
        assert registered.digest(data) == first[1]
    with registered.received(data, *second, lambda: True) as there:
        assert there
        assert registered.digest(data) == second[1]


MODULE = """
import regviz

def make(n, noise, rng):
    X = rng.uniform(-1, 1, (n, 2))
    return X + noise * rng.normal(size=X.shape), (X[:, 1] > 0).astype(float)

regviz.register_dataset(regviz.ToyDataset("halves", "Halves", "binary", make))
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Have a module that registers the dataset, which is not imported."""
    name = "regviz_test_halves"
    (tmp_path / f"{name}.py").write_text(MODULE, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    sys.modules.pop(name, None)


def of_module(name):
    """Return what a client sends whose dataset the module has registered."""
    remove_dataset("halves")
    importlib.import_module(name)
    data = regviz.DataSpec("halves", n_samples=40)
    sent = registered.packed(data)
    del DATASETS["halves"]
    return data, sent


def test_a_module_registers_its_dataset_after_a_record_of_the_name(halves, module):
    script = registered.packed(halves(0))
    data, sent = of_module(module)
    del sys.modules[module]
    for record in (script, sent, script, sent):
        with registered.received(data, *record):
            assert registered.digest(data) == record[1]
    assert module in sys.modules


def test_a_module_without_the_function_is_another_dataset(halves, module):
    data, sent = of_module(module)
    del sys.modules[module].make
    message = r"'halves' cannot be made there \(AttributeError: .*make"
    with (
        pytest.raises(registered.OtherDatasetError, match=message),
        registered.received(data, *sent),
    ):
        pytest.fail("nothing may be computed")


def test_a_dataset_of_this_process_is_kept_and_has_to_make_the_same_points(halves):
    sent = registered.packed(halves(0.5))
    data = halves(0.5)
    own = DATASETS["halves"]
    with registered.received(data, *sent):
        assert DATASETS["halves"] is own
    for other in (halves(0), halves(2)):  # all points of the second are of one class
        message = r"'halves' .* makes other points"
        with (
            pytest.raises(registered.OtherDatasetError, match=message),
            registered.received(other, *sent),
        ):
            pytest.fail("nothing may be computed")
