"""Any fitted estimators side by side, as an anywidget."""

from functools import cached_property
from typing import Any

import anywidget
import numpy as np
import traitlets

from regviz.figures.fields import Fields
from regviz.figures.static import models_picture
from regviz.methods import palette
from regviz.notebook.module import module_text
from regviz.notebook.picture import png_bundle
from regviz.scenes.encoding import pack

LARGEST = float(np.finfo(np.float16).max)


class ModelsWidget(anywidget.AnyWidget):
    """Fitted estimators side by side in a notebook; `regviz.show` makes one.

    Parameters
    ----------
    fields : Fields

    Attributes
    ----------
    fields : Fields
        The estimators' outputs over the plane, their names and their scores.

    See Also
    --------
    regviz.figures.fields.Fields : The numbers that are drawn.

    Examples
    --------
    >>> import regviz
    >>> from sklearn.linear_model import LogisticRegression
    >>> X, y = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], ["no", "yes", "no", "yes"]
    >>> regviz.show(LogisticRegression().fit(X, y), X, y).fields.classes
    ('no', 'yes')
    """

    _esm = module_text()

    models = traitlets.Bytes().tag(sync=True)

    def __init__(self, fields: Fields) -> None:
        self.fields = fields
        super().__init__(models=encode_models(fields))

    def __repr__(self) -> str:
        return "\n".join(model.text for model in self.fields.models)

    @cached_property
    def _picture(self) -> dict[str, str]:
        return png_bundle(lambda: models_picture(self.fields))

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """Return the widget, and a picture and a text for places where scripts do not run."""
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle
        return data | {"text/plain": repr(self)} | self._picture, metadata


def encode_models(fields: Fields) -> bytes:
    """Encode models for the browser; ``assets/board/state/models.js`` decodes them.

    The array ``outputs`` has the shape (rows, models, outputs, columns), rows from the top: the
    format codes differences along the first axis, and neighbouring rows are alike. Outputs of
    classifiers are in half precision, which changes no probability by more than 0.001.
    """
    regression = fields.task == "regression"
    outputs = fields.outputs.transpose(2, 0, 1, 3)[::-1]
    if not regression:  # decision values may be beyond half precision, far from all points
        outputs = outputs.clip(-LARGEST, LARGEST)
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
