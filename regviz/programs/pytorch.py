"""Programs for PyTorch, with the same updates as RegViz, for one network."""

import itertools

from regviz.programs._plan import Plan, indent, join

NAME = "PyTorch"

_ACTIVATIONS = {
    "tanh": "nn.Tanh()",
    "relu": "nn.ReLU()",
    "leaky_relu": "nn.LeakyReLU(0.01)",
    "sigmoid": "nn.Sigmoid()",
}
_LOSSES = {
    "binary": (
        "Mean cross-entropy of the logits.",
        "nn.functional.binary_cross_entropy_with_logits(outputs[:, 0], y)",
    ),
    "multiclass": (
        "Mean cross-entropy of the logits.",
        "nn.functional.cross_entropy(outputs, y)",
    ),
    "regression": ("Half the mean squared error.", "(outputs[:, 0] - y).square().mean() / 2"),
}
_HITS = {
    "binary": "(outputs[:, 0] > 0) == (y[rows] == 1)",
    "multiclass": "outputs.argmax(1) == y[rows]",
}


def lacks(plan: Plan) -> str | None:
    """Return None: PyTorch can train every network."""
    return None


def note(plan: Plan) -> str:
    """Return a note on agreements and differences between the program and the run."""
    drawn = ["the initial weights"]
    if plan.training.batch_size:
        drawn.append("the order of the batches")
    if plan.dropout:
        drawn.append("what dropout drops")
    listed = drawn[0] if len(drawn) == 1 else f"{', '.join(drawn[:-1])} and {drawn[-1]}"
    return (
        "Points, network, optimizer and regularization are those of the board, step by step."
        f" Drawn anew: {listed}. So the numbers differ, by chance."
    )


def source(plan: Plan) -> str:
    """Return the program's text."""
    return join(
        plan.about(NAME, "NumPy and PyTorch"),
        ["import numpy as np", "import torch", "from torch import nn"],
        [*plan.constants(), *(plan.step_size() if _gradient_descent_map(plan) else [])],
        ["torch.manual_seed(0)"],
        _points(plan),
        _network(plan),
        _optimizer(plan),
        _loss(plan),
        *_regularize(plan),
        _loop(plan),
        _report(plan),
    )


def _gradient_descent_map(plan: Plan) -> bool:
    return plan.maps and not plan.adaptive


def _points(plan: Plan) -> list[str]:
    target = "torch.int64" if plan.data.task == "multiclass" else _dtype(plan)
    return [
        *plan.points(),
        f"X = torch.tensor(inputs, dtype={_dtype(plan)})",
        # a copy, as torch.tensor rejects a field of a structured array for its strides
        f'y = torch.tensor(points["y"].copy(), dtype={target})',
        'train = torch.tensor(points["split"] == "train")',
        'test = torch.tensor(points["split"] == "test")',
    ]


def _dtype(plan: Plan) -> str:
    return f"torch.{plan.training.dtype}"


def _network(plan: Plan) -> list[str]:
    r, sizes = plan.regularization, plan.sizes
    layers = []
    for i, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes)):
        rate = "DROP_RATE" if i else "INPUT_DROP_RATE"
        if i and plan.network.activation in _ACTIVATIONS:
            layers.append(_ACTIVATIONS[plan.network.activation])
        if r.drop_rate if i else r.input_drop_rate:
            layers.append(f"nn.Dropout({rate})")
        hidden = i < len(sizes) - 2
        cancelled = ", bias=False" if hidden and plan.normalization == "batch" else ""
        layers.append(f"nn.Linear({fan_in}, {fan_out}{cancelled})")
        if hidden and plan.normalization != "none":
            layers.append(_normalization(plan, fan_out))
    acting = "  # dropout acts in nn.Dropout" if plan.dropout else ""
    initial = (
        'nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")'
        if plan.network.activation in ("relu", "leaky_relu")
        else "nn.init.xavier_uniform_(layer.weight)"
    )
    zeros = "nn.init.zeros_(layer.bias)"
    lines = [
        f"model = nn.Sequential({acting}",
        *indent([f"{layer}," for layer in layers]),
        f").to({_dtype(plan)})" if plan.training.dtype != "float32" else ")",
        "linear = [layer for layer in model if isinstance(layer, nn.Linear)]",
        "for layer in linear:",
        *indent([initial] if plan.normalization == "batch" else [initial, zeros]),
        *(["nn.init.zeros_(linear[-1].bias)"] if plan.normalization == "batch" else []),
        "weights = [layer.weight for layer in linear]",
    ]
    return lines


