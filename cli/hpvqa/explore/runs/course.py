"""The course of one scene under one condition: what the agent is shown at each step, and what is written down."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import replace

from PIL import Image

from hpvqa.explore.game import State
from hpvqa.explore.observer import Observer
from hpvqa.explore.protocol import Decision, Option, Shot, Step, Turn
from hpvqa.explore.runs.conditions import Condition
from hpvqa.explore.runs.record import Ending, OptionRecord, StepRecord, Truth
from hpvqa.explore.scene import Action, Scene
from hpvqa.explore.world import Outcome

Store = Callable[[str, bytes], None]
"""Keeps a picture under its SHA-256."""


def encoded(shot: Shot) -> tuple[str, bytes] | None:
    """A picture as a PNG file, a clip as an animated one, with its SHA-256; None where there is none."""
    if not shot.image.size:
        return None
    buffer = io.BytesIO()
    first, *others = map(Image.fromarray, shot.frames)
    if others:
        first.save(buffer, "PNG", save_all=True, append_images=others, duration=round(1000 / shot.fps))
    else:
        first.save(buffer, format="PNG")
    return hashlib.sha256(buffer.getvalue()).hexdigest(), buffer.getvalue()


Encode = Callable[[Shot], tuple[str, bytes] | None]
"""Makes a file of what is seen: its SHA-256 and its bytes; None where there is no picture."""


class Course:
    """One scene that is being played.

    Args:
        scene: The scene.
        condition: How it is played.
        store: Keeps its pictures.
        encode: Makes files of them.

    Attributes:
        key: Name of the scene.
        observer: Its ideal observer.
    """

    def __init__(self, scene: Scene, condition: Condition, store: Store, encode: Encode = encoded) -> None:
        self.observer = Observer(scene)
        self._scene, self._condition, self._store = scene, condition, store
        self._encode = encode
        self._game = self.observer.game
        self.brief = self._game.brief
        self.key = self.brief.key
        self._state: State = self._game.start()
        self._shots: list[Shot] = []
        self._shot: str | None = None
        self._history: list[Step] = []
        self._records: list[StepRecord] = []
        self._given = [action for action in scene.plan if action.kind != "answer"] if condition.given else []

    def arrived(self, outcome: Outcome) -> Action | None:
        """Something was done, and this came of it.

        Returns:
            What is done next without asking the agent, if anything.
        """
        self._shots.append(outcome.shot)
        picture = self._encode(outcome.shot)
        if picture is not None:
            self._store(*picture)
        self._shot = picture[0] if picture else None
        if self._records:
            came = {
                "mishap": outcome.mishap,
                "robot_seconds": outcome.robot_seconds,
                "cpu_seconds": outcome.cpu_seconds,
            }
            self._records[-1] = self._records[-1].model_copy(update=came)
            self._history[-1] = replace(self._history[-1], mishap=outcome.mishap)
        if not self._given:
            return None
        action = self._given.pop(0)
        options = self._game.options(self._state, len(self._history))
        letter = next(option.letter for option in options if option.action == action)
        self._take(options, Decision(letter), given=True)
        return action

    @property
    def turn(self) -> Turn:
        """What the agent has to decide now."""
        step = len(self._history)
        options = self._condition.options(self._game.options(self._state, step))
        shown = self._shots if self._condition.shown != "nothing" else []
        return Turn(self.brief, step, tuple(shown), options, tuple(self._history))

    def decided(self, decision: Decision) -> Action | None:
        """The agent has decided.

        A letter that is not offered is no choice: it costs a step.

        Returns:
            What it does; None where nothing is done: it answered, or made no valid choice.
        """
        options = self.turn.options
        chosen = next((option for option in options if option.letter == decision.letter), None)
        if chosen is None:
            error = decision.error or f"{decision.letter!r} is not offered"
            decision = replace(decision, letter=None, error=error)
        self._take(options, decision)
        return None if chosen is None or chosen.answers else chosen.action

    @property
    def over(self) -> bool:
        """Whether it was answered, or no steps are left."""
        decided = [record for record in self._records if not record.given]
        least = 1 if not self._condition.acts else self.brief.steps
        return bool(decided) and (decided[-1].answers or len(decided) >= least)

    def ending(self) -> Ending:
        """What is written down at its end."""
        scene, last = self._scene, self._records[-1]
        said = last.chosen.action.target if last.chosen is not None and last.answers else None
        return Ending(
            key=self.key,
            scene=scene.checksum or scene.digest(),
            family=scene.family,
            type=scene.type,
            held_out=scene.held_out,
            form=scene.question.program.form,
            index=scene.index,
            group=scene.group,
            twin=scene.twin,
            sufficient=scene.sufficient,
            planned=len(scene.plan),
            question=scene.question.text,
            answer=scene.question.answer,
            said=said,
        )

    @property
    def records(self) -> tuple[StepRecord, ...]:
        """All steps so far."""
        return tuple(self._records)

    def _take(self, options: tuple[Option, ...], decision: Decision, *, given: bool = False) -> None:
        before, shot = self._state, self._shots[-1]
        self._history.append(Step(options, decision))
        action = self._history[-1].chosen
        if action is not None and not action.answers:
            self._state = self._game.after(before, action.action)
        logprobs = decision.logprobs
        self._records.append(
            StepRecord(
                step=len(self._history) - 1,
                given=given,
                view=shot.view,
                shot=self._shot,
                facts=shot.facts,
                options=tuple(
                    OptionRecord(letter=option.letter, text=option.text, action=option.action) for option in options
                ),
                letter=decision.letter,
                error=decision.error,
                logprobs=None if logprobs is None else dict(logprobs),
                thought=decision.thought,
                tokens=decision.tokens,
                seconds=decision.seconds,
                privileged=self._truth(options, before),
            )
        )

    def _truth(self, options: tuple[Option, ...], before: State) -> Truth:
        observer, fact = self.observer, self._game.fact
        belief = observer.belief(before)
        letters = {option.action: option.letter for option in options}

        def lettered(values: dict[Action, float]) -> dict[str, float]:
            return {letters[action]: round(value, 9) for action, value in values.items() if action in letters}

        certain = belief.sufficient
        gains = {} if certain else observer.gains(before)
        values = {} if certain else observer.values(before)
        return Truth(
            entropy=0.0 if certain else round(belief.entropy, 9),
            sufficient=certain,
            posterior=belief.answers(),
            gains=lettered(gains),
            values=lettered(values),
            best=tuple(letters[action] for action in observer.best(before) if action in letters),
            revealed=tuple(map(fact, sorted(self._state.known - before.known))),
            unhidden=tuple(map(fact, sorted(observer.unhidden(before, self._state)))),
        )
