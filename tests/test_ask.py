"""Questions to models about episodes: what is asked, what is made of the answers, and what may go wrong."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hpvqa.ask.episodes import open_episode
from hpvqa.ask.question import make_question
from hpvqa.ask.run import Asker
from hpvqa.dataset.build import build
from hpvqa.dataset.load import open_dataset
from hpvqa.errors import UsageError
from hpvqa.evaluate.run import evaluate, run_settings
from hpvqa.evaluate.select import Rows, select
from hpvqa.evaluate.views import pool
from hpvqa.main import main
from hpvqa.recipe import Recipe
from hpvqa.record.episode import RECORD_FILE, episode_dir
from hpvqa.tasks.drop import DropTask
from hpvqa.tasks.push import PushTask
from hpvqa.vlm.choice import Look, ModelChoice, choose_look
from hpvqa.vlm.frames.sampling import FrameSampling
from hpvqa.vlm.prompt import load_prompt
from hpvqa.vlm.protocol import Answerer
from hpvqa.vlm.seen import Shot, seen_in
from tests.ask_fakes import Speaking
from tests.eval_fakes import Looking, Watching
from tests.factories import HEIGHT, WIDTH, make_data, make_episode, make_spec, quiet
from tests.servers import LOGPROBS, StandIn
from tests.tiny_models import TinyModel

needs_client = pytest.mark.skipif(importlib.util.find_spec("httpx2") is None, reason="needs the HTTP client")
PROMPT = load_prompt("paper")
CAMERA = make_spec("push", 0).cameras[0].name
SMALL = FrameSampling(resolution=None)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return make_data(tmp_path / "data", push=2, cameras=3)


@pytest.fixture
def episode(data: Path) -> Path:
    return episode_dir(data, "push", 0)


def asker(answerer: Answerer, question: str | None = None, cameras: tuple[str, ...] | None = (), **given: Any) -> Asker:
    look = Look(PROMPT, SMALL, **{name: given.pop(name) for name in ("views", "tasks", "seen") if name in given})
    return Asker(answerer, look, make_question(question, PROMPT, None), cameras, given.pop("tell", print), **given)


def hpvqa(*args: object) -> int:
    with pytest.raises(SystemExit) as caught:
        main(["ask", *map(str, args)])
    return int(caught.value.code or 0)


# What is asked


@pytest.mark.parametrize(
    ("text", "free"),
    [
        (None, False),
        ("which cube looks heavier?", False),
        ("  Which of them is it", False),
        ("Is it the left one, or the right one?", False),
        ("LEFT OR RIGHT?", False),
        ("What happens?", True),
        ("What is on the left?", True),
        ("Is the leftmost cube alright, or right?", True),
        ("Describe which cube moved", True),
    ],
)
def test_left_and_right_are_choices_where_a_question_offers_them(text: str | None, free: bool) -> None:
    assert make_question(text, PROMPT, None).free == free
    # Whoever says how answers are found is obeyed.
    assert not make_question(text, PROMPT, "logprobs").free
    assert not make_question(text, PROMPT, "generate").free


def test_an_empty_question_is_refused() -> None:
    with pytest.raises(UsageError, match="The question is empty"):
        make_question("  ", PROMPT, None)


def test_a_free_question_is_asked_without_words_about_left_and_right(episode: Path) -> None:
    record = open_episode(episode)
    (query, *_) = make_question("What happens?", PROMPT, None).queries(episode, record, ())
    assert (query.system, query.text) == ("", "What happens?")
    (query, *_) = make_question(None, PROMPT, None).queries(episode, record, ())
    assert (query.system, query.text) == (PROMPT.system, PushTask.question)


def test_cameras_come_in_the_order_of_the_rig(episode: Path) -> None:
    record = open_episode(episode)
    names = [camera.camera.name for camera in record.cameras]
    looking = Looking()
    asked = asker(looking, cameras=(names[2], names[0])).ask(episode, record)
    assert [view.camera for view in asked.views] == [names[0], names[2]]
    assert [view.camera for view in asker(Looking()).ask(episode, record).views] == names
    with pytest.raises(UsageError, match=f"no camera 'front_wid'.*{names[1]}|did you mean"):
        asker(looking, cameras=("front_wid",)).ask(episode, record)
    assert looking.loaded == 1, "nothing is loaded for a camera that does not exist"


def test_without_a_camera_those_are_asked_that_the_model_was_trained_on(episode: Path) -> None:
    record, told = open_episode(episode), list[str]()
    names = [camera.camera.name for camera in record.cameras]

    def asked(cameras: tuple[str, ...] | None, **views: tuple[str, ...]) -> list[str]:
        told.clear()
        found = asker(Looking(), cameras=cameras, tell=told.append, views=views).ask(episode, record)
        return [view.camera for view in found.views]

    assert asked(None, push=(names[1], "elsewhere")) == [names[1]]
    assert [line for line in told if f"learned push episodes from {names[1]} only" in line]
    for views in ({}, {"drop": (names[1],)}, {"push": ("elsewhere",)}, {"push": tuple(names)}):
        assert asked(None, **views) == names
        assert not [line for line in told if "learned" in line]
    assert asked((), push=(names[1],)) == names


@pytest.mark.parametrize(
    ("question", "tasks", "words"),
    [
        (None, ("push",), None),
        (f"  {PushTask.question.upper()}", ("drop", "push"), None),
        ("which cube looks heavier?", ("push",), "trained to answer one question about push episodes"),
        (DropTask.question, ("drop", "push"), "trained to answer one question about push episodes"),
        ("What is the robot doing?", ("push",), "trained to answer one question about push episodes"),
        (None, ("drop",), "trained on drop episodes only, and this is a push episode"),
        ("which cube looks heavier?", (), None),
    ],
)
def test_a_question_that_a_model_was_not_taught_is_told_once(
    episode: Path, question: str | None, tasks: tuple[str, ...], words: str | None
) -> None:
    told: list[str] = []
    asking = asker(Looking(), question, tell=told.append, tasks=tasks)
    for _ in range(2):
        found = asking.ask(episode, open_episode(episode)).as_json(reveal=False)
        assert (found["warning"] is None) == (words is None)
        assert words is None or words in str(found["warning"])
    assert len([line for line in told if line.startswith("Warning: ")]) == (words is not None)
    assert words is None or any(words in line for line in told)


def test_clips_that_look_other_than_those_of_the_training_are_told_once(episode: Path) -> None:
    record, told = open_episode(episode), list[str]()
    shots = [Shot.of("push", (64, 64), camera) for camera in record.cameras]
    asking = asker(Looking(), tell=told.append, seen=seen_in(shots))
    for _ in range(2):
        asking.ask(episode, record)
    (said,) = [line for line in told if line.startswith("Warning: ")]
    assert f"another shape (64x64) than these ({WIDTH}x{HEIGHT})" in said


def test_the_embedded_model_is_known_to_answer_two_questions_alone() -> None:
    for backend in ("transformers", "openai"):
        assert set(choose_look(ModelChoice(backend=backend, model="embedded")).tasks) == {"push", "drop"}
    assert choose_look(ModelChoice(backend="openai", model="another")).tasks == ()


def test_the_same_is_asked_and_shown_as_in_an_evaluation(tmp_path: Path) -> None:
    data = make_data(tmp_path / "data", push=8)
    build(data, tmp_path / "dataset", quiet(), recipe=Recipe())
    dataset = open_dataset(tmp_path / "dataset")
    items = select(dataset, "all", PROMPT)
    there = Looking(batch_size=1)
    look = Look(PROMPT, SMALL)
    settings = run_settings(dataset, there, Rows(split="all"), look, backend="x", model="x", seed=0)
    evaluate(items, there, tmp_path / "run", settings, quiet())
    wanted = {(query.episode.name, query.clip.name): query for (query,) in there.batches}
    here = Looking()
    for index in range(8):
        folder = episode_dir(data, "push", index)
        asker(here).ask(folder, open_episode(folder))
    found = [query for batch in here.batches for query in batch]
    assert len(found) == len(wanted)
    for query in found:
        same = wanted[query.episode.name, query.clip.name]
        for name in ("task", "fps", "frames", "camera", "question", "system", "text", "choices"):
            assert getattr(query, name) == getattr(same, name), name
        assert np.array_equal(query.videos[0].images, same.videos[0].images)
        assert query.videos[0].indices == same.videos[0].indices


# What is made of the answers


def test_a_clip_that_does_not_decode_is_one_answer_that_failed(episode: Path) -> None:
    record = open_episode(episode)
    names = [camera.camera.name for camera in record.cameras]
    (episode / f"{names[1]}.mp4").write_bytes(b"no video")
    looking = Looking()
    asked = asker(looking).ask(episode, record)
    assert [view.answer.error is None for view in asked.views] == [True, False, True]
    assert f"{names[1]}.mp4" in str(asked.views[1].answer.error)
    assert asked.failed
    good = [view.answer.logprobs for view in asked.views if view.answer.logprobs]
    assert asked.pooled == pool(good)
    assert [query.videos[0].images.shape[1:] for query in looking.batches[0]] == [(HEIGHT, WIDTH, 3)] * 2


def test_an_answerer_that_opens_clips_itself_is_not_shown_frames(episode: Path) -> None:
    watching = Watching()
    asked = asker(watching).ask(episode, open_episode(episode))
    assert [view.answer.choice for view in asked.views] == ["left"] * 3
    assert asked.pooled is None


def test_failed_episodes_are_told_and_not_asked_about(tmp_path: Path) -> None:
    data = make_data(tmp_path / "data", push=1)
    told: list[str] = []
    pauses = 0

    def pause() -> None:
        nonlocal pauses
        pauses += 1
        if pauses == 1:
            make_episode(data, make_spec("push", 1), ok=False)
            make_episode(data, make_spec("push", 2))

    found = list(asker(Looking(), tell=told.append).watch(data, lambda: pauses > 1, pause))
    assert [asked.folder for asked in found] == [episode_dir(data, "push", 2)]
    assert any("episode-000001 failed (made to fail)" in sentence for sentence in told)


# The command


def test_a_baseline_answers_and_the_truth_is_told_only_when_asked_for(
    episode: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hidden = [f"{PushTask().hidden_value(make_spec('push', 0), side):.3f}" for side in ("left", "right")]
    assert hpvqa(episode, "--backend", "baseline", "--model", "left") == 0
    plain = capsys.readouterr().out
    assert PushTask.question in plain
    assert plain.count("left") > 1
    assert "Truth" not in plain
    assert not any(value in plain for value in hidden)
    assert hpvqa(episode, "--backend", "baseline", "--model", "left", "--reveal") == 0
    revealed = capsys.readouterr().out
    assert "Truth: " in revealed
    assert all(value in revealed for value in hidden)


def test_json(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.utime(episode_dir(data, "push", 1) / RECORD_FILE, (1e9, 1e9))
    assert hpvqa("--latest", data, "--backend", "baseline", "--model", "right", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["task"], found["index"], found["question"]) == ("push", 0, PushTask.question)
    assert "truth" not in found
    assert len(found["answers"]) == 3
    assert found["answers"][0]["choice"] == "right"
    assert found["pooled"] is None
    assert hpvqa("--latest", data, "--backend", "baseline", "--model", "right", "--json", "--reveal") == 0
    truth = json.loads(capsys.readouterr().out)["truth"]
    assert truth["answer"] == ("left" if truth["mass"]["left"] > truth["mass"]["right"] else "right")


def test_a_tiny_model_answers(data: Path, tiny_model: TinyModel, capsys: pytest.CaptureFixture[str]) -> None:
    model = tiny_model("qwen3_vl")
    args = ("--latest", data, "--model", model, "--resolution", "64x64", "--device", "cpu", "--json")
    assert hpvqa(*args, "which cube looks heavier?") == 0
    scored = json.loads(capsys.readouterr().out)
    for answer in scored["answers"]:
        assert answer["p_left"] + answer["p_right"] == pytest.approx(1)
        assert 0 < answer["p_choices"] < 1
    odds = np.mean([math.log(answer["p_left"] / answer["p_right"]) for answer in scored["answers"]])
    assert math.log(scored["pooled"]["p_left"] / scored["pooled"]["p_right"]) == pytest.approx(odds)
    assert hpvqa(*args, "What happens?", "--max-new-tokens", "3", "--camera", CAMERA) == 0
    spoken = json.loads(capsys.readouterr().out)
    assert spoken["free"]
    assert [answer["camera"] for answer in spoken["answers"]] == [CAMERA]
    assert spoken["answers"][0]["error"] is None
    assert spoken["pooled"] is None


@needs_client
def test_a_server_answers(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with StandIn(owned_by="vllm") as server:
        assert hpvqa("--latest", data, "--server", server.url, "--json") == 0
        found = json.loads(capsys.readouterr().out)
        sent = server.requests[-1]["messages"]
    odds = abs(LOGPROBS["left"] - LOGPROBS["right"])
    assert found["pooled"]["p_left"] == pytest.approx(1 / (1 + math.exp(odds)))
    assert sent[0]["content"] == PROMPT.system
    assert sent[1]["content"][-1]["text"] == PushTask.question


@needs_client
def test_a_server_is_listened_to_while_it_speaks(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Speaking(owned_by="vllm") as server:
        assert hpvqa("--latest", data, "What happens?", "--server", server.url, "--camera", CAMERA) == 0
        assert capsys.readouterr().out == f"{CAMERA}: A robot pushes a cube.\n"
        assert server.requests[-1]["max_tokens"] == 256
        assert hpvqa("--latest", data, "What happens?", "--server", server.url) == 0
        lines = capsys.readouterr().out.splitlines()
    assert [line.partition(": ")[2] for line in lines] == ["A robot pushes a cube."] * 3


@needs_client
def test_thoughts_that_are_cut_off_are_not_taken_for_what_is_said(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = ("--latest", data, "What happens?", "--camera", CAMERA, "--thinking", 30)
    with Speaking(owned_by="vllm", prompt_text="<think>\n") as server:
        assert hpvqa(*args, "--server", server.url) == 1
        out, err = capsys.readouterr()
        assert out.startswith(f"{CAMERA}: <think>A robot pushes")
        assert "Thoughts were cut off" in out + err
        assert "raise --thinking" in " ".join((out + err).split())
        server.words = ("A robot", "</think>", "It falls.")
        assert hpvqa(*args, "--server", server.url) == 0


@needs_client
def test_a_server_that_goes_while_it_speaks_is_a_sentence(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Speaking(owned_by="vllm") as server:
        server.breaks_after = 2
        assert hpvqa("--latest", data, "What happens?", "--server", server.url, "--camera", CAMERA) == 1
    out, err = capsys.readouterr()
    assert out.startswith(f"{CAMERA}: A robot \n")
    assert "broke off in the middle of its answer" in out + err
    assert "Traceback" not in out + err


@needs_client
def test_what_a_server_says_cannot_control_the_terminal(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b[2J\x9b31m\u202eup"
    with Speaking(owned_by="vllm", tokens={}, text=evil) as server:
        server.words = (evil,)
        for args in (["What happens?"], ["--scoring", "generate"], ["--scoring", "generate", "--json"]):
            hpvqa("--latest", data, *args, "--server", server.url, "--camera", CAMERA)
            out, err = capsys.readouterr()
            assert "2J" in out
            assert not {"\x1b", "\x9b", "\u202e"} & set(out + err)


@needs_client
def test_a_server_that_is_down_is_a_sentence(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with StandIn() as server:
        url = server.url
    assert hpvqa("--latest", data, "--server", url) == 1
    assert "cannot be reached" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--latest", "nowhere"], "There is no data folder nowhere"),
        (["nowhere/push/000/episode-000001"], "There is no episode nowhere"),
        (["--latest", "data", "--camera", "frontwide"], "There is no camera 'frontwide' in"),
        (["--latest", "data", "What is it?"], "A baseline only says left or right"),
        (["--latest", "data", "--backend", "transfomers"], "did you mean 'transformers'?"),
        (["--latest", "data", "--server", "http://127.0.0.1:1/v1"], "--server is for --backend openai"),
        (["--latest", "data", "--watch", "data"], "Choose one of --latest and --watch"),
        (["--latest", "data", "哪" * 90], "A baseline only says left or right"),
        (["哪" * 90], "Name an episode before the question"),
        (["Q" * 5000], "Name an episode before the question"),
        (["--watch", "."], ". is not a data folder"),
        (["--latest", "."], ". is not a data folder; use this one: data"),
        (["data"], "data is a data folder; ask about its newest episode with --latest data"),
    ],
)
def test_wrong_calls(
    args: list[str], message: str, data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(data.parent)
    backend: Sequence[str] = () if "--backend" in args else ("--backend", "baseline")
    assert hpvqa(*args, *backend) == 2
    assert message in capsys.readouterr().err


@pytest.mark.slow
def test_watching_answers_episodes_as_they_land_until_ctrl_c(data: Path) -> None:
    command = [sys.executable, "-m", "hpvqa", "ask", "--watch", str(data), "--backend", "baseline", "--json"]
    process = subprocess.Popen(
        [*command, "--model", "left"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    # A line that never comes shall end the test, not stop all of them.
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        assert "Waiting for new episodes" in process.stderr.readline()
        for index in (2, 3):
            # Unfinished ones and what else lies around are no episodes.
            (data / ".partial" / "all.x" / "push-episode-000009").mkdir(parents=True, exist_ok=True)
            make_episode_beside_collection(data, index)
            assert json.loads(process.stdout.readline())["index"] == index
        time.sleep(0.3)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=20)
    finally:
        watchdog.cancel()
        process.kill()
        process.communicate()
    assert (process.returncode, out, err) == (0, "", "")


def make_episode_beside_collection(data: Path, index: int) -> None:
    """Like :func:`make_episode`, where there is a folder for unfinished episodes already."""
    other = data.with_name(f"made-{index}")
    other.mkdir()
    made = make_episode(other, make_spec("push", index))
    made.rename(episode_dir(data, "push", index))
