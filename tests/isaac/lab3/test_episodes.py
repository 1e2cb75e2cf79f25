"""Whole episodes by the command, in real Isaac Lab 3 with real PhysX: physics, pictures, folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hpvqa.record.decode import iter_frames
from hpvqa.record.episode import EpisodeRecord, episode_dir, read_episode
from hpvqa.record.layers import read_layer
from hpvqa.scene.camera import project
from hpvqa.scene.color import linear
from hpvqa.scene.layers import LAYERS
from hpvqa.scene.room import ROOM_HALF, WALLS
from hpvqa.scene.spec import Color, EpisodeSpec
from hpvqa.tasks import TASKS
from tests.worlds import points

pytestmark = [
    pytest.mark.isaaclab,
    pytest.mark.skipif(find_spec("ovphysx") is None, reason="needs Isaac Lab 3: make isaac-test"),
]
SIZE = (160, 120)
COUNT = 2
LUMINANCE = (0.2126, 0.7152, 0.0722)
MADE = ("push", "drop", "press")
LAYERED = ("--record", "rgb,depth,segmentation")


def collect(out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hpvqa", "collect", *arguments, "--out", str(out)]
    command += ["--backend", "isaac", "--physics", "ovphysx"]
    return subprocess.run(command, capture_output=True, text=True, timeout=1800, env={**os.environ, "HPVQA_ISAAC": ""})


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two episodes of each task, side by side, with clips."""
    out = tmp_path_factory.mktemp("lab3") / "data"
    size = f"{SIZE[0]}x{SIZE[1]}"
    done = collect(out, *MADE, "--episodes", str(COUNT), "--num-envs", str(COUNT), "--resolution", size, *LAYERED)
    assert done.returncode == 0, done.stderr
    return out


def records(data: Path, task: str) -> list[EpisodeRecord]:
    return [read_episode(episode_dir(data, task, index)) for index in range(COUNT)]


def measured(record: EpisodeRecord) -> dict[str, float]:
    assert record.outcome.ok, record.outcome.reason
    assert record.outcome.measurement is not None
    return dict(record.outcome.measurement.values)


@pytest.mark.parametrize("task", MADE)
def test_episodes_are_whole(task: str, data: Path) -> None:
    for record in records(data, task):
        assert record.checksum == record.digest()
        assert record.spec.task == task
        assert {"isaaclab", "ovphysx", "newton", "torch"} <= record.versions.keys()
        folder = episode_dir(data, task, record.spec.index)
        for camera in record.spec.cameras:
            frames = list(iter_frames(folder / f"{camera.name}.mp4"))
            assert len(frames) == round(TASKS[task].duration(record.spec) * TASKS[task].default_fps)
            assert frames[0].shape == (SIZE[1], SIZE[0], 3)


def test_what_physx_does_follows_the_laws(data: Path) -> None:
    for record in records(data, "drop"):
        for name, ratio in measured(record).items():
            assert ratio == pytest.approx(record.spec.thing(name).restitution ** 2, abs=0.01)
    for record in records(data, "push"):
        for name, way in measured(record).items():
            assert way == pytest.approx(TASKS["push"].probe.law(record.spec.thing(name)), abs=0.012)
    for record in records(data, "press"):
        for name, depth in measured(record).items():
            assert depth == pytest.approx(TASKS["press"].probe.law(record.spec.thing(name)), rel=0.03)


def test_events_tell_the_story(data: Path) -> None:
    for record in records(data, "drop"):
        for name in record.spec.names:
            kinds = [event.kind for event in record.events if event.object == name]
            assert kinds[:3] == ["first_touch", "release", "impact"]
    for record in records(data, "push"):
        for name in record.spec.names:
            assert [event.kind for event in record.events if event.object == name] == ["first_touch", "rest"]
    for record in records(data, "press"):
        for name in record.spec.names:
            assert [event.kind for event in record.events if event.object == name] == ["first_touch", "held"]


