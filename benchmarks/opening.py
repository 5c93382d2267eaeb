"""Claims about the page's first experiment over twenty seeds, and its typical seed.

    python -m benchmarks.opening

Prints, for the first experiment of version 1 of links and for the current one, the number of seeds
of data and training in which each claim of `regviz.analysis.opening.opening_claims` holds, the
median of each method's figures, and the seed nearest to all medians, which is the one to ship.
Takes about 10 s on one core.
"""

import numpy as np

from regviz.analysis.opening import METRICS, most_typical_seed, opening_claims, opening_figures
from regviz.analysis.replicates import replicate
from regviz.methods.catalogue import EARLY_STOPPING
from regviz.scenes.scene import DEFAULTS

SEEDS = range(20)


def main() -> None:
    """Print the tables."""
    for version, scene in DEFAULTS.items():
        scene = scene.as_shown_in(version)
        grid = scene.grid()
        experiment = grid.only(grid.rows(scene.strength_indices(grid)))
        histories = dict(zip(SEEDS, replicate(experiment, SEEDS), strict=True))
        claims = [opening_claims(history) for history in histories.values()]
        figures = {seed: opening_figures(history) for seed, history in histories.items()}
        print(f"\nThe first experiment of version {version}, seeds 0 to {SEEDS[-1]}")
        for claim in claims[0]:
            print(f"  {sum(held[claim] for held in claims):2} of {len(claims)}  {claim}")
        print("\n  median      " + "".join(f"{metric:>15}" for metric in METRICS))
        for method in (*scene.methods, EARLY_STOPPING):
            medians = [np.median([f[m][method] for f in figures.values()]) for m in METRICS]
            print(f"  {method:14}" + "".join(f"{value:13.3f}  " for value in medians))
        print(f"\n  nearest to all medians: seed {most_typical_seed(figures)}")
        print(f"  shipped: seed {experiment.data.seed}", flush=True)


if __name__ == "__main__":
    main()
