"""Programs for scikit-learn: its solvers for linear models, and its multi-layer perceptrons."""

import re
from dataclasses import replace

from regviz.programs._plan import Plan, call, indent, join

NAME = "scikit-learn"

_ACTIVATIONS = {"tanh": "tanh", "relu": "relu", "sigmoid": "logistic", "linear": "identity"}


def lacks(plan: Plan) -> str | None:
    """Return the feature that scikit-learn lacks for this network, or None."""
    r = plan.regularization
    if plan.dropout:
        return "scikit-learn has no dropout."
    if r.decoupled:
        return "scikit-learn has no weight decay apart from the gradient, as AdamW has."
    if plan.linear:
        return None
    if plan.normalization != "none":
        return f"scikit-learn's networks have no {plan.normalization} normalization."
    if r.max_norm is not None:
        return "scikit-learn has no max-norm."
    if r.group_lasso:
        return "scikit-learn has no group lasso."
    if r.l1:
        return "scikit-learn's networks have no L1 penalty, only its linear models have."
    if plan.network.activation not in _ACTIVATIONS:
        return "scikit-learn's networks have no leaky ReLU."
    return None


def note(plan: Plan) -> str:
    """Return a note on agreements and differences between the program and the run."""
    if plan.linear:
        text = (
            "Points and objective are those of the board. scikit-learn computes the optimum itself;"
            " the board's training approaches it step by step."
        )
        if plan.data.task != "regression" and not (plan.regularization.l1 or plan.penalty_l2):
            text += " Without a penalty, classes that a line can separate have no optimum."
        if _needs_1_8(plan):
            text += " It needs scikit-learn 1.8 or newer: older ones leave L1 out."
        return text
    text = (
        "Points, network, optimizer and objective are those of the board. scikit-learn draws"
        " initial weights in its own way, and initial biases too. So the numbers differ, by chance."
    )
    if plan.penalty_l2:
        text += " The penalty's gradient passes through the optimizer, to the same optimum."
    return text


def source(plan: Plan) -> str:
    """Return the program's text."""
    if plan.linear:  # the optimum does not depend on the onset
        plan = replace(plan, regularization=replace(plan.regularization, onset=0))
    name, module, fit = _linear(plan) if plan.linear else _network(plan)
    regression = plan.data.task == "regression"
    measures = "mean_squared_error" if regression else "accuracy_score, log_loss"
    imports = [f"from sklearn.{module} import {name}", f"from sklearn.metrics import {measures}"]
    return join(
        plan.about(NAME, f"NumPy and scikit-learn{' 1.8 or newer' if _needs_1_8(plan) else ''}"),
        ["import numpy as np", *sorted(imports)],
        plan.strengths() if plan.linear else plan.constants(),
        [
            *plan.points(),
            'y = points["y"]',
            'train, test = points["split"] == "train", points["split"] == "test"',
            *(["n = train.sum()"] if re.search(r"\bn\b", "\n".join(fit)) else []),
        ],
        fit,
        _report(plan),
    )


def _needs_1_8(plan: Plan) -> bool:
    """Return whether the program sets ``l1_ratio`` only, which 1.7 and older ignore.

    They use it only together with ``penalty="elasticnet"``, which 1.8 deprecates.
    """
    return plan.linear and plan.data.task != "regression" and plan.regularization.l1 > 0