@pytest.mark.parametrize("task", ["push", "drop"])
def test_first_pictures_show_their_own_episode(task: str, data: Path) -> None:
    """Every thing that a camera sees is where its spec puts it, in its colour, before anything has moved."""
    seen = 0
    for record in records(data, task):
        folder, spec = episode_dir(data, task, record.spec.index), record.spec
        for camera in spec.cameras:
            first = next(iter_frames(folder / f"{camera.name}.mp4"))
            for thing in spec.things:
                u, v = project(camera, [thing.position], *SIZE)[0, :2].astype(int).tolist()
                if 1 <= u < SIZE[0] - 1 and 1 <= v < SIZE[1] - 1:
                    seen += surface(first[v - 1 : v + 2, u - 1 : u + 2], spec) == thing.color
    # The arm hides some.
    assert seen >= 0.6 * COUNT * 2 * len(records(data, task)[0].spec.cameras)


@pytest.mark.parametrize("task", MADE)
def test_layers_show_what_the_clips_show(task: str, data: Path) -> None:
    """Labels are those of the record, and pixels of things and table lie where the spec has them."""
    seen = 0
    for record in records(data, task):
        folder, spec = episode_dir(data, task, record.spec.index), record.spec
        assert record.layers is not None
        for camera in spec.cameras:
            depth, labels = (read_layer(folder, camera.name, layer) for layer in LAYERS)
            assert (depth.dtype, labels.dtype) == (np.uint16, np.uint8)
            assert depth.shape == labels.shape == (len(list(iter_frames(folder / f"{camera.name}.mp4"))), *SIZE[::-1])
            assert set(np.unique(labels)) <= {0, *record.layers.labels.values()}
            assert (labels == record.layers.labels["robot"]).any()
            place = points(camera, depth[0])
            for thing in spec.things:
                mine = place[labels[0] == record.layers.labels[thing.name]] - thing.position
                seen += len(mine) > 0
                assert np.abs(mine).max(initial=0) < thing.half_height + 0.003
            rest = place[labels[0] == 0]
            above = (np.abs(rest - [0.6, 0.0, 0.15]) < [0.45, 0.55, 0.147]).all(axis=1)
            assert not above.any()
            assert ((np.abs(rest - [0.6, 0.0, 0.0]) < [0.45, 0.55, 0.003]).all(axis=1)).any()
    assert seen >= 0.6 * COUNT * 2 * len(spec.cameras)


@pytest.mark.parametrize("task", MADE)
def test_walls_are_lit_as_in_the_embedded_simulator(task: str, data: Path) -> None:
    """Light from everywhere and from the lamp makes them 0.4 to 0.8 as bright as their colour."""
    seen = 0
    for record in records(data, task):
        folder, spec = episode_dir(data, task, record.spec.index), record.spec
        for camera in spec.cameras:
            first = next(iter_frames(folder / f"{camera.name}.mp4")) / 255
            place = points(camera, read_layer(folder, camera.name, "depth")[0])
            for (x, y), color in zip(WALLS, spec.room.walls, strict=True):
                pixels = first[np.abs(x * place[..., 0] + y * place[..., 1] - ROOM_HALF) < 0.003]
                if len(pixels) > 50:
                    seen += 1
                    bright, own = (linear(np.median(one, axis=0)) @ LUMINANCE for one in (pixels, [color]))
                    assert 0.4 < bright / own < 0.8, (camera.name, x, y)
    assert seen > COUNT * 5


def surface(pixels: NDArray[np.uint8], spec: EpisodeSpec) -> Color:
    """The colour of the scene whose hue is most like that of some pixels."""
    colors = {spec.room.table, spec.room.floor, (1.0, 1.0, 1.0), *(thing.color for thing in spec.things)}
    found = pixels.reshape(-1, 3).mean(axis=0)
    return max(colors, key=lambda color: float(found @ np.array(color) / np.linalg.norm(color)))


def test_the_same_command_goes_on_with_what_is_there(data: Path) -> None:
    before = {path: path.read_bytes() for path in data.rglob("episode.json")}
    done = collect(data, "push", "--episodes", str(COUNT), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["tasks"]["push"]["made"] == 0
    other = collect(data, "push", "--episodes", str(COUNT + 1), "--resolution", "64x64")
    assert other.returncode == 2
    assert "was collected with other settings" in other.stderr
    assert {path: path.read_bytes() for path in data.rglob("episode.json")} == before
