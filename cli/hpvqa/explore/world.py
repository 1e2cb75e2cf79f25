"""A scene in a simulator: the viewer moves, the robot acts, and pictures are taken."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hpvqa.explore.bench.game import BenchGame
from hpvqa.explore.bench.perform import perform
from hpvqa.explore.game import Game, State
from hpvqa.explore.games import open_game
from hpvqa.explore.protocol import Shot
from hpvqa.explore.reveal import SEEN_PIXELS
from hpvqa.explore.robot import at_home, carry_out
from hpvqa.explore.scene import Action, Scene
from hpvqa.scene.spec import WorldSpec
from hpvqa.sim.protocol import FIRST_LABEL, SteppedSimulator

_FEW = SEEN_PIXELS // 2
"""A thing that is planned to be seen has at least so many pixels in a picture of the size that was planned for."""
_NONE = 4
"""One that is planned to be hidden has at most so many."""


@dataclass(frozen=True)
class Outcome:
    """What came of an action.

    Attributes:
        shot: What the viewer sees then.
        mishap: What went wrong with the robot, or shows otherwise than planned, in words; None if nothing.
        robot_seconds: How long the robot was at work [s], simulated.
        cpu_seconds: What it took to simulate and to draw [s].
    """

    shot: Shot
    mishap: str | None
    robot_seconds: float
    cpu_seconds: float


class SceneWorld:
    """One scene at a time, realised by a simulator.

    Args:
        simulator: Any that draws square pictures.
    """

    def __init__(self, simulator: SteppedSimulator) -> None:
        self._simulator = simulator
        self._game: Game | None = None
        self._world: WorldSpec | None = None
        self._state: State | None = None

    @property
    def game(self) -> Game:
        """The rules of the scene.

        Raises:
            ValueError: There is none before the first reset.
        """
        if self._game is None:
            raise ValueError("there is no scene before the first reset")
        return self._game

    @property
    def state(self) -> State:
        """How far the scene has come.

        Raises:
            ValueError: There is none before the first reset.
        """
        if self._state is None:
            raise ValueError("there is no scene before the first reset")
        return self._state

    def reset(self, scene: Scene) -> Outcome:
        """Begin a scene: nothing of an earlier one is left."""
        begin = time.process_time()
        self._game, self._world = open_game(scene), scene.world()
        self._state = self._game.start()
        if isinstance(self._game, BenchGame) and self._game.begun:
            return self._experiments(self._game, self._game.begun, begin)
        self._simulator.reset(self._world, at_home().command(0.0))
        return self._outcome("", None, 0.0, begin)

    def act(self, action: Action) -> Outcome:
        """Do something that is offered, answers apart.

        Raises:
            ValueError: It is not offered now.
        """
        game, world, begin = self.game, self._world, time.process_time()
        assert world is not None  # noqa: S101 - there is one with every scene
        before, words = self.state, game.sentence(action)
        self._state = game.after(before, action)
        if action.kind in ("move viewer", "turn viewer"):
            return self._outcome(words, None, 0.0, begin)
        if isinstance(game, BenchGame):
            return self._experiments(game, (action,), begin)
        start, to = self._simulator.state().time, game.destination(before, action)
        mishap = carry_out(self._simulator, world.thing(action.target), to, game.name(action.target))
        return self._outcome(words, mishap, self._simulator.state().time - start, begin)

    def _experiments(self, game: BenchGame, actions: Sequence[Action], begin: float) -> Outcome:
        """Make experiments one after the other; then all stands again where it stood at first."""
        view, world = game.scene.views[self.state.moment.view], self._world
        assert world is not None  # noqa: S101 - there is one with every scene
        clips, mishap, seconds = [], None, 0.0
        for action in actions:
            method, thing = game.method(action), world.thing(game.experiment(action).thing)
            done = perform(self._simulator, world, method, thing, [view.camera])
            clips.append(done.clips[0])
            mishap = mishap or done.mishap
            seconds += self._simulator.state().time
        self._simulator.reset(world, at_home().command(0.0))
        frames, words = np.concatenate(clips), "; ".join(map(game.sentence, actions))
        shot = Shot(frames[-1], view.words, words, before=frames[:-1], fps=method.fps)
        return Outcome(shot, mishap, seconds, time.process_time() - begin)

    def save(self) -> object:
        """Everything that follows depends on, for ``restore``; not to be looked into."""
        return self.state, self._simulator.save()

    def restore(self, saved: object) -> None:
        """Go back to a moment of the same scene.

        Raises:
            ValueError: It was saved in another scene.
        """
        assert isinstance(saved, tuple)  # noqa: S101 - by save
        self._state, inner = saved
        self._simulator.restore(inner)

    def boxes(self) -> dict[str, tuple[float, float, float, float]]:
        """Where each thing is in the newest picture, by its name, if as much of it is seen as counts as seen.

        Returns:
            Left, upper, right and lower edge of its pixels, in widths and heights of the picture.
        """
        assert self._world is not None  # noqa: S101 - there is one with every scene
        labels = self._simulator.segment(self.game.scene.views[self.state.moment.view].camera)
        height, width = labels.shape
        found = {}
        for number, name in enumerate(self._world.names):
            rows, columns = np.nonzero(labels == FIRST_LABEL + number)
            if len(rows) >= SEEN_PIXELS:
                low, high = (columns.min() / width, rows.min() / height), (columns.max() + 1, rows.max() + 1)
                found[name] = (float(low[0]), float(low[1]), float(high[0] / width), float(high[1] / height))
        return found

    def _outcome(self, after: str, mishap: str | None, seconds: float, begin: float) -> Outcome:
        view = self.game.scene.views[self.state.moment.view]
        shot = Shot(self._simulator.render(view.camera).copy(), view.words, after)
        return Outcome(shot, mishap or self._surprise(), seconds, time.process_time() - begin)

    def _surprise(self) -> str | None:
        """What is seen and should not be, or should be and is not; None if all is as planned."""
        scene, moment = self.game.scene, self.state.moment
        assert self._world is not None  # noqa: S101 - there is one with every scene
        labels = self._simulator.segment(scene.views[moment.view].camera)
        counts = np.bincount(labels.ravel(), minlength=FIRST_LABEL + len(self._world.things))
        seen = self.game.revealed(moment)
        done = {scene.deeds[number].thing for number in moment.done}
        for number, (place, look) in enumerate(zip(scene.places, scene.looks, strict=True)):
            if look is None or place.name in done:
                continue
            pixels = counts[FIRST_LABEL + self._world.names.index(place.name)]
            if number in seen and pixels < _FEW:
                return f"what is {place.words} should be seen and is not"
            if number not in seen and pixels > _NONE:
                return f"what is {place.words} should be hidden and is seen"
        return None
