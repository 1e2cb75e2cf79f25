"""All samples of one scene: it is played in several ways, and each step that is new makes one."""

from __future__ import annotations

from dataclasses import dataclass, field

from hpvqa.explore.agents.words import SYSTEM, ask
from hpvqa.explore.protocol import Decision
from hpvqa.explore.runs.conditions import CONDITIONS
from hpvqa.explore.runs.course import Course, Store
from hpvqa.explore.runs.facts import facts
from hpvqa.explore.runs.stage import Tables
from hpvqa.explore.samples.aside import CAPTION_SYSTEM, SINGLE_SYSTEM, Short, caption, shorts
from hpvqa.explore.samples.check import Check
from hpvqa.explore.samples.courses import WAYS, Way, actions, generator
from hpvqa.explore.samples.exact import Exact
from hpvqa.explore.samples.pictures import jpeg
from hpvqa.explore.samples.record import Sample, Subset, split_of
from hpvqa.explore.samples.situation import Boxes, Situation, Tracks
from hpvqa.explore.samples.thought import compose, parse, think
from hpvqa.explore.scene import SCENE_VERSION, Action, Scene
from hpvqa.explore.world import Outcome, SceneWorld

_WORDS = 2
"""Keeps the generators of words apart from those of ways."""


_SYSTEMS: dict[Subset, str] = {"steps": SYSTEM, "captions": CAPTION_SYSTEM, "single": SINGLE_SYSTEM}
Done = tuple[Action, ...]
"""What was done in a scene, from its start on."""


@dataclass
class Made:
    """What was made of one scene.

    Attributes:
        samples: The samples.
        left_out: Steps that were left out, and why, in words.
    """

    samples: list[Sample] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Node:
    """A moment of a scene.

    Attributes:
        outcome: What led to it.
        boxes: What is seen, where there are pictures.
        saved: To go back to it.
    """

    outcome: Outcome
    boxes: Boxes | None = None
    saved: object = None


class _Tree:
    """All that was done in a scene; what begins alike is simulated once.

    Args:
        scene: The scene.
        world: Its simulator; None: what is to be seen is told in words, from the scene's tables.
    """

    def __init__(self, scene: Scene, world: SceneWorld | None) -> None:
        self._scene, self._world = scene, world
        self._nodes: dict[Done, _Node] = {}
        self._now: Done = ()

    def at(self, done: Done) -> _Node:
        """The moment after some actions."""
        if done not in self._nodes:
            self._nodes[done] = self._told(done) if self._world is None else self._simulated(done, self._world)
        return self._nodes[done]

    def _simulated(self, done: Done, world: SceneWorld) -> _Node:
        if not done:
            outcome = world.reset(self._scene)
        else:
            before = self.at(done[:-1])
            if self._now != done[:-1]:
                world.restore(before.saved)
            outcome = world.act(done[-1])
        self._now = done
        return _Node(outcome, world.boxes(), world.save())

    def _told(self, done: Done) -> _Node:
        tables = Tables(lambda game, state: facts(game, state.moment))
        outcome = tables.begin(self._scene.key, self._scene).result()
        for action in done:
            outcome = tables.act(self._scene.key, action).result()
        return _Node(outcome)


def make(scene: Scene, world: SceneWorld | None, store: Store) -> Made:
    """Make all samples of a scene.

    Args:
        scene: The scene.
        world: Where it is simulated; None: what is to be seen is told in words.
        store: Keeps pictures.
    """
    maker = _Maker(scene, world, store)
    for way in WAYS:
        maker.play(way, actions(maker.tracks.observer, way))
    return maker.made


class _Maker:
    def __init__(self, scene: Scene, world: SceneWorld | None, store: Store) -> None:
        self._scene, self._store = scene, store
        self._condition = CONDITIONS["active" if world else "facts"]
        self._tree = _Tree(scene, world)
        self.tracks, self._exact = Tracks.of(scene), Exact(scene)
        self._known: set[Done] = set()
        self.made = Made()

    def play(self, way: Way, done: Done) -> None:
        """Play a scene on one way; steps that are known already make no samples."""
        scene, boxes, pictures = self._scene, list[Boxes](), list[str]()

        def store(name: str, data: bytes) -> None:
            pictures.append(f"{name}.jpg")
            self._store(pictures[-1], data)

        course = Course(scene, self._condition, store, jpeg)
        for number in range(len(done) + 1):
            so_far = done[:number]
            node = self._tree.at(so_far)
            new = so_far not in self._known
            self._known.add(so_far)
            if node.outcome.mishap is not None:
                if new:
                    self.made.left_out.append(f"{scene.key}/{way}/{number}: {node.outcome.mishap}")
                return
            course.arrived(node.outcome)
            boxes += [node.boxes] if node.boxes is not None else []
            turn = course.turn
            if new:
                self._keep(Situation(self.tracks, turn, tuple(boxes) or None), way, tuple(pictures))
            if number < len(done):
                option = next(option for option in turn.options if option.action == done[number])
                course.decided(Decision(option.letter))

    def _keep(self, situation: Situation, way: Way, pictures: tuple[str, ...]) -> None:
        step, chosen = situation.turn.step, situation.decision.letter
        rng = generator(self._scene, _WORDS, WAYS.index(way), step)
        try:
            text = compose(think(situation), rng)
            thought = parse(text)
            wrong = Check(self._exact, situation.turn, situation.boxes).contradictions(thought, chosen)
        except ValueError as error:
            wrong = [str(error)]
        if wrong:
            self.made.left_out.append(f"{self._scene.key}/{way}/{step}: {'; '.join(wrong)}")
            return
        asked = Short("", ask(situation.turn, thinks=True), chosen)
        sample = self._sample(situation, "steps", way, pictures, asked)
        self.made.samples.append(sample.model_copy(update={"thought": text, "gains": _gains(situation)}))
        if situation.boxes is not None:
            described = caption(situation, situation.boxes[-1], rng)
            self.made.samples.append(self._sample(situation, "captions", way, pictures[-1:], described))
        for short in shorts(situation, thought, rng):
            self.made.samples.append(self._sample(situation, "single", way, pictures, short))

    def _sample(
        self, situation: Situation, subset: Subset, way: Way, pictures: tuple[str, ...], short: Short
    ) -> Sample:
        scene, step = self._scene, situation.turn.step
        about: dict[Subset, list[str]] = {"steps": [], "captions": [subset], "single": [subset, short.asks]}
        return Sample(
            world_version=SCENE_VERSION,
            id="/".join([scene.key, way, str(step), *about[subset]]),
            subset=subset,
            split=split_of(scene),
            family=scene.family,
            type=scene.type,
            group=scene.group,
            form=scene.question.program.form,
            asks=short.asks if subset == "single" else "",
            way=way,
            step=step,
            pictures=pictures,
            system=_SYSTEMS[subset],
            text=short.text,
            answer=short.reply,
        )


def _gains(situation: Situation) -> dict[str, float]:
    if situation.belief.sufficient:
        return {}
    letters = {option.action: option.letter for option in situation.turn.options}
    return {letters[action]: round(gain, 9) for action, gain in situation.gains.items()}
