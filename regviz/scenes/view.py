"""The view of a scene: what the board shows of a grid's networks at first."""

from typing import Any

from regviz.scenes.scene import Scene
from regviz.scenes.strength_grid import StrengthGrid


def view_of(scene: Scene, grid: StrengthGrid, play: bool = False) -> dict[str, Any]:
    """Return the view of a scene, as for `regviz.scenes.encoding.encode`.

    Parameters
    ----------
    scene : Scene
    grid : StrengthGrid
        Its grid, or a part of it.
    play : bool
        Whether to play from the start, if the scene has no epoch.
    """
    variants = scene.variant_indices(grid)
    strengths = grid.strength_indices(scene.strength_indices(grid), variants)
    return {
        "id": 0,
        "focus": scene.focus,
        "strength_indices": dict(zip(grid.methods, strengths, strict=True)),
        "variant_indices": dict(zip(grid.methods, grid.variant_indices(variants), strict=True)),
        "epoch": scene.epoch,
        "scroll": False,
        "play": play and scene.epoch is None,
        "local": None,
        "plane": scene.plane,
    }
