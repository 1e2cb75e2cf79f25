"""The panel collects: a real child process and real episodes; stopping, reloading, dying; asking about the newest."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from hpvqa.collect.lock import locked
from hpvqa.record.episode import find_episodes, read_episode
from hpvqa.scene.rigs import load_rig
from hpvqa_collector.errors import BadInputError
from hpvqa_collector.process import ChildProcess
from hpvqa_collector.progress import Progress
from hpvqa_collector.run import Run
from tests.factories import make_data
from tests.isaac.conftest import Opens
from tests.isaac.kit.session import Session
from tests.isaac.panel_fixtures import HPVQA, prepare, script, tiny_job
from tests.patience import wait_for
from tests.servers import StandIn

pytestmark = pytest.mark.slow

SLOW = """
stop = Path(arguments[arguments.index("--stop-file") + 1])
progress = Path(arguments[arguments.index("--progress-file") + 1])
asked = []
signal.signal(signal.SIGTERM, lambda *_: asked.append(1))
def say(**event):
    with progress.open("a") as file:
        file.write(json.dumps({"time": time.time(), **event}) + "\\n")
say(event="start", version=1, activity="collect", unit="episodes", total=100, done=0)
for done in range(1, 1200):
    time.sleep(0.05)
    requests = len(asked) + stop.exists()
    if requests > PATIENCE:
        say(event="done", status="interrupted", message=None, done=done, total=100, seconds=1)
        sys.exit(130)
    if done < 4:
        say(event="item", name=f"push/000/episode-{done:06d}", ok=True, tries=1, message=None, done=done, total=100)
