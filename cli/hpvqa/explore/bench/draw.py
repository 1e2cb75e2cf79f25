"""Drawing scenes with experiments: two whose first clip does not suffice and two whose does, about one bench.

What is drawn is what an ideal observer believes: the answer first, each alike, then hidden values given the answer,
then readings given these. Scenes are chosen by their readings alone, never by whether these mislead: so beliefs stay
calibrated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from hpvqa.explore.belief.plan import look_ahead, play
from hpvqa.explore.bench.belief import outcomes
from hpvqa.explore.bench.calibration import figures
from hpvqa.explore.bench.game import BenchGame
from hpvqa.explore.bench.layout import draw_things
from hpvqa.explore.bench.methods import KINDS, METHODS, Kind
from hpvqa.explore.bench.spec import UNREAD, Bench, Comparison, Experiment, Property, Sharpness
from hpvqa.explore.bench.views import DISTANCE, LIGHT, draw_stands, views
from hpvqa.explore.questions import Program
from hpvqa.explore.scene import FAMILIES, Item, Moment, Question, Scene
from hpvqa.scene.materials import material_room

GROUP = 4
STEPS = 9
"""Decisions of every scene, the answer included."""
_KEY = 2
"""Keeps random numbers apart from those of other families and of letters."""
_TRIES = 60
_SAMPLES = 150
"""So many beginnings are drawn of one bench before another one is."""


@dataclass(frozen=True)
class BenchType:
    """A type of benches.

    Attributes:
        name: What it is called.
        nouns: Kinds of things: first those that are asked about, all of one kind; no two share a method.
        asked: How many are asked about.
        hidden: Which property.
        form: What is asked.
        level: From where the first view is: low, or from above.
        held_out: Whether it is kept for evaluation.
    """

    name: str
    nouns: tuple[str, ...]
    asked: int
    hidden: Property
    form: Literal["more", "equal", "order"]
    level: Literal["low", "above"]
    held_out: bool = False


_CUBES, _SPHERES, _CYLINDERS = ("cube",) * 4, ("sphere",) * 3, ("cylinder",) * 2
_PLATES, _BARS = ("plate",) * 3, ("bar",) * 3
TYPES = (
    BenchType("two-cubes-heavier", _CUBES[:2], 2, "mass", "more", "low"),
    BenchType("two-cubes-heavier-from-above", _CUBES[:2], 2, "mass", "more", "above"),
    BenchType("two-cubes-rougher", _CUBES[:2], 2, "friction", "more", "low"),
    BenchType("two-cubes-rougher-from-above", _CUBES[:2], 2, "friction", "more", "above"),
    BenchType("three-cubes-heavier-from-above", _CUBES[:3], 2, "mass", "more", "above", held_out=True),
    BenchType("three-cubes-equally-heavy", _CUBES[:3], 2, "mass", "equal", "low"),
    BenchType("three-cubes-by-mass-from-above", _CUBES[:3], 3, "mass", "order", "above"),
    BenchType("three-spheres-by-bounce", _SPHERES, 3, "restitution", "order", "low"),
    BenchType("three-spheres-by-bounce-from-above", (*_SPHERES, "cube"), 3, "restitution", "order", "above"),
    BenchType("four-cubes-rougher", _CUBES[:4], 2, "friction", "more", "above", held_out=True),
    BenchType("two-cylinders-rougher", _CYLINDERS, 2, "friction", "more", "low"),
    BenchType("two-cylinders-heavier-from-above", _CYLINDERS, 2, "mass", "more", "above"),
    BenchType("two-cylinders-heavier", _CYLINDERS, 2, "mass", "more", "low", held_out=True),
    BenchType("two-plates-stiffer", _PLATES[:2], 2, "stiffness", "more", "low"),
    BenchType("three-plates-by-stiffness", _PLATES, 3, "stiffness", "order", "low"),
    BenchType("two-bars-balanced-alike", _BARS[:2], 2, "center_of_mass", "equal", "low"),
    BenchType("three-bars-by-balance", _BARS, 3, "center_of_mass", "order", "low"),
    BenchType("three-bars-by-balance-from-above", _BARS, 3, "center_of_mass", "order", "above", held_out=True),
)
"""Types of benches; every third group is of one that is kept for evaluation."""


@dataclass(frozen=True)
class _Drawn:
    """A bench with a question, without hidden values, readings and beginning.

    Attributes:
        kind: Its type.
        items: What stands there; the hidden values of those that are asked about do not matter.
        sharpness: How well each method is read from each view.
        scene: Everything of the scenes that is alike; its hidden values, readings and answer are of no meaning.
    """

    kind: BenchType
    items: tuple[Item, ...]
    sharpness: dict[str, tuple[Sharpness, ...]]
    scene: Scene


def draw_bench(group: int, seed: int, rejected: Counter[str]) -> Iterator[tuple[Scene, ...]]:
    """Groups of four scenes that would do as this group, each of another bench.

    Args:
        group: Number of the group within its family.
        seed: Of all scenes.
        rejected: Counts the benches that would not do, by why that is.
    """
    key = (_KEY, FAMILIES.index("bench"), group)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
    # Every third group is of a type that is kept for evaluation.
    kinds = [kind for kind in TYPES if kind.held_out == (group % 3 == 2)]
    kind = kinds[(group // 3 if group % 3 == 2 else group - group // 3) % len(kinds)]
    for _ in range(_TRIES):
        drawn = _drawn(kind, group, seed, rng)
        four = _four(drawn, rng)
        if four is None:
            rejected["no beginning leaves it open in some scenes alone"] += 1
            continue
        planned = _planned(four)
        if planned is None:
            rejected["it takes an ideal observer too long"] += 1
            continue
        yield planned


def _drawn(kind: BenchType, group: int, seed: int, rng: np.random.Generator) -> _Drawn:
    items = draw_things([KINDS[noun] for noun in kind.nouns], rng)
    stands = draw_stands(rng)
    starts = [number for number, stand in enumerate(stands) if stand.level == kind.level]
    start = int(rng.choice(starts))
    asked = items[: kind.asked]
    names = tuple(f"{item.look.color} {item.look.shape}" for item in asked)
    compared = Comparison(
        form=kind.form, hidden=kind.hidden, things=tuple(item.thing.name for item in asked), names=names
    )
    program = Program(form=kind.form, compared=compared)
    methods = {name: noun for noun in kind.nouns for name in KINDS[noun].methods}
    sharpness = {
        name: tuple(figures(name, noun).read[stand.name].sharpness for stand in stands)
        for name, noun in sorted(methods.items())
    }
    experiments = [
        Experiment(method=name, thing=item.thing.name, readings=(UNREAD,) * len(stands))
        for item in items
        for name in KINDS[item.look.shape].methods
    ]
    # Of experiments with what is asked about, any may have been made before, from where the viewer stands; all, if
    # there is but one with each of two things, since one thing alone settles nothing.
    possible = [number for number, one in enumerate(experiments) if one.thing in compared.things]
    count = int(rng.integers(1, len(possible))) if len(possible) > 2 else 2
    begun = tuple(sorted(rng.permutation(possible)[:count].tolist()))
    answers = _answers(program, len(KINDS[kind.nouns[0]].levels[kind.hidden]))
    return _Drawn(
        kind,
        tuple(items),
        sharpness,
        Scene(
            family="bench",
            type=kind.name,
            held_out=kind.held_out,
            seed=seed,
            index=GROUP * group,
            group=group,
            twin=GROUP * group + 1,
            sufficient=False,
            room=material_room(rng),
            light=LIGHT,
            items=tuple(items),
            places=(),
            contents=(),
            views=views(stands, float(rng.uniform(*DISTANCE))),
            deeds=(),
            start=Moment(view=start),
            question=Question(text=program.text(), program=program, options=answers, answer=answers[0]),
            rules=rules([KINDS[noun] for noun in dict.fromkeys(kind.nouns)]),
            reveals=((),) * len(stands),
            shows=((),) * len(stands),
            plan=(),
            steps=STEPS,
            bench=Bench(experiments=tuple(experiments), begun=begun, sharpness=sharpness),
        ),
    )


def _answers(program: Program, values: int) -> tuple[str, ...]:
    compared = program.compared
    assert compared is not None  # noqa: S101 - a property is asked about
    codes = compared.codes(np.array(list(np.ndindex(*(values,) * len(compared.things)))))
    return tuple(program.word(int(code)) for code in np.unique(codes[codes >= 0]))


def _four(drawn: _Drawn, rng: np.random.Generator) -> tuple[Scene, ...] | None:
    """Two scenes whose first clip does not suffice and two whose does, each two with different answers, if there are.

    Each two are the first of the drawn ones that have different answers.
    """
    game = BenchGame(drawn.scene)
    open_: list[Scene] = []
    closed: list[Scene] = []
    for _ in range(_SAMPLES):
        scene = _sample(drawn, game, rng)
        belief = game.before.see(BenchGame(scene).contents, game.start().known)
        among = closed if belief.sufficient else open_
        if len(among) < 2 and scene.question.answer not in [one.question.answer for one in among]:
            among.append(scene)
        if len(open_) == len(closed) == 2:
            group = drawn.scene.group
            return tuple(
                scene.model_copy(
                    update={
                        "index": GROUP * group + number,
                        "twin": GROUP * group + (number ^ 1),
                        "sufficient": number >= 2,
                    }
                )
                for number, scene in enumerate((*open_, *closed))
            )
    return None


def _sample(drawn: _Drawn, game: BenchGame, rng: np.random.Generator) -> Scene:
    """The same bench with other hidden values, and with readings of these."""
    kind = KINDS[drawn.kind.nouns[0]]
    before = game.before
    # Any of the worlds, as an ideal observer thinks them likely: the answer first.
    number = int(rng.choice(len(before.worlds), p=before.chances))
    values = dict(zip(game.compared.things, before.worlds[number].tolist(), strict=True))
    items, nodes = [], {}
    for item in drawn.items:
        own = KINDS[item.look.shape]
        among = list(range(len(own.nodes)))
        if item.thing.name in values:
            level = kind.levels[drawn.kind.hidden][values[item.thing.name]]
            among = [one for one in among if own.nodes[one][drawn.kind.hidden] == level]
        node = int(rng.choice(among))
        nodes[item.thing.name] = node
        items.append(item.model_copy(update={"thing": own.like(item.thing, own.nodes[node])}))
    bench = drawn.scene.bench
    assert bench is not None  # noqa: S101 - it is drawn with one
    experiments = tuple(
        one.model_copy(update={"readings": _readings(one, drawn, _kind(items, one.thing), nodes[one.thing], rng)})
        for one in bench.experiments
    )
    answer = game.scene.question.program.word(int(before.codes[number]))
    return drawn.scene.model_copy(
        update={
            "items": tuple(items),
            "question": drawn.scene.question.model_copy(update={"answer": answer}),
            "bench": bench.model_copy(update={"experiments": experiments}),
        }
    )


def _kind(items: list[Item], name: str) -> Kind:
    return next(KINDS[item.look.shape] for item in items if item.thing.name == name)


def _readings(one: Experiment, drawn: _Drawn, kind: Kind, node: int, rng: np.random.Generator) -> tuple[int, ...]:
    """What is read of an experiment from each view, by its chances."""
    found = []
    for sharpness in drawn.sharpness[one.method]:
        up_to = outcomes(METHODS[one.method], kind, sharpness)[:, node].cumsum()
        reading = int(np.searchsorted(up_to, rng.random() * up_to[-1], side="right"))
        found.append(UNREAD if reading == len(up_to) - 1 else reading)
    return tuple(found)


def _planned(scenes: tuple[Scene, ...]) -> tuple[Scene, ...] | None:
    """The scenes with their ideal plans; None where one does not end with an answer that is as good as certain."""
    found = []
    for scene in scenes:
        course = play(BenchGame(scene), look_ahead, STEPS)
        plan = tuple(action for _, _, action in course)
        if plan[-1].kind != "answer":
            return None
        found.append(scene.model_copy(update={"plan": plan}))
    return tuple(found)


def rules(kinds: list[Kind]) -> str:
    """What an agent must know of what may be hidden, and of what experiments show."""
    said = []
    for kind in kinds:
        levels = [
            f"{_PROPERTIES[name]} {', '.join(f'{value:g}' for value in values[:-1])} or {values[-1]:g}"
            for name, values in kind.levels.items()
        ]
        said.append(f"Each {kind.noun} has {' and '.join(levels)}, each alike and whatever the others have")
        said += [METHODS[name].law for name in kind.methods]
    return (
        "Things look alike and differ in what cannot be seen. "
        f"{'; '.join(said)}. Before each experiment all things are put back to where they stood at first; the viewer "
        "stays where it is. Left and right are the robot's."
    )


_PROPERTIES: dict[str, str] = {
    "mass": "a mass in kilograms of",
    "friction": "a coefficient of friction of",
    "restitution": "a coefficient of restitution of",
    "stiffness": "a spring of a stiffness in newtons per metre of",
    "center_of_mass": "a centre of mass so far to the left of its middle in metres, or, if less than 0, to the right:",
}
