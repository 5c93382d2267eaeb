"""Programs for Keras 3, with any of its backends."""

from regviz.programs._plan import Plan, call, indent, join

NAME = "Keras"

DOUBLE = [
    "# products stay in single precision, except on TensorFlow",
    'keras.config.set_floatx("float64")',
]
_CORRECTION = [
    "# the corrected elastic net; the mean prediction stays the same",
    "layer = model.layers[-1]",
    "w, b = layer.get_weights()",
    "layer.set_weights([(1 + L2) * w, b - L2 * inputs[train].mean(axis=0) @ w])",
]
_LOSSES = {
    "binary": "keras.losses.BinaryCrossentropy(from_logits=True)",
    "multiclass": "keras.losses.SparseCategoricalCrossentropy(from_logits=True)",
    "regression": "HalfSquaredError()",
}
_MAX_NORM = "keras.constraints.MaxNorm(MAX_NORM, axis=0)"
_HITS = {
    "binary": "(outputs > 0) == (y[rows] == 1)",
    "multiclass": "outputs.argmax(axis=1) == y[rows]",
}


def lacks(plan: Plan) -> str | None:
    """Return the feature that Keras lacks for this network, or None."""
    if plan.regularization.onset:
        return (
            "Keras settles a layer's regularization when it is built; here it sets in at epoch"
            f" {plan.regularization.onset}."
        )
    if plan.regularization.group_lasso and plan.adaptive:
        return "A constraint of Keras does not know Adam's step sizes, which the group lasso needs."
    return None


def note(plan: Plan) -> str:
    """Return a note on agreements and differences between the program and the run."""
    r = plan.regularization
    drawn = "Initial weights and batches are drawn anew, so the numbers differ, by chance."
    text = f"Points, network, optimizer and objective are those of the board. {drawn}"
    if r.l1 and plan.adaptive:
        text += (
            " Under Adam, L1 acts here through its gradient: small weights hover around 0, and"
            " next to none is exactly 0."
        )
    elif plan.penalty_l2 and not r.l1:
        text += " The penalty's gradient passes through the optimizer, to the same optimum."
    if plan.normalization == "batch":
        text += (
            " Keras averages the biased variance of batches, PyTorch and the board the unbiased."
        )
    if plan.lone:
        text += " It takes a step on the last batch of one point, which the board leaves out."
    return text


def source(plan: Plan) -> str:
    """Return the program's text."""
    return join(
        plan.about(NAME, "NumPy, Keras 3 and one of its backends"),
        ["import os"],
        ['os.environ.setdefault("KERAS_BACKEND", "torch")  # or "jax" or "tensorflow"'],
        [
            "import keras",
            "import numpy as np",
            f"from keras import layers{', ops' if _uses_ops(plan) else ''}",
        ],
        [*plan.constants(), *(plan.step_size() if "STEP" in _maps_of_layers(plan) else [])],
        [
            *(DOUBLE if plan.training.dtype == "float64" else []),
            "keras.utils.set_random_seed(0)",
        ],
        _points(plan),
        *_functions(plan),
        _network(plan),
        _compile_and_fit(plan),
        _report(plan),
    )


def _maps(plan: Plan) -> bool:
    """Return whether L1 is applied as a proximal map, by a constraint.

    A Keras constraint cannot depend on Adam's step sizes; there, L1 is a regularizer.
    """
    return plan.regularization.l1 > 0 and not plan.adaptive


def _uses_ops(plan: Plan) -> bool:
    return "ops." in _maps_of_layers(plan) or plan.data.task == "regression"


def _maps_of_layers(plan: Plan) -> str:
    return "\n".join(line for function in _functions(plan) for line in function)


def _points(plan: Plan) -> list[str]:
    column = "" if plan.data.task == "multiclass" else ".reshape(-1, 1)"
    return [
        *plan.points(),
        f'y = points["y"]{column}',
        'train, test = points["split"] == "train", points["split"] == "test"',
    ]


def _functions(plan: Plan) -> list[list[str]]:
    r = plan.regularization
    functions = []
    if _maps(plan):
        both = plan.penalty_l2
        mapped = "ops.sign(w) * ops.relu(ops.abs(w) - STEP * L1)"
        functions.append(
            [
                "def shrink(w):",
                f'    """Apply the proximal map of {plan.penalty}, for exact zeros."""',
                f"    return {mapped}{' / (1 + STEP * L2)' if both else ''}",
            ]
        )
    if r.group_lasso:
        step = "STEP / (1 + STEP * L2)" if _maps(plan) and plan.penalty_l2 else "STEP"
        functions.append(
            [
                "def shrink_groups(w):",
                '    """Apply the proximal map of the group lasso to every column."""',
                f"    threshold = {step} * GROUP_LASSO * w.shape[0] ** 0.5",
                "    return w * ops.relu(1 - threshold / ops.norm(w, axis=0))",
            ]
        )
    acting = [*["shrink"] * _maps(plan), *["shrink_groups"] * bool(r.group_lasso)]
    if len(acting) + (r.max_norm is not None) > 1:
        constrained = "w"
        for name in [*acting, _MAX_NORM] if r.max_norm is not None else acting:
            constrained = f"{name}({constrained})"
        functions.append(
            [
                "def constrain_hidden(w):",
                '    """Apply what acts on the weights of a hidden layer, one after the other."""',
                f"    return {constrained}",
            ]
        )
    if plan.data.task == "regression":
        functions.append(
            [
                "class HalfSquaredError(keras.losses.Loss):",
                '    """Half the squared error, of which Keras takes the mean."""',
                "",
                "    def call(self, y, outputs):",
                "        return ops.square(outputs - y) / 2",
            ]
        )
    return functions


