"""Whose left and right answers are given in, and cameras by which they go against the truth."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hpvqa.commands.report_table import print_report
from hpvqa.dataset.load import Dataset
from hpvqa.dataset.rows import Row
from hpvqa.evaluate.cameras import camera_tests
from hpvqa.evaluate.perspective import Perspective, View, perspectives
from hpvqa.evaluate.prediction import Prediction
from hpvqa.main import main
from hpvqa.report.html.page import write_page
from hpvqa.report.measure import Report, measure
from hpvqa.report.reading import read_runs
from hpvqa.report.views import view_by_name, views_of
from hpvqa.scene.camera import faces_robot, look_at
from hpvqa.scene.rigs import load_rig
from hpvqa.scene.spec import SIDES, CameraSpec, Side, other_side
from tests.report_runs import left, make_dataset, make_internvl, make_run, public_line
from tests.scored_rows import PUBLISHED, row

FRONT, BACK = ("front_narrow", "front_wide", "front_left", "front_right"), ("back_narrow", "back_left", "back_right")


def camera_view(prediction: Prediction) -> View | None:
    return view_by_name(prediction.camera)


def in_picture(answer: Side, camera: str) -> Side:
    return other_side(answer) if camera.startswith("front") else answer


def published_qwen() -> list[Prediction]:
    """As many correct rows by camera in as many episodes as Qwen has of drops: 19 of 100 from the front, 60 of 75."""
    found = []
    for number in range(25):
        answer: Side = "left" if number < 15 else "right"
        for place, camera in enumerate((*FRONT, *BACK)):
            sees = number % 5 != (place == 2 and number == 0)
            said = in_picture(answer, camera) if sees else other_side(in_picture(answer, camera))
            found.append(row(answer, said, number, camera, task="drop"))
    return found


def one(rows: list[Prediction]) -> Perspective:
    (found,) = perspectives(rows, camera_view)
    return found


def test_a_model_that_answers_in_the_pictures_left_and_right() -> None:
    found = one(published_qwen())
    front, back, both = found.views
    assert (front.view, front.n, front.robot.correct, front.picture.correct) == ("front", 100, 19, 81)
    assert (back.view, back.n, back.robot.correct, back.picture.correct) == ("back", 75, 60, 60)
    assert (both.n, both.robot.correct, both.picture.correct, both.episodes) == (175, 79, 141, 25)
    assert both.picture.interval.low < 141 / 175 < both.picture.interval.high
    assert found.explains
    assert found.sentence is not None
    for words in ("picture's left and right, not the robot's", "141 of 175", "of 25 episodes", "19 of 100"):
        assert words in found.sentence


def test_a_model_that_sees_and_answers_as_asked_is_not_suspected() -> None:
    rows = [row(SIDES[n % 2], SIDES[n % 2], n, camera) for n in range(20) for camera in (*FRONT, *BACK)]
    found = one(rows)
    assert (found.explains, found.sentence) == (False, None)
    assert found.views[-1].robot.correct == len(rows)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("often", [0.2, 0.5, 0.8])
def test_a_model_that_leans_to_a_side_is_not_suspected(side: Side, often: float) -> None:
    """Whichever side is true more often: from the front, always saying the rarer one is worse than chance too."""
    rows = [
        row("left" if n < often * 200 else "right", side, n, camera) for n in range(200) for camera in (*FRONT, *BACK)
    ]
    assert not one(rows).explains
    assert all(test.verdict is None for test in camera_tests(rows))


@pytest.mark.slow
def test_guesses_are_hardly_ever_suspected() -> None:
    rng = np.random.default_rng(0)
    suspected = 0
    for _ in range(100):
        rows = [
            row(SIDES[n % 2], SIDES[rng.integers(2)], n, camera)
            for n in range(12)
            for camera in (FRONT[0], FRONT[1], BACK[0])
        ]
        suspected += one(rows).explains
    assert suspected <= 3


def test_without_a_camera_behind_the_robot_nothing_tells_a_wrong_answer_from_anothers_left() -> None:
    rows = [row(SIDES[n % 2], other_side(SIDES[n % 2]), n, camera) for n in range(20) for camera in FRONT]
    found = one(rows)
    assert [seen.view for seen in found.views] == ["front", "both"]
    assert not found.explains
    assert {test.verdict for test in camera_tests(rows)} == {"below"}


def test_rows_that_do_not_count() -> None:
    rows = [
        row("left", "left", 0, "front_wide"),
        row("left", None, 1, "front_wide"),
        row("left", None, 2, "front_wide", error="does not decode"),
        row("left", "right", 3, "above"),
    ]
    found = one(rows)
    assert (found.unknown, found.episodes, found.views[0].n) == (1, 2, 2)
    assert found.views[0].robot.correct == 1
    assert found.views[0].picture.correct == 0, "what is no answer is wrong either way"
    assert perspectives(rows[-1:], camera_view) == []


def test_cameras_by_hand() -> None:
    rows = [row(SIDES[n % 2], SIDES[n % 2], n, "a") for n in range(6)]
    rows += [row(SIDES[n % 2], SIDES[0], n, "b") for n in range(6)] + [row("left", None, 7, "b")]
    first, second = camera_tests(rows)
    # Of the 20 ways to say left three times in six, one is always right and one always wrong.
    assert (first.camera, first.n, first.p, first.p_holm) == ("a", 6, 2 / 20, 4 / 20)
    assert (first.hit_rate, first.false_alarm_rate, first.verdict) == (1, 0, None)
    assert (second.n, second.p, second.hit_rate, second.false_alarm_rate) == (6, 1, 1, 1)
    assert camera_tests([row("left", "left", 0)])[0].false_alarm_rate is None


def test_qwens_front_cameras_are_below_chance() -> None:
    verdicts = {test.camera: test.verdict for test in camera_tests(published_qwen())}
    assert verdicts == dict.fromkeys(FRONT, "below") | dict.fromkeys(BACK, "above")


@pytest.mark.parametrize("name", ["paper", "paper-original"])
def test_poses_say_what_the_names_of_the_papers_cameras_say(name: str) -> None:
    for task, cameras in load_rig(name).tasks.items():
        for camera in cameras:
            assert faces_robot(camera.resolve()) == (view_by_name(camera.name) == "front"), (task, camera.name)


def test_a_camera_at_the_side_is_neither() -> None:
    for y in (-2.0, 2.0):
        quat = look_at((0.45, y, 0.3), (0.45, 0.0, 0.0))
        assert faces_robot(CameraSpec(name="a", position=(0.45, y, 0.3), quat_wxyz=quat, focal_length=24.0)) is None
    assert view_by_name("overhead") is view_by_name("front_to_back") is None


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_dataset(tmp_path_factory.mktemp("views"), push=2)


def test_poses_count_before_names(dataset: Dataset, tmp_path: Path) -> None:
    run = read_runs([make_run(tmp_path / "run", dataset)])[0]
    view = views_of(run)
    rows = {(split, found.file_name): found for split in ("train", "eval") for found in dataset.rows(split)}
    for prediction in run.main:
        pose = rows[prediction.split, prediction.file_name].calibration
        assert pose is not None
        facing = faces_robot(pose.camera)
        wrong = prediction.model_copy(update={"camera": "back_x" if facing else "front_x"})
        assert view(wrong) == (None if facing is None else "front" if facing else "back")
    elsewhere = prediction.model_copy(update={"file_name": "elsewhere.mp4", "camera": "front_wide"})
    assert view(elsewhere) == "front"


def qwen_files(folder: Path) -> Path:
    path = folder / "qwen_drop_spheres_results.jsonl"
    path.write_text(
        "".join(
            public_line("drop", "spheres_test", found.episode, found.camera, f"{found.answer.title()}.", found.text)
            for found in (found.model_copy(update={"text": found.prediction}) for found in published_qwen())
        )
    )
    return path


def shown(report: Report) -> str:
    from rich.console import Console

    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    print_report(report, console)
    return console.export_text()


def test_terminal_json_and_page_say_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = qwen_files(tmp_path)
    runs = read_runs([path])
    report = measure(runs, command=("hpvqa",), created="now")
    text = shown(report)
    assert max(map(len, map(str.rstrip, text.splitlines()))) <= 80
    joined = " ".join(text.split())
    assert "qwen, drop: the answers are given in the picture's left and right" in joined
    assert "141/175" in joined
    assert joined.count("below chance") == 4
    write_page(report, runs, tmp_path / "page.html")
    assert "qwen, drop: the answers are given in the picture" in (tmp_path / "page.html").read_text()
    with pytest.raises(SystemExit):
        main(["report", str(path), "--json"])
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    (found,) = run["conditions"][0]["perspective"]
    assert (found["explains"], found["views"][2]["picture"]["correct"]) == (True, 141)
    assert {test["verdict"] for test in run["conditions"][0]["cameras"]} == {"above", "below"}


def test_a_model_that_always_says_left_gets_no_such_sentence(tmp_path: Path) -> None:
    report = measure(read_runs(make_internvl(tmp_path)), command=("hpvqa",), created="now")
    assert "picture" not in shown(report)


@pytest.mark.skipif(not PUBLISHED, reason="HPVQA_PUBLISHED names no folder of the published predictions")
@pytest.mark.slow
def test_the_published_files() -> None:
    report = measure(read_runs(PUBLISHED), command=("hpvqa",), created="now")
    found = {(run.name, one.task): one for run in report.runs for one in run.main.perspective}
    assert {key for key, one in found.items() if one.explains} == {("qwen", "drop")}
    drop = found["qwen", "drop"]
    assert (drop.views[2].picture.correct, drop.views[2].n) == (141, 175)
    assert (drop.picture_episodes, drop.episodes, drop.unknown) == (22, 25, 0)


def test_few_episodes_are_said_to_be_few(tmp_path: Path) -> None:
    few = make_dataset(tmp_path / "few", push=6)
    runs = [make_run(tmp_path / name, few, say=say) for name, say in (("a", left), ("b", _first_four))]
    report = measure(read_runs(runs), command=("hpvqa",), created="now")
    text = shown(report)
    assert "too few" in text
    assert "Few: of five" not in text, "there are six"
    assert "Accuracy by gap" not in text
    write_page(report, read_runs(runs), tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert page.count("too few episodes to tell (6 of at least 8).") == 4
    assert "psychometric curve" not in page
    assert "P(left) as answered" not in page


def _first_four(found: Row) -> Side:
    return found.answer if found.episode < 4 else "left"
