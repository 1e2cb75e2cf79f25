"""Experiments on hidden properties: exact beliefs, scenes, and what simulated probes show."""

from __future__ import annotations

import io
from collections import Counter
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hpvqa.explore.agents import AGENTS
from hpvqa.explore.belief.plan import gains, look_ahead, rates
from hpvqa.explore.belief.plan import play as played_by
from hpvqa.explore.belief.posterior import entropy
from hpvqa.explore.bench.belief import outcomes
from hpvqa.explore.bench.calibration import expected, figures
from hpvqa.explore.bench.draw import draw_bench
from hpvqa.explore.bench.game import BenchGame
from hpvqa.explore.bench.methods import KINDS, METHODS, Kind
from hpvqa.explore.bench.spec import UNREAD, Comparison, Sharpness
from hpvqa.explore.bench.views import AZIMUTHS, ELEVATIONS, Stand
from hpvqa.explore.game import State
from hpvqa.explore.protocol import Shot
from hpvqa.explore.runs.course import encoded
from hpvqa.explore.scene import Action, Scene
from research.bench.__main__ import reading
from tests.explore_play import play, rule
from tests.explore_scenes import group as hidden_group

PUSH, WEIGH, DROP, SLIDE, PRESS, TURN = METHODS
CUBE = KINDS["cube"]


@cache
def group(number: int = 3, seed: int = 0) -> tuple[Scene, ...]:
    return tuple(scene.sealed() for scene in next(draw_bench(number, seed, Counter())))


def game_of(scene: Scene, **changes: object) -> BenchGame:
    """The game of a scene in which nothing was done before."""
    assert scene.bench is not None
    return BenchGame(scene.model_copy(update={"bench": scene.bench.model_copy(update={"begun": (), **changes})}))


def experiment(game: BenchGame, method: str, thing: int = 0) -> Action:
    return Action(kind="experiment", target=f"{method} {game.compared.things[thing]}")


@pytest.mark.parametrize(("method", "noun"), [(name, kind.noun) for kind in KINDS.values() for name in kind.methods])
def test_every_place_has_figures_and_readings_add_up_to_one(method: str, noun: str) -> None:
    names = {Stand(azimuth, level).name for azimuth in AZIMUTHS for level in ELEVATIONS}
    read = figures(method, noun).read
    assert set(read) == names
    for one in read.values():
        # Fewer clips would say nothing.
        assert len(one.errors) >= 6
        assert outcomes(METHODS[method], KINDS[noun], one.sharpness).sum(axis=0) == pytest.approx(1)


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_thing_has_the_hidden_values_that_it_is_given_and_its_probes_can_be_made(kind: Kind) -> None:
    for node in kind.nodes:
        thing = kind.like(kind.thing("thing", 0.4, 0.1, (0.5, 0.5, 0.5), kind.nodes[0]), node)
        assert {name: thing.hidden(name) for name in kind.levels} == node
        assert thing.noun == kind.noun
        assert [METHODS[name].probe.trouble(thing) for name in kind.methods] == [None] * len(kind.methods)


def test_readings_below_zero_are_told_as_they_are() -> None:
    method, kind = METHODS[TURN], KINDS["bar"]
    likely = outcomes(method, kind, Sharpness(spread=0.8, lost=0.0)).argmax(axis=0)
    told = [method.value(int(reading)) for reading in likely]
    assert np.abs(np.array(told) - expected(method, kind)).max() <= method.step / 2
    assert told[0] < -20 < 20 < told[-1]


def test_a_view_from_which_all_is_read_far_off_alike_tells_nothing() -> None:
    far, sharp = reading([3.2, 3.1, 3.3, 3.2, 3.1], 0.5), reading([0.2, 0.1, 0.3, None, 9.0], 0.5)
    assert far.sharpness.lost > 0.9
    assert (sharp.bias, sharp.sharpness.spread) == (pytest.approx(0.2), pytest.approx(0.1))
    assert sharp.sharpness.lost == pytest.approx(3 / 7, abs=0.001)


def test_readings_come_as_often_as_is_said() -> None:
    method, sharpness, rng = METHODS[WEIGH], Sharpness(spread=0.4, lost=0.1), np.random.default_rng(0)
    node, count = 7, 40_000
    mean = expected(method, CUBE)[node]
    drawn = np.rint((mean + 0.4 * rng.standard_normal(count)) / method.step).astype(int)
    said = outcomes(method, CUBE, sharpness)[:, node]
    found = np.bincount(drawn, minlength=len(said) - 1) / count
    assert said[-1] == pytest.approx(0.1)
    assert np.abs(found * 0.9 - said[:-1]).max() < 0.01


