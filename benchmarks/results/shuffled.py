"""A control: fine-tuning on answers that were dealt out anew, so that there is nothing to learn."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from unittest import mock

import numpy as np

import hpvqa.dataset.load
from hpvqa.dataset.load import Dataset
from hpvqa.dataset.rows import AnyRow, Cluster, Row
from hpvqa.dataset.splits import Split
from hpvqa.main import main
from hpvqa.scene.spec import Side


@dataclass(frozen=True)
class Shuffled(Dataset):
    """A data set in which every episode has the answer of another one of its task."""

    def rows(self, split: Split) -> list[AnyRow]:
        """The comparisons, each with another episode's answer; all views of an episode have the same one."""
        rows = [row for row in super().rows(split) if isinstance(row, Row)]
        answers = {row.cluster: row.answer for row in rows}
        rng = np.random.default_rng(0)
        dealt: dict[Cluster, Side] = {}
        for task in dict.fromkeys(cluster[0] for cluster in answers):
            own = [cluster for cluster in answers if cluster[0] == task]
            dealt.update(zip(own, rng.permutation([answers[cluster] for cluster in own]).tolist(), strict=True))
        return [row.model_copy(update={"answer": dealt[row.cluster]}) for row in rows]


if __name__ == "__main__":
    with mock.patch.object(hpvqa.dataset.load, "Dataset", Shuffled):
        main(sys.argv[1:])
