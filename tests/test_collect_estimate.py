"""What a collection would take, a run that a file stops, and rigs written out in recipes: what the panel relies on."""

from __future__ import annotations

import json
from concurrent.futures import Future
from pathlib import Path

import pytest
import yaml

from hpvqa.collect.estimate import estimate
from hpvqa.collect.executor import Job
from hpvqa.collect.lock import locked
from hpvqa.collect.run import Request, collect
from hpvqa.errors import UsageError
from hpvqa.main import main
from hpvqa.progress.reporter import Reporter
from hpvqa.recipe import load_recipe, validate_recipe
from hpvqa.record.episode import EpisodeRecord, find_episodes
from hpvqa.scene.rigs import Rig, find_rig, load_rig
from tests.collect_fakes import SerialPool, collection, quick, recipe
from tests.factories import make_data

CAMERA = {"name": "top", "position": [1, 0, 3], "look_at": [0.45, 0, 0]}
RIG = {"name": "mine", "tasks": {"push": [CAMERA]}}


def run(data: Path, *, stop_file: Path | None = None, pool: type[SerialPool] = SerialPool, **episodes: int) -> str:
    request = Request(data, collection(*episodes), episodes, stop_file=stop_file)
    return collect(request, lambda missing: pool(quick), Reporter([], lambda: 0.0), lambda: 0.0).status


def test_an_estimate_counts_what_is_missing_and_writes_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    what = estimate(Request(data, collection("push"), {"push": 3}), recipe(), 1)
    assert (what.tasks["push"].asked, what.tasks["push"].already, what.busy) == (3, 0, False)
    assert what.tasks["push"].fps == collection("push").tasks["push"].fps
    assert not data.exists()
    run(data, push=2)
    before = sorted(data.rglob("*"))
    what = estimate(Request(data, collection("push", "drop"), {"push": 3, "drop": 1}), recipe(), 1)
    assert {task: there.already for task, there in what.tasks.items()} == {"push": 2, "drop": 0}
    assert what.seconds is not None
    assert what.seconds > 0
    assert what.free_bytes > 0
    assert sorted(data.rglob("*")) == before


def test_billions_of_episodes_are_counted_at_once(tmp_path: Path) -> None:
    run(tmp_path, push=2)
    what = estimate(Request(tmp_path, collection("push"), {"push": 2**32 - 1}), recipe(), 1).tasks["push"]
    assert (what.asked, what.already) == (2**32 - 1, 2)


def test_more_pixels_and_fewer_workers_take_longer(tmp_path: Path) -> None:
    def ask(workers: int, **fields: object) -> tuple[int, float]:
        settings = recipe(video=True, **fields)
        request = Request(tmp_path, collection("push", video=True, **fields), {"push": 4})
        what = estimate(request, settings, workers)
        assert what.seconds is not None
        return what.bytes, what.seconds

    small, large = ask(1, resolution=[64, 48]), ask(1, resolution=[640, 480])
    assert large[0] > 5 * small[0]
    assert large[1] > small[1]
    assert ask(2, resolution=[640, 480])[1] == pytest.approx(large[1] / 2)


def test_sizes_are_those_of_episodes_that_are_there(tmp_path: Path) -> None:
    data = make_data(tmp_path / "data", push=1)
    (data / "hpvqa.json").unlink()
    (data / "hpvqa.json").write_text(collection("push").model_dump_json())
    size = sum(path.stat().st_size for path in next(find_episodes(data)).iterdir() if path.name != "episode.json")
    assert estimate(Request(data, collection("push"), {"push": 3}), recipe(), 1).tasks["push"].bytes == size


def test_other_settings_are_refused_as_a_run_would(tmp_path: Path) -> None:
    run(tmp_path, push=1)
    with pytest.raises(UsageError, match=r"seed is 42 there and 7 here"):
        estimate(Request(tmp_path, collection("push", seed=7), {"push": 1}), recipe(seed=7), 1)


def test_a_run_that_is_writing_is_seen(tmp_path: Path) -> None:
    with locked(tmp_path, None):
        assert estimate(Request(tmp_path, collection("push"), {"push": 1}), recipe(), 1).busy
    assert not estimate(Request(tmp_path, collection("push"), {"push": 1}), recipe(), 1).busy


def test_a_stop_file_lets_running_episodes_finish(tmp_path: Path) -> None:
    stop = tmp_path / "stop"

    class StoppingPool(SerialPool):
        def submit(self, job: Job) -> Future[EpisodeRecord]:
            stop.touch()
            return super().submit(job)

    data = tmp_path / "data"
    assert run(data, stop_file=stop, pool=StoppingPool, push=4) == "interrupted"
    assert len(list(find_episodes(data))) == 1
    with pytest.raises(UsageError, match="is there already; remove it first"):
        run(data, stop_file=stop, push=4)
    stop.unlink()
    assert run(data, stop_file=stop, push=4) == "finished"


def test_the_command_prints_an_estimate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "job.yaml"
    path.write_text(yaml.safe_dump({"rig": RIG, "resolution": [64, 48], "tasks": {"push": {"episodes": 2, "fps": 2}}}))
    arguments = ["collect", "--recipe", str(path), "--estimate", "--out", str(tmp_path / "data")]
    with pytest.raises(SystemExit) as caught:
        main([*arguments, "--json"])
    assert caught.value.code == 0
    found = json.loads(capsys.readouterr().out)
    assert found["tasks"]["push"]["frames"] == 6 * 2
    assert found["rig"]["tasks"]["push"][0]["look_at"] == [0.45, 0, 0]
    with pytest.raises(SystemExit):
        main(arguments)
    assert "2 │     0 │       2" in capsys.readouterr().out


def test_a_rig_may_be_written_out_in_a_recipe() -> None:
    written = validate_recipe({"rig": RIG}, "it")
    assert find_rig(written.rig) == Rig.model_validate(RIG)
    assert find_rig(load_recipe("paper").rig) == load_rig("paper")
    assert validate_recipe(written.model_dump(mode="json"), "it") == written


@pytest.mark.parametrize(
    ("camera", "sentence"),
    [
        (
            {**CAMERA, "lookat": [0, 0, 0]},
            r"unknown key 'lookat' in rig\.tasks\.push\.0; did you mean 'look_at'",
        ),
        ({**CAMERA, "focal_length": 0}, r"rig\.tasks\.push\.0\.focal_length must be greater than 0, not 0"),
        ({**CAMERA, "quat_wxyz": [1, 0, 0, 0]}, "camera 'top' needs exactly one of look_at and quat_wxyz"),
    ],
)
def test_a_wrong_camera_in_a_recipe_is_one_sentence(camera: dict[str, object], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        validate_recipe({"rig": {"name": "mine", "tasks": {"push": [camera]}}}, "It")


def test_a_thumbnail_is_one_small_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from PIL import Image

    data = make_data(tmp_path / "data", push=1)
    folder = str(next(find_episodes(data)))
    with pytest.raises(SystemExit) as caught:
        main(["show", folder, "--thumbnail", "--out", str(tmp_path / "small"), "--json"])
    assert caught.value.code == 0
    pictures = json.loads(capsys.readouterr().out)["pictures"]
    assert list(pictures) == ["thumbnail"]
    with Image.open(pictures["thumbnail"]) as image:
        assert image.size == (192, 128)
