"""Who explores: what an agent is told, what it sees, and what it decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from hpvqa.explore.scene import Action, Scene


@dataclass(frozen=True)
class Brief:
    """What an agent is told of a scene, once.

    Attributes:
        key: Name of the scene; random decisions are seeded with it. Privileged as well, for its number says whether the
            first view suffices.
        question: What is asked.
        answers: All possible answers, in their natural order.
        rules: Where things may be hidden, and what counts, in a few sentences.
        steps: Most decisions, the answer included.
        scene: All of it. Privileged: a fair agent does not look at it.
    """

    key: str
    question: str
    answers: tuple[str, ...]
    rules: str
    steps: int
    scene: Scene


@dataclass(frozen=True)
class Shot:
    """A picture, or a clip of what was done.

    Attributes:
        image: RGB, shape (height, width, 3), uint8; of height and width 0 where no picture is shown. Of a clip, the
            last one.
        view: Where the viewer stands, in words.
        after: What was done before it was taken, in words; empty for the first one.
        facts: What is to be seen, in words; empty where pictures are shown in their place.
        before: The pictures of a clip before the last one, shape (n, height, width, 3); None of a single picture.
        fps: Frame rate of a clip [1/s].
    """

    image: NDArray[np.uint8]
    view: str
    after: str = ""
    facts: str = ""
    before: NDArray[np.uint8] | None = None
    fps: float = 1.0

    @property
    def frames(self) -> NDArray[np.uint8]:
        """All pictures, the newest last, shape (n, height, width, 3)."""
        last = self.image[np.newaxis]
        return last if self.before is None else np.concatenate([self.before, last])

    def few(self, most: int) -> NDArray[np.uint8]:
        """So many of them at most, as far apart as they can be, first and last among them."""
        frames = self.frames
        chosen = np.unique(np.linspace(0, len(frames) - 1, most).round().astype(int))
        return frames[chosen] if len(frames) > 1 else frames


@dataclass(frozen=True)
class Option:
    """Something that can be chosen.

    Attributes:
        letter: How it is called, A, B, C, ...: shuffled at every step.
        text: What it is, in words.
        action: The same as data.
    """

    letter: str
    text: str
    action: Action

    @property
    def answers(self) -> bool:
        """Whether it ends the scene with an answer."""
        return self.action.kind == "answer"


@dataclass(frozen=True)
class Decision:
    """What an agent chose.

    Attributes:
        letter: Of the option; None where there is no valid choice, which costs a step.
        logprobs: Natural logarithm of the probability of each letter; None where the agent has none.
        thought: What it said before it chose.
        tokens: How many tokens it said; None where that is not known.
        seconds: Time that it took: the share of a batch.
        error: Why there is no valid choice, in a sentence; None where there is one.
    """

    letter: str | None
    logprobs: Mapping[str, float] | None = None
    thought: str = ""
    tokens: int | None = None
    seconds: float = 0.0
    error: str | None = None


@dataclass(frozen=True)
class Step:
    """One step that lies behind.

    Attributes:
        options: What could be chosen.
        decision: What was.
        mishap: What went wrong with the robot, in words; None if nothing did.
    """

    options: tuple[Option, ...]
    decision: Decision
    mishap: str | None = None

    @property
    def chosen(self) -> Option | None:
        """The option that was chosen; None if the choice was not valid."""
        return next((option for option in self.options if option.letter == self.decision.letter), None)


@dataclass(frozen=True)
class Turn:
    """What an agent sees when it has to decide.

    Attributes:
        brief: What it was told.
        step: Number of the decision, from 0.
        shots: All pictures so far, the newest last; one of the first view, and one for each action that was done.
        options: What can be chosen.
        history: The steps before this one.
    """

    brief: Brief
    step: int
    shots: tuple[Shot, ...]
    options: tuple[Option, ...]
    history: tuple[Step, ...] = ()

    @property
    def steps_left(self) -> int:
        """How many decisions there still are, this one included."""
        return self.brief.steps - self.step


class Agent(Protocol):
    """Whoever decides, for many scenes at a time.

    Making one checks its settings and is quick; what takes long or much memory happens in :meth:`load`.
    """

    @property
    def name(self) -> str:
        """The name that it is asked for by."""

    @property
    def details(self) -> Mapping[str, JsonValue]:
        """Everything about it that its decisions depend on, for ``run.json``; no secrets."""

    @property
    def batch_size(self) -> int:
        """How many turns it likes to be given at once."""

    @property
    def looks(self) -> bool:
        """Whether it looks at pictures; where it does not, none need be drawn."""

    @property
    def privileged(self) -> bool:
        """Whether it uses what a camera does not see."""

    def load(self, tell: Callable[[str], None]) -> None:
        """Get ready; called once, before the first decision.

        Args:
            tell: Takes sentences that a user should see, now or during later decisions.

        Raises:
            HpvqaError: It cannot be had.
        """

    def begin(self, briefs: Sequence[Brief]) -> None:
        """Hear of scenes that are about to begin."""

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        """One decision for each turn, in their order; the turns are of different scenes.

        Raises:
            HpvqaError: None could be made, now or later, as when a server has gone.
        """

    def close(self) -> None:
        """Release what was loaded."""
