"""Tests of the browser's pictures of any models, against the estimators."""

import base64

import numpy as np
import pytest

from regviz.figures._drawing import _colours, target_scale
from regviz.figures.models import fields_of_models
from regviz.notebook.models import encode_models
from tests.support.models import PROBLEMS
from tests.support.node import evaluate

N = 33

READ = """async ([message, places]) => {
  const { answerAt, decodeModels, outputsAt } = await import(assets + "/board/state/models.js");
  const { makeScale } = await import(assets + "/board/draw/scale.js");
  const { paint } = await import(assets + "/board/draw/boundary.js");
  const models = await decodeModels(Uint8Array.from(atob(message), (c) => c.charCodeAt(0)));
  const scale = makeScale(models, { dark: false, mode: "light", ink: "#14181f", paper: "#ffffff" });
  const n = models.grid ** 2;
  const nOutputs = models.network.layers[1];
  return models.models.map((model) => {
    const pixels = new Uint32Array(n);
    paint(scale, model.raw, nOutputs, n, new Float64Array(nOutputs * n), pixels, false);
    return {
      answers: places.map((place) => answerAt(models, model, place)),
      outputs: places.map((place) => Array.from(outputsAt(model.raw, models.grid, place))),
      colours: Array.from(new Uint8Array(pixels.buffer)),
    };
  });
}"""


def read(name, places):
    problem = PROBLEMS[name]()
    fields = fields_of_models(problem.models, problem.X, problem.y, resolution=N)
    message = base64.b64encode(encode_models(fields)).decode()
    return problem, fields, evaluate(READ, [message, [{"x": x, "y": y} for x, y in places]])


@pytest.mark.parametrize("name", PROBLEMS)
def test_fields_are_painted_in_the_colours_of_the_static_picture(name):
    _, fields, painted = read(name, [])
    for outputs, model in zip(fields.outputs, painted, strict=True):
        expected = 255 * _colours(fields, outputs, *target_scale(fields), "light")[::-1]
        found = np.reshape(model["colours"], (N, N, 4))
        assert (found[..., 3] == 255).all()
        # 256 shades, and outputs in half precision
        assert np.abs(found[..., :3] - expected).max() <= 2


@pytest.mark.parametrize("name", PROBLEMS)
def test_outputs_at_a_place_are_those_of_the_grid_points_and_linear_between(name):
    corner, middle, between = (0, 0), (0.5, 0.5), (0.5 + 0.5 / (N - 1), 0.5)
    _, fields, read_ = read(name, [corner, middle, between, (1, 1)])
    h = N // 2
    for outputs, model in zip(fields.outputs, read_, strict=True):
        expected = [
            outputs[:, -1, 0],
            outputs[:, h, h],
            (outputs[:, h, h] + outputs[:, h, h + 1]) / 2,
            outputs[:, 0, -1],
        ]
        np.testing.assert_allclose(model["outputs"], expected, rtol=2e-3, atol=1e-3)


def test_answers_are_written_by_their_kind():
    problem, fields, found = read("binary", [(0.25, 0.75)])
    point = np.array([[np.dot([0.75, 0.25], fields.x), np.dot([0.75, 0.25], fields.y)]])
    p = problem.models[0].predict_proba(point)[0, 1]
    score = problem.models[1].decision_function(point)[0]
    texts = [model["answers"][0] for model in found]
    assert texts[0] == f"p {p:.2f}".replace("0.", ".")
    assert texts[1] == f"score {score:+.2f}".replace("-", "−")
    assert texts[3] == problem.models[3].predict(point)[0]
    problem, fields, found = read("multiclass", [(0.5, 0.5)])
    point = np.array([[np.mean(fields.x), np.mean(fields.y)]])
    point = type(problem.X)(point, columns=problem.X.columns)
    texts = [model["answers"][0] for model in found]
    p = problem.models[0].predict_proba(point).max()
    assert 0.02 < p < 0.98
    name = problem.models[0].predict(point)[0]
    assert texts[0] == f"{name} {p:.2f}".replace("0.", ".")
    assert texts[2] == problem.models[2].predict(point)[0]
