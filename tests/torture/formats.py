"""Every format of a file that is read: a whole one to damage, and what reads it."""

from __future__ import annotations

import io
import json
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hpvqa.collect.settings import read_collection
from hpvqa.commands.defaults import find_defaults
from hpvqa.dataset.build import build
from hpvqa.dataset.labels import read_labels
from hpvqa.dataset.lerobot_source import read_source
from hpvqa.dataset.load import open_dataset
from hpvqa.dataset.manifest import MANIFEST_FILE
from hpvqa.dataset.probe import probe
from hpvqa.dataset.public import read_originals
from hpvqa.dataset.verify import verify
from hpvqa.errors import RunError
from hpvqa.explore.folder import read_worlds
from hpvqa.explore.runs.folder import read_run
from hpvqa.explore.samples.load import open_samples
from hpvqa.explore.samples.record import SUBSETS, picture_file
from hpvqa.explore.scene import read_scene
from hpvqa.files import file_record
from hpvqa.finetune.checkpoints import CHECKPOINTS, last_checkpoint
from hpvqa.finetune.run import TrainingJob, finetune
from hpvqa.finetune.settings import load_finetune_recipe
from hpvqa.main import COMMANDS, cli
from hpvqa.progress.console import PlainConsole
from hpvqa.progress.reporter import reporting
from hpvqa.recipe import Recipe, load_recipe
from hpvqa.record.decode import iter_frames
from hpvqa.record.episode import read_episode
from hpvqa.record.layers import layer_file, read_layer
from hpvqa.record.trajectory import read_trajectory
from hpvqa.record.video import LayerWriter
from hpvqa.report.reading import read_runs
from hpvqa.report.values import read_values
from hpvqa.resources import recipes_dir
from hpvqa.scene.layers import Layer
from hpvqa.scene.rigs import load_rig
from hpvqa.scene.spec import SIDES
from hpvqa.studio.progress import Progress
from hpvqa.suite.card import read_card
from hpvqa.suite.data import SUITE_FILE, Data, begin, read_record
from hpvqa.suite.definition import Suite, digest
from hpvqa.vlm.adapter import check_adapter, read_adapter
from hpvqa.vlm.checkpoint import check_checkpoint, weight_shapes
from hpvqa.vlm.embedded import adapter_folder, base_folder
from hpvqa.vlm.families import find_family
from hpvqa.vlm.prompt import load_prompt
from hpvqa.vlm.training_record import METRICS_FILE, read_metrics, read_training_record
from tests import factories
from tests.explore_play import play, rule
from tests.explore_worlds import write_worlds
from tests.finetune_jobs import job, make_plain
from tests.step_samples import write_samples
from tests.test_suite import card, small
from tests.torture.trace import do

_PUBLISHED = "model_push_results.jsonl"
_BASE = "embedded-base"
_EPISODE = "data/push/000/episode-000000"
_COLLECTED = "collection/push/000/episode-000000"
_TRAJECTORY = f"{_EPISODE}/trajectory.parquet"
_SCENE = "worlds/stack/000/scene-000000.json"
_PLAYED = "played/scenes/stack-000000/steps.jsonl"
_METRICS = 20
_FRAMES = 4
_PROGRESS = "progress.jsonl"
_VALUES = "values.jsonl"
_CHECKPOINT = f"trained/{CHECKPOINTS}/checkpoint-1"
_SAVED = ("adapter_model.safetensors", "trainer_state.json", "optimizer.pt", "scheduler.pt", "rng_state.pth")


@dataclass(frozen=True)
class Format:
    """A kind of file.

    Attributes:
        name: What it is called in tables.
        file: The file that is damaged, relative to a folder that `prepare` has filled.
        read: Reads it as a command would, given that folder; returns the paths that it would open.
        one_of: Every how many-th input is read, where reading one takes long.
    """

    name: str
    file: str
    read: Callable[[Path], Iterable[Path] | None]
    one_of: int = 1


