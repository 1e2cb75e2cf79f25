"""Training on samples of scenes: asked as agents are asked, in stages, and played as it was taught."""

from __future__ import annotations

import hashlib
import json
import shutil
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from hpvqa.dataset.export.pictures import png
from hpvqa.errors import UsageError
from hpvqa.explore.agents.model import ModelAgent, open_model
from hpvqa.explore.agents.query import make_query
from hpvqa.explore.samples.load import SampleFolder, open_samples
from hpvqa.explore.samples.record import picture_file
from hpvqa.finetune.dry_run import plan
from hpvqa.finetune.examples import IGNORED, Collator, Example
from hpvqa.finetune.prepared import Made
from hpvqa.finetune.run import TrainingJob, finetune, prepare
from hpvqa.finetune.settings import load_finetune_recipe, override
from hpvqa.finetune.steps import Steps
from hpvqa.main import main
from hpvqa.vlm.choice import ModelChoice
from hpvqa.vlm.families import find_family
from hpvqa.vlm.processing import load_processor
from hpvqa.vlm.protocol import Answer, Query
from hpvqa.vlm.tiny import build_tiny
from hpvqa.vlm.tiny.kinds import Kind
from hpvqa.vlm.training_record import SampleRecord, read_sample_record, read_training_record
from tests.factories import quiet
from tests.needs import long_but
from tests.step_samples import SIDE, best, turns, write_part, write_samples
from tests.test_explore_models import Fake
from tests.tiny_models import TinyModel, load_model

KINDS = get_args(Kind)
SHORT = {"training.max_steps": 1, "training.checks": 1, "training.batch_size": 2, "samples.max_new_tokens": 8}
FEW = (0, 5)
"""Turns of most tests."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_samples(tmp_path_factory.mktemp("steps") / "samples", FEW)


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def job(samples: Path, model: Path, out: Path, recipe: str = "reason-lora", **changes: Any) -> TrainingJob:
    how = override(load_finetune_recipe(recipe), {**SHORT, **changes})
    return TrainingJob(open_samples(samples), str(model), how, out, device="cpu", workers=0)


def trained(wanted: TrainingJob, **options: Any) -> dict[str, Any]:
    """Train, and return the adapter's tensors."""
    from safetensors.torch import load_file

    finetune(wanted, quiet(), command="hpvqa finetune", **options)
    return dict(load_file(wanted.out / "adapter_model.safetensors"))


@pytest.mark.parametrize("thought", [True, False])
def test_a_model_is_trained_on_what_an_agent_is_asked(folder: Path, thought: bool) -> None:
    asked: list[Query] = []

    def reply(query: Query) -> Answer:
        asked.append(query)
        return Answer(None, "<answer>A</answer>")

    player = ModelAgent(Fake(reply), speaks=thought, size=lambda: (32, 32), budget=9)
    player.decide([turns()[number] for number in FEW])
    samples, _ = open_samples(folder).load("train", ("steps",))
    lessons = Steps(open_samples(folder), samples, (32, 32), thought=thought)
    for number, query, example in zip(FEW, asked, [lessons[0], lessons[1]], strict=True):
        seen = example.query
        assert (seen.system, seen.text, seen.choices) == (query.system, query.text, query.choices)
        assert [(a.fps, a.indices) for a in seen.videos] == [(a.fps, a.indices) for a in query.videos]
        assert np.array_equal(seen.videos[0].images, query.videos[0].images)
        whole = f"</think>\n<answer>{best(number)}</answer>"
        assert example.answer.endswith(whole) if thought else example.answer == best(number)


@pytest.mark.parametrize("kind", long_but(KINDS))
def test_every_family_is_trained_on_replies_alone(
    kind: Kind, folder: Path, tmp_path: Path, tiny_model: TinyModel
) -> None:
    model = tiny_model(kind)
    processor, family = load_processor(str(model)), find_family(str(model))
    wanted = job(folder, model, tmp_path / "out", **{"samples.subsets": ["steps", "single", "captions"]})
    lessons = prepare(wanted).train
    examples = [lessons[number] for number in range(3)]
    batch = Collator(processor, family)(examples)
    for labels, example in zip(batch["labels"], examples, strict=True):
        said = processor.tokenizer.decode(labels[labels != IGNORED])
        assert said == f"{example.answer}{processor.tokenizer.eos_token}"
    planned = plan(wanted)
    assert (planned.rows, planned.episodes, planned.unit) == (6, 1, "groups of scenes")
    trained(wanted)
    lines = [json.loads(line) for line in (tmp_path / "out" / "metrics.jsonl").read_text().splitlines()]
    # Thoughts were written out, and none was legible within eight tokens.
    assert [line["eval_accuracy"] for line in lines if "eval_accuracy" in line] == [0.0]


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_may_hold_words_alone(kind: Kind, tiny_model: TinyModel) -> None:
    folder = str(tiny_model(kind))
    examples = [Example(make_query("k", "Look.", text, ("A", "B"), ()), "A") for text in ("Which?", "Which one?")]
    batch = Collator(load_processor(folder), find_family(folder))(examples)
    assert batch["input_ids"].shape[0] == 2
    assert "pixel_values" not in batch