def test_a_belief_is_what_enumeration_gives() -> None:
    game = game_of(group()[0])
    state = game.start()
    for method, thing in ((PUSH, 0), (WEIGH, 0), (PUSH, 1)):
        state = game.after(state, experiment(game, method, thing))
    belief = game.belief(state)
    asked, nodes = game.compared.hidden, CUBE.nodes
    levels = CUBE.levels[asked]
    weight: dict[str, float] = Counter()
    prior = Counter(sign(levels, a[asked], b[asked]) for a, b in product(nodes, nodes))
    for a, b in product(range(len(nodes)), repeat=2):
        likely = 1.0
        for number in state.known:
            row, view = divmod(number, len(game.scene.views))
            one = game.scene.bench.experiments[row]  # type: ignore[union-attr]
            node = (a, b)[game.compared.things.index(one.thing)]
            chances = outcomes(METHODS[one.method], CUBE, game.scene.bench.sharpness[one.method][view])  # type: ignore[union-attr]
            reading = one.readings[view]
            likely *= float(chances[-1 if reading == UNREAD else min(reading, len(chances) - 2), node])
        code = sign(levels, nodes[a][asked], nodes[b][asked])
        weight[game.scene.question.program.word(code)] += likely / prior[code]
    total = sum(weight.values())
    assert belief.answers() == pytest.approx({word: value / total for word, value in weight.items()}, abs=1e-9)


def sign(levels: tuple[float, ...], a: float, b: float) -> int:
    return int(np.sign(levels.index(b) - levels.index(a))) + 1


@pytest.mark.parametrize(("first", "second"), [((PUSH, 0), None), ((PUSH, 0), (WEIGH, 0)), ((PUSH, 0), (PUSH, 1))])
@pytest.mark.slow
def test_expected_gains_are_what_many_readings_give(first: tuple[str, int], second: tuple[str, int] | None) -> None:
    game = game_of(group()[0])
    state = game.start()
    for one in filter(None, (first, second)):
        state = game.after(state, experiment(game, *one))
    before, rng = game.before, np.random.default_rng(1)
    facts = sorted(state.known)
    left = []
    for _ in range(1500):
        world = before.worlds[rng.choice(len(before.worlds), p=before.chances)]
        contents = list(game.contents)
        nodes = [int(rng.integers(CUBE.by(game.compared.hidden, np.arange(len(CUBE.nodes))).shape[1])) for _ in world]
        for number in facts:
            fact = game._facts[number]
            chances = fact.chances[:, world[fact.thing], nodes[fact.thing]]
            reading = int(rng.choice(len(chances), p=chances / chances.sum()))
            contents[number] = UNREAD if reading == len(chances) - 1 else reading
        left.append(before.see(contents, facts).entropy)
    error = float(np.std(left)) / len(left) ** 0.5
    assert abs(before.entropy - float(np.mean(left)) - before.gain(facts)) < 4 * error + 1e-9


def test_weighing_tells_nothing_of_roughness_until_one_has_pushed() -> None:
    scene = next(
        scene for number in (3, 4) for scene in group(number) if scene.question.program.compared.hidden == "friction"
    )  # type: ignore[union-attr]
    low = next(number for number, view in enumerate(scene.views) if view.camera.position[2] < 0.5)
    game = game_of(scene)
    start = State(game.start().moment.model_copy(update={"view": low}), frozenset())
    push, weigh = experiment(game, PUSH), experiment(game, WEIGH)
    now = gains(game, start, game.before)
    assert now[weigh] == pytest.approx(0, abs=1e-9)
    assert now[push] > 0.02
    # Who looks ahead sees that it is worth something all the same.
    assert rates(game, start, game.before)[weigh] > now[push] / 2
    both = game.after(game.after(start, push), weigh).known
    assert game.before.gain(both) > now[push] + 0.02


def test_a_push_alone_cannot_tell_mass_from_friction() -> None:
    table = dict(
        zip([(node["mass"], node["friction"]) for node in CUBE.nodes], expected(METHODS[PUSH], CUBE), strict=True)
    )
    close = [(a, b) for a, b in product(table, table) if a[0] < b[0] and abs(table[a] - table[b]) < 0.25]
    assert len(close) >= 5
    sharp = Sharpness(spread=0.05, lost=0.0)
    scene = group()[0]
    game = game_of(scene, sharpness={name: (sharp,) * len(scene.views) for name in METHODS})
    state = game.start()
    before = entropy(np.bincount(game.before.codes, game.before.chances))
    pushed = [number for number, fact in game._facts.items() if PUSH in game.fact(number)][:: len(scene.views)]
    assert game.before.gain(pushed) < 0.9 * before
    assert state.known == frozenset()


