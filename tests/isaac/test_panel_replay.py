"""An episode played back on a real USD stage in memory: where its bodies are, what is left behind, and the panel."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from pxr import Gf, Sdf, Usd, UsdGeom, UsdShade

from hpvqa.main import cli
from hpvqa.record.episode import episode_dir, publish
from hpvqa.record.recorder import record_episodes
from hpvqa_collector import preview, replay
from hpvqa_collector.playback import Playback
from tests.isaac.conftest import Opens
from tests.isaac.kit.session import Session
from tests.isaac.stages import stage
from tests.worlds import physics, sample

# Each panel asks commands, which are processes.
pytestmark = pytest.mark.slow

RATE = 15
TASKS = ("push", "press")
NAMES = [f"episode.{task}.0" for task in TASKS]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with an episode of each task, without clips."""
    folder = tmp_path_factory.mktemp("replay")
    for task in TASKS:
        draft = folder / f"{task}.partial"
        draft.mkdir()
        (made,) = record_episodes(physics(), [sample(task)], [draft], fps=RATE, resolution=None)
        publish(draft, made, episode_dir(folder, task, 0))
    return folder


def read(data: Path, task: str) -> dict[str, Any]:
    done = CliRunner().invoke(cli, ["show", str(episode_dir(data, task, 0)), "--poses"], catch_exceptions=False)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module", params=TASKS)
def episode(request: pytest.FixtureRequest, data: Path) -> dict[str, Any]:
    return read(data, request.param)


def placed(on: Usd.Stage, name: str) -> Gf.Matrix4d:
    """Where a body is, in our world."""
    prim = on.GetPrimAtPath(replay.path_of(name))
    matrix = UsdGeom.Xformable(prim).ComputeLocalToWorldTransform(Usd.TimeCode.Default())
    return (matrix * preview.world_of(on).GetInverse()).RemoveScaleShear()


def check_poses(on: Usd.Stage, episode: dict[str, Any], row: int) -> None:
    for body in episode["bodies"]:
        found, (x, y, z, w, *xyz) = placed(on, body["name"]), body["poses"][row]
        np.testing.assert_allclose(found.ExtractTranslation(), (x, y, z), atol=1e-6)
        turn = found.ExtractRotationQuat()
        cosine = abs(turn.GetReal() * w + float(np.dot(turn.GetImaginary(), xyz)))
        assert cosine == pytest.approx(1, abs=1e-6)


# ---------------------------------------------------------------- on a stage


