"""Tests of measures in JavaScript against those in Python."""

import numpy as np
import pytest

from regviz.engine import measures
from tests.support.node import evaluate

MEASURES = {
    "sparsity": measures.sparsity,
    "hoyer": measures.hoyer,
    "effectiveWeights": measures.effective_weights,
}

MEASURE = """async ([name, row, offset, index]) => {
  const measures = await import(assets + "/board/state/measures.js");
  return measures[name](Float32Array.from(row), offset, Int32Array.from(index));
}"""


@pytest.mark.parametrize("name", MEASURES)
def test_measures_are_those_of_python(name: str):
    random = np.random.default_rng(0)
    rows = random.normal(size=(4, 40)).astype(np.float32)
    rows[1, ::2] = 0
    rows[2] = 0
    rows[3] *= 1e20
    index = np.sort(random.choice(33, 21, replace=False))
    cases = [(row, 7, index) for row in rows] + [(rows[0], 0, index[:1])]
    for row, offset, chosen in cases:
        found = evaluate(MEASURE, [name, row.tolist(), offset, chosen.tolist()])
        expected = MEASURES[name](row[offset + chosen])
        assert found == pytest.approx(float(expected), rel=1e-12, nan_ok=True)
