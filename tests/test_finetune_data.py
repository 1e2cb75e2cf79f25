"""The rows of a training, and their flipped copies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hpvqa.dataset.build import build
from hpvqa.dataset.load import open_dataset
from hpvqa.evaluate.select import Item
from hpvqa.finetune.data import Examples
from hpvqa.finetune.rows import training_rows
from hpvqa.recipe import Recipe
from hpvqa.vlm.frames.read import read_clip
from hpvqa.vlm.frames.sampling import FrameSampling
from hpvqa.vlm.prompt import load_prompt
from tests.factories import make_data, quiet

FRAMES = FrameSampling(fps=1, resolution=(32, 32))


@pytest.fixture(scope="module")
def items(tmp_path_factory: pytest.TempPathFactory) -> list[Item]:
    folder: Path = tmp_path_factory.mktemp("finetune_data")
    build(make_data(folder / "data", push=12, drop=4), folder / "dataset", quiet(), recipe=Recipe())
    return training_rows(open_dataset(folder / "dataset"), load_prompt("paper"), validation=0.2, seed=1).train


def test_rows_have_their_own_answers(items: list[Item]) -> None:
    examples = Examples(items, FRAMES, read_clip)
    assert len(examples) == len(items)
    assert [examples[number].answer for number in range(len(items))] == [item.row.answer for item in items]


def test_flipped_rows_follow_with_the_other_answer(items: list[Item]) -> None:
    examples = Examples(items, FRAMES, read_clip, mirror=True)
    assert len(examples) == 2 * len(items)
    for number in (0, 1, len(items) - 1):
        own, flipped = examples[number], examples[number + len(items)]
        assert {own.answer, flipped.answer} == {"left", "right"}
        assert own.answer == items[number].row.answer
        assert flipped.query.text == own.query.text
        (seen,), (turned,) = own.query.videos, flipped.query.videos
        assert np.array_equal(turned.images, seen.images[:, :, ::-1])
        assert turned.indices == seen.indices