def _normalization(plan: Plan, units: int) -> str:
    """Return the layer that normalizes a hidden layer, with PyTorch's momentum and epsilon."""
    if plan.normalization == "batch":
        return f"nn.BatchNorm1d({units}{'' if plan.affine else ', affine=False'})"
    return f"nn.LayerNorm({units}{'' if plan.affine else ', elementwise_affine=False'})"


def _optimizer(plan: Plan) -> list[str]:
    r = plan.regularization
    if plan.adaptive:
        moments = "lr=LEARNING_RATE, betas=(BETA1, BETA2), eps=EPSILON"
        if r.decoupled:
            at_first = "0.0" if r.onset else "L2"
            acts = "  # weight decay acts here" if not r.onset else ""
            return [
                *(["# biases, gains and shifts"] if plan.affine else []),
                "biases = [p for p in model.parameters() if p.ndim == 1]",
                "optimizer = torch.optim.AdamW(",
                "    [",
                f'        {{"params": weights, "weight_decay": {at_first}}},{acts}',
                '        {"params": biases, "weight_decay": 0.0},',
                "    ],",
                *indent([f"{part}," for part in ("lr=LEARNING_RATE", "betas=(BETA1, BETA2)")]),
                "    eps=EPSILON,",
                ")",
            ]
        return ["optimizer = torch.optim.Adam(", f"    model.parameters(), {moments}", ")"]
    momentum = ", momentum=MOMENTUM" if plan.training.optimizer == "momentum" else ""
    return [f"optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE{momentum})"]


def _loss(plan: Plan) -> list[str]:
    about, value = _LOSSES[plan.data.task]
    return ["def data_loss(outputs, y):", f'    """{about}"""', f"    return {value}"]


def _regularize(plan: Plan) -> list[list[str]]:
    """Return the definitions of functions that change the weights after the optimizer's step."""
    r = plan.regularization
    functions = []
    if plan.adaptive and plan.maps:
        functions.append(
            [
                "def step_size(w):",
                '    """Adam\'s own step for each weight: it varies."""',
                "    state = optimizer.state[w]",
                '    v_hat = state["exp_avg_sq"] / (1 - BETA2 ** state["step"].item())',
                "    return LEARNING_RATE / (v_hat.sqrt() + EPSILON)",
            ]
        )
    if r.l1:
        functions.append(
            [
                "def soft_threshold(w, t):",
                '    """Take t off every weight\'s size; a weight smaller than t becomes 0."""',
                "    return w.sign() * (w.abs() - t).clamp(min=0)",
            ]
        )
    if plan.penalty:
        functions.append(_proximal_map(plan))
    if r.group_lasso:
        functions.append(_group_map(plan))
    if r.max_norm is not None:
        functions.append(
            [
                "@torch.no_grad()",
                "def project():",
                '    """Shorten every hidden unit\'s incoming weights to MAX_NORM at most."""',
                "    for w in weights[:-1]:",
                "        lengths = w.norm(dim=1, keepdim=True)",
                "        w.mul_((MAX_NORM / lengths).clamp(max=1))",
            ]
        )
    return functions


def _proximal_map(plan: Plan) -> list[str]:
    r = plan.regularization
    step = "step" if plan.adaptive else "STEP"
    shrink = f"1 + {step} * L2"
    if r.l1:
        mapped = f"soft_threshold(w, {step} * L1)"
        line = f"w.copy_({mapped} / ({shrink}))" if plan.penalty_l2 else f"w.copy_({mapped})"
    else:
        line = f"w.div_({shrink})"
    about = [f'    """Apply the proximal map of {plan.penalty} to weights, not to biases."""']
    if plan.penalty == "L2":
        about[0] = about[0].removesuffix('"""')
        about += [
            "",
            "    The optimizer's weight_decay=L2, for weights alone, has the same optimum.",
        ]
        about += ['    """']
    return [
        "@torch.no_grad()",
        "def shrink():",
        *about,
        "    for w in weights:",
        *(["        step = step_size(w)"] if plan.adaptive else []),
        f"        {line}",
    ]


