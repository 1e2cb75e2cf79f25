"""Make the embedded model, train adapters on it, and write down what they score on fresh episodes.

Everything goes on where it stopped. From nothing it takes about three hours of two cores.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from benchmarks.results.steps import Lab, side_by_side, trials
from benchmarks.results.tables import Results, write

PAGE = Path(__file__).parents[2] / "docs" / "results.md"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("runs/results"), help="Folder of everything that is made.")
    parser.add_argument("--cores", type=int, default=2, help="How many cores may be busy.")
    options = parser.parse_args()
    lab = Lab(options.work)
    for part in ("data", "dataset", "adapters", "runs"):
        (lab.root / part).mkdir(parents=True, exist_ok=True)
    side_by_side(
        [
            [lambda: lab.collect("drop-pretrain", "drop", 300, 1000)],
            [lambda: lab.collect("push-train", "push", 360, 1000)],
        ],
        options.cores,
    )
    side_by_side(
        [
            [lambda: lab.pretrain("base")],
            [
                lambda: lab.collect("push-fresh", "push", 100, 9000),
                lambda: lab.collect("drop-fresh", "drop", 100, 9000),
                lab.collect_more,
                lambda: lab.pretrain("random", "--set", "pointing.steps=0", "--set", "language.steps=0"),
            ],
        ],
        options.cores,
    )
    for name in ("push-train", "drop-train", "push-fresh", "drop-fresh"):
        lab.build(name)
    chains = [[partial(lab.train, trial), partial(lab.evaluate_trial, trial)] for trial in trials()]
    side_by_side([[lab.evaluate_base], *chains], options.cores)
    write(PAGE, Results(lab.root / "runs").text(lab.root / "base" / "scores.json"))
    print(f"The tables are in {PAGE}; the model is in {lab.root / 'base'}, adapters in {lab.root / 'adapters'}")


if __name__ == "__main__":
    main()
