"""Baselines of other benchmarks: training of one network in PyTorch and in scikit-learn."""

import itertools
import warnings

import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from torch import nn

from regviz import Dataset, NetworkSpec, Regularization, TrainingSpec


def plain_pytorch(
    dataset: Dataset,
    network: NetworkSpec,
    training: TrainingSpec,
    regularization: Regularization,
    epochs: int,
) -> nn.Sequential:
    """Train one network by an ordinary PyTorch loop, with autograd and `torch.optim.SGD`."""
    torch.manual_seed(training.seed)
    sizes = (dataset.n_columns, *network.hidden)
    modules: list[nn.Module] = []
    for fan_in, fan_out in itertools.pairwise(sizes):
        modules += [nn.Linear(fan_in, fan_out), nn.Tanh()]
        if regularization.drop_rate:
            modules.append(nn.Dropout(regularization.drop_rate))
    model = nn.Sequential(*modules, nn.Linear(sizes[-1], 1))
    layers = [module for module in model if isinstance(module, nn.Linear)]
    weights = [layer.weight for layer in layers]
    momentum = training.momentum if training.optimizer == "momentum" else 0.0
    optimizer = torch.optim.SGD(model.parameters(), training.learning_rate, momentum)
    loss_of = nn.BCEWithLogitsLoss()
    X = torch.tensor(dataset.X_train, dtype=torch.float32)
    y = torch.tensor(dataset.y_train, dtype=torch.float32)[:, None]
    l1, l2, max_norm = regularization.l1, regularization.l2, regularization.max_norm
    model.train()
    for _ in range(epochs):
        for batch in torch.randperm(len(X)).split(training.batch_size or len(X)):
            optimizer.zero_grad()
            loss = loss_of(model(X[batch]), y[batch])
            if l1:
                loss = loss + l1 * sum(w.abs().sum() for w in weights)
            if l2:
                loss = loss + l2 / 2 * sum(w.square().sum() for w in weights)
            loss.backward()
            optimizer.step()
            if max_norm:
                with torch.no_grad():
                    for layer in layers[:-1]:
                        layer.weight.copy_(layer.weight.renorm(2, 0, max_norm))
    return model


def scikit_learn(
    dataset: Dataset, network: NetworkSpec, training: TrainingSpec, epochs: int, l2: float = 0.0
) -> MLPClassifier:
    """Train one network with scikit-learn, whose only regularizer is L2."""
    batch_size = training.batch_size or len(dataset.y_train)
    model = MLPClassifier(
        network.hidden,
        activation="tanh",
        solver="sgd",
        alpha=l2 * batch_size,  # scikit-learn divides the penalty by the number of points
        momentum=training.momentum if training.optimizer == "momentum" else 0.0,
        nesterovs_momentum=False,
        random_state=training.seed,
        batch_size=batch_size,
        learning_rate_init=training.learning_rate,
        max_iter=epochs,
        n_iter_no_change=epochs,
        tol=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(dataset.X_train, dataset.y_train)