def _linear(plan: Plan) -> tuple[str, str, list[str]]:
    """Return the class, its module, and the lines that compute the optimum to about 1e-10."""
    r = plan.regularization
    precise = ["tol=1e-10", "max_iter=100_000"]
    both = r.l1 > 0 and r.l2 > 0
    strength, ratio = ("L1 + L2", "L1 / (L1 + L2)") if both else ("L1" if r.l1 else "L2", "1.0")
    if plan.data.task != "regression":
        name = "LogisticRegression"
        inverse = f"1 / (n * ({strength}))" if both else f"1 / (n * {strength})"
        arguments = [f"C={inverse}" if plan.penalty else "C=np.inf"]
        arguments += [f"l1_ratio={ratio}", 'solver="saga"', "random_state=0"] if r.l1 else []
        arguments += precise
    elif r.l1:
        name = "ElasticNet" if both else "Lasso"
        arguments = [f"alpha={strength}", *([f"l1_ratio={ratio}"] if both else []), *precise]
    else:
        name = "Ridge" if r.l2 else "LinearRegression"
        arguments = ["alpha=n * L2"] if r.l2 else []
    acts = [f"# {plan.penalty} acts here"] if plan.penalty else []
    fit = [*call(f"model = {name}", [*acts, *arguments]), "model.fit(inputs[train], y[train])"]
    if r.corrected:
        fit += [
            "# the corrected elastic net; the mean prediction stays the same",
            "model.intercept_ -= L2 * inputs[train].mean(axis=0) @ model.coef_",
            "model.coef_ *= 1 + L2",
        ]
    return name, "linear_model", fit


def _network(plan: Plan) -> tuple[str, str, list[str]]:
    """Return the class, its module, and the lines that train it epoch by epoch."""
    t, r = plan.training, plan.regularization
    regression = plan.data.task == "regression"
    name = "MLPRegressor" if regression else "MLPClassifier"
    classes = [] if regression else ["classes=np.unique(y[train])"]
    if plan.adaptive:
        steps = ['solver="adam"', "learning_rate_init=LEARNING_RATE"]
        steps += ["beta_1=BETA1", "beta_2=BETA2", "epsilon=EPSILON"]
    else:
        momentum = "MOMENTUM" if t.optimizer == "momentum" else "0.0"
        steps = ['solver="sgd"', "learning_rate_init=LEARNING_RATE"]
        steps += [f"momentum={momentum}", "nesterovs_momentum=False"]
    size = "BATCH_SIZE" if t.batch_size else "n"
    if plan.uneven and r.l2:
        return name, "neural_network", _uneven(plan, name, steps, classes)
    acts = ["# L2 acts here: scikit-learn divides alpha by the batch size"] if r.l2 else []
    alpha = f"{size} * L2" if r.l2 else "0.0"
    arguments = [
        f"hidden_layer_sizes={plan.network.hidden}",
        f'activation="{_ACTIVATIONS[plan.network.activation]}"',
        *steps,
        f"batch_size={size}",
        *([] if r.onset else [*acts, f"alpha={alpha}"]),
        "# a number in its place would repeat the first epoch's batches",
        "random_state=np.random.RandomState(0)",
    ]
    epoch = [*acts, f"model.alpha = {alpha} if epoch >= ONSET else 0.0"] if r.onset else []
    epoch += call("model.partial_fit", ["inputs[train]", "y[train]", *classes])
    loop = "for epoch in range(EPOCHS):  # fit would stop where the loss hardly falls"
    return name, "neural_network", [*call(f"model = {name}", arguments), loop, *indent(epoch)]


def _uneven(plan: Plan, name: str, steps: list[str], classes: list[str]) -> list[str]:
    """Return lines that train with a last batch that is smaller than the others.

    scikit-learn divides ``alpha`` by the number of points of a batch, so that with a constant
    ``alpha`` the L2 penalty would be stronger in the last batch.
    """
    arguments = [
        f"hidden_layer_sizes={plan.network.hidden}",
        f'activation="{_ACTIVATIONS[plan.network.activation]}"',
        *steps,
        "random_state=0",
    ]
    alpha = "len(batch) * L2"
    if plan.regularization.onset:
        alpha = f"{alpha} if epoch >= ONSET else 0.0"
    step = [
        "batch = order[start : start + BATCH_SIZE]",
        "model.batch_size = len(batch)",
        "# L2 acts here: scikit-learn divides alpha by the batch size",
        f"model.alpha = {alpha}",
        *call("model.partial_fit", ["X[batch]", "t[batch]", *classes]),
    ]
    return [
        *call(f"model = {name}", arguments),
        "X, t = inputs[train], y[train]",
        "rng = np.random.default_rng(0)",
        "for epoch in range(EPOCHS):",
        "    order = rng.permutation(n)",
        "    for start in range(0, n, BATCH_SIZE):  # the last batch is smaller",
        *indent(step, 2),
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
