"""Train adapters of the embedded model, and write down what they score on fresh episodes.

Everything goes on where it stopped. From nothing it takes about six hours of two cores.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from benchmarks.results.steps import COLLECTIONS, DATASETS, Lab, side_by_side, trials
from benchmarks.results.tables import BEGIN, Results

from hpvqa.vlm.embedded import base_folder
from research.page import write
from research.pretrain.run import SCORES_FILE

PAGE = Path(__file__).parents[2] / "docs" / "results.md"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("runs/results"), help="Folder of everything that is made.")
    parser.add_argument("--cores", type=int, default=2, help="How many cores may be busy.")
    options = parser.parse_args()
    lab = Lab(options.work)
    for part in ("data", "dataset", "adapters", "runs"):
        (lab.root / part).mkdir(parents=True, exist_ok=True)
    side_by_side([[partial(lab.collect, name)] for name in COLLECTIONS], options.cores)
    lab.random_base()
    for name in DATASETS:
        lab.build(name)
    chains = [[partial(lab.train, trial), partial(lab.evaluate_trial, trial)] for trial in trials()]
    side_by_side([[lab.evaluate_base], *chains], options.cores)
    write(PAGE, BEGIN, Results(lab.root / "runs").text(base_folder() / SCORES_FILE))
    print(f"The tables are in {PAGE}, adapters in {lab.root / 'adapters'}")


if __name__ == "__main__":
    main()
