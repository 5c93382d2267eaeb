"""Tests of `regviz.show` as a widget, without a browser."""

import base64
import io
from dataclasses import replace

import numpy as np
from PIL import Image
from sklearn.dummy import DummyClassifier

import regviz
from regviz.figures.static import models_picture
from regviz.notebook.models import encode_models
from tests.support.models import PROBLEMS


def test_a_cell_shows_the_widget_or_its_picture_or_its_numbers():
    problem = PROBLEMS["multiclass"]()
    shown = regviz.show(problem.models, problem.X, problem.y)
    assert shown.models == encode_models(shown.fields)
    data, _ = shown._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == shown.model_id
    lines = data["text/plain"].splitlines()
    share = f"{100 * problem.models[0].score(problem.X, problem.y):.0f} %"
    assert lines[0].startswith(f"LogisticRegression, train accuracy {share}, train log loss 0.")
    picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    assert picture.text["Description"].startswith("4 models: LogisticRegression, train accuracy")
    assert picture.convert("RGB").getcolors(10_000)


def test_decision_values_beyond_half_precision_stay_finite():
    problem = PROBLEMS["binary"]()
    fields = regviz.show(problem.models[1], problem.X, problem.y).fields
    with np.errstate(over="raise"):
        encode_models(replace(fields, outputs=1e9 * fields.outputs))


def test_names_of_a_picture_are_shown_as_they_are_also_with_dollar_signs():
    X, y = [[0.0, 0.0], [1.0, 1.0]], [r"$\frac$", "$10-$20"]
    model = DummyClassifier().fit(X, y)
    assert len(models_picture(regviz.show({"$x_1$": model, r"$\bad$": model}, X, y).fields)) > 1000
