"""Runs of answerers that are given frames: which frames, under which conditions, decoded how often."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hpvqa.dataset.build import build
from hpvqa.dataset.load import Dataset, open_dataset
from hpvqa.errors import UsageError
from hpvqa.evaluate.conditions import CONDITIONS, parse_conditions
from hpvqa.evaluate.prediction import Prediction
from hpvqa.evaluate.run import default_out, evaluate, run_settings
from hpvqa.evaluate.select import Rows, select
from hpvqa.recipe import Recipe
from hpvqa.vlm.baselines import Constant
from hpvqa.vlm.choice import Look
from hpvqa.vlm.frames import prefetch as prefetching
from hpvqa.vlm.frames.clip import Clip, Frames
from hpvqa.vlm.frames.sampling import FrameSampling
from hpvqa.vlm.prompt import load_prompt, swap_sides
from hpvqa.vlm.protocol import Query
from tests.eval_fakes import Looking
from tests.factories import FPS, FRAMES, copy, make_data, quiet

PROMPT = load_prompt("paper")
SAMPLING = FrameSampling(fps=FPS, resolution=(32, 32))
ALL = ",".join(CONDITIONS)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("trials")
    build(make_data(folder / "data", cameras=3, push=4, drop=4), folder / "dataset", quiet(), recipe=Recipe())
    return open_dataset(folder / "dataset")


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The clips that were decoded."""
    seen: list[str] = []
    real = prefetching.read_clip

    def counted(clip: Clip, sampling: FrameSampling) -> Frames:
        seen.append(str(clip.path))
        return real(clip, sampling)

    monkeypatch.setattr(prefetching, "read_clip", counted)
    return seen


def run(dataset: Dataset, answerer: Any, out: Path, conditions: str = "plain", **changes: Any) -> list[Prediction]:
    rows = Rows(split="all", task=changes.pop("task", None), limit=changes.pop("limit", None))
    look = Look(PROMPT, changes.pop("frames", SAMPLING))
    settings = run_settings(dataset, answerer, rows, look, backend="fake", model=answerer.name, seed=1)
    settings = settings.model_copy(update=changes)
    items = select(dataset, prompt=PROMPT, **rows.model_dump())
    return evaluate(items, answerer, out, settings, quiet(), conditions=parse_conditions(conditions), workers=2)


def asked(answerer: Looking) -> list[Query]:
    return [query for batch in answerer.batches for query in batch]


def test_a_model_is_shown_the_sampled_frames(dataset: Dataset, tmp_path: Path, decoded: list[str]) -> None:
    looking = Looking()
    found = run(dataset, looking, tmp_path / "run")
    assert looking.loaded == 1
    assert len(found) == 24
    assert len(decoded) == len(set(decoded)) == 24
    assert [len(batch) for batch in looking.batches] == [4] * 6
    for query, prediction in zip(asked(looking), found, strict=True):
        (video,) = query.videos
        assert video.images.shape == (FRAMES, 32, 32, 3)
        assert video.fps == FPS
        assert prediction.file_name == query.key
        assert prediction.question == query.text == query.question
        assert prediction.p_choices == pytest.approx(0.9)
        assert (prediction.prompt_tokens, prediction.answer_tokens) == (7, 1)


def test_every_condition_shares_the_decoded_frames(dataset: Dataset, tmp_path: Path, decoded: list[str]) -> None:
    looking = Looking()
    found = run(dataset, looking, tmp_path / "run", ALL)
    assert len(decoded) == 24
    assert len(found) == 6 * 24 + 8
    by = {(row.condition, row.file_name): row for row in found}
    assert len(by) == len(found)
    for row in found:
        if row.condition in {"plain", "multiview"}:
            continue
        plain = by["plain", row.file_name]
        assert row.p_left is not None
        assert plain.p_left is not None
        flipped = row.condition == "mirror"
        assert (row.answer != plain.answer) == flipped
        assert row.choices == (("right", "left") if row.condition == "swap" else ("left", "right"))
        assert row.question == (swap_sides(plain.question) if row.condition == "swap" else plain.question)
        if flipped:
            assert row.p_left == pytest.approx(1 - plain.p_left, abs=1e-6)
        if row.condition == "blank":
            assert row.p_left == pytest.approx(0.5)
        if row.condition in {"swap", "shuffle"}:
            assert row.p_left == pytest.approx(plain.p_left)
    joined = [row for row in found if row.condition == "multiview"]
    assert len({row.file_name for row in joined}) == 8
    assert {row.camera for row in joined} == {"multiview"}
    assert {len(query.videos) for query in asked(looking) if query.key.endswith(("0", "1", "2", "3"))} == {3}


def test_both_orders_of_a_clip_are_asked_one_after_the_other(dataset: Dataset, tmp_path: Path) -> None:
    looking = Looking(batch_size=3)
    run(dataset, looking, tmp_path / "run", "plain,swap")
    queries = asked(looking)
    for plain, swapped in zip(queries[::2], queries[1::2], strict=True):
        assert plain.key == swapped.key
        assert plain.videos[0] is swapped.videos[0]
        assert plain.system == swapped.system