def _group_map(plan: Plan) -> list[str]:
    about = (
        '    """Apply the proximal map of the group lasso to hidden units\' incoming weights."""'
    )
    head = ["@torch.no_grad()", "def shrink_groups():", about, "    for w in weights[:-1]:"]
    step = "step" if plan.adaptive else "STEP"
    if plan.penalty_l2:  # it has been applied before
        step = f"{step} / (1 + {step} * L2)"
    if not plan.adaptive:
        shrunk = [
            f"t = {step} * GROUP_LASSO * w.shape[1] ** 0.5",
            "w.mul_((1 - t / w.norm(dim=1, keepdim=True)).clamp(min=0))",
        ]
    else:
        shrunk = [
            "step = step_size(w)",
            f"t = {step} * GROUP_LASSO * w.shape[1] ** 0.5",
            "kept = (w / t).square().sum(1, keepdim=True) > 1",
            "r = w.norm(dim=1, keepdim=True) - t.amax(1, keepdim=True)",
            "r = r.clamp(min=0)",
            "for _ in range(8):  # Newton's method: r is the new length of a unit's weights",
            "    share = (w / (r + t)).square()",
            "    h = share.sum(1, keepdim=True)",
            "    r = r + h * (h.sqrt() - 1) / (share / (r + t)).sum(1, keepdim=True)",
            "w.copy_(torch.where(kept, w * (r / (r + t)), 0))",
        ]
    return [*head, *indent(shrunk, 2)]


def _correction(plan: Plan) -> list[str]:
    """Return the lines that make the naive elastic net the corrected one."""
    if not plan.regularization.corrected:
        return []
    return [
        "with torch.no_grad():  # the corrected elastic net; the mean prediction stays the same",
        "    for layer in linear:",
        "        layer.bias -= L2 * layer.weight @ X_train.mean(0)",
        "        layer.weight *= 1 + L2",
    ]


def _loop(plan: Plan) -> list[str]:
    r, full = plan.regularization, plan.training.batch_size is None
    batch = "" if full else "[batch]"
    step = [
        "optimizer.zero_grad()",
        f"data_loss(model(X_train{batch}), y_train{batch}).backward()",
        "optimizer.step()",
    ]
    after = []
    if r.decoupled and not plan.adaptive:
        decay = ["with torch.no_grad():  # weight decay acts here"]
        decay += ["    for w in weights:", "        w.mul_(1 - LEARNING_RATE * L2)"]
        step[2:2] = ["if epoch >= ONSET:", *indent(decay)] if r.onset else decay
    if plan.penalty:
        after.append(f"shrink()  # {plan.penalty} acts here")
    if r.group_lasso:
        after.append("shrink_groups()  # group lasso acts here")
    if r.max_norm is not None:
        after.append("project()  # max-norm acts here")
    step += ["if epoch >= ONSET:", *indent(after)] if r.onset and after else after
    start = []
    if r.onset and plan.dropout:
        start.append("model.train(epoch >= ONSET)  # dropout acts from then on")
    if r.onset and r.decoupled and plan.adaptive:
        start += ["if epoch == ONSET:  # weight decay acts from then on"]
        start += ['    optimizer.param_groups[0]["weight_decay"] = L2']
    if not full:
        if plan.lone:
            step = ["if len(batch) == 1:  # it has no variance", "    continue", *step]
        step = [
            "for batch in torch.randperm(len(X_train)).split(BATCH_SIZE):",
            *indent(step),
        ]
    return [
        "X_train, y_train = X[train], y[train]",
        "for epoch in range(EPOCHS):",
        *indent([*start, *step]),
        *_correction(plan),
    ]


def _report(plan: Plan) -> list[str]:
    hits = _HITS.get(plan.data.task)
    accuracy = [f"accuracy = ({hits}).float().mean()"] if hits else []
    shown = ", accuracy {accuracy:.1%}" if hits else ""
    off = "  # dropout is off" if plan.dropout else ""
    if plan.normalization == "batch":
        off = f"  # running statistics{', dropout is off' * plan.dropout}"
    return [
        f"model.eval(){off}",
        'for split, rows in {"train": train, "test": test}.items():',
        "    with torch.no_grad():",
        "        outputs = model(X[rows])",
        "    loss = data_loss(outputs, y[rows])",
        *indent(accuracy),
        f'    print(f"{{split}}: loss {{loss:.4f}}{shown}")',
        *plan.zeros(),
        "zeros = torch.cat([w.flatten() == 0 for w in weights])",
        'print(f"{zeros.double().mean():.1%} of the weights are exactly 0")',
    ]