@pytest.mark.parametrize(
    ("changes", "measure", "counts"),
    [
        ({}, "spoken", {"steps": 2}),
        ({"samples.spoken": 0}, "loss", {"steps": 2}),
        ({"samples.thought": False, "samples.subsets": ["captions", "steps"]}, "first", {"steps": 2, "captions": 2}),
        ({"samples.subsets": ["single", "captions"]}, "whole", {"single": 2, "captions": 2}),
        ({"samples.subsets": ["captions"]}, "loss", {"captions": 2}),
    ],
)
def test_what_is_trained_on_is_chosen_and_written_down(
    changes: dict[str, Any], measure: str, counts: dict[str, int], folder: Path, tmp_path: Path, tiny_model: TinyModel
) -> None:
    found = prepare(job(folder, tiny_model("internvl"), tmp_path, **changes))
    record = found.record
    assert isinstance(record, SampleRecord)
    assert (found.measure, record.counts) == (measure, counts)
    assert record.thought is (changes.get("samples.thought", True) if "steps" in counts else None)
    assert record.scenes == {"stack": ("two boards",)}
    assert record.resolution == (SIDE, SIDE)
    keys = [
        {lessons[n].query.key.split("/")[0] for n in range(len(lessons))} for lessons in (found.train, found.validation)
    ]
    assert keys[0].isdisjoint(keys[1])
    # Flipping and frames are of data sets.
    with pytest.raises(UsageError, match="frames is for data sets"):
        job(folder, tiny_model("internvl"), tmp_path, **{"frames.fps": 2})


@pytest.mark.long
def test_stages_go_on_from_each_other(folder: Path, tmp_path: Path, tiny_model: TinyModel) -> None:
    model = tiny_model("internvl")

    def stage(recipe: str, before: str | None, **changes: Any) -> dict[str, Any]:
        wanted = job(folder, model, tmp_path / recipe, recipe, **changes)
        return trained(replace(wanted, adapter=None if before is None else tmp_path / before))

    align = stage("align-lora", None)
    assert align
    assert all("multi_modal_projector" in name for name in align)
    see = stage("see-lora", "align-lora")
    assert {"multi_modal_projector" in name for name in see} == {True, False}
    assert any(not see[name].equal(align[name]) for name in align)
    two = {"training.max_steps": 2, "training.epochs": 2, "training.checks": 2, "samples.thought": False}
    reason = stage("reason-lora", "see-lora", **two)
    assert reason.keys() == see.keys()
    for name in reason:
        assert reason[name].equal(see[name]) == ("multi_modal_projector" in name), name
    record = read_sample_record(tmp_path / "reason-lora")
    assert record is not None
    assert record.start is not None
    assert record.start.adapter == str(tmp_path / "see-lora")
    # What is not trained stays so when a training is gone on with.
    shutil.rmtree(tmp_path / "reason-lora" / "checkpoints" / "checkpoint-2")
    wanted = replace(job(folder, model, tmp_path / "reason-lora", **two), adapter=tmp_path / "see-lora")
    again = trained(wanted, resume=True)
    assert all(again[name].equal(reason[name]) for name in reason)
    with pytest.raises(UsageError, match=r"other settings: thought was False and is True now"):
        finetune(
            replace(wanted, recipe=override(wanted.recipe, {"samples.thought": True})), quiet(), resume=True, command=""
        )
    with pytest.raises(UsageError, match=r"rank 16 and alpha 32.*; add --set lora\.rank=16"):
        trained(replace(job(folder, model, tmp_path / "x", **{"lora.rank": 4}), adapter=tmp_path / "align-lora"))
    with pytest.raises(UsageError, match=r"was trained on .*, not on "):
        trained(replace(job(folder, tiny_model("qwen3_vl"), tmp_path / "x"), adapter=tmp_path / "align-lora"))
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("thought", [True, False])
def test_an_adapter_plays_as_it_was_taught(thought: bool, folder: Path, tmp_path: Path, tiny_model: TinyModel) -> None:
    model, out = tiny_model("internvl"), tmp_path / "out"
    trained(job(folder, model, out, **{"samples.thought": thought, "samples.spoken": 0, "samples.max_new_tokens": 99}))
    assert read_training_record(out) is None
    player = open_model(ModelChoice(model=str(model), adapter=out), {})
    assert player.details["scoring"] == ("generate" if thought else "logprobs")
    assert player.details["max_new_tokens"] == (99 if thought else None)
    assert player.unlike("pictures") == []
    assert player.unlike("facts") == ["The model was trained on pictures"]
    other = open_model(ModelChoice(model=str(model), adapter=out, scoring="logprobs" if thought else "generate"), {})
    way = "think first: --scoring generate" if thought else "say a letter alone: --scoring logprobs"
    assert other.unlike("pictures") == [f"The model was trained to {way}"]
    (*_, said) = open_model(ModelChoice(model=str(model), adapter=out, thinking=9), {}).unlike("pictures")
    assert said == "The model was trained with its template's thinking turned off: leave out --thinking"


