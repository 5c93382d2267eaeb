"""Comparison of machines: versions of packages, and the bits of a few tiny trainings."""

import hashlib
import json
import math
from functools import cache
from importlib.metadata import version

import regviz
from regviz.engine import compiled
from regviz.methods.catalogue import METHODS
from regviz.spec.experiment import (
    DTYPES,
    DataSpec,
    Experiment,
    NetworkSpec,
    Regularization,
    TrainingSpec,
)
from regviz.studies.cell import Cell, Row, compute

PACKAGES = ("torch", "numpy", "numba", "scikit-learn")
BITS = "results"
# With these, processors with AVX2 and with AVX-512 gave the same bits. NumPy's code for AVX-512
# gives other ones than its code for AVX2.
SAME_BITS = (
    'ATEN_CPU_CAPABILITY=avx2, MKL_CBWR=COMPATIBLE and NPY_DISABLE_CPU_FEATURES="X86_V4 AVX512_ICL'
    ' AVX512_SPR"'
)
VARIABLES = "ATEN_CPU_CAPABILITY, MKL_CBWR or NPY_DISABLE_CPU_FEATURES"


@cache
def versions() -> dict[str, str]:
    """Return the version of RegViz and of each package that computes."""
    return {"regviz": regviz.__version__, **{name: version(name) for name in PACKAGES}}


@cache
def bits(dtype: str) -> str:
    """Return a hash of the numbers of a few tiny trainings in a precision.

    They differ between processors if a library chooses its code by the processor, or if one
    process has the compiled kernel and another has not.

    Parameters
    ----------
    dtype : {"float32", "float64"}
    """
    compiled.wait(dtype)
    digest = hashlib.sha256()
    for cell in _cells(dtype):
        for column in compute(cell).itercolumns():
            digest.update(repr(column.to_pylist()).encode())  # repr has all bits of a float
    return digest.hexdigest()


def _cells(dtype: str) -> list[Cell]:
    """Return cells that together use each function whose code may depend on the processor."""
    regularizations = (
        Regularization(),
        METHODS["l2"].regularization(0.01),
        METHODS["dropout"].regularization(0.2),
    )
    rows = tuple(Row(name, 0, math.nan, i) for i, name in enumerate(("none", "l2", "dropout")))
    return [
        Cell(
            Experiment(
                data=DataSpec(dataset, n_samples=60, noise=0.1),
                network=NetworkSpec(hidden=(8, 4), activation=activation),
                training=TrainingSpec(optimizer=optimizer, epochs=3, dtype=dtype),
                regularizations=regularizations,
            ),
            rows,
            (0, 1),
        )
        for dataset, activation, optimizer in (
            ("moons", "tanh", "sgd"),
            ("three_spirals", "relu", "adam"),
            ("bumps", "sigmoid", "sgd"),
        )
    ]


def fingerprint(dtype: str) -> dict[str, str]:
    """Return what has to be equal on a worker: versions, and the hash of `bits`.

    Parameters
    ----------
    dtype : {"float32", "float64"}
        Precision of the cell to compute.
    """
    return {**versions(), "dtype": dtype, BITS: bits(dtype)}


def differences(expected: dict[str, str]) -> str:
    """Return in words how this process differs from a `fingerprint`, or an empty text.

    Parameters
    ----------
    expected : dict
        The client's fingerprint.
    """
    found = _other_versions(versions(), expected)
    if not found and bits(expected["dtype"]) != expected[BITS]:
        return (
            "its results differ from those here in the last bits, as on another type of processor."
            f" Set {SAME_BITS} on all machines, this one included"
        )
    return found


def _other_versions(there: dict[str, str], here: dict[str, str]) -> str:
    """Return in words which versions differ."""
    return "; ".join(
        f"{name} is {there.get(name, 'none')} there and {here.get(name, 'none')} here"
        for name in ("regviz", *PACKAGES)
        if there.get(name) != here.get(name)
    )


@cache
def kind() -> dict[str, str]:
    """Return what decides the bits of a cell besides its content, in both precisions."""
    return {**versions(), **{f"{BITS} in {dtype}": bits(dtype) for dtype in DTYPES}}


@cache
def kind_hash() -> str:
    """Return a hash of `kind`, of 12 hexadecimal digits."""
    return hashlib.sha256(json.dumps(kind(), sort_keys=True).encode()).hexdigest()[:12]


def other_kind(there: dict[str, str]) -> str:
    """Return in words how a machine differs from this one.

    Parameters
    ----------
    there : dict
        `kind` of the machine; empty if it is not known.
    """
    if not there:
        return "it is not known which"
    versions_differ = _other_versions(there, versions())
    return versions_differ or (
        "its results differ in the last bits, as on another type of processor or with other values"
        f" of {VARIABLES}"
    )
