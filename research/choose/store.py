"""What is trained on: pictures of layouts and of steps of scenes, and questions about these steps."""

from __future__ import annotations

import json
from collections.abc import Iterator
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
_QUESTIONS_KEY = 6
_MOST_PICTURES = 4
"""Steps with more pictures are left out: they are rare, and long."""
_TRIES = 12


@dataclass(frozen=True)
class Lesson:
    """A question at a step of a scene.

    Attributes:
        text: What stands after the pictures.
        told: The same with facts in the place of pictures.
        pictures: Numbers of the pictures.
        letters: Those of the options.
        classes: What each option is, by number of :data:`CLASSES`.
        best: Letters of the best options.
        check: Whether it is for checks alone.
    """

    text: str
    told: str
    pictures: tuple[int, ...]
    letters: tuple[str, ...]
    classes: tuple[int, ...]
    best: tuple[str, ...]
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
        _of_scene(scene, camera, settings.questions, number >= first_check, pictures, lessons)
    save_pictures(folder / "steps.npz", pictures)
    write_text(folder / "lessons.json", json.dumps([vars(lesson) for lesson in lessons]))


def load_lessons(folder: Path) -> list[Lesson]:
    """All lessons of a folder."""
    rows = json.loads((folder / "lessons.json").read_text(encoding="utf-8"))
    lists = ("pictures", "letters", "classes", "best")
    return [Lesson(**row | {name: tuple(row[name]) for name in lists}) for row in rows]


def _of_scene(
    scene: Scene, camera: Camera, questions: int, check: bool, pictures: list[Picture], lessons: list[Lesson]
) -> None:
    observer, where = Observer(scene), dict[Moment, int]()
    done = {way: actions(observer, way) for way in WAYS}
    prefixes = dict.fromkeys(path[:length] for path in done.values() for length in range(len(path) + 1))
    for asked in [scene, *_others(scene, questions - 1)]:
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
            lessons.append(lesson_at(own, turn, [where[moment] for moment in moments], check))


def offers_all(observer: Observer) -> bool:
    """Whether every answer that may be once the first view was seen is offered; else the best may be none."""
    possible = observer.belief(observer.game.start()).answers()
    return set(possible) <= set(observer.game.scene.question.options)


def _others(scene: Scene, number: int) -> Iterator[Scene]:
    """The same scene with other questions; of the answers, those that occur among some worlds are offered."""
    key = (_QUESTIONS_KEY, scene.number, scene.index)
    rng = np.random.default_rng(np.random.SeedSequence(scene.seed, spawn_key=key))
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


def lesson_at(observer: Observer, turn: Turn, pictures: list[int], check: bool) -> Lesson:
    """The lesson of a step.

    Args:
        observer: Of the scene.
        turn: What is seen and offered.
        pictures: Numbers of the pictures.
        check: Whether it is for checks alone.
    """
    state = observer.state(turn.history)
    belief = observer.belief(state)
    possible, certain = belief.answers(), belief.sufficient
    gains = {} if certain else observer.gains(state)
    best = set(observer.best(state))
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
        tuple(chosen),
        check,
    )
