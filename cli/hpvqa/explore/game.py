"""The course of a scene as plain data: what can be done and what is then seen; without a simulator."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from hpvqa.explore.belief.posterior import Belief
from hpvqa.explore.protocol import Brief, Option
from hpvqa.explore.scene import Action, Moment, Scene

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_OPTIONS_KEY = 1
"""Keeps the letters' generators apart from those that draw scenes."""
_DIRECTIONS = {
    ("move viewer", "left"): "Move the viewer one step to its left",
    ("move viewer", "right"): "Move the viewer one step to its right",
    ("move viewer", "up"): "Raise the viewer by one step",
    ("move viewer", "down"): "Lower the viewer by one step",
    ("turn viewer", "left"): "Turn the viewer to its left",
    ("turn viewer", "right"): "Turn the viewer to its right",
}


@dataclass(frozen=True)
class State:
    """How far a scene has come.

    Attributes:
        moment: From where it is viewed, and what is done.
        known: Numbers of the places that were seen at some time.
    """

    moment: Moment
    known: frozenset[int]


class Game:
    """The rules of one scene. It knows what is hidden; what it tells of options depends on what was seen alone.

    Args:
        scene: The scene.
    """

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._reveals = [[int(word, 16) for word in row] for row in scene.reveals]
        self._shows = [[int(word, 16) for word in row] for row in scene.shows]
        self._looks = {item.thing.name: item.look for item in scene.items}
        self._places = {place.name: number for number, place in enumerate(scene.places)}
        self._deeds = {deed.thing: number for number, deed in enumerate(scene.deeds)}

    @cached_property
    def brief(self) -> Brief:
        """What an agent is told."""
        scene = self.scene
        key = f"{scene.family}-{scene.index:06d}"
        return Brief(key, scene.question.text, scene.question.options, scene.rules, scene.steps, scene)

    def revealed(self, moment: Moment) -> frozenset[int]:
        """Numbers of the places that are seen at a moment."""
        row, mask = self._reveals[moment.view], moment.mask
        return frozenset(number for number, bits in enumerate(row) if bits >> mask & 1)

    def start(self) -> State:
        """Before the first decision."""
        return State(self.scene.start, self.revealed(self.scene.start))

    def belief(self, state: State) -> Belief:
        """What an ideal observer believes."""
        scene = self.scene
        first = self.start().known
        known = {number: scene.contents[number] for number in first}
        belief = Belief.first(scene.question.program, scene.items, scene.places, known)
        return belief.see(scene.contents, state.known - first)

    def actions(self, state: State) -> tuple[Action, ...]:
        """What can be done besides answering: all of it is offered, and all of it can be carried out."""
        scene, moment = self.scene, state.moment
        views = [Action(kind=kind, target=way) for kind, way, _ in scene.views[moment.view].exits]
        deeds = [
            Action(kind=deed.kind, target=deed.thing)
            for number, deed in enumerate(scene.deeds)
            if number not in moment.done
            and set(deed.after) <= set(moment.done)
            and self._shows[moment.view][number] >> moment.mask & 1
            and self._there(deed.thing, state)
        ]
        return (*views, *deeds)

    def _there(self, name: str, state: State) -> bool:
        """Whether a thing is known to be there."""
        if name not in self._places:
            return True
        number = self._places[name]
        return number in state.known and self.scene.looks[number] is not None

    def after(self, state: State, action: Action) -> State:
        """What follows an action.

        Raises:
            ValueError: It cannot be done.
        """
        if action not in self.actions(state):
            raise ValueError(f"{action.kind} {action.target} cannot be done now")
        moment = state.moment
        if action.target in self._deeds and action.kind in ("pick", "move", "uncover"):
            moment = moment.model_copy(update={"done": tuple(sorted((*moment.done, self._deeds[action.target])))})
        else:
            exits = {(str(kind), way): number for kind, way, number in self.scene.views[moment.view].exits}
            moment = moment.model_copy(update={"view": exits[action.kind, action.target]})
        return replace(state, moment=moment, known=state.known | self.revealed(moment))

    def sentence(self, action: Action) -> str:
        """An action or an answer in words. They name what is seen alone."""
        if action.kind == "answer":
            return f"Answer: {action.target}"
        if action.kind in ("move viewer", "turn viewer"):
            return _DIRECTIONS[action.kind, action.target]
        words = self.name(action.target)
        deed = self.scene.deeds[self._deeds[action.target]]
        if action.kind == "uncover":
            return f"Lift {words} and put it aside"
        if action.kind == "pick":
            return f"Pick up {words} and put it aside"
        return f"Move {words} to the robot's {deed.way}"

    def name(self, thing: str) -> str:
        """What a person calls a thing that is there."""
        look = self._looks.get(thing) or self.scene.looks[self._places[thing]]
        assert look is not None  # noqa: S101 - there is one
        return f"the {look.words}"

    def options(self, state: State, step: int) -> tuple[Option, ...]:
        """All answers and all actions, with letters that are shuffled at every step."""
        scene = self.scene
        answers = tuple(Action(kind="answer", target=word) for word in scene.question.options)
        choices = (*answers, *self.actions(state))
        key = (_OPTIONS_KEY, scene.number, scene.index, step)
        order = np.random.default_rng(np.random.SeedSequence(scene.seed, spawn_key=key)).permutation(len(choices))
        return tuple(
            Option(letter, self.sentence(choices[number]), choices[number])
            for letter, number in zip(_LETTERS, order, strict=False)
        )