@pytest.mark.parametrize(("shown", "asked"), [("pictures", ""), ("facts", " --condition facts")])
def test_the_card_says_how_it_is_played(
    shown: Any, asked: str, folder: Path, tmp_path: Path, tiny_model: TinyModel
) -> None:
    from hpvqa.finetune.checkpoints import Course

    wanted = job(folder, tiny_model("internvl"), tmp_path / "out")
    samples = wanted.dataset
    assert isinstance(samples, SampleFolder)
    told = replace(wanted, dataset=SampleFolder(samples.root, samples.settings.model_copy(update={"shown": shown})))
    made = Made(tmp_path / "out", wanted.recipe, (1, 2), Course(1, 1.0, {}), "hpvqa finetune")
    assert f"--adapter {tmp_path / 'out'}{asked}\n" in prepare(told).card(made)


@pytest.mark.slow
def test_what_was_taught_is_played(tmp_path: Path) -> None:
    model = tmp_path / "model"
    build_tiny("internvl", model, trainable=True, side=SIDE)
    loud = load_model(model)
    # Only what projector and language model say is trained, and a last layer of small weights is never sure of it.
    loud.lm_head.weight.data.mul_(20)
    loud.save_pretrained(model)
    changes = {
        "samples.thought": False,
        "lora.part": "both",
        "lora.rank": 32,
        "lora.dropout": 0.0,
        "training.batch_size": 8,
        "training.epochs": 40,
        "training.max_steps": None,
        "training.learning_rate": 5e-3,
        "training.warmup": 0.1,
    }
    wanted = job(write_samples(tmp_path / "samples"), model, tmp_path / "out", **{**changes, "lora.alpha": 64})
    done = finetune(wanted, quiet(), command="")
    assert done.best["eval_loss"] < 0.01
    # The groups that are held out show the same.
    assert done.best["eval_accuracy"] == 1.0
    player = open_model(ModelChoice(model=str(model), adapter=tmp_path / "out"), {})
    player.load(print)
    assert [decision.letter for decision in player.decide(turns())] == [best(number) for number in range(8)]
    player.close()


def altered(folder: Path, **changes: Any) -> None:
    """Change the first sample of the first group."""
    samples, _ = open_samples(folder).load("train", ("steps", "captions", "single"))
    mine = [sample for sample in samples if sample.group == 0]
    write_part(folder, 0, [mine[0].model_copy(update=changes), *mine[1:]])


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"thought": "I think."}, "its thought cannot be read"),
        ({"world_version": 0}, "made of scenes of version 0, not 1"),
        ({"schema_version": 9}, "damaged or of another version"),
        ({"pictures": ("0" * 64,)}, "its picture train/pictures/0000"),
    ],
)
def test_samples_that_cannot_be_used_are_counted_and_named(
    changes: dict[str, Any], why: str, copied: Path, tmp_path: Path, tiny_model: TinyModel
) -> None:
    altered(copied, **changes)
    found = prepare(job(copied, tiny_model("internvl"), tmp_path, **{"samples.subsets": ["steps", "single"]}))
    (warning,) = found.warnings
    assert warning.startswith("Left out 1 samples that cannot be used: ")
    assert why in warning
    assert isinstance(found.record, SampleRecord)
    assert len(found.record.left_out) == 1


