"""Scenes in the embedded simulator: pictures and deeds are as planned."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from hpvqa.explore.bench.calibration import expected
from hpvqa.explore.bench.methods import KINDS, METHODS
from hpvqa.explore.bench.perform import perform
from hpvqa.explore.check import trouble
from hpvqa.explore.game import Game
from hpvqa.explore.rays import PIXELS, Sight, bodies
from hpvqa.explore.reveal import SEEN_PIXELS
from hpvqa.explore.scene import Action, Family, Moment, Scene
from hpvqa.explore.world import SceneWorld
from hpvqa.scene.spec import LightSpec
from hpvqa.sim import open_simulator
from hpvqa.sim.protocol import FIRST_LABEL, SteppedSimulator
from tests.explore_scenes import GROUPS, group
from tests.needs import long_but
from tests.test_explore_bench import CUBE, PRESS, PUSH, SLIDE, TURN, WEIGH, experiment, game_of
from tests.test_explore_bench import group as bench_group

some_scenes = pytest.mark.parametrize("which", long_but(GROUPS, GROUPS[1]), ids=lambda which: f"{which[0]}-{which[1]}")


@cache
def simulator() -> SteppedSimulator:
    pytest.importorskip("mujoco", exc_type=ImportError)
    return open_simulator((PIXELS, PIXELS))


def world() -> SceneWorld:
    return SceneWorld(simulator())


def begun(scene: Scene, **changes: object) -> Scene:
    """The same scene with other contents or another start; what follows from them is not adapted."""
    return scene.model_copy(update=changes)


@some_scenes
def test_rays_see_what_a_segmentation_sees(which: tuple[Family, int]) -> None:
    scene = group(*which)[0]
    world().reset(scene)
    spec = scene.world()
    for view in scene.views[:3]:
        labels = simulator().segment(view.camera)
        for number, thing in enumerate(spec.things):
            sight = Sight.of(view.camera, bodies(thing))
            left = sight.inside.copy()
            for other in spec.things:
                for body in bodies(other) if other.name != thing.name else ():
                    left &= ~sight.hidden_by(body)
            # Edges are rounded there, and cylinders have flat sides.
            pixels = int((labels == FIRST_LABEL + number).sum())
            assert abs(pixels - int(left.sum())) <= 6 + 0.09 * len(left), (view.words, thing.name)


@some_scenes
def test_what_is_revealed_does_not_depend_on_what_is_hidden(which: tuple[Family, int]) -> None:
    scene, rng = group(*which)[0], np.random.default_rng(0)
    game = Game(scene)
    for _ in range(6):
        contents = tuple(int(rng.integers(len(place.contents))) for place in scene.places)
        items = [n for n, deed in enumerate(scene.deeds) if not deed.after and deed.thing.startswith("item")]
        done = tuple(number for number in items if rng.random() < 0.4)
        moment = Moment(view=int(rng.integers(len(scene.views))), done=done)
        other = begun(scene, contents=contents, start=moment)
        world().reset(other)
        labels = simulator().segment(scene.views[moment.view].camera)
        seen, names = game.revealed(moment), other.world().names
        for number, (place, look) in enumerate(zip(other.places, other.looks, strict=True)):
            if look is not None:
                pixels = int((labels == FIRST_LABEL + names.index(place.name)).sum())
                assert pixels > 0.7 * SEEN_PIXELS if number in seen else pixels == 0


@some_scenes
def test_twins_look_the_same_bit_for_bit_until_something_is_done(which: tuple[Family, int]) -> None:
    one, other, *_ = group(*which)
    shots = [world().reset(scene).shot.image for scene in (one, other)]
    assert np.array_equal(*shots)
    with_shadows = [
        world().reset(begun(scene, light=LightSpec(position=(0.9, -1.2, 0.9)))).shot.image for scene in (one, other)
    ]
    assert not np.array_equal(with_shadows[0], shots[0])


# In make test, drawing a folder of scenes checks this of each.
@pytest.mark.long
def test_an_ideal_plan_succeeds_and_shows_what_it_should() -> None:
    assert trouble(group("cover", 4), world()) is None


@pytest.mark.long
def test_the_robot_puts_things_where_they_go() -> None:
    scene = group("stack", 0)[0]
    played = world()
    played.reset(scene)
    before = dict(simulator().state().things)
    deed = next(deed for deed in scene.deeds if not deed.after and deed.thing.startswith("item"))
    outcome = played.act(Action(kind=deed.kind, target=deed.thing))
    assert outcome.mishap is None
    assert outcome.robot_seconds > 1
    after = simulator().state().things
    assert after[deed.thing].position == pytest.approx(deed.to, abs=0.01)
    for name, state in after.items():
        if name != deed.thing:
            assert state.position == pytest.approx(before[name].position, abs=0.003)
    # What stands aside can be taken again, and is put where it was.
    again = played.act(Action(kind=deed.kind, target=deed.thing))
    assert again.mishap is None
    assert again.robot_seconds > 1
    assert simulator().state().things[deed.thing].position == pytest.approx(deed.to, abs=0.01)


@pytest.mark.long
def test_what_was_moved_sideways_is_brought_back() -> None:
    played = world()
    played.reset(group("occlusion", 8)[0])
    start = dict(simulator().state().things)
    action = next(action for action in played.game.actions(played.state) if action.kind == "move")
    for far in (True, False):
        assert played.act(action).mishap is None
        moved = simulator().state().things[action.target].position - start[action.target].position
        assert (abs(moved).max() > 0.1) == far


def test_moving_the_viewer_costs_no_robot() -> None:
    played = world()
    first = played.reset(group("cover", 4)[0])
    action = next(action for action in played.game.actions(played.state) if action.kind == "move viewer")
    outcome = played.act(action)
    assert outcome.robot_seconds == 0
    assert not np.array_equal(outcome.shot.image, first.shot.image)
    assert outcome.shot.view != first.shot.view


def test_a_scene_that_is_not_as_planned_is_told() -> None:
    scene = next(scene for scene in group("cover", 4) if not scene.sufficient)
    everything = f"{(1 << (1 << len(scene.deeds))) - 1:x}"
    filled = tuple(0 for _ in scene.places)
    wrong = begun(scene, contents=filled, reveals=tuple(tuple(everything for _ in row) for row in scene.reveals))
    assert "should be seen and is not" in str(world().reset(wrong).mishap)


def test_a_simulated_experiment_shows_what_was_calibrated_and_leaves_no_trace() -> None:
    scene = bench_group()[0]
    place = world()
    game = game_of(scene)
    first = place.reset(game.scene)
    weigh = experiment(game, WEIGH)
    done = place.act(weigh)
    assert done.mishap is None
    assert done.shot.before is not None
    assert len(done.shot.before) > 10
    assert done.robot_seconds == pytest.approx(game.robot_seconds(weigh), abs=0.01)
    back = next(action for action in game.actions(game.start()) if action.kind == "move viewer")
    there = place.act(back)
    assert not np.array_equal(there.shot.image, first.shot.image)
    thing = game.scene.world().thing(game.experiment(weigh).thing)
    method = METHODS[PUSH]
    found = perform(simulator(), game.scene.world(), method, thing, [])
    node = next(number for number, one in enumerate(CUBE.nodes) if one == {name: thing.hidden(name) for name in one})
    measured = method.scale * method.probe.measure(thing, found.events, found.final)
    assert abs(measured - expected(method, CUBE)[node]) < 1.0


@pytest.mark.parametrize("which", long_but([(SLIDE, "cylinder"), (PRESS, "plate"), (TURN, "bar")]), ids="-".join)
@pytest.mark.slow
def test_a_simulated_experiment_goes_as_far_as_beliefs_expect(which: tuple[str, str]) -> None:
    name, noun = which
    method, kind = METHODS[name], KINDS[noun]
    table, others = expected(method, kind), bench_group()[0].world()
    # The two ends of the hidden property; of cylinders, the heaviest. Where one stands makes up to a step's difference.
    for number in (-len(kind.levels[method.hidden]), -1):
        thing = kind.thing("thing", 0.4, 0.1, (0.8, 0.2, 0.2), kind.nodes[number])
        found = perform(simulator(), others.model_copy(update={"things": (thing,)}), method, thing, [])
        assert found.mishap is None
        measured = method.scale * method.probe.measure(thing, found.events, found.final)
        assert abs(measured - table[number]) < 2 * method.step
        assert abs(measured - method.expected(thing)) < method.scale * method.probe.accuracy + method.step
