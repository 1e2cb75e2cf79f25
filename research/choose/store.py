"""What is trained on: pictures of layouts and of steps of scenes, and questions about these steps."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

import numpy as np

from hpvqa.explore.agents.words import ask
from hpvqa.explore.ask import draw_program
from hpvqa.explore.draw import GROUP, draw_group, type_of
from hpvqa.explore.folder import WORLDS_FILE, Worlds
from hpvqa.explore.game import State
from hpvqa.explore.observer import Observer
from hpvqa.explore.protocol import Decision, Shot, Step, Turn
from hpvqa.explore.questions import FORMS, NOTHING
from hpvqa.explore.runs.facts import facts
from hpvqa.explore.samples.courses import WAYS, actions
from hpvqa.explore.samples.situation import LEAST
from hpvqa.explore.scene import (
    HIDING,
    Action,
    Moment,
    Question,
    Scene,
    find_scenes,
    read_scene,
    scene_file,
    write_scene,
)
from hpvqa.files import write_json, write_text
from research.choose.layouts import layout_pictures
from research.choose.pictures import Camera, Picture, save_pictures
from research.choose.settings import ChooseSettings

CLASSES = ("none", "some", "best", "excluded", "possible", "follows")
"""What is asked of each option: of actions what they tell, of answers, the last three, whether they can be."""
MARKS = ("hidden", "hidden and asked about", "not asked about", "first", "second", "both")
"""What is asked of each thing and place that is told of: whether it is seen, and which numbers it counts for."""
MOST = 5
"""Larger numbers are not told apart."""
_QUESTIONS_KEY = 6
_WORLDS_KEY = 7
_MOST_PICTURES = 4
"""Steps with more pictures are left out: they are rare, and long."""
_TRIES = 12
_STRAY = 0.5
"""How often another action than the best is done on the way to what is told in words alone."""


@dataclass(frozen=True)
class Lesson:
    """A question at a step of a scene.

    Attributes:
        text: What stands after the pictures.
        told: The same with facts in the place of pictures.
        pictures: Numbers of the pictures.
        letters: Those of the options.
        classes: What each option is, by number of :data:`CLASSES`.
        values: What each action is worth, against the best one; 0 of answers, and where the answer is certain.
        best: Letters of the best options.
        marks: What each thing and place is that ``told`` names as being on the table, in turn; of :data:`MARKS`.
        sums: What is known of both numbers that the answer depends on, and how many places that it may depend on have
            not been seen yet; at most :data:`MOST`.
        check: Whether it is for checks alone.
    """

    text: str
    told: str
    pictures: tuple[int, ...]
    letters: tuple[str, ...]
    classes: tuple[int, ...]
    values: tuple[float, ...]
    best: tuple[str, ...]
    marks: tuple[int, ...]
    sums: tuple[int, int, int]
    check: bool


def draw_scenes(folder: Path, settings: ChooseSettings) -> list[Scene]:
    """Scenes of types that are not kept for evaluation; those that are there are not drawn again.

    No robot is needed to train on them, so nobody tries whether it can do what they offer.
    """
    folder.mkdir(parents=True, exist_ok=True)
    worlds = Worlds(seed=settings.scenes_seed, families=HIDING, scenes=GROUP * settings.groups)
    write_json(folder / WORLDS_FILE, worlds.model_dump(mode="json"))
    jobs = ((family, group) for group in count() for family in HIDING if not type_of(family, group).held_out)
    for family, group in islice(jobs, settings.groups):
        if not scene_file(folder, family, GROUP * group).exists():
            for scene in next(draw_group(family, group, settings.scenes_seed), ()):
                write_scene(scene_file(folder, family, scene.index), scene)
    scenes = [read_scene(path) for path in find_scenes(folder)]
    return sorted(scenes, key=lambda scene: (scene.group, scene.number, scene.index))[: GROUP * settings.groups]


def make_layouts(file: Path, settings: ChooseSettings) -> None:
    """Pictures of layouts."""
    camera = Camera(settings.model.side)
    save_pictures(file, layout_pictures(camera, settings.scenes_seed, range(settings.layouts), settings.moments))


def make_lessons(folder: Path, scenes: list[Scene], settings: ChooseSettings) -> None:
    """Pictures of steps of scenes, and lessons about them."""
    camera, pictures, lessons = Camera(settings.model.side), list[Picture](), list[Lesson]()
    first_check = min(round(len(scenes) * (1 - settings.held_out)) // GROUP * GROUP, len(scenes) - GROUP)
    for number, scene in enumerate(scenes):
        check = number >= first_check
        _of_scene(scene, camera, settings.questions, check, pictures, lessons)
        if not check:
            lessons += _of_worlds(scene, settings.worlds)
    save_pictures(folder / "steps.npz", pictures)
    write_text(folder / "lessons.json", json.dumps([vars(lesson) for lesson in lessons]))


def load_lessons(folder: Path) -> list[Lesson]:
    """All lessons of a folder."""
    rows = json.loads((folder / "lessons.json").read_text(encoding="utf-8"))
    lists = ("pictures", "letters", "classes", "values", "best", "marks", "sums")
    return [Lesson(**row | {name: tuple(row[name]) for name in lists}) for row in rows]


def _of_scene(
    scene: Scene, camera: Camera, questions: int, check: bool, pictures: list[Picture], lessons: list[Lesson]
) -> None:
    observer, where = Observer(scene), dict[Moment, int]()
    done = {way: actions(observer, way) for way in WAYS}
    prefixes = dict.fromkeys(path[:length] for path in done.values() for length in range(len(path) + 1))
    rng = _generator(scene, _QUESTIONS_KEY)
    for asked in [scene, *_others(scene, questions - 1, rng)]:
        own = observer if asked is scene else Observer(asked)
        if not offers_all(own):
            continue
        own.game.graph = observer.game.graph
        for prefix in prefixes:
            turn, moments = turn_after(own, prefix)
            if len(moments) > _MOST_PICTURES or turn.steps_left < 1:
                continue
            for moment in moments:
                if moment not in where:
                    where[moment] = len(pictures)
                    revealed = own.game.revealed(moment)
                    pictures.append(camera.take(scene, scene.contents, moment, revealed))
            lessons.append(lesson_at(own, turn, moments, [where[moment] for moment in moments], check))


def _of_worlds(scene: Scene, worlds: int) -> Iterator[Lesson]:
    """What is told in words alone: other contents of the scene, each with a question and a way of its own."""
    rng, graph = _generator(scene, _WORLDS_KEY), Observer(scene).game.graph
    for _ in range(worlds):
        contents = tuple(int(rng.choice(len(place.contents), p=place.chances)) for place in scene.places)
        for asked in _others(scene.model_copy(update={"contents": contents}), 1, rng):
            observer = Observer(asked)
            observer.game.graph = graph
            if not offers_all(observer):
                continue
            prefix: tuple[Action, ...] = ()
            while True:
                turn, moments = turn_after(observer, prefix)
                if turn.steps_left < 1 or len(moments) > _MOST_PICTURES:
                    break
                yield lesson_at(observer, turn, moments, [], False)
                state = observer.state(turn.history)
                if observer.belief(state).sufficient:
                    break
                offered = observer.game.actions(state)
                stray = rng.random() < _STRAY
                action = offered[int(rng.integers(len(offered)))] if stray else observer.best(state)[0]
                prefix = (*prefix, action)


def _generator(scene: Scene, key: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(scene.seed, spawn_key=(key, scene.number, scene.index)))


def offers_all(observer: Observer) -> bool:
    """Whether every answer that may be once the first view was seen is offered; else the best may be none."""
    possible = observer.belief(observer.game.start()).answers()
    return set(possible) <= set(observer.game.scene.question.options)


def _others(scene: Scene, number: int, rng: np.random.Generator) -> Iterator[Scene]:
    """The same scene with other questions; of the answers, those that occur among some worlds are offered."""
    items = [(item.look, item.left) for item in scene.items]
    for _ in range(number):
        for _ in range(_TRIES):
            program = draw_program(FORMS[int(rng.integers(len(FORMS)))], scene.places, rng)
            code = int(program.codes(items, scene.places, np.array([scene.contents]))[0])
            if code == NOTHING:
                continue
            worlds = np.stack([rng.integers(len(place.contents), size=200) for place in scene.places], axis=1)
            codes = sorted({*program.codes(items, scene.places, worlds).tolist(), code} - {NOTHING})
            if 2 <= len(codes) <= 5:
                words = tuple(program.word(one) for one in codes)
                question = Question(text=program.text(), program=program, options=words, answer=program.word(code))
                yield scene.model_copy(update={"question": question})
                break


def turn_after(observer: Observer, prefix: tuple[Action, ...]) -> tuple[Turn, list[Moment]]:
    """What is seen and offered after some actions, without pictures, and the moments of all shots."""
    game, state, steps = observer.game, observer.game.start(), list[Step]()
    states, shots = [state], [_shot(observer, state, "")]
    for number, action in enumerate(prefix):
        options = game.options(state, number)
        letter = next(option.letter for option in options if option.action == action)
        steps.append(Step(options, Decision(letter)))
        state = game.after(state, action)
        states.append(state)
        shots.append(_shot(observer, state, game.sentence(action)))
    turn = Turn(game.brief, len(prefix), tuple(shots), game.options(state, len(prefix)), tuple(steps))
    return turn, [one.moment for one in states]


def _shot(observer: Observer, state: State, after: str) -> Shot:
    view = observer.game.scene.views[state.moment.view]
    return Shot(np.ones((1, 1, 3), np.uint8), view.words, after, facts(observer.game, state.moment))


def lesson_at(
    observer: Observer, turn: Turn, moments: Sequence[Moment], pictures: Sequence[int], check: bool
) -> Lesson:
    """The lesson of a step.

    Args:
        observer: Of the scene.
        turn: What is seen and offered.
        moments: Those of its shots.
        pictures: Numbers of the pictures.
        check: Whether it is for checks alone.
    """
    state = observer.state(turn.history)
    belief = observer.belief(state)
    possible, certain = belief.answers(), belief.sufficient
    gains = {} if certain else observer.gains(state)
    best, worth = set(observer.best(state)), {} if certain else observer.values(state)
    most = max(worth.values(), default=1.0)
    classes = []
    for option in turn.options:
        if option.answers:
            there = option.action.target in possible
            name = "excluded" if not there else "follows" if certain else "possible"
        elif option.action in best:
            name = "best"
        else:
            name = "some" if gains.get(option.action, 0.0) > LEAST else "none"
        classes.append(CLASSES.index(name))
    likeliest = max(possible.values())
    if certain or turn.steps_left == 1:
        chosen = [o.letter for o in turn.options if o.answers and possible.get(o.action.target, 0) > likeliest - LEAST]
    else:
        chosen = [o.letter for o in turn.options if o.action in best]
    seen = Turn(turn.brief, turn.step, tuple(Shot(s.image, s.view, s.after) for s in turn.shots), turn.options)
    blank = np.zeros((0, 0, 3), np.uint8)
    told = Turn(turn.brief, turn.step, tuple(Shot(blank, s.view, s.after, s.facts) for s in turn.shots), turn.options)
    return Lesson(
        ask(seen, thinks=False),
        ask(told, thinks=False),
        tuple(pictures),
        tuple(option.letter for option in turn.options),
        tuple(classes),
        tuple(round(worth.get(option.action, 0.0) / most, 4) for option in turn.options),
        tuple(chosen),
        tuple(mark for moment in moments for mark in _marks(observer, observer.game.revealed(moment))),
        _sums(observer, state.known),
        check,
    )


def _marks(observer: Observer, seen: Collection[int]) -> Iterator[int]:
    """What everything is that is told of a picture, in the order of :func:`hpvqa.explore.runs.facts.facts`."""
    scene, program = observer.game.scene, observer.game.scene.question.program
    for item in scene.items:
        yield _mark(program.marks(item.look, item.left))
    for number, (place, look) in enumerate(zip(scene.places, scene.looks, strict=True)):
        asked = len({program.marks(look, place.left) for look in place.contents}) > 1
        yield _mark(program.marks(look, place.left)) if number in seen else int(asked)


def _mark(counts: tuple[int, ...]) -> int:
    """The number of one of :data:`MARKS` that is seen."""
    return 2 + (counts[0] > 0) + 2 * (len(counts) > 1 and counts[1] > 0)


def _sums(observer: Observer, known: Collection[int]) -> tuple[int, int, int]:
    scene, program = observer.game.scene, observer.game.scene.question.program
    counted = [program.marks(item.look, item.left) for item in scene.items]
    counted += [program.marks(scene.looks[number], scene.places[number].left) for number in known]
    hidden = [place for number, place in enumerate(scene.places) if number not in known]
    open_ = sum(len({program.marks(look, place.left) for look in place.contents}) > 1 for place in hidden)
    first, second = (sum(len(one) > which and one[which] > 0 for one in counted) for which in (0, 1))
    return min(first, MOST), min(second, MOST), min(open_, MOST)
