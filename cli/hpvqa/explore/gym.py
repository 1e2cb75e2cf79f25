"""Scenes as a Gymnasium environment, ``hpvqa/Explore-v0``, so that others bring their own agents.

An action is the number of an option: 0 is A. An option that is not offered costs a step. The reward is 1 for the
correct answer and 0 for all else; ``info`` says nothing that an agent must not know.
"""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from hpvqa.errors import UsageError
from hpvqa.explore.protocol import Decision, Turn
from hpvqa.explore.rays import PIXELS
from hpvqa.explore.runs.conditions import CONDITIONS
from hpvqa.explore.runs.course import Course
from hpvqa.explore.runs.run import select
from hpvqa.explore.runs.stage import Tables
from hpvqa.explore.scene import FAMILIES, Action
from hpvqa.explore.world import SceneWorld

NAME = "hpvqa/Explore-v0"
MOST_OPTIONS = 16
"""Six answers and ten actions: more than any scene has offered."""
_LONGEST = 4096
"""Most letters of a text."""
_LETTERS = string.ascii_letters + string.digits + string.punctuation + " \n°"
Observation = dict[str, Any]


class ExploreEnv(gymnasium.Env[Observation, np.int64]):
    """Scenes of a folder, drawn by chance at each reset.

    Args:
        worlds: The folder.
        pictures: Whether they are simulated and drawn; else all pictures are black, and it is fast.

    Raises:
        UsageError: There are no scenes.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 1}  # noqa: RUF012 - as Gymnasium has it

    def __init__(self, worlds: str | Path, *, pictures: bool = True, render_mode: str | None = None) -> None:
        self.render_mode = render_mode
        self._scenes = select(Path(worlds), FAMILIES, "all", None)
        if not self._scenes:
            raise UsageError(f"{worlds} holds no scenes; draw some with `hpvqa explore draw`")
        text = gymnasium.spaces.Text(_LONGEST, min_length=0, charset=_LETTERS)
        image = gymnasium.spaces.Box(0, 255, (PIXELS, PIXELS, 3), np.uint8)
        self.observation_space = gymnasium.spaces.Dict({"image": image, "question": text, "options": text})
        self.action_space = gymnasium.spaces.Discrete(MOST_OPTIONS)
        self._pictures, self._tables = pictures, Tables()
        self._world: SceneWorld | None = None
        self._course: Course | None = None
        self._image: NDArray[np.uint8] = np.zeros((PIXELS, PIXELS, 3), np.uint8)

    @property
    def turn(self) -> Turn:
        """All that an agent may know now: pictures so far, options and history.

        Raises:
            ValueError: There is nothing before the first reset.
        """
        if self._course is None:
            raise ValueError("there is no scene before the first reset")
        return self._course.turn

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin a scene: one by chance, or that of the number ``options["scene"]``."""
        super().reset(seed=seed)
        number = (options or {}).get("scene")
        if number is None:
            number = int(self.np_random.integers(len(self._scenes)))
        self._course = Course(self._scenes[number], CONDITIONS["active"], lambda name, data: None)
        self._advance(None)
        return self._observation(), {}

    def step(self, action: np.int64) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Choose an option."""
        course = self._course
        assert course is not None  # noqa: S101 - Gymnasium resets first
        turn = course.turn
        letter = string.ascii_uppercase[int(action)]
        chosen = next((option for option in turn.options if option.letter == letter), None)
        done = course.decided(Decision(letter))
        answered = chosen is not None and chosen.answers
        correct = chosen is not None and answered and chosen.action.target == turn.brief.scene.question.answer
        if done is not None:
            self._advance(done)
        return (
            self._observation(),
            float(correct),
            answered,
            course.over and not answered,
            {"offered": chosen is not None},
        )

    def render(self) -> NDArray[np.uint8] | None:  # type: ignore[override]
        """The newest picture."""
        return self._image if self.render_mode == "rgb_array" else None

    def close(self) -> None:
        """Let go of the simulator."""
        self._world = None

    def _advance(self, action: Action | None) -> None:
        course = self._course
        assert course is not None  # noqa: S101
        if not self._pictures:
            key, scene = course.key, course.brief.scene
            future = self._tables.begin(key, scene) if action is None else self._tables.act(key, action)
            course.arrived(future.result())
            return
        if self._world is None:
            from hpvqa.sim import open_simulator

            self._world = SceneWorld(open_simulator((PIXELS, PIXELS)))
        outcome = self._world.reset(course.brief.scene) if action is None else self._world.act(action)
        self._image = outcome.shot.image
        course.arrived(outcome)

    def _observation(self) -> Observation:
        turn = self.turn
        told = f"{turn.brief.rules}\n{turn.brief.question}"
        offered = "\n".join(f"{option.letter}: {option.text}" for option in turn.options)
        return {"image": self._image, "question": _plain(told), "options": _plain(offered)}


def _plain(text: str) -> str:
    return "".join(letter for letter in text if letter in _LETTERS)[:_LONGEST]


def register() -> None:
    """Make ``gymnasium.make("hpvqa/Explore-v0", worlds=...)`` possible."""
    if NAME not in gymnasium.registry:
        gymnasium.register(NAME, entry_point="hpvqa.explore.gym:ExploreEnv")
