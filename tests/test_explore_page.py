"""The page on which a person plays: what it shows, what it takes, and whom it refuses."""

from __future__ import annotations

import ctypes
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

from hpvqa.errors import RunError
from hpvqa.explore.agents.page import Page
from hpvqa.explore.agents.person import Person
from hpvqa.explore.game import Game
from hpvqa.explore.protocol import Shot, Turn
from hpvqa.explore.runs.record import Played
from hpvqa.explore.scene import Scene
from tests.explore_play import play
from tests.explore_worlds import group, write_worlds

Reply = tuple[int, bytes]


class Browser:
    """What a browser sends to a page."""

    def __init__(self, url: str) -> None:
        self._place = urlsplit(url).netloc
        self.known = 0

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Reply:
        connection = http.client.HTTPConnection(self._place, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            reply = connection.getresponse()
            return reply.status, reply.read()
        finally:
            connection.close()

    def turn(self) -> dict[str, Any]:
        """The next turn."""
        while (found := json.loads(self.ask("GET", f"/turn?after={self.known}")[1])) is None:
            pass
        self.known = found["number"]
        return dict(found)

    def choose(self, turn: Any, letter: Any) -> int:
        body = json.dumps({"number": turn, "letter": letter}).encode()
        return self.ask("POST", "/choice", body, {"Content-Type": "application/json"})[0]


@pytest.fixture
def open_page() -> Iterator[Callable[..., tuple[Page, Browser]]]:
    opened: list[Page] = []

    def make() -> tuple[Page, Browser]:
        said: list[str] = []
        opened.append(Page(0, said.append))
        opened[-1].open()
        return opened[-1], Browser(said[0].split()[1])

    yield make
    for page in opened:
        page.close()


def asked(page: Page, turn: Turn) -> threading.Thread:
    thread = threading.Thread(target=page.ask, args=(turn,), daemon=True)
    thread.start()
    return thread


def turn_of(scene: Scene) -> Turn:
    game = Game(scene)
    shots = tuple(Shot(np.full((8, 8, 3), value, np.uint8), f"view {value}", "Raise it" * value) for value in range(2))
    return Turn(game.brief, 0, shots, game.options(game.start(), 0))


def test_a_person_plays_on_a_page_as_any_agent_does(
    open_page: Callable[..., tuple[Page, Browser]], tmp_path: Path
) -> None:
    page, browser = open_page()
    played: list[list[Played]] = []
    scenes = group()[:2]

    def sit() -> None:
        played.append(play(Person("me", page), tmp_path / "run", "facts", scenes=scenes, one_by_one=True))

    thread = threading.Thread(target=sit, daemon=True)
    thread.start()
    chosen: list[list[str]] = []
    for scene in scenes:
        chosen.append([])
        for step, action in enumerate(scene.plan):
            turn = browser.turn()
            assert turn["question"] == scene.question.text
            assert turn["left"] == scene.steps - step
            assert len(turn["shots"]) == step + 1
            words = Game(scene).sentence(action)
            letter = next(option["letter"] for option in turn["options"] if option["text"] == words)
            assert browser.choose(turn["number"], letter) == 200
            chosen[-1].append(letter)
    thread.join(60)
    assert [[step.letter for step in one.steps] for one in played[0]] == chosen
    assert all(one.correct for one in played[0])


def test_it_shows_what_an_agent_may_know_and_nothing_else(open_page: Callable[..., tuple[Page, Browser]]) -> None:
    page, browser = open_page()
    shown = []
    for scene in group()[:2]:
        thread = asked(page, turn_of(scene))
        shown.append(turn := browser.turn())
        assert turn.keys() == {"number", "scene", "question", "rules", "left", "shots", "mishap", "options"}
        assert all(option.keys() == {"letter", "text"} for option in turn["options"])
        assert all(shot.keys() == {"picture", "after", "view", "facts"} for shot in turn["shots"])
        pictures = [browser.ask("GET", f"/picture/{shot['picture']}") for shot in turn["shots"]]
        assert all(status == 200 and data.startswith(b"\x89PNG") for status, data in pictures)
        assert browser.choose(turn["number"], "A") == 200
        thread.join(10)
        # Once it was decided, nothing of it is left to be chosen.
        assert browser.choose(turn["number"], "A") == 409
    # Twins differ in what is hidden alone, so whatever tells of it would differ here; letters are shuffled for each.
    for turn in shown:
        turn["options"] = sorted(option["text"] for option in turn["options"])
        del turn["number"], turn["scene"]
    assert shown[0] == shown[1]


def test_it_takes_choices_that_are_offered_and_nothing_else(open_page: Callable[..., tuple[Page, Browser]]) -> None:
    page, browser = open_page()
    asked(page, turn_of(group()[0]))
    turn = browser.turn()
    for number, letter in ((turn["number"], "Z"), (turn["number"] + 1, "A"), (None, "A"), (turn["number"], ["A"])):
        assert browser.choose(number, letter) == 409
    plain = {"Content-Type": "application/json"}
    body = json.dumps({"number": turn["number"], "letter": "A"}).encode()
    for path, sent, headers in (
        ("/choice", body, {"Content-Type": "text/plain"}),
        ("/choice", b" " * 2000, plain),
        ("/other", body, plain),
    ):
        assert browser.ask("POST", path, sent, headers)[0] == 400
    for sent in (b"", b"{", b"[1]", b"\xff"):
        assert browser.ask("POST", "/choice", sent, plain)[0] == 409
    for path in ("/picture/", "/picture/../page.html", "/page.py", "/run.json", f"/picture/{'0' * 64}"):
        assert browser.ask("GET", path)[0] == 404
    assert browser.choose(turn["number"], "A") == 200


def test_it_refuses_whoever_is_not_on_this_machine(open_page: Callable[..., tuple[Page, Browser]]) -> None:
    page, browser = open_page()
    asked(page, turn_of(group()[0]))
    turn = browser.turn()
    body = json.dumps({"number": turn["number"], "letter": "A"}).encode()
    plain = {"Content-Type": "application/json"}
    for foreign in ({"Host": "evil.example"}, {"Host": "127.0.0.1.evil.example:80"}, {"Origin": "http://evil.example"}):
        for path in ("/", "/turn?after=0", f"/picture/{turn['shots'][0]['picture']}"):
            assert browser.ask("GET", path, headers=foreign)[0] == 403
        assert browser.ask("POST", "/choice", body, {**plain, **foreign})[0] == 403
    status, html = browser.ask("GET", "/", headers={"Host": "localhost:1"})
    assert status == 200
    assert b"http" not in html.replace(b"http-equiv", b""), "the page loads nothing from elsewhere"
    assert browser.choose(turn["number"], "A") == 200


def test_a_port_that_is_taken_is_told_in_a_sentence(open_page: Callable[..., tuple[Page, Browser]]) -> None:
    _, browser = open_page()
    with pytest.raises(RunError, match="choose another --port"):
        Page(int(browser._place.rpartition(":")[2]), print).open()


def playing(worlds: Path, out: Path, *more: str) -> tuple[subprocess.Popen[str], Browser]:
    command = [sys.executable, "-m", "hpvqa", "explore", "play", "--worlds", str(worlds), "--out", str(out), *more]
    process = subprocess.Popen(
        command,
        env={**os.environ, "PYTHONFAULTHANDLER": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, Browser(process.stdout.readline().split()[1])


def ending(process: subprocess.Popen[str]) -> tuple[int, Sequence[str]]:
    try:
        _, said = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)
        raise AssertionError(process.communicate()[1]) from None
    assert "Traceback" not in said
    return process.returncode, said.splitlines()


def interrupt_beside(pid: int) -> None:
    """Send Ctrl-C so that a thread of the page gets it: the kernel chooses among all that do not hold it back."""
    for task in sorted(Path(f"/proc/{pid}/task").iterdir(), key=lambda task: int(task.name)):
        blocked = int(re.search(r"SigBlk:\s*(\w+)", (task / "status").read_text())[1], 16)  # type: ignore[index]
        if int(task.name) != pid and not blocked >> (signal.SIGINT - 1) & 1:
            assert ctypes.CDLL(None).tgkill(pid, int(task.name), int(signal.SIGINT)) == 0
            return
    raise AssertionError("the page has no thread of its own")


@pytest.mark.simulation
@pytest.mark.long
def test_the_command_plays_goes_on_and_ends(tmp_path: Path) -> None:
    pytest.importorskip("mujoco", exc_type=ImportError)
    worlds, out = write_worlds(tmp_path / "worlds"), tmp_path / "run"
    process, browser = playing(worlds, out, "--limit", "2")
    answer = next(option for option in browser.turn()["options"] if option["text"].startswith("Answer"))
    assert browser.choose(1, answer["letter"]) == 200
    turn = browser.turn()
    assert turn["scene"] == 2
    assert browser.ask("GET", f"/picture/{turn['shots'][0]['picture']}")[0] == 200
    interrupt_beside(process.pid)
    assert ending(process)[0] == 130
    assert len(list(out.glob("scenes/*/steps.jsonl"))) == 1
    process, browser = playing(worlds, out, "--limit", "2")
    answer = next(option for option in browser.turn()["options"] if option["text"].startswith("Answer"))
    assert browser.choose(1, answer["letter"]) == 200
    assert ending(process)[0] == 0
    assert len(list(out.glob("scenes/*/steps.jsonl"))) == 2
