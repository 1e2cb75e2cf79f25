"""Depth and segmentation beside clips: where pixels lie in the world, what is on disk, and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from hpvqa.collect.estimate import estimate
from hpvqa.collect.remember import remembered
from hpvqa.collect.run import Request
from hpvqa.collect.settings import Collection, differences
from hpvqa.dataset.verify import verify
from hpvqa.errors import RunError, UsageError
from hpvqa.main import main
from hpvqa.recipe import Recipe, validate_recipe
from hpvqa.record.episode import EpisodeRecord, episode_dir, publish, read_episode
from hpvqa.record.layers import iter_layer, layer_file, read_layer
from hpvqa.record.recorder import record_episodes
from hpvqa.record.video import LayerWriter
from hpvqa.scene.layers import LAYERS, Layer
from hpvqa.scene.room import FLOOR_Z, LEG_HALF, LEGS, ROOM_HALF, STAND, STAND_HALF, TABLE_CENTER, TABLE_HALF
from hpvqa.scene.spec import EpisodeSpec
from hpvqa.sim import open_simulator
from hpvqa.sim.planner import Planner
from hpvqa.sim.protocol import FIRST_LABEL, ROBOT_LABEL, SteppedSimulator
from hpvqa.tasks import TASKS
from tests.collect_fakes import VERSIONS
from tests.factories import quiet
from tests.worlds import points, sample

SIZE = (160, 120)
FPS = 1


@pytest.fixture(scope="module")
def simulator() -> SteppedSimulator:
    return open_simulator(SIZE)


@pytest.fixture(scope="module")
def spec() -> EpisodeSpec:
    return sample("push", 1)


def started(simulator: SteppedSimulator, spec: EpisodeSpec) -> SteppedSimulator:
    simulator.reset(spec, Planner(TASKS[spec.task].waypoints(spec)).command(0.0))
    return simulator


def test_depth_says_where_everything_is(simulator: SteppedSimulator) -> None:
    spec = sample("drop", 1)
    started(simulator, spec)
    for camera in spec.cameras:
        depth, labels = simulator.measure(camera)
        assert (depth.dtype, depth.shape, labels.dtype) == (np.uint16, SIZE[::-1], np.uint8)
        assert (labels == simulator.segment(camera)).all()
        place = points(camera, depth)
        for label, thing in enumerate(spec.things, FIRST_LABEL):
            away = np.linalg.norm(place[labels == label] - thing.position, axis=1)
            # Spheres are drawn as many flat faces, just inside.
            assert np.abs(away - thing.half_height).max(initial=0) < 0.002, camera.name
        room = place[labels == 0]
        walls = np.abs(np.abs(room[:, :2]) - ROOM_HALF).min(axis=1) < 0.002
        on_table = (np.abs(room[:, :2] - TABLE_CENTER) < np.array(TABLE_HALF[:2]) + 0.002).all(axis=1)
        table = on_table & (room[:, 2] < 0.002) & (room[:, 2] > -2 * TABLE_HALF[2] - 0.002)
        stand = (np.abs(room[:, :2] - STAND) < STAND_HALF + 0.002).all(axis=1) & (room[:, 2] < 0.002)
        legs = (np.abs(room[:, None, :2] - LEGS) < LEG_HALF + 0.002).all(axis=2).any(axis=1) & (room[:, 2] < 0)
        floor = np.abs(room[:, 2] - FLOOR_Z) < 0.002
        assert (walls | table | stand | legs | floor).all(), camera.name
        assert np.linalg.norm(place[labels == ROBOT_LABEL], axis=1).max(initial=0) < 1.5


def test_the_table_top_is_at_height_zero(simulator: SteppedSimulator, spec: EpisodeSpec) -> None:
    camera = started(simulator, spec) and spec.cameras[0].model_copy(update={"position": (0.45, 0.0, 1.2)})
    # Straight down: every ray that meets the table has the same depth.
    camera = camera.model_copy(update={"quat_wxyz": (1.0, 0.0, 0.0, 0.0)})
    depth, labels = simulator.measure(camera)
    middle = depth[40:80, 60:100][labels[40:80, 60:100] == 0]
    assert set(middle.tolist()) == {1200}


def recorded(folder: Path, simulator: SteppedSimulator, spec: EpisodeSpec, **more: object) -> Path:
    partial = folder / "partial"
    partial.mkdir(parents=True)
    (made,) = record_episodes(simulator, [spec], [partial], fps=FPS, resolution=SIZE, **more)  # type: ignore[arg-type]
    final = episode_dir(folder / "data", spec.task, spec.index)
    publish(partial, made, final)
    return final


@pytest.fixture(scope="module")
def episode(tmp_path_factory: pytest.TempPathFactory, simulator: SteppedSimulator, spec: EpisodeSpec) -> Path:
    return recorded(tmp_path_factory.mktemp("layers"), simulator, spec, layers=LAYERS)


def test_what_is_read_is_what_was_drawn(episode: Path, simulator: SteppedSimulator, spec: EpisodeSpec) -> None:
    record = read_episode(episode)
    assert record.video is not None
    assert record.layers is not None
    assert record.layers.recorded == LAYERS
    assert record.layers.labels == {"robot": 1, "left": 2, "right": 3}
    assert record.checksum == record.digest()
    assert EpisodeRecord.model_validate_json((episode / "episode.json").read_bytes()) == record
    started(simulator, spec)
    for camera in spec.cameras:
        depth, labels = simulator.measure(camera)
        for layer, drawn in (("depth", depth), ("segmentation", labels)):
            assert layer_file(camera.name, layer) in record.files  # type: ignore[arg-type]
            found = read_layer(episode, camera.name, layer)  # type: ignore[arg-type]
            assert (found.dtype, found.shape) == (drawn.dtype, (record.video.frames, *SIZE[::-1]))
            assert (found[0] == drawn).all()
            assert (found[1:] != found[:-1]).any()
            last = record.video.frames - 1
            some = read_layer(episode, camera.name, layer, [last, 0, 0])  # type: ignore[arg-type]
            assert (some == found[[last, 0, 0]]).all()


def test_the_rest_is_as_without_layers(
    episode: Path, simulator: SteppedSimulator, spec: EpisodeSpec, tmp_path: Path
) -> None:
    plain = recorded(tmp_path, simulator, spec)
    assert "layers" not in json.loads((plain / "episode.json").read_bytes())
    for path in plain.iterdir():
        assert path.name == "episode.json" or path.read_bytes() == (episode / path.name).read_bytes()
    assert not list(plain.glob("*.mkv"))


@pytest.mark.parametrize("layer", LAYERS)
def test_the_same_frames_have_the_same_bytes(layer: Layer, tmp_path: Path) -> None:
    kind = np.uint16 if layer == "depth" else np.uint8
    frames = np.random.default_rng(1).integers(0, np.iinfo(kind).max, (3, 34, 50), kind, endpoint=True)
    for name in "ab":
        with LayerWriter(tmp_path / layer_file(name, layer), layer, 15, 50, 34) as writer:
            for frame in frames:
                writer.write(frame)
    assert (tmp_path / layer_file("a", layer)).read_bytes() == (tmp_path / layer_file("b", layer)).read_bytes()
    assert (read_layer(tmp_path, "a", layer) == frames).all()


def test_files_are_verified(episode: Path, tmp_path: Path, spec: EpisodeSpec) -> None:
    data = shutil.copytree(episode.parents[2], tmp_path / "data")
    assert verify(data, quiet()).problems == ()
    name = layer_file(spec.cameras[0].name, "depth")
    mine = episode_dir(data, spec.task, spec.index) / name
    mine.write_bytes(mine.read_bytes()[:-100])
    (problem,) = verify(data, quiet()).problems
    assert (Path(problem.file).name, problem.fault) == (name, "truncated")


def test_what_cannot_be_read_is_said(episode: Path, tmp_path: Path) -> None:
    camera = read_episode(episode).cameras[0].camera.name
    with pytest.raises(RunError, match=r"gone\.depth\.mkv cannot be decoded"):
        read_layer(episode, "gone", "depth")
    with pytest.raises(RunError, match=r"has no frame 999; it was cut short"):
        read_layer(episode, camera, "depth", [0, 999])
    (tmp_path / layer_file(camera, "segmentation")).write_bytes((episode / layer_file(camera, "depth")).read_bytes())
    with pytest.raises(RunError, match="holds no segmentation: its pixels are gray16le, not gray"):
        next(iter_layer(tmp_path, camera, "segmentation"))
    (tmp_path / layer_file(camera, "depth")).write_bytes(b"no video")
    with pytest.raises(RunError, match="cannot be decoded"):
        read_layer(tmp_path, camera, "depth")


def collection(recipe: Recipe) -> Collection:
    return Collection.of(recipe, ["push"], VERSIONS)


def test_a_folder_remembers_what_it_records() -> None:
    usual, both = collection(Recipe()), collection(validate_recipe(dict.fromkeys(LAYERS, True), "it"))
    assert not usual.model_dump(mode="json").keys() & set(LAYERS)
    assert (usual.layers, both.layers) == ((), LAYERS)
    assert Collection.model_validate_json(both.model_dump_json()) == both
    assert collection(remembered(Recipe(), Path("data"), both, ["push"])) == both
    depth = collection(validate_recipe({"depth": True}, "it"))
    assert differences(usual, depth) == ["depth is false there and true here"]
    assert differences(both, depth) == ["segmentation is true there and false here"]


def test_an_estimate_counts_layers(tmp_path: Path) -> None:
    recipes = (Recipe(), validate_recipe({"depth": True}, "it"))
    usual, more = (
        estimate(Request(tmp_path / "new", collection(recipe), {"push": 1}), recipe, 1) for recipe in recipes
    )
    assert usual.seconds is not None
    assert more.seconds is not None
    assert more.seconds > 1.2 * usual.seconds
    assert more.bytes > 3 * usual.bytes


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--record", "depth"], "Clips are always recorded: give --record rgb,depth"),
        (["--record", "rgb,deth"], "There is no kind of recording 'deth'; did you mean 'depth'?"),
        (["--record", "rgb,depth", "--no-video"], "Without video nothing is drawn"),
        (
            ["--record", "all", "--backend", "isaac"],
            "Isaac Sim records colours alone: leave out depth and",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(
    arguments: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["collect", "push", "--episodes", "1", "--out", str(tmp_path / "data"), *arguments])
    assert caught.value.code == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_a_folder_without_clips_has_no_layers() -> None:
    bare = collection(validate_recipe({"video": False}, "it"))
    with pytest.raises(UsageError, match="have no clips and so no depth; leave it out"):
        remembered(validate_recipe({"depth": True}, "it"), Path("data"), bare, ["push"])