def _regularized(plan: Plan, *, hidden: bool) -> list[str]:
    """Return the arguments of a layer that regularize its weights, and not its biases."""
    r = plan.regularization
    constraints = {
        plan.penalty: "shrink" if _maps(plan) else None,
        "group lasso": "shrink_groups" if hidden and r.group_lasso else None,
        "max-norm": _MAX_NORM if hidden and r.max_norm is not None else None,
    }
    arguments = []
    penalty = {"L1": "L1(L1)", "L2": "L2(L2 / 2)", "elastic net": "L1L2(L1, L2 / 2)"}
    if plan.penalty and not _maps(plan):
        arguments.append(f"# {plan.penalty} acts here")
        arguments.append(f"kernel_regularizer=keras.regularizers.{penalty[plan.penalty]}")
    acting = {name: value for name, value in constraints.items() if value}
    if acting:
        arguments.append(f"# {' and '.join(acting)} act{'s' * (len(acting) == 1)} here")
        one = next(iter(acting.values())) if len(acting) == 1 else "constrain_hidden"
        arguments.append(f"kernel_constraint={one}")
    return arguments


def _network(plan: Plan) -> list[str]:
    r, activation = plan.regularization, plan.network.activation
    # the default of Keras is Glorot uniform
    start = ['kernel_initializer="he_uniform"'] * (activation in ("relu", "leaky_relu"))
    activate = {
        "linear": [],
        "leaky_relu": ["activation=layers.LeakyReLU(negative_slope=0.01)"],
    }.get(activation, [f'activation="{activation}"'])
    if plan.normalization != "none":  # then the activation follows in a layer of its own
        activate = ["use_bias=False"] if plan.normalization == "batch" else []
    defined, hidden = _arguments("hidden", [*activate, *start, *_regularized(plan, hidden=True)])
    lines = [] if plan.linear else defined
    defined, output = _arguments("output", [*start, *_regularized(plan, hidden=False)])
    lines = [*lines, *defined]
    stack = [f"keras.Input(({plan.sizes[0]},))"]
    stack += ["layers.Dropout(INPUT_DROP_RATE)"] * bool(r.input_drop_rate)
    for units in plan.network.hidden:
        stack.append(f"layers.Dense({units}{hidden})")
        stack += _normalized(plan)
        stack += ["layers.Dropout(DROP_RATE)"] * bool(r.drop_rate)
    stack.append(f"layers.Dense({plan.sizes[-1]}{output})")
    acts = "  # dropout acts in layers.Dropout" if plan.dropout else ""
    return [
        *lines,
        "model = keras.Sequential(",
        f"    [{acts}",
        *indent([f"{layer}," for layer in stack], 2),
        "    ]",
        ")",
    ]


def _normalized(plan: Plan) -> list[str]:
    """Return the layers of normalization and activation that follow a hidden layer."""
    if plan.normalization == "none":
        return []
    plain = "" if plan.affine else ", center=False, scale=False"
    activation = plan.network.activation
    acting = {"linear": [], "leaky_relu": ["layers.LeakyReLU(negative_slope=0.01)"]}
    return [
        f"layers.BatchNormalization(momentum=0.9, epsilon=1e-5{plain})"
        if plan.normalization == "batch"
        else f"layers.LayerNormalization(epsilon=1e-5{plain})",
        *acting.get(activation, [f'layers.Activation("{activation}")']),
    ]


def _arguments(name: str, arguments: list[str]) -> tuple[list[str], str]:
    """Return lines that define a layer's arguments, and the text that passes them to the layer."""
    if len(arguments) < 2:
        return [], "".join(f", {argument}" for argument in arguments)
    return call(f"{name} = dict", arguments), f", **{name}"


def _compile_and_fit(plan: Plan) -> list[str]:
    r, t = plan.regularization, plan.training
    decay = ["# weight decay acts here", "weight_decay=L2"] if r.decoupled else []
    if plan.adaptive:
        name = "AdamW" if decay else "Adam"
        moments = ["beta_1=BETA1", "beta_2=BETA2", "epsilon=EPSILON"]
    else:
        name = "SGD"
        moments = ["momentum=MOMENTUM"] if t.optimizer == "momentum" else []
    parts = ["LEARNING_RATE", *moments, *decay]
    optimizer = call(f"optimizer = keras.optimizers.{name}", parts)
    if decay:
        spared = '"bias", "gamma", "beta"' if plan.affine else '"bias"'
        optimizer.append(f"optimizer.exclude_from_weight_decay(var_names=[{spared}])")
    rest = ["epochs=EPOCHS", "verbose=0"]
    size = "BATCH_SIZE" if t.batch_size else "int(train.sum())"
    return [
        f"data_loss = {_LOSSES[plan.data.task]}",
        *optimizer,
        "model.compile(optimizer=optimizer, loss=data_loss)",
        *call("model.fit", ["inputs[train]", "y[train]", f"batch_size={size}", *rest]),
        *(_CORRECTION if r.corrected else []),
    ]


def _report(plan: Plan) -> list[str]:
    hits = _HITS.get(plan.data.task)
    accuracy = [f"accuracy = np.mean({hits})"] if hits else []
    shown = ", accuracy {accuracy:.1%}" if hits else ""
    return [
        'for split, rows in {"train": train, "test": test}.items():',
        "    outputs = model.predict(inputs[rows], verbose=0)",
        "    loss = float(data_loss(y[rows], outputs))",
        *indent(accuracy),
        f'    print(f"{{split}}: loss {{loss:.4f}}{shown}")',
        "dense = [layer for layer in model.layers if isinstance(layer, layers.Dense)]",
        *plan.zeros(),
        "zeros = np.concatenate([layer.get_weights()[0].ravel() == 0 for layer in dense])",
        'print(f"{zeros.mean():.1%} of the weights are exactly 0")',
    ]