def prepare(folder: Path) -> None:
    """Fill a folder with one whole file of every format."""
    factories.make_data(folder / "data", push=4, drop=4)
    build(folder / "data", folder / "ds", factories.quiet(), recipe=Recipe())
    factories.make_original(
        folder / "original" / "push_test", "push", {n: "Left." if n % 2 else "Right." for n in range(4)}
    )
    do(folder, "eval", "--dataset", "ds", "--model", "oracle", "--out", "runs/oracle")
    do(folder, "collect", "push", "--episodes", "1", "--no-video", "--out", "collection")
    lines = (folder / "runs" / "oracle" / "predictions.jsonl").read_text().splitlines()
    keys = ("file_name", "question", "answer", "prediction", "is_correct")
    published = [{key: json.loads(line)[key] for key in keys} for line in lines]
    for number, row in enumerate(published):
        row["answer"] = f"{row['answer'].capitalize()}."
        row["file_name"] = f"a/push_test/videos/episode_{number}_cam_back_wide.mp4"
    (folder / _PUBLISHED).write_text("".join(json.dumps(row) + "\n" for row in published))
    for name, source in (("recipe", "demo"), ("finetune", "lora"), ("rig", "rigs/paper"), ("prompt", "prompts/paper")):
        shutil.copy(recipes_dir() / f"{source}.yaml", folder / f"{name}.yaml")
    (folder / "hpvqa.yaml").write_text("eval: {backend: baseline, model: pixels, seed: 3}\nbuild: {force: true}\n")
    shutil.copytree(adapter_folder(), folder / "adapter")
    shutil.copytree(base_folder(), folder / _BASE)
    write_worlds(folder / "worlds")
    play(rule("ideal"), folder / "played")
    write_samples(folder / "samples")
    (folder / "card.json").write_text(card("left", {"0": "10", "1": "1x"}).model_dump_json())
    suite = Suite(definition=small(), size_name="quick")
    begin(Data(suite, folder / "suite"), digest(suite))
    rows = (folder / "original" / "push_test" / "metadata.jsonl").read_text().splitlines()
    values = [json.loads(row) | {"values": {"cube01": 1.0, "cube02": 2.0}} for row in rows]
    (folder / _VALUES).write_text("".join(json.dumps(row) + "\n" for row in values))
    _layers(folder / "layers")
    with reporting(PlainConsole(file=io.StringIO()), folder / _PROGRESS, time.time) as reporter:
        reporter.start("draw", "scenes", _METRICS)
        for number in range(_METRICS):
            reporter.item(f"scene {number}")
        reporter.done()
    shutil.copy(folder / _PROGRESS, folder / f"whole-{_PROGRESS}")
    _training(folder)
    for version in (2, 3):
        _lerobot(folder / f"lerobot{version}", version)
    (folder / "labels.csv").write_text("episode,task,left,right,cameras\n0,push,1,2,top=a\n1,drop,0.5,0.1,\n")
    lines = ({"step": number, "loss": 1 / number} for number in range(1, _METRICS + 1))
    (folder / METRICS_FILE).write_text("".join(json.dumps(line) + "\n" for line in lines))
    # What others share is not a hard link of it: damage must stay in one place.
    for path in folder.rglob("*"):
        if path.is_file() and path.stat().st_nlink > 1:
            data = path.read_bytes()
            path.unlink()
            path.write_bytes(data)


