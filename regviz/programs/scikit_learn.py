"""Programs in scikit-learn: its solvers for linear models, and its networks."""

from regviz.programs._plan import Plan, indent, join

NAME = "scikit-learn"

_ACTIVATIONS = {"tanh": "tanh", "relu": "relu", "sigmoid": "logistic", "linear": "identity"}


def lacks(plan: Plan) -> str | None:
    """What scikit-learn lacks for this network, or None."""
    r = plan.regularization
    if plan.dropout:
        return "scikit-learn has no dropout."
    if r.decoupled:
        return "scikit-learn has no weight decay apart from the gradient, as AdamW has."
    if plan.linear:
        return None
    if r.max_norm is not None:
        return "scikit-learn has no max-norm."
    if r.l1:
        return "scikit-learn's networks have no L1 penalty, only its linear models have."
    if plan.network.activation not in _ACTIVATIONS:
        return "scikit-learn's networks have no leaky ReLU."
    return None


def note(plan: Plan) -> str:
    """What is the same, and what is not."""
    if plan.linear:
        text = (
            "Points and objective are those of the board. scikit-learn computes the optimum itself;"
            " the board's training approaches it step by step."
        )
        if plan.data.task != "regression" and not (plan.regularization.l1 or plan.penalty_l2):
            text += " Without a penalty, classes that a line can separate have no optimum."
        return text
    text = (
        "Points, network, optimizer and objective are those of the board. scikit-learn draws"
        " initial weights in its own way, and initial biases too. So the numbers differ a little."
    )
    if plan.penalty_l2:
        text += " The penalty's gradient passes through the optimizer, to the same optimum."
    return text


def source(plan: Plan) -> str:
    """The program."""
    regression, linear = plan.data.task == "regression", plan.linear
    model, module = _model(plan)
    imports = [f"from sklearn.{module} import {model.partition('(')[0]}"]
    measures = "mean_squared_error" if regression else "accuracy_score, log_loss"
    imports.append(f"from sklearn.metrics import {measures}")
    return join(
        plan.about(NAME, "NumPy and scikit-learn"),
        ["import numpy as np", *sorted(imports)],
        _strengths(plan) if linear else plan.constants(),
        [
            *plan.points(),
            'y = points["y"]',
            'train, test = points["split"] == "train", points["split"] == "test"',
            *(["n = train.sum()"] if _counts(plan) else []),
        ],
        _fit(plan, model) if linear else _train(plan),
        _report(plan),
    )


def _counts(plan: Plan) -> bool:
    """Whether the number of training points is part of the strength."""
    if not plan.linear:
        return plan.training.batch_size is None
    r = plan.regularization
    return bool(r.l2 and not r.l1) if plan.data.task == "regression" else bool(r.l1 or r.l2)


def _strengths(plan: Plan) -> list[str]:
    r = plan.regularization
    return [f"{name} = {value!r}" for name, value in (("L1", r.l1), ("L2", r.l2)) if value]


def _model(plan: Plan) -> tuple[str, str]:
    """The model as it is constructed, without its precision; and its module."""
    r, task = plan.regularization, plan.data.task
    if not plan.linear:
        return f"MLP{'Regressor' if task == 'regression' else 'Classifier'}", "neural_network"
    both = r.l1 and r.l2
    strength = "L1 + L2" if both else "L1" if r.l1 else "L2"
    ratio = "L1 / (L1 + L2)" if both else "1.0"
    if task == "regression":
        if both:
            model = f"ElasticNet(alpha={strength}, l1_ratio={ratio}"
        elif r.l1:
            model = "Lasso(alpha=L1"
        else:
            model = "Ridge(alpha=n * L2" if r.l2 else "LinearRegression("
    elif r.l1:
        factor = f"({strength})" if both else strength
        model = f"LogisticRegression(C=1 / (n * {factor}), l1_ratio={ratio}"
    else:
        model = f"LogisticRegression(C={'1 / (n * L2)' if r.l2 else 'np.inf'}"
    return model, "linear_model"


def _fit(plan: Plan, model: str) -> list[str]:
    """The optimum of a linear model, to the last digits."""
    name, _, arguments = model.partition("(")
    parts = [part for part in arguments.split(", ") if part]
    if name == "LogisticRegression" and plan.regularization.l1:
        parts.append('solver="saga"')
    lines = [f"    {part}," for part in parts]
    if plan.penalty:
        lines.insert(0, f"    # {plan.penalty} acts here")
    if name in ("LogisticRegression", "Lasso", "ElasticNet"):
        lines += ["    tol=1e-10,", "    max_iter=100_000,"]
    if plan.regularization.l1 and name == "LogisticRegression":
        lines.append("    random_state=0,")
    built = [f"model = {name}(", *lines, ")"] if lines else [f"model = {name}()"]
    return [*built, "model.fit(inputs[train], y[train])"]


def _train(plan: Plan) -> list[str]:
    """A network, trained epoch by epoch."""
    t, r = plan.training, plan.regularization
    size = "BATCH_SIZE" if t.batch_size else "n"
    alpha = f"{size} * L2" if r.l2 else "0.0"
    acts = ["# L2 acts here: scikit-learn divides alpha by the batch size"] if r.l2 else []
    if plan.adaptive:
        steps = ['solver="adam"', "learning_rate_init=LEARNING_RATE"]
        steps += ["beta_1=BETA1", "beta_2=BETA2", "epsilon=EPSILON"]
    else:
        momentum = "MOMENTUM" if t.optimizer == "momentum" else "0.0"
        steps = ['solver="sgd"', "learning_rate_init=LEARNING_RATE"]
        steps += [f"momentum={momentum}", "nesterovs_momentum=False"]
    name, _ = _model(plan)
    classes = "" if plan.data.task == "regression" else ", classes=np.unique(y[train])"
    switch = [*acts, f"model.alpha = {alpha} if epoch >= ONSET else 0.0"]
    return [
        f"model = {name}(",
        f"    hidden_layer_sizes={plan.network.hidden},",
        f'    activation="{_ACTIVATIONS[plan.network.activation]}",',
        *indent([f"{part}," for part in steps]),
        f"    batch_size={size},",
        *([] if r.onset else indent([*acts, f"alpha={alpha},"])),
        "    # a seed in its place would repeat the first epoch's batches",
        "    random_state=np.random.RandomState(0),",
        ")",
        "for epoch in range(EPOCHS):  # fit would stop where the loss hardly falls",
        *indent(switch if r.onset else []),
        f"    model.partial_fit(inputs[train], y[train]{classes})",
    ]


def _report(plan: Plan) -> list[str]:
    if plan.data.task == "regression":
        measures = ["loss = mean_squared_error(y[rows], model.predict(inputs[rows])) / 2"]
        shown = ""
    else:
        measures = [
            "probability = model.predict_proba(inputs[rows])",
            "loss = log_loss(y[rows], probability, labels=model.classes_)",
            "accuracy = accuracy_score(y[rows], model.predict(inputs[rows]))",
        ]
        shown = ", accuracy {accuracy:.1%}"
    weights = "model.coef_.ravel()" if plan.linear else "w.ravel() for w in model.coefs_"
    gathered = weights if plan.linear else f"np.concatenate([{weights}])"
    return [
        'for split, rows in {"train": train, "test": test}.items():',
        *indent(measures),
        f'    print(f"{{split}}: loss {{loss:.4f}}{shown}")',
        *([] if plan.linear else plan.zeros()),
        f"weights = {gathered}",
        'print(f"{np.mean(weights == 0):.1%} of the weights are exactly 0")',
    ]
