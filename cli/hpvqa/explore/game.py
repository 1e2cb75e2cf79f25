"""The course of a scene as plain data: what can be done and what is then seen; without a simulator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hpvqa.explore.belief.posterior import Belief
from hpvqa.explore.graph import Graph
from hpvqa.explore.protocol import Brief, Option
from hpvqa.explore.scene import Action, Moment, Scene
from hpvqa.scene.spec import Vec3

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
        graph: Where it can go from where, if that is known of another scene of its layout.

    Attributes:
        contents: What is to be known, by number: what is at each place.
    """

    opening: str = ""
    """What is done before the first decision, in words."""

    def __init__(self, scene: Scene, graph: Graph | None = None) -> None:
        self.scene = scene
        self.graph = graph or Graph(scene.views, scene.deeds, scene.reveals, scene.shows)
        self._looks = {item.thing.name: item.look for item in scene.items}
        self._places = {place.name: number for number, place in enumerate(scene.places)}
        self._deeds = {deed.thing: number for number, deed in enumerate(scene.deeds)}
        self.contents: tuple[int, ...] = scene.contents

    @cached_property
    def brief(self) -> Brief:
        """What an agent is told."""
        scene = self.scene
        return Brief(scene.key, scene.question.text, scene.question.options, scene.rules, scene.steps, scene)

    def revealed(self, moment: Moment) -> frozenset[int]:
        """Numbers of the places that are seen at a moment."""
        return self.graph.revealed(moment)

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
        return tuple(self.moves(state))

    def moves(self, state: State) -> Mapping[Action, State]:
        """What follows each action that can be done."""
        return {
            action: State(moment, state.known | self.graph.revealed(moment))
            for action, moment in self.graph.moves(state.moment)
        }

    def after(self, state: State, action: Action) -> State:
        """What follows an action.

        Raises:
            ValueError: It cannot be done.
        """
        found = self.moves(state).get(action)
        if found is None:
            raise ValueError(f"{action.kind} {action.target} cannot be done now")
        return found

    def destination(self, state: State, action: Action) -> Vec3:
        """Where the robot puts what it takes, its centre [m]."""
        number = self._deeds[action.target]
        if action.kind == "move" and number in state.moment.done:
            return next(item.thing.position for item in self.scene.items if item.thing.name == action.target)
        return self.scene.deeds[number].to

    def sentence(self, action: Action) -> str:
        """An action or an answer in words. They name what is seen alone."""
        if action.kind == "answer":
            return f"Answer: {action.target}"
        if action.kind in ("move viewer", "turn viewer"):
            return _DIRECTIONS[action.kind, action.target]
        words = self.name(action.target)
        if action.kind == "uncover":
            return f"Lift {words} and put it aside"
        if action.kind == "pick":
            return f"Pick up {words} and put it aside"
        return f"Move {words} sideways"

    def name(self, thing: str) -> str:
        """What a person calls a thing that is there."""
        look = self._looks.get(thing) or self.scene.looks[self._places[thing]]
        assert look is not None  # noqa: S101 - there is one
        return f"the {look.words}"

    def asked_about(self, place: int) -> bool:
        """Whether what is at a place is of a group that the question names."""
        look, left = self.scene.looks[place], self.scene.places[place].left
        return look is not None and any(term.group.holds(look, left) for term in self.scene.question.program.terms)

    def fact(self, place: int) -> str:
        """What it is called in records to know what is at a place."""
        return self.scene.places[place].name

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