def _lerobot(folder: Path, version: int) -> None:
    """A LeRobotDataset of two episodes by two cameras, whose clips are empty: only their places are looked at."""
    cameras = ("observation.images.top", "observation.images.hand")
    for name in (f"videos/chunk-000/{camera}/episode_00000{number}.mp4" for camera in cameras for number in (0, 1)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    for name in (f"videos/{camera}/chunk-000/file-000.mp4" for camera in cameras):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    meta = folder / "meta"
    (meta / "episodes/chunk-000").mkdir(parents=True)
    features = {camera: {"dtype": "video", "shape": [48, 64, 3]} for camera in cameras}
    info = {"codebase_version": f"v{version}.0", "fps": 10, "chunks_size": 1000, "features": features}
    (meta / "info.json").write_text(json.dumps(info))
    rows: list[dict[str, float]] = [{"episode_index": number, "length": 20} for number in (0, 1)]
    (meta / "episodes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for number, row in enumerate(rows):
        for camera in cameras:
            row |= {f"videos/{camera}/{name}": 0 for name in ("chunk_index", "file_index")}
            row |= {f"videos/{camera}/{end}_timestamp": 2.0 * (number + (end == "to")) for end in ("from", "to")}
    pq.write_table(pa.Table.from_pylist(rows), meta / "episodes/chunk-000/file-000.parquet")


def _layers(folder: Path) -> None:
    """Depth and segmentation of a camera."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for layer, kind in (("depth", np.uint16), ("segmentation", np.uint8)):
        with LayerWriter(folder / layer_file("top", layer), layer, 10, 64, 48) as writer:
            for _ in range(_FRAMES):
                writer.write(rng.integers(0, 200, (48, 64), dtype=kind))


def _training(folder: Path) -> None:
    """A training with one more step to take."""
    make_plain(folder / "train")
    do(folder, "tiny", "qwen3_vl", "tiny")
    finetune(_job(folder, "trained"), factories.quiet(), command="hpvqa finetune")
    shutil.rmtree(folder / "trained" / CHECKPOINTS / "checkpoint-2")


def _job(folder: Path, out: str) -> TrainingJob:
    changes = {"training.max_steps": 2, "training.epochs": 1, "training.checks": 2, "training.batch_size": 2}
    return job(open_dataset(folder / "train" / "dataset"), folder / "tiny", folder / out, **changes)


def _resume(folder: Path) -> None:
    out = folder / "resumed"
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(folder / "trained", out)
    if last_checkpoint(out) is None:
        raise RunError("passed over, so that the training begins again")
    finetune(_job(folder, "resumed"), factories.quiet(), resume=True, command="hpvqa finetune")


def _layer(layer: Layer) -> Callable[[Path], None]:
    def read(folder: Path) -> None:
        if len(read_layer(folder / "layers", "top", layer)) < _FRAMES:
            raise RunError("frames are missing")

    return read


def _progress(folder: Path) -> None:
    now, whole = (Progress(folder / name).now() for name in (_PROGRESS, f"whole-{_PROGRESS}"))
    json.dumps(now).encode()
    if {**now, "name": ""} != {**whole, "name": ""}:
        raise RunError("lines are left out")


def _stretches(name: str) -> Callable[[Path], list[Path]]:
    def read(folder: Path) -> list[Path]:
        source = read_source(folder / name)
        try:
            return [source.find(number, key).video for number in source.episodes for key in source.cameras]
        except ValueError as error:
            raise RunError(str(error)) from None

    return read


def _samples(folder: Path) -> list[Path]:
    opened = open_samples(folder / "samples")
    found, left_out = opened.load("train", SUBSETS)
    if left_out:
        raise RunError(left_out[0])
    return [opened.root / picture_file(sample.split, name) for sample in found for name in sample.pictures]


def _metrics(folder: Path) -> None:
    if len(read_metrics(folder / METRICS_FILE)) < _METRICS:
        raise RunError("lines are left out")


def _rows(folder: Path) -> list[Path]:
    """The rows of a data set whose manifest fits its damaged metadata, as that of a stranger would."""
    root = folder / "ds"
    manifest = json.loads((root / MANIFEST_FILE).read_text())
    name = "eval/metadata.jsonl"
    manifest["files"][name] = file_record(root / name).model_dump()
    (root / MANIFEST_FILE).write_text(json.dumps(manifest))
    dataset = open_dataset(root)
    return [dataset.clip("eval", row) for row in dataset.rows("eval")]


def _verify(name: str) -> Callable[[Path], None]:
    def read(folder: Path) -> None:
        found = verify(folder / name, factories.quiet()).problems
        if found:
            raise RunError(found[0].detail)

    return read


def _clip(folder: Path) -> None:
    path = folder / _EPISODE / "back_top_narrow.mp4"
    probe(path)
    for _, _ in zip(range(1000), iter_frames(path), strict=False):
        pass


def _adapter(folder: Path) -> None:
    check_adapter(read_adapter(folder / "adapter"), str(folder / _BASE))


def _base(folder: Path) -> None:
    check_checkpoint(folder / _BASE)
    weight_shapes(folder / _BASE)


FORMATS = (
    Format("episode.json", f"{_EPISODE}/episode.json", lambda folder: _nothing(read_episode(folder / _EPISODE))),
    Format("episode.json, verified", f"{_COLLECTED}/episode.json", _verify("collection")),
    Format("trajectory.parquet", _TRAJECTORY, lambda f: _nothing(read_trajectory(f / _TRAJECTORY, SIDES))),
    Format("clip", f"{_EPISODE}/back_top_narrow.mp4", _clip),
    Format(
        "hpvqa.json of a data folder", "collection/hpvqa.json", lambda f: _nothing(read_collection(f / "collection"))
    ),
    Format("manifest.json", "ds/manifest.json", _verify("ds")),
    Format("metadata.jsonl", "ds/eval/metadata.jsonl", _rows),
    Format("metadata.jsonl to import", "original/push_test/metadata.jsonl", lambda f: _clips(f / "original")),
    Format("run.json", "runs/oracle/run.json", lambda f: _nothing(read_runs([f / "runs" / "oracle"]))),
    Format(
        "predictions.jsonl", "runs/oracle/predictions.jsonl", lambda f: _nothing(read_runs([f / "runs" / "oracle"]))
    ),
    Format(
        "published predictions",
        "model_push_results.jsonl",
        lambda f: _nothing(read_runs([f / "model_push_results.jsonl"])),
    ),
    Format("recipe", "recipe.yaml", lambda f: _nothing(load_recipe(str(f / "recipe.yaml")))),
    Format("fine-tuning recipe", "finetune.yaml", lambda f: _nothing(load_finetune_recipe(str(f / "finetune.yaml")))),
    Format("camera rig", "rig.yaml", lambda f: _nothing(load_rig(str(f / "rig.yaml")))),
    Format("prompt", "prompt.yaml", lambda f: _nothing(load_prompt(str(f / "prompt.yaml")))),
    Format("hpvqa.yaml", "hpvqa.yaml", lambda f: _defaults(f / "hpvqa.yaml")),
    Format("adapter_config.json", "adapter/adapter_config.json", _adapter),
    Format("adapter_model.safetensors", "adapter/adapter_model.safetensors", _adapter),
    Format("hpvqa.json of an adapter", "adapter/hpvqa.json", lambda f: _nothing(read_training_record(f / "adapter"))),
    Format("config.json", f"{_BASE}/config.json", lambda f: _nothing(find_family(str(f / _BASE)))),
    Format("model.safetensors", f"{_BASE}/model.safetensors", _base),
    Format("worlds.json", "worlds/worlds.json", lambda f: _nothing(read_worlds(f / "worlds"))),
    Format("scene", _SCENE, lambda f: _nothing(read_scene(f / _SCENE))),
    Format("run.json of an agent", "played/run.json", lambda f: _nothing(read_run(f / "played"))),
    Format("steps.jsonl", _PLAYED, lambda f: _nothing(read_run(f / "played"))),
    Format("samples.json", "samples/samples.json", lambda f: _nothing(open_samples(f / "samples"))),
    Format("samples of a scene", "samples/parts/stack-000000.jsonl.gz", _samples),
    Format("card.json", "card.json", lambda f: _nothing(read_card(f / "card.json"))),
    Format("info.json of LeRobot", "lerobot3/meta/info.json", _stretches("lerobot3")),
    Format("episodes.jsonl of LeRobot", "lerobot2/meta/episodes.jsonl", _stretches("lerobot2")),
    Format("episodes of LeRobot", "lerobot3/meta/episodes/chunk-000/file-000.parquet", _stretches("lerobot3")),
    Format("labels.csv", "labels.csv", lambda f: _nothing(read_labels(f / "labels.csv"))),
    Format("metrics.jsonl", METRICS_FILE, _metrics),
    Format("depth", f"layers/{layer_file('top', 'depth')}", _layer("depth")),
    Format("segmentation", f"layers/{layer_file('top', 'segmentation')}", _layer("segmentation")),
    Format("progress file", _PROGRESS, _progress),
    Format("hidden values", _VALUES, lambda f: _nothing(read_values([f / _VALUES]))),
    Format("suite.json", f"suite/{SUITE_FILE}", lambda f: _nothing(read_record(f / "suite"))),
    *(Format(f"{name} of a checkpoint", f"{_CHECKPOINT}/{name}", _resume, one_of=50) for name in _SAVED),
)


def _nothing(_: object) -> None:
    return None


def _clips(folder: Path) -> list[Path]:
    return [original.clip for original in read_originals(folder)]


def _defaults(path: Path) -> None:
    group = click.Context(cli)
    for name in ("eval", "build"):
        command = cli.get_command(group, name)
        assert command is not None
        find_defaults(click.Context(command, group, info_name=name), path, {}, COMMANDS)