def test_a_run_goes_on_with_only_what_is_missing(dataset: Dataset, tmp_path: Path, decoded: list[str]) -> None:
    first, second, third = Looking(), Looking(), Looking()
    run(dataset, first, tmp_path / "run", limit=10)
    assert len(decoded) == 10
    found = run(dataset, second, tmp_path / "run", "plain,swap")
    assert len(found) == 48
    assert len(asked(second)) == 14 + 24
    assert len(decoded) == 10 + 24
    assert run(dataset, third, tmp_path / "run", "plain,swap") == found
    assert (third.loaded, third.batches) == (0, [])
    assert len(decoded) == 34


def test_a_clip_that_does_not_decode_fails_alone(dataset: Dataset, tmp_path: Path) -> None:
    broken = open_dataset(copy(dataset.root, tmp_path / "dataset"))
    bad = select(broken, "all", PROMPT)[4]
    whole = bad.query.clip.read_bytes()
    bad.query.clip.write_bytes(whole[:300])
    found = run(broken, Looking(), tmp_path / "run", "plain,multiview")
    failed = [row for row in found if row.error]
    assert [row.condition for row in failed] == ["plain", "multiview"]
    assert failed[0].file_name == bad.row.file_name
    assert bad.row.file_name.startswith(failed[1].file_name)
    assert not any(row.is_correct or row.invalid for row in failed)
    bad.query.clip.write_bytes(whole)
    again = Looking()
    assert not any(row.error for row in run(broken, again, tmp_path / "run", "plain,multiview"))
    assert len(asked(again)) == 2


@pytest.mark.slow
def test_conditions_that_change_frames_need_an_answerer_that_is_given_them(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="condition blank changes what is seen, but left looks at no frames"):
        run(dataset, Constant("left"), tmp_path / "run", "plain,blank")
    assert not (tmp_path / "run").exists()
    assert len(run(dataset, Constant("left"), tmp_path / "run", "plain,swap")) == 48


def test_frames_are_part_of_a_run(dataset: Dataset, tmp_path: Path) -> None:
    run(dataset, Looking(), tmp_path / "run", limit=1)
    for other, words in (
        (FrameSampling(fps=FPS), "frames resolution was 32, 32 and is 224, 224 now"),
        (FrameSampling(sampler="motion", count=3, fps=FPS, resolution=(32, 32)), "frames count was not set and is 3"),
    ):
        with pytest.raises(UsageError, match=words):
            run(dataset, Looking(), tmp_path / "run", frames=other)


@pytest.mark.parametrize("size", [(480, 480), (640, 480)])
def test_answers_to_squeezed_frames_do_not_mix_with_others(
    size: tuple[int, int], dataset: Dataset, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    run(dataset, Looking(), out, limit=1, sizes=(size,))
    settings = json.loads((out / "run.json").read_text())
    assert settings["sizes"] == [list(size)]
    # As an earlier version wrote it, which squeezed.
    del settings["sizes"], settings["frames"]["fit"]
    (out / "run.json").write_text(json.dumps(settings | {"schema_version": 3}))
    again = Looking()
    if size == (480, 480):
        assert len(run(dataset, again, out, limit=3, sizes=(size,))) == 3
        assert len(asked(again)) == 2
        assert json.loads((out / "run.json").read_text())["frames"]["fit"] == "pad"
    else:
        with pytest.raises(UsageError, match=r"frames were squeezed and are padded now; .*begin anew with --restart"):
            run(dataset, again, out, limit=3, sizes=(size,))
        assert len(run(dataset, again, out, limit=3, sizes=(size,), frames=squeezed())) == 3


def squeezed() -> FrameSampling:
    return SAMPLING.model_copy(update={"fit": "squeeze"})


def test_events_are_privileged(dataset: Dataset, tmp_path: Path) -> None:
    sampling = FrameSampling(sampler="events", count=3, resolution=(32, 32))
    looking = Looking()
    run(dataset, looking, tmp_path / "run", frames=sampling, task="drop")
    settings = (tmp_path / "run" / "run.json").read_text()
    assert '"privileged": true' in settings
    assert all(len(query.videos[0].indices) == 3 for query in asked(looking))


def test_names_of_runs_tell_what_was_looked_at(dataset: Dataset) -> None:
    def name(frames: FrameSampling, answerer: Any) -> str:
        rows = Rows(split="eval")
        settings = run_settings(dataset, answerer, rows, Look(PROMPT, frames), backend="fake", model="a/b", seed=1)
        return default_out(settings).name

    names = {
        name(FrameSampling(), Looking()),
        name(FrameSampling(fps=4), Looking()),
        name(FrameSampling(count=4), Looking()),
        name(FrameSampling(sampler="dense"), Looking()),
        name(FrameSampling(resolution=None), Looking()),
    }
    assert len(names) == 5
    assert not any("/" in name for name in names)
    assert name(FrameSampling(), Constant("left")) == name(FrameSampling(fps=4), Constant("left"))


def test_frames_are_the_ones_of_the_clip(dataset: Dataset, tmp_path: Path) -> None:
    looking = Looking()
    run(dataset, looking, tmp_path / "run", limit=1, frames=FrameSampling(fps=FPS, resolution=None))
    video = asked(looking)[0].videos[0]
    brighter = [(frame > 200).mean() for frame in video.images]
    assert np.all(np.diff(brighter) > 0)