"""
"""A collector that would take for ever, and stops after more than PATIENCE requests."""


def slow(folder: Path, patience: int = 0) -> str:
    estimate = 'if "--estimate" in arguments: sys.exit("Error: not asked here")\n'
    return script(folder, f"PATIENCE = {patience}\n{estimate}{SLOW}")


def generate(kit: Session) -> None:
    # The slow stand-in gives no estimate; the button only waits for one.
    kit.extension._collector.problem = ""
    kit.extension._collector.tell("estimate")
    kit.click("generate")


def state(kit: Session) -> str:
    return str(kit.extension._collector.run.state)


def made(kit: Session) -> int:
    return int(kit.extension._collector.run.progress.done)


def pid(kit: Session) -> int:
    return int(kit.extension._collector.run._child.pid)


def gone(number: int) -> bool:
    try:
        text = Path(f"/proc/{number}/stat").read_text()
    except FileNotFoundError:
        return True
    return text.rpartition(")")[2].split()[0] == "Z"


# ---------------------------------------------------------------- real episodes


@pytest.mark.simulation
@pytest.mark.long
def test_generate_makes_real_episodes_and_a_real_server_is_asked_about_the_newest(tmp_path: Path, panel: Opens) -> None:
    with panel(tmp_path) as kit, StandIn(owned_by="vllm") as server:
        kit.unfold("Cameras")
        kit.until(lambda: kit.extension._collector.table is not None)
        for camera in load_rig("paper").cameras("push")[2:]:
            kit.click(f"camera.{camera.name}.remove")
        tiny_job(kit, 2)
        kit.until(lambda: kit.texts()["estimate"].startswith("0 of 2 episodes are there"))
        kit.click("generate")
        assert not kit.find("generate").enabled
        assert kit.find("stop").enabled
        assert kit.texts()["estimate"].startswith("A run is at work")
        kit.until(lambda: made(kit) >= 1)
        assert kit.find("progress").model.as_float >= 0.5
        assert "of 2 episodes" in kit.texts()["detail"]
        kit.until(lambda: state(kit) == "finished")
        assert kit.texts()["state"] == "Finished"
        assert kit.notifications == [("INFO", "Hidden Physics: finished, 2 of 2 episodes")]
        assert kit.find("progress").model.as_float == 1.0
        kit.until(lambda: kit.texts()["estimate"] == "All 2 episodes are there already.")

        folders = list(find_episodes(tmp_path / "data"))
        records = [read_episode(folder) for folder in folders]
        assert [record.spec.index for record in records] == [0, 1]
        assert all(record.outcome.ok for record in records)
        assert {path.name for path in folders[0].glob("*.mp4")} == {"front_top_narrow.mp4", "back_top_narrow.mp4"}

        kit.until(lambda: "episode.push.1.picture" in {widget.identifier for widget in kit.all()})
        names = [widget.identifier for widget in kit.all() if isinstance(widget, kit.ui.ImageWithProvider)]
        assert names == ["episode.push.1.picture", "episode.push.0.picture"]
        assert kit.texts()["episode.push.1"] == "push 1: usable"

        kit.type("option.server", server.url)
        kit.click("ask")
        assert kit.texts()["ask.answer"] == "Asking ..."
        kit.until(lambda: kit.texts()["ask.answer"] not in {"", "Asking ..."})
        lines = kit.texts()["ask.answer"].splitlines()
        assert [line.partition(":")[0] for line in lines] == ["front_top_narrow", "back_top_narrow", "all together"]
        assert lines[0] == "front_top_narrow: left   (left 0.818, right 0.182)"
        assert kit.texts()["ask.about"].startswith("push 1: From the perspective of the robot arm")
        assert kit.texts()["ask.truth"] == ""
        kit.click("reveal")
        left, right = records[1].spec.thing("left").mass, records[1].spec.thing("right").mass
        answer = "left" if left > right else "right"
        assert kit.texts()["ask.truth"] == f"Truth: {answer} (mass: left {left:.3f}, right {right:.3f})"

        kit.type("option.camera", "front_top_narrow")
        kit.type("option.question", "-- Which cube is heavier, left or right?")
        kit.click("episode.push.0.ask")
        kit.until(lambda: kit.texts()["ask.answer"] not in {"", "Asking ..."})
        assert kit.texts()["ask.about"] == "push 0: -- Which cube is heavier, left or right?"
        assert len(kit.texts()["ask.answer"].splitlines()) == 1

        kit.type("option.server", "http://127.0.0.1:1/v1")
        kit.click("ask")
        kit.until(lambda: kit.texts()["ask.answer"] not in {"", "Asking ..."})
        assert "127.0.0.1:1" in kit.texts()["ask.answer"]


@pytest.mark.simulation
@pytest.mark.long
def test_stop_lets_the_running_episode_finish_and_generate_goes_on(tmp_path: Path, panel: Opens) -> None:
    with panel(tmp_path) as kit:
        tiny_job(kit, 3)
        kit.check("video", False)
        kit.until(lambda: kit.texts()["estimate"].startswith("0 of 3"))
        kit.click("generate")
        kit.until(lambda: list((tmp_path / "data").glob(".partial/*/*")))
        kit.click("stop")
        assert kit.find("stop").text == "Drop them"
        kit.until(lambda: state(kit) == "stopped")
        there = len(list(find_episodes(tmp_path / "data")))
        assert 1 <= there < 3
        assert kit.texts()["state"].startswith("Stopped; Generate episodes goes on")
        kit.until(lambda: kit.texts()["estimate"].startswith(f"{there} of 3"))
        kit.click("generate")
        kit.until(lambda: state(kit) == "finished")
        assert len(list(find_episodes(tmp_path / "data"))) == 3


@pytest.mark.long
def test_another_run_in_the_same_folder_is_a_sentence(tmp_path: Path, panel: Opens) -> None:
    (tmp_path / "data").mkdir()
    with panel(tmp_path) as kit, locked(tmp_path / "data", None):
        tiny_job(kit)
        kit.until(lambda: kit.texts()["estimate"].startswith("Another run is writing to this folder"))
        generate(kit)
        kit.until(lambda: state(kit) == "failed")
        assert f"Another run is writing to {tmp_path / 'data'} (process {os.getpid()}" in kit.texts()["error"]
        assert kit.texts()["state"] == "Failed"


def test_no_isaac_sim_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, panel: Opens) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with panel(tmp_path) as kit:
        kit.choose("backend", "isaac")
        kit.type("option.isaac", str(tmp_path / "nowhere"))
        kit.until(lambda: kit.texts()["estimate"].startswith("0 of 240"))
        kit.click("generate")
        kit.until(lambda: state(kit) == "failed")
        assert "HPVQA_ISAAC names" in kit.texts()["error"]
        assert "Traceback" not in kit.texts()["error"]


# ---------------------------------------------------------------- stopping harder


def test_stop_is_a_step_harder_each_time(tmp_path: Path, panel: Opens) -> None:
    with panel(tmp_path, command=slow(tmp_path, patience=9)) as kit:
        generate(kit)
        kit.until(lambda: kit.texts()["detail"].startswith("3 of 100 episodes"))
        number = pid(kit)
        kit.click("stop")
        assert state(kit) == "stopping"
        kit.click("stop")
        assert (state(kit), kit.find("stop").text) == ("ending", "Kill")
        assert not gone(number)
        kit.click("stop")
        kit.until(lambda: state(kit) == "stopped")
        assert gone(number)


def test_a_child_that_does_not_heed_is_killed_in_the_end(tmp_path: Path) -> None:
    now = [0.0]
    run = Run(tmp_path, clock=lambda: now[0])
    run.start([*slow(tmp_path, patience=9).split()], os.environ, tmp_path / "data", "one")
    while run.progress.done < 3:
        run.poll()
        time.sleep(0.02)
    run.stop()
    run.stop()
    run.poll()
    assert run.state == "ending"
    now[0] = 11.0
    while run.active:
        run.poll()
        time.sleep(0.02)
    assert run.state == "stopped"


def test_what_killed_a_child_is_said(tmp_path: Path, panel: Opens) -> None:
    with panel(tmp_path, command=slow(tmp_path)) as kit:
        generate(kit)
        kit.until(lambda: made(kit) >= 1)
        os.kill(pid(kit), signal.SIGKILL)
        kit.until(lambda: state(kit) == "failed")
        assert kit.texts()["error"] == "hpvqa was ended by the system, most likely because memory ran out"
        ((status, words),) = kit.notifications
        assert (status, words.endswith("because memory ran out")) == ("WARNING", True)
        kit.click("generate")
        kit.until(lambda: made(kit) >= 1)


def test_a_child_that_dies_with_words_is_quoted(tmp_path: Path, panel: Opens) -> None:
    words = "Error: Out of GPU memory; take fewer environments (--num-envs)"
    with panel(tmp_path, command=script(tmp_path, f"print('Kit says a lot')\nsys.exit({words!r})")) as kit:
        generate(kit)
        kit.until(lambda: state(kit) == "failed")
        assert kit.texts()["error"] == words.removeprefix("Error: ")


def test_a_second_run_is_refused(tmp_path: Path, panel: Opens) -> None:
    with panel(tmp_path, command=slow(tmp_path)) as kit:
        generate(kit)
        with pytest.raises(BadInputError, match="A run is at work; stop it first"):
            kit.extension._collector.generate()


def held(number: int) -> bool:
    return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def test_a_run_is_held_and_goes_on_and_can_be_stopped_meanwhile(tmp_path: Path, panel: Opens) -> None:
    with panel(tmp_path, command=slow(tmp_path)) as kit:
        generate(kit)
        kit.until(lambda: made(kit) >= 1)
        kit.click("pause")
        kit.until(lambda: held(pid(kit)))
        assert (state(kit), kit.texts()["state"], kit.find("pause").text) == ("paused", "Paused", "Resume")
        assert "left" not in kit.texts()["detail"]
        kit.click("pause")
        assert (state(kit), kit.find("pause").text) == ("running", "Pause")
        kit.until(lambda: made(kit) >= 3)
        kit.click("pause")
        kit.click("stop")
        kit.until(lambda: state(kit) == "stopped")
        assert not kit.find("pause").enabled
        assert kit.notifications == [("WARNING", "Hidden Physics: stopped, 3 of 100 episodes")]


def test_a_run_that_is_held_is_found_again_and_ends_with_the_panel(tmp_path: Path, kit_session: Opens) -> None:
    with kit_session() as kit:
        prepare(kit, tmp_path, slow(tmp_path, patience=1), {"when_closing": "let it go on"})
        kit.start()
        generate(kit)
        kit.until(lambda: made(kit) >= 1)
        kit.click("pause")
        number = pid(kit)
        kit.until(lambda: held(number))
        kit.stop()
        kit.start()
        assert (state(kit), kit.texts()["notice"]) == ("paused", "The run of the last session is paused")
        kit.choose("option.when_closing", "end it")
        kit.stop()
        assert gone(number)


def test_time_that_was_held_does_not_count() -> None:
    progress = Progress()
    progress.take({"event": "start", "time": 100.0, "total": 4, "done": 0})
    progress.take({"event": "item", "name": "one", "ok": True, "tries": 1, "done": 1, "total": 4})
    progress.skip(50.0)
    assert progress.remaining(160.0) == 30.0


# ---------------------------------------------------------------- closing and coming back


@pytest.mark.parametrize("quit_app", [False, True])
def test_a_run_goes_on_and_is_found_again_if_the_user_chose_that(
    tmp_path: Path, quit_app: bool, kit_session: Opens
) -> None:
    with kit_session() as kit:
        prepare(kit, tmp_path, slow(tmp_path), {"when_closing": "let it go on"})
        kit.start()
        generate(kit)
        kit.until(lambda: made(kit) >= 1)
        number = pid(kit)
        if quit_app:
            # Asked to quit, a user may still say no; only then there is no way back.
            assert kit.dispatcher.dispatch("omni.kit.app:post_quit") == 0
            assert kit.dispatcher.dispatch("omni.kit.app:pre_shutdown") == 1
            kit.frame()
            assert not kit.menus["Tools"]
        else:
            kit.stop()
        assert not gone(number)
        kit.start()
        assert kit.texts()["notice"] == "The run of the last session is still at work"
        assert (state(kit), pid(kit)) == ("running", number)
        kit.until(lambda: kit.texts()["detail"].startswith("3 of 100 episodes"))
        kit.click("stop")
        kit.until(lambda: state(kit) == "stopped")
        assert gone(number)
        assert not (tmp_path / "state" / "run.json").exists()


def test_a_run_that_ended_meanwhile_is_reported(tmp_path: Path, kit_session: Opens) -> None:
    with kit_session() as kit:
        prepare(kit, tmp_path, slow(tmp_path), {"when_closing": "let it go on"})
        kit.start()
        generate(kit)
        kit.until(lambda: made(kit) >= 1)
        number, stop = pid(kit), kit.extension._collector.run._stop_file
        kit.stop()
        stop.touch()
        wait_for(lambda: gone(number))
        kit.start()
        assert state(kit) == "stopped"
        assert kit.texts()["notice"] == "The run of the last session is over"


def test_a_run_ends_with_the_panel_if_the_user_chose_that(tmp_path: Path, kit_session: Opens) -> None:
    # Two requests, as a file and a signal together, are what drops the running episodes.
    with kit_session() as kit:
        prepare(kit, tmp_path, slow(tmp_path, patience=1), {"when_closing": "end it"})
        kit.start()
        generate(kit)
        kit.until(lambda: made(kit) >= 1)
        number, run = pid(kit), kit.extension._collector.run
        kit.stop()
        assert gone(number)
        # It ended by itself, and was not killed.
        assert (run.state, run.progress.status) == ("stopped", "interrupted")
        kit.start()
        assert state(kit) == "idle"


@pytest.mark.parametrize(("choice", "after"), [("let it go on", "running"), ("end it", "stopping")])
def test_a_stage_that_closes_stops_the_run_if_the_user_chose_that(
    tmp_path: Path, choice: str, after: str, panel: Opens
) -> None:
    with panel(tmp_path, command=slow(tmp_path, patience=1), options={"when_stage_closes": choice}) as kit:
        generate(kit)
        kit.until(lambda: made(kit) >= 1)
        assert kit.dispatcher.dispatch("stage:CLOSING") == 1
        assert state(kit) == after


def test_another_process_of_the_same_number_is_not_taken_for_the_run() -> None:
    other = ChildProcess(os.getpid(), started=1)
    assert not other.alive()
    other.terminate()  # would end this test


def test_a_hidden_window_does_not_stop_anything(tmp_path: Path, panel: Opens) -> None:
    with panel(tmp_path, command=slow(tmp_path)) as kit:
        generate(kit)
        kit.menu("Tools/Replicator/Hidden Physics")
        kit.until(lambda: made(kit) >= 2)
        assert state(kit) == "running"


def test_a_picture_that_cannot_be_drawn_says_why(tmp_path: Path, panel: Opens) -> None:
    make_data(tmp_path / "data", push=1)
    command = script(
        tmp_path, 'sys.exit("Error: no picture today" if arguments[0] == "show" else "Error: not asked")\n'
    )
    with panel(tmp_path, command=command) as kit:
        kit.click("episodes.refresh")
        kit.until(lambda: kit.texts().get("episode.push.0.none") == "no picture")
        assert kit.find("episode.push.0.none").tooltip == "no picture today"


def test_failed_episodes_say_why(tmp_path: Path, panel: Opens) -> None:
    make_data(tmp_path / "data", push=2, failed=[("push", 1)], video=False)
    with panel(tmp_path, command=HPVQA) as kit:
        kit.click("episodes.refresh")
        kit.until(lambda: "episode.push.1" in kit.texts())
        assert kit.texts()["episode.push.1"] == "push 1: failed"
        assert kit.texts()["episode.push.1.reason"] == "made to fail"
        assert "episode.push.1.ask" not in {widget.identifier for widget in kit.all()}
