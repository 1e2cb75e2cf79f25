"""Training samples: asked as agents are asked, the same bytes again, in every format, and nothing bad among them."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from hpvqa.dataset.export.pictures import png
from hpvqa.errors import RunError, UsageError
from hpvqa.explore.agents import open_rule
from hpvqa.explore.agents.words import SYSTEM, ask, read_letter
from hpvqa.explore.evaluation import EVALUATION
from hpvqa.explore.folder import WORLDS_FILE
from hpvqa.explore.observer import Observer
from hpvqa.explore.protocol import Turn
from hpvqa.explore.samples.courses import WAYS, actions
from hpvqa.explore.samples.folder import LOCK_FILE, Wanted, build, part_file, read_samples
from hpvqa.explore.samples.formats import FORMATS, find_format
from hpvqa.explore.samples.record import Sample, picture_file, split_of
from hpvqa.explore.scene import HIDING, find_scenes, scene_file
from hpvqa.files import locked
from hpvqa.main import cli
from tests import explore_play
from tests.explore_worlds import group, write_worlds
from tests.factories import quiet

ALL = tuple(FORMATS)


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_worlds(tmp_path_factory.mktemp("samples") / "worlds")


@pytest.fixture(scope="module")
def built(worlds: Path) -> Path:
    out = worlds.with_name("built")
    said = [
        "explore",
        "build",
        str(worlds),
        "--facts",
        "--format",
        "all",
        "--workers",
        "1",
        "--out",
        str(out),
        "--json",
    ]
    result = CliRunner().invoke(cli, said)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["left_out"] == []
    assert told["counts"].keys() == {split_of(group()[0])}
    return out


@pytest.fixture
def copied(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "copy"))


def wanted(worlds: Path, out: Path, formats: tuple[str, ...] = ALL) -> Wanted:
    return Wanted(worlds, out, formats, "facts", HIDING)


def samples(built: Path) -> list[Sample]:
    found, left_out = read_samples(built, group())
    assert left_out == []
    return found


def files(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.mark.slow
def test_steps_are_asked_in_the_words_of_evaluation(built: Path, tmp_path: Path) -> None:
    ideal, turns = open_rule("ideal", seed=0), list[Turn]()

    def choose(turn: Turn) -> Any:
        turns.append(turn)
        ideal.begin([turn.brief])
        return ideal.decide([turn])[0]

    explore_play.play(explore_play.Scripted(choose), tmp_path / "run", "facts")
    texts = {sample.text for sample in samples(built) if sample.subset == "steps"}
    assert len(turns) > 4
    assert {ask(turn, thinks=True) for turn in turns} <= texts
    assert {sample.system for sample in samples(built) if sample.subset == "steps"} == {SYSTEM}


@pytest.mark.slow
def test_steps_of_all_ways_are_there_once_each(built: Path) -> None:
    steps = [sample for sample in samples(built) if sample.subset == "steps"]
    asked = [sample.text for sample in steps]
    known = {done[:n] for way in WAYS for done in [actions(Observer(group()[0]), way)] for n in range(9)}
    assert len([sample for sample in steps if sample.id.startswith(f"{group()[0].key}/")]) == len(known)
    assert {sample.way for sample in steps} == set(WAYS)
    assert len({sample.id for sample in samples(built)}) == len(samples(built))
    # Twins are told the same until they see more, in words as in pictures.
    assert len(asked) > len(set(asked)) - 1


def test_replies_choose_the_option_that_they_should(built: Path) -> None:
    for sample in samples(built):
        if sample.subset == "steps":
            assert read_letter(sample.said, [sample.answer, "Z"]) == sample.answer


@pytest.mark.slow
def test_a_lost_scene_is_made_again_bit_for_bit(worlds: Path, copied: Path) -> None:
    before = files(copied)
    part_file(copied, group()[1]).unlink()
    shutil.rmtree(copied / split_of(group()[0]))
    # Formats that were written once are kept up.
    build(wanted(worlds, copied, ("paper",)), quiet())
    assert files(copied) == before


def test_each_format_holds_the_same_samples(built: Path) -> None:
    found, split = samples(built), split_of(group()[0])
    lines = [json.loads(line) for line in (built / split / "messages.jsonl").read_text().splitlines()]
    said = {line["id"]: [part["text"] for message in line["messages"] for part in message["content"]] for line in lines}
    assert said == {sample.id: [sample.system, sample.text, sample.said] for sample in found}
    for subset in ("steps", "single"):
        some = [sample for sample in found if sample.subset == subset]
        shared = [json.loads(line) for line in (built / f"sharegpt-{subset}-{split}.jsonl").read_text().splitlines()]
        talks = [[part["value"] for part in line["conversations"]] for line in shared]
        assert talks == [[sample.text, sample.said] for sample in some]
        assert json.loads((built / "dataset_info.json").read_text())[f"explore_{subset}_{split}"]["file_name"]
        paper = json.loads((built / f"paper-{subset}-{split}.json").read_text())
        assert [entry.keys() for entry in paper] == [{"question_type", "image", "conversations"}] * len(some)
        assert [entry["conversations"][0]["from"] for entry in paper] == ["human"] * len(some)
    (first, *_) = json.loads((built / f"paper-steps-{split}.json").read_text())
    think, answer = first["conversations"][1]["value"].split("</think>\n")
    assert think.startswith("<think>## Visual Reasoning\n")
    assert answer == f"<answer>\n{found[0].answer}\n</answer>"


def altered(copied: Path, change: Callable[[dict[str, Any]], Mapping[str, Any]]) -> str:
    """Change the first sample of the first scene; its name."""
    path = part_file(copied, group()[0])
    head, first, *rest = gzip.decompress(path.read_bytes()).splitlines()
    data = json.loads(first)
    path.write_bytes(gzip.compress(b"\n".join([head, json.dumps({**data, **change(data)}).encode(), *rest])))
    return str(data["id"])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda data: {"world_version": 0}, "made of scenes of version 0, not 1"),
        (lambda data: {"pictures": ["0" * 64]}, "its picture train/pictures/0000"),
        (lambda data: {"thought": data["thought"].replace("## Planning", "## Plan")}, "its thought cannot be read"),
        (lambda data: {"schema_version": 2}, "damaged or of another version"),
    ],
)
def test_what_cannot_be_used_is_left_out_and_named(
    worlds: Path, copied: Path, change: Callable[[dict[str, Any]], Mapping[str, Any]], why: str
) -> None:
    before = samples(copied)
    name = altered(copied, change)
    done = build(wanted(worlds, copied), quiet())
    (left_out,) = done.left_out
    assert why.replace("train/", f"{before[0].split}/") in left_out
    assert name in left_out or f"sample 1 of {part_file(copied, group()[0]).name}" in left_out
    assert sum(done.counts[before[0].split].values()) == len(before) - 1
    lines = (copied / before[0].split / "messages.jsonl").read_text().splitlines()
    assert name not in {json.loads(line)["id"] for line in lines}


def test_a_scene_that_cannot_be_read_is_left_out_and_named(worlds: Path, copied: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(worlds, tmp_path / "other"))
    path = scene_file(other, group()[0].family, group()[0].index)
    path.write_text(path.read_text().replace('"schema_version": 1', '"schema_version": 9'))
    done = build(wanted(other, copied), quiet())
    assert [line for line in done.left_out if str(path) in line and "is damaged" in line] == list(done.left_out)
    for path in find_scenes(other):
        path.write_text("{}")
    with pytest.raises(UsageError, match="is damaged"):
        build(wanted(other, copied), quiet())


def test_what_is_in_the_way_is_told(worlds: Path, copied: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="shown was facts and is pictures now"):
        build(Wanted(worlds, copied, ALL, "pictures", HIDING), quiet())
    with locked(copied / LOCK_FILE), pytest.raises(RunError, match="Another process is at work in"):
        build(wanted(worlds, copied), quiet())
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("")
    with pytest.raises(UsageError, match="holds no samples; choose another --out"):
        build(wanted(worlds, tmp_path / "mine"), quiet())
    with pytest.raises(UsageError, match="There is no folder of scenes"):
        build(wanted(tmp_path / "none", copied), quiet())
    part_file(copied, group()[0]).write_bytes(b"?")
    with pytest.raises(UsageError, match="is damaged; delete it"):
        build(wanted(worlds, copied), quiet())


@pytest.mark.slow
def test_options_that_are_not_given_are_the_folders_own(worlds: Path, copied: Path, tmp_path: Path) -> None:
    before = files(copied)
    said = ["explore", "build", str(worlds), "--workers", "1"]
    # Neither --facts nor --format is repeated.
    done = CliRunner().invoke(cli, [*said, "--out", str(copied)])
    assert done.exit_code == 0, done.output
    assert files(copied) == before
    shutil.rmtree(copied)
    build(wanted(worlds, copied, ("paper",)), quiet())
    assert CliRunner().invoke(cli, [*said, "--out", str(copied)]).exit_code == 0
    assert json.loads((copied / "samples.json").read_text())["formats"] == ["paper"]


def test_scenes_that_agents_are_compared_on_are_not_trained_on(worlds: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(worlds, tmp_path / "other"))
    (other / WORLDS_FILE).write_text(EVALUATION.model_dump_json())
    with pytest.raises(UsageError, match="agents are compared on"):
        build(wanted(other, tmp_path / "out"), quiet())
    assert not (tmp_path / "out").exists()


def test_splits_are_by_group_and_held_out_types_are_apart() -> None:
    scenes = [
        scene.model_copy(update={"group": number, "held_out": False}) for number in range(200) for scene in group()
    ]
    splits = {scene.group: {split_of(one) for one in scenes if one.group == scene.group} for scene in scenes[::4]}
    assert all(len(found) == 1 for found in splits.values())
    assert 5 <= sum(found == {"eval"} for found in splits.values()) <= 40
    assert split_of(group()[0].model_copy(update={"held_out": True})) == "held_out"


@pytest.mark.slow
def test_pictures_are_found_by_hugging_face(built: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    colors = np.random.default_rng(0).integers(0, 255, (2, 8, 8, 3), np.uint8)
    first = samples(built)[0]
    some = [first.model_copy(update={"pictures": names}) for names in (("a",), ("a", "b.jpg"))]
    # Folders of before JPEG files hold PNG files; both are read.
    for name, image in zip(("a", "b.jpg"), colors, strict=True):
        path = tmp_path / "set" / picture_file(first.split, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(image))
    written = find_format("messages")(tmp_path / "set", some, True)
    (config,) = written.configs
    paths = {one["split"]: [str(tmp_path / "set" / path) for path in one["path"]] for one in config["data_files"]}
    rows = datasets.load_dataset("imagefolder", data_files=paths, cache_dir=tmp_path / "cache")[first.split]
    assert [[np.array(image).tolist() for image in row["images"]] for row in rows] == [
        [colors[0].tolist()],
        [colors[0].tolist(), colors[1].tolist()],
    ]
    assert [part["type"] for part in rows[1]["messages"][1]["content"]] == ["image", "image", "text"]