@pytest.mark.parametrize(("unit", "up"), [(1.0, "Z"), (0.01, "Y")])
def test_every_body_is_where_the_trajectory_had_it(episode: dict[str, Any], unit: float, up: str) -> None:
    on = stage(unit, up)
    replay.draw(on, episode)
    last = len(episode["times"]) - 1
    check_poses(on, episode, 0)
    for row in (last // 2, last, 3):
        assert replay.pose(on, episode, row)
        check_poses(on, episode, row)


def test_bodies_have_the_shapes_and_colours_of_the_episode(episode: dict[str, Any]) -> None:
    on = stage()
    cameras = replay.draw(on, episode)
    spec = episode["record"]["spec"]
    assert list(cameras) == [camera["name"] for camera in spec["cameras"]]
    cache = UsdGeom.BBoxCache(Usd.TimeCode.Default(), [UsdGeom.Tokens.default_])
    for thing in spec["things"]:
        parts = [body["name"] for body in episode["bodies"] if body["name"].startswith(f"things/{thing['name']}")]
        prims = [on.GetPrimAtPath(replay.path_of(name)) for name in parts]
        boxes = [cache.ComputeWorldBound(prim).ComputeAlignedRange() for prim in prims]
        low, high = np.min([box.GetMin() for box in boxes], 0), np.max([box.GetMax() for box in boxes], 0)
        np.testing.assert_allclose((low + high)[:2] / 2, thing["position"][:2], atol=1e-3)
        # Things stand as they were drawn, but for a turn about the vertical; a spring's stem reaches into its base.
        assert high[2] == pytest.approx(thing["position"][2] + thing["size"][2] / 2, abs=1e-3)
        prim = on.GetPrimAtPath(replay.path_of(parts[0]).AppendChild("part0"))
        material, _ = UsdShade.MaterialBindingAPI(prim).ComputeBoundMaterial()
        shader = UsdShade.Shader(on.GetPrimAtPath(material.GetPath().AppendChild("shader")))
        linear = np.array(shader.GetInput("diffuseColor").Get())
        srgb = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
        np.testing.assert_allclose(srgb, thing["color"], atol=1e-6)
    for body in episode["bodies"]:
        mesh = UsdGeom.Mesh(on.GetPrimAtPath(replay.path_of(body["name"]).AppendChild("part0")))
        assert UsdGeom.Mesh.ValidateTopology(
            mesh.GetFaceVertexIndicesAttr().Get(),
            mesh.GetFaceVertexCountsAttr().Get(),
            len(mesh.GetPointsAttr().Get()),
        )


def test_nothing_of_it_takes_part_in_physics(episode: dict[str, Any]) -> None:
    on = stage()
    replay.draw(on, episode)
    below = list(Usd.PrimRange(on.GetPrimAtPath(preview.ROOT)))
    assert len(below) > 100
    for prim in below:
        assert not [name for name in (*prim.GetAppliedSchemas(), str(prim.GetTypeName())) if "Phys" in name], prim


def test_the_users_stage_is_left_alone_and_nothing_stays_behind(episode: dict[str, Any]) -> None:
    on = stage()
    before, target, start = on.GetRootLayer().ExportToString(), on.GetEditTarget(), on.GetStartTimeCode()
    replay.draw(on, episode)
    replay.pose(on, episode, 5)
    assert on.GetRootLayer().ExportToString() == before
    assert [prim.path for prim in on.GetSessionLayer().rootPrims] == [preview.ROOT]
    assert (on.GetEditTarget(), on.GetStartTimeCode()) == (target, start)
    assert preview.erase(on)
    assert on.GetSessionLayer().empty


def test_an_episode_that_someone_took_off_the_stage_is_noticed(data: Path) -> None:
    episode, on = read(data, "push"), stage()
    replay.draw(on, episode)
    with Usd.EditContext(on, on.GetSessionLayer()):
        on.RemovePrim(replay.path_of("things/left"))
    assert not replay.pose(on, episode, 1)
    preview.erase(on)
    assert not replay.pose(on, episode, 1)
    assert on.GetSessionLayer().empty


# ---------------------------------------------------------------- as time goes by


class Topics(list[str]):
    """What was told."""


def playback_of(times: Sequence[float]) -> tuple[Playback, Topics]:
    told = Topics()
    playback = Playback(None, told.append, lambda _: None)  # type: ignore[arg-type]
    events = [
        {"t": 0.25, "kind": "first_touch", "object": "left"},
        {"t": 0.1, "kind": "release", "object": "right"},
    ]
    playback.episode = {"times": list(times), "record": {"spec": {"task": "push", "index": 7}, "events": events}}
    return playback, told


def test_time_goes_by_only_while_it_plays_and_stops_at_the_end() -> None:
    playback, told = playback_of([0.0, 0.1, 0.2, 0.3])
    playback.advance(1.0)
    assert (playback.row, told) == (0, [])
    playback.play()
    playback.advance(0.05)
    assert (playback.row, told) == (0, ["moment"])
    playback.advance(0.05)
    assert (playback.row, told) == (1, ["moment"] * 2)
    playback.advance(5.0)
    assert (playback.row, playback.time, playback.playing) == (3, 0.3, False)
    playback.play()
    assert (playback.row, playback.playing) == (0, True)
    playback.play()
    assert not playback.playing


def test_one_can_go_anywhere_and_frame_by_frame() -> None:
    playback, _ = playback_of([0.0, 0.1, 0.2, 0.3])
    playback.seek(9.0)
    assert playback.time == 0.3
    playback.step(1)
    assert playback.row == 3
    playback.step(-1)
    assert playback.row == 2
    playback.seek(-1.0)
    assert playback.row == 0
    playback.playing = True
    playback.step(-1)
    assert (playback.row, playback.playing) == (0, False)


def test_what_happened_last_is_said_in_words() -> None:
    playback, _ = playback_of([0.0, 0.1, 0.2, 0.3])
    assert (playback.name, playback.event) == ("push 7", "")
    playback.seek(0.2)
    assert playback.event == "right: release at 0.10 s"
    playback.seek(0.3)
    assert playback.event == "left: first touch at 0.25 s"


# ---------------------------------------------------------------- from the panel


def listed(kit: Session) -> None:
    kit.unfold("Episodes", "Replay", "Preview")
    kit.until(lambda: len(kit.extension._collector.gallery.episodes) == len(TASKS))


def replayed(kit: Session, name: str = NAMES[0]) -> dict[str, Any]:
    kit.click(f"{name}.replay")
    playback = kit.extension._collector.playback
    kit.until(lambda: not playback.waiting and playback.cameras)
    found: dict[str, Any] = playback.episode
    return found


@pytest.mark.simulation
def test_an_episode_is_chosen_played_and_taken_away(tmp_path: Path, panel: Opens, data: Path) -> None:
    with panel(tmp_path, options={"data": str(data)}) as kit:
        listed(kit)
        assert kit.texts()["replay.none"] == "Press Replay beside an episode."
        kit.click(f"{NAMES[0]}.replay")
        kit.until(lambda: kit.texts()["notice"] == "No stage is open; make or open one first")
        kit.usd.stage = on = stage()
        episode = replayed(kit)
        playback = kit.extension._collector.playback
        assert kit.texts()["replay.episode"] == "push 0: usable"
        check_poses(on, episode, 0)

        kit.slide("replay.time", 2.0)
        # A mouse hits a slider to the pixel.
        assert playback.time == pytest.approx(2.0, abs=0.05)
        check_poses(on, episode, playback.row)
        assert kit.texts()["replay.moment"].startswith(f"frame {playback.row + 1} of {len(playback.times)}")
        row = playback.row
        kit.click("replay.after")
        assert playback.row == row + 1
        check_poses(on, episode, row + 1)
        assert kit.find("replay.time").model.as_float == pytest.approx(playback.time, abs=1e-6)
        kit.click("replay.before")
        assert playback.row == row

        kit.choose("option.replay_speed", "4")
        kit.click("replay.play")
        assert kit.find("replay.play").text == "Pause"
        kit.until(lambda: playback.row > row + 10)
        kit.click("replay.play")
        row = playback.row
        assert kit.find("replay.play").text == "Play"
        check_poses(on, episode, row)
        kit.frame()
        assert playback.row == row

        kit.click("replay.play")
        kit.until(lambda: not playback.playing)
        assert playback.row == len(playback.times) - 1
        check_poses(on, episode, playback.row)
        kit.click("replay.remove")
        assert on.GetSessionLayer().empty
        assert kit.texts()["replay.none"] == "Press Replay beside an episode."


@pytest.mark.long
@pytest.mark.simulation
def test_the_viewport_looks_through_its_cameras_and_back(tmp_path: Path, panel: Opens, data: Path) -> None:
    with panel(tmp_path, options={"data": str(data)}) as kit:
        listed(kit)
        kit.usd.stage = stage()
        kit.viewport.camera_path = Sdf.Path("/World/Mine")
        replayed(kit)
        for name in ("back_wide", "front_left_narrow"):
            kit.click(f"replay.look.{name}")
            assert str(kit.viewport.camera_path) == f"{preview.ROOT}/cameras/{name}"
        kit.click("replay.remove")
        assert str(kit.viewport.camera_path) == "/World/Mine"


@pytest.mark.long
@pytest.mark.simulation
def test_a_preview_and_an_episode_take_each_others_place(tmp_path: Path, panel: Opens, data: Path) -> None:
    with panel(tmp_path, options={"data": str(data)}) as kit:
        listed(kit)
        kit.usd.stage = on = stage()
        scene, playback = kit.extension._collector.scene, kit.extension._collector.playback
        replayed(kit)
        kit.click("preview")
        kit.until(lambda: scene.cameras)
        assert playback.episode is None
        assert not on.GetPrimAtPath(replay.path_of("robot/link0"))
        assert "replay.none" in kit.texts()
        episode = replayed(kit, NAMES[1])
        assert not scene.cameras
        assert not kit.find("preview.remove").enabled
        check_poses(on, episode, 0)
        replayed(kit)
        assert not on.GetPrimAtPath(replay.path_of("things/left/plate"))


@pytest.mark.long
@pytest.mark.simulation
def test_a_closed_stage_and_a_deleted_prim_end_it(tmp_path: Path, panel: Opens, data: Path) -> None:
    with panel(tmp_path, options={"data": str(data)}) as kit:
        listed(kit)
        kit.usd.stage = on = stage()
        playback = kit.extension._collector.playback
        replayed(kit)
        kit.click("replay.play")
        preview.erase(on)
        kit.until(lambda: playback.episode is None)
        assert kit.texts()["notice"] == "The episode is not on the stage any more; press Replay again"
        replayed(kit)
        kit.click("replay.play")
        kit.dispatcher.dispatch("stage:CLOSING")
        kit.usd.stage = None
        kit.frame()
        assert "replay.none" in kit.texts()


def test_an_episode_that_cannot_be_read_is_a_sentence(tmp_path: Path, panel: Opens, data: Path) -> None:
    with panel(tmp_path, options={"data": str(data)}) as kit:
        listed(kit)
        kit.usd.stage = stage()
        kit.extension._collector.replay(tmp_path)
        kit.until(lambda: "is not an episode" in kit.texts()["notice"])
        assert kit.texts()["replay.none"] == "Press Replay beside an episode."
