import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from hpvqa.main import cli, main
from hpvqa.record.episode import episode_dir, publish, read_episode
from hpvqa.record.moments import key_moments
from hpvqa.record.recorder import record_episodes
from hpvqa.sim import open_simulator
from hpvqa.tasks import TASKS
from tests.needs import long_but
from tests.worlds import physics, sample, with_hidden


@pytest.fixture(scope="module", params=long_but(TASKS, "slide"))
def episode(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("show")
    (folder / "partial").mkdir()
    simulator = open_simulator((64, 48))
    # Spheres of restitution below 0.03 have no apex worth a picture; these have.
    spec = sample(request.param)
    if request.param in ("push", "drop"):
        spec = with_hidden(spec, 0.5, 0.9)
    (made,) = record_episodes(simulator, [spec], [folder / "partial"], fps=5, resolution=(64, 48))
    final = episode_dir(folder / "data", request.param, 0)
    publish(folder / "partial", made, final)
    return final


def test_pictures_of_an_episode(episode: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["show", str(episode), "--out", str(tmp_path), "--json"], catch_exceptions=False)
    pictures = json.loads(result.output)["pictures"]
    moments = key_moments(read_episode(episode))
    with Image.open(pictures["sheet"]) as sheet:
        # Two lines of moments, and a close-up of each object as high as both.
        things = len(read_episode(episode).spec.names)
        assert sheet.width > 240 * -(-len(moments) // 2) + things * 360
        assert sheet.height > 7 * 2 * 180
    with Image.open(pictures["plot"]) as plot:
        assert plot.size == (1200, 720)


def test_moments_tell_the_story_in_order(episode: Path) -> None:
    record = read_episode(episode)
    moments = key_moments(record)
    labels = [moment.label for moment in moments]
    assert [moment.time for moment in moments] == sorted(moment.time for moment in moments)
    story = [what for _, what in record.task.probe.story]
    assert labels == ["start", *(f"{name} {what}" for name in record.spec.order for what in story), "end"]


def test_an_episode_without_clips_gets_a_plot_only(tmp_path: Path) -> None:
    (tmp_path / "partial").mkdir()
    (made,) = record_episodes(physics(), [sample("push")], [tmp_path / "partial"], fps=15, resolution=None)
    final = episode_dir(tmp_path / "data", "push", 0)
    publish(tmp_path / "partial", made, final)
    result = CliRunner().invoke(cli, ["show", str(final), "--out", str(tmp_path / "out")], catch_exceptions=False)
    assert "without clips" in result.output
    assert [path.name for path in (tmp_path / "out").iterdir()] == [f"push-000000-seed-{made.spec.seed}-plot.png"]


def test_not_an_episode_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main(["show", str(tmp_path)])
    assert exit_info.value.code == 2
    assert "is not an episode; make one with" in capsys.readouterr().err


def test_pictures_are_whole_and_of_one_seed(episode: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as exit_info:
        main(["show", str(episode), "--out", str(tmp_path / "file" / "x")])
    assert exit_info.value.code == 2
    assert "is not a folder" in capsys.readouterr().err
    record = read_episode(episode)
    spec = record.spec.model_copy(update={"seed": record.spec.seed + 1})
    other = tmp_path / "other"
    shutil.copytree(episode, other)
    (other / "episode.json").write_text(record.model_copy(update={"spec": spec}).model_dump_json())
    for folder in (episode, other):
        result = CliRunner().invoke(cli, ["show", str(folder), "--thumbnail", "--out", str(tmp_path / "out")])
        assert result.exit_code == 0
    assert len(list((tmp_path / "out").iterdir())) == 2