def test_a_damaged_picture_is_one_sentence(copied: Path, tmp_path: Path, tiny_model: TinyModel) -> None:
    for path in (copied / picture_file("train", "x")).parent.iterdir():
        path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(UsageError, match=r"\AThe picture \S+ is damaged; build the samples anew\Z"):
        trained(job(copied, tiny_model("internvl"), tmp_path / "out"))


def sized(width: int, height: int) -> bytes:
    """A PNG file that says it is so large, and holds one line of 64 pixels."""
    data = bytearray(png(np.zeros((1, 64, 3), np.uint8)))
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


@pytest.mark.parametrize("data", [sized(5000, 1), sized(30_000, 30_000), sized(64, 64)[:-40], b"BM", b"%!PS-Adobe-3.0"])
def test_a_picture_that_cannot_be_used_is_one_sentence(data: bytes, copied: Path) -> None:
    """As that of a stranger, whose name fits its bytes."""
    name = hashlib.sha256(data).hexdigest()
    (copied / picture_file("train", name)).write_bytes(data)
    (sample, *_), _ = open_samples(copied).load("train", ("steps",))
    with pytest.raises(UsageError, match=r"\AThe picture \S+ cannot be used \(.*\); build the samples anew\Z"):
        open_samples(copied).pictures(sample.model_copy(update={"pictures": (name,)}))


@pytest.mark.parametrize("name", ["../../../../x", "/etc/passwd", "", "x.jpg", f"../{'0' * 64}"])
def test_a_picture_is_named_by_what_it_is(name: str, copied: Path) -> None:
    altered(copied, pictures=(name,))
    _, left_out = open_samples(copied).load("train", ("steps",))
    assert [why for why in left_out if "pictures.0 must be text of the form" in why] == left_out != []


def alter(path: Path) -> None:
    """Change a byte in the middle of a file, which its checksum at the end would show if that were reached."""
    data = bytearray(path.read_bytes())
    data[len(data) // 4] ^= 255
    path.write_bytes(data)


def changed(**settings: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "samples.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **settings}))

    return change


@pytest.mark.parametrize(
    ("change", "args", "message"),
    [
        (changed(world_version=0), [], "holds samples of scenes of version 0, and agents play those of version 1"),
        (changed(schema_version=2), [], "is damaged or of another version"),
        (changed(words="0"), [], "asks in other words than agents are asked in"),
        (lambda folder: (folder / "samples.json").unlink(), [], "holds no samples; make some with"),
        (lambda folder: (folder / "README.md").unlink(), [], "is not built to its end"),
        (lambda folder: (folder / "parts" / "stack-000001.jsonl.gz").unlink(), [], "of one group of scenes"),
        (lambda folder: (folder / "parts" / "stack-000001.jsonl.gz").write_text("?"), [], "is damaged; delete it"),
        (lambda folder: alter(folder / "parts" / "stack-000001.jsonl.gz"), [], "is damaged; delete it"),
        (lambda folder: shutil.rmtree(folder / "parts"), [], "has no steps to train on"),
        (None, ["--recipe", "lora"], "The recipe is one for data sets"),
        (None, ["--fps", "2"], "--fps is for data sets"),
        (None, ["--task", "push"], "--task is for data sets"),
        (None, ["--dataset", "x"], "Give either --dataset or --samples"),
        (None, ["--set", "training.mirror=true"], "mirror is for data sets"),
        (None, ["--set", "samples.subsets=[core]"], "samples.subsets must be 'steps', 'captions' or 'single'"),
        (None, ["--adapter", "nowhere"], "nowhere holds no adapter"),
    ],
)
def test_wrong_calls(
    change: Callable[[Path], None] | None, args: list[str], message: str, copied: Path, tmp_path: Path,
    tiny_model: TinyModel, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("HPVQA_CACHE", str(tmp_path / "cache"))
    if change is not None:
        change(copied)
    base = ["finetune", "--samples", copied, "--model", tiny_model("internvl"), "--out", tmp_path / "out"]
    with pytest.raises(SystemExit) as stop:
        main([str(arg) for arg in (*base, *args)])
    assert stop.value.code == 2
    said = " ".join(capsys.readouterr().err.split())
    assert message in said
    assert not (tmp_path / "out").exists()


def test_samples_in_place_of_a_data_set_are_told(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["finetune", "--dataset", str(folder), "--model", "x", "--out", str(tmp_path / "out")])
    assert stop.value.code == 2
    assert "holds samples of scenes; give it as --samples" in " ".join(capsys.readouterr().err.split())
