"""Any fitted estimators side by side, as an anywidget."""

from typing import Any

import numpy as np

from regviz.figures.fields import Fields
from regviz.methods import palette
from regviz.scenes.encoding import pack


def encode_models(fields: Fields) -> bytes:
    """Encode models for the browser; ``assets/board/state/models.js`` decodes them.

    The array ``outputs`` has the shape (rows, models, outputs, columns), rows from the top: the
    format codes differences along the first axis, and neighbouring rows are alike. Outputs of
    classifiers are in half precision, which changes no probability by more than 0.001.
    """
    regression = fields.task == "regression"
    outputs = fields.outputs.transpose(2, 0, 1, 3)[::-1]
    header: dict[str, Any] = {
        "task": fields.task,
        "names": list(fields.classes),
        "axes": list(fields.axes),
        "x": list(fields.x),
        "y": list(fields.y),
        "classes": palette.CLASSES,
        "blank": palette.BLANK,
        "models": [
            {
                "name": model.name,
                "colour": dict(model.colours),
                "kind": model.kind,
                "factor": model.factor,
                "numbers": [list(pair) for pair in model.numbers],
            }
            for model in fields.models
        ],
    }
    arrays = {"outputs": outputs.astype(np.float32 if regression else np.float16)}
    arrays |= {split: np.column_stack(points) for split, points in fields.points.items()}
    return pack(header, arrays)
