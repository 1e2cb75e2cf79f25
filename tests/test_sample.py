"""``hpvqa sample``: the plan of an episode, as JSON and for a person."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hpvqa.commands.spec_table import swatch
from hpvqa.main import main
from hpvqa.recipe import Recipe
from hpvqa.scene.rigs import load_rig
from hpvqa.scene.sampling import sample_episode
from hpvqa.scene.spec import EpisodeSpec
from hpvqa.sim import open_simulator
from hpvqa.sim.planner import Planner
from hpvqa.tasks import TASKS
from hpvqa.tasks.pair import START_X, START_Y

Run = Callable[..., str]


@pytest.fixture
def output(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``hpvqa sample`` at 80 columns; returns its output."""
    monkeypatch.setenv("COLUMNS", "80")

    def run(*args: str) -> str:
        with pytest.raises(SystemExit) as caught:
            main(["sample", *args])
        captured = capsys.readouterr()
        assert caught.value.code == 0, captured.err
        return captured.out

    return run


def sampled(task: str, index: int, seed: int = 42, attempt: int = 0) -> EpisodeSpec:
    recipe = Recipe()
    rig = load_rig("paper")
    return sample_episode(
        TASKS[task],
        TASKS[task].ranges(),
        recipe.randomization,
        rig.name,
        rig.cameras(task),
        seed=seed,
        index=index,
        attempt=attempt,
    )


@pytest.mark.parametrize("task", TASKS)
def test_json_is_the_spec_that_sampling_draws(task: str, output: Run) -> None:
    text = output(task, "--index", "3", "--json")
    assert EpisodeSpec.model_validate_json(text) == sampled(task, 3)


def test_seed_and_attempt_are_taken(output: Run) -> None:
    text = output("push", "--index", "1", "--seed", "7", "--attempt", "2", "--json")
    assert EpisodeSpec.model_validate_json(text) == sampled("push", 1, seed=7, attempt=2)


def test_a_recipe_is_taken_and_options_override_it(tmp_path: Path, output: Run) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("seed: 5\nrandomization: {start_jitter: 0}\ntasks: {push: {ranges: {light_mass: [0.5, 0.5]}}}\n")
    spec = EpisodeSpec.model_validate_json(output("push", "--recipe", str(recipe), "--json"))
    assert spec.seed == 5
    assert min(spec.thing("left").mass, spec.thing("right").mass) == 0.5
    assert spec.thing("left").position[:2] == (START_X, START_Y)
    spec = EpisodeSpec.model_validate_json(output("push", "--recipe", str(recipe), "--seed", "6", "--json"))
    assert spec.seed == 6


@pytest.mark.parametrize("task", TASKS)
def test_table_shows_what_matters(task: str, output: Run) -> None:
    spec = sampled(task, 3)
    text = output(task, "--index", "3")
    assert max(map(len, text.splitlines())) <= 80
    assert f"Answer: {TASKS[task].answer(spec)}" in text
    for value in TASKS[task].values(spec).values():
        assert f"{value:.3f}" in text or TASKS[task].words_for(value) in text
    for camera in spec.cameras:
        assert camera.name in text
    for color in (spec.things[0].color, spec.room.table, *spec.room.walls):
        assert swatch(color).plain.split()[0] in text
    assert spec.order[0] == (spec.names[0] if "goes         first" in text else spec.names[-1])


@pytest.mark.parametrize(("color", "name"), [((1.0, 0.5, 0.0), "#ff8000"), ((0.0, 0.0, 1.0), "#0000ff")])
def test_swatch_is_named_and_coloured(color: tuple[float, float, float], name: str) -> None:
    text = swatch(color)
    assert text.plain.split() == [name]
    assert str(text.spans[0].style) == f"on {name}"


@pytest.mark.parametrize("index", ["-1", str(2**32), "three"])
def test_a_wrong_index_exits_with_2(index: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["sample", "push", "--index", index])
    assert caught.value.code == 2


@pytest.mark.long
def test_pictures_are_what_the_clips_begin_with(output: Run, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    said = output("push", "--index", "3", "--resolution", "64x48", "--render", str(folder))
    spec = sampled("push", 3)
    assert {path.name for path in folder.iterdir()} == {f"{camera.name}.png" for camera in spec.cameras}
    assert f"Written: {len(spec.cameras)} pictures" in said
    with closing(open_simulator((64, 48))) as simulator:
        simulator.begin([spec], [Planner(TASKS["push"].waypoints(spec)).command(0.0)])
        for camera in spec.cameras:
            (image,) = simulator.images(camera)
            assert np.array_equal(np.array(Image.open(folder / f"{camera.name}.png")), image)


def test_pictures_of_another_episode_are_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.png").touch()
    with pytest.raises(SystemExit) as caught:
        main(["sample", "push", "--render", str(tmp_path)])
    assert caught.value.code == 2
    assert "exists already" in capsys.readouterr().err
