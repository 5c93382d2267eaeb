"""Changes of a training on the way: a scene goes on from one of its networks."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from regviz.engine.training import recorded_epochs
from regviz.scenes.scene import Scene
from regviz.scenes.strength_grid import StrengthGrid
from regviz.spec.experiment import LEARNING_RATE_RANGE, Phase, Regularization
from regviz.spec.validation import integer, real


def change_from(
    scene: Scene, regularization: Regularization, epoch: int, learning_rate: float
) -> Scene:
    """Return the scene in which all networks go on from one of them, as it is at an epoch.

    If all networks are still the same at ``epoch``, the phase that they are in ends there. At the
    last epoch, the training becomes longer by the epochs since its last change.

    Parameters
    ----------
    scene : Scene
    regularization : Regularization
        That of the network, without an onset.
    epoch : int
        From 1 to the last one.
    learning_rate : float
        The learning rate from this epoch on; that of earlier epochs stays.

    Raises
    ------
    ValueError
        If a parameter is out of range.
    """
    training = scene.training
    integer("epoch", epoch, 1, training.epochs)
    before = tuple(phase for phase in scene.phases if phase.until < epoch)
    now = next((phase for phase in scene.phases if epoch <= phase.until), None)
    rate = training.learning_rate if now is None or now.learning_rate is None else now.learning_rate
    first = Phase(epoch, regularization if now is None else now.regularization, rate)
    epochs = training.epochs
    if epoch == epochs:
        epochs += epoch - (before[-1].until if before else 0)
    return replace(
        scene,
        training=replace(training, learning_rate=learning_rate, epochs=epochs),
        phases=(*before, first),
        epoch=epoch,
    )


def undo_change(scene: Scene, before: Scene | None = None) -> Scene:
    """Return the scene without its last change.

    Parameters
    ----------
    scene : Scene
    before : Scene, optional
        The scene before the change, whose phases, epochs and learning rate are taken. By default
        the last phase is removed, and the learning rate is that of the phase.
    """
    if not scene.phases:
        return scene
    *others, last = scene.phases
    training = scene.training
    if before is None:
        phases, epochs = tuple(others), training.epochs
        rate = training.learning_rate if last.learning_rate is None else last.learning_rate
    else:
        phases, epochs = before.phases, before.training.epochs
        rate = before.training.learning_rate
    return replace(
        scene,
        training=replace(training, learning_rate=rate, epochs=epochs),
        phases=phases,
        epoch=None if scene.epoch is None else min(scene.epoch, epochs),
    )


def changed_scene(
    scene: Scene, grid: StrengthGrid, request: Mapping[str, Any], before: Scene | None = None
) -> Scene:
    """Return the scene that the board requests.

    Parameters
    ----------
    scene : Scene
        The scene on the board, with its view.
    grid : StrengthGrid
        Its grid.
    request : mapping
        Either ``"undo"``, or ``"network"``, the index of a network in the grid, ``"epoch"`` and
        ``"learning_rate"``, as of `change_from`.
    before : Scene, optional
        As for `undo_change`.

    Raises
    ------
    ValueError
        If a value is missing, of the wrong type or out of range.
    """
    if request.get("undo"):
        return undo_change(scene, before)
    rows = grid.experiment.regularizations
    k = integer("network", request.get("network"), 0, len(rows) - 1)
    epoch = integer("epoch", request.get("epoch"), 1, scene.training.epochs)
    rate = real("learning_rate", request.get("learning_rate"), *LEARNING_RATE_RANGE)
    changed = change_from(scene, rows[k], epoch, rate)
    # a longer training is recorded at other epochs
    recorded = recorded_epochs(changed.grid().experiment.training)
    return replace(changed, epoch=int(min(at for at in recorded if at >= epoch)))