@pytest.mark.parametrize("number", [0, 5, 6, 7, 9, 11, 12, 13, 15, 18])
@pytest.mark.slow
def test_a_group_is_offered_the_same_and_its_plans_end_with_an_answer(number: int) -> None:
    scenes = group(number)
    first = scenes[0]
    assert [scene.sufficient for scene in scenes] == [False, False, True, True]
    assert len({(s.question.text, s.question.options, s.rules, s.steps, s.start, s.bench.begun) for s in scenes}) == 1  # type: ignore[union-attr]
    for one, other in (scenes[:2], scenes[2:]):
        assert one.question.answer != other.question.answer
    for scene in scenes:
        game = BenchGame(scene)
        start = game.start()
        assert game.belief(start).sufficient == scene.sufficient
        assert [o.text for o in sorted(game.options(start, 0), key=lambda o: o.text)] == sorted(
            o.text for o in BenchGame(first).options(start, 0)
        )
        assert len(game.options(start, 0)) <= 16
        assert tuple(action for _, _, action in played_by(game, look_ahead, scene.steps)) == scene.plan
        assert scene.plan[-1].kind == "answer"
        assert Scene.model_validate_json(scene.model_dump_json()) == scene
        compared = game.compared
        values = {item.thing.name: item.thing.hidden(compared.hidden) for item in scene.items}
        levels = KINDS[scene.items[0].look.shape].levels[compared.hidden]
        codes = compared.codes(np.array([[levels.index(values[name]) for name in compared.things]]))
        assert compared.word(int(codes[0])) == scene.question.answer


def test_orders_are_named_from_the_least_to_the_most() -> None:
    compared = Comparison(form="order", hidden="mass", things=("a", "b", "c"), names=("red", "green", "blue"))
    codes = compared.codes(np.array([[0, 1, 2], [2, 0, 1], [1, 1, 0]]))
    assert [compared.word(int(code)) for code in codes[:2]] == ["red, green, blue", "green, blue, red"]
    assert codes[2] == -1


@pytest.mark.parametrize(
    "change",
    [
        {"begun": (99,)},
        {"sharpness": {}},
        {"experiments": ({"method": "throw", "thing": "thing_1", "readings": (0,) * 6},), "sharpness": {"throw": ()}},
        {"experiments": ({"method": PUSH, "thing": "nothing", "readings": (0,) * 6},), "begun": ()},
    ],
)
def test_a_bench_that_does_not_fit_is_refused(change: dict[str, object]) -> None:
    data = group()[0].model_dump()
    with pytest.raises(ValueError, match="bench: "):
        Scene.model_validate({**data, "bench": {**data["bench"], **change}})


@pytest.mark.slow
def test_scenes_without_experiments_are_written_as_ever() -> None:
    data = hidden_group("cover", 4)[0].model_dump()
    assert "bench" not in data
    assert "compared" not in data["question"]["program"]


@pytest.mark.parametrize("name", AGENTS)
@pytest.mark.slow
def test_every_agent_plays_a_bench(name: str, tmp_path: Path) -> None:
    for one, scene in zip(play(rule(name), tmp_path / "run", scenes=group()), group(), strict=True):
        assert all(step.letter in {option.letter for option in step.options} for step in one.steps)
        if name in ("ideal", "ideal-greedy"):
            assert one.decisions[-1].privileged.sufficient
            assert one.decisions[0].answers == scene.sufficient


@pytest.mark.slow
def test_facts_tell_what_was_measured(tmp_path: Path) -> None:
    one = play(rule("ideal"), tmp_path / "run", condition="facts", scenes=group()[:1])[0]
    assert "Measured so far: " in one.steps[0].facts
    assert "with a standard error of" in one.steps[-1].facts
    assert len(one.steps[-1].facts) > len(one.steps[0].facts)


@pytest.mark.slow
def test_a_bar_in_the_middle_is_told_to_be_there() -> None:
    game = game_of(group(12 + 7)[0])
    assert game.scene.type == "three-bars-by-balance"
    told = game.told(game.start())
    assert [told.count(side) for side in ("in the middle", "robot's left", "robot's right")] == [1, 1, 1]


def test_a_clip_is_one_animated_picture() -> None:
    frames = np.random.default_rng(0).integers(0, 255, (5, 8, 8, 3), np.uint8)
    name, data = encoded(Shot(frames[-1], "here", before=frames[:-1], fps=4.0)) or ("", b"")
    picture = Image.open(io.BytesIO(data))
    assert picture.n_frames == 5  # type: ignore[attr-defined]
    for number, frame in enumerate(frames):
        picture.seek(number)
        assert np.array_equal(np.asarray(picture.convert("RGB")), frame)
    assert encoded(Shot(frames[0], "here")) != (name, data)
    assert len(Shot(frames[-1], "here", before=frames[:-1]).few(3)) == 3
