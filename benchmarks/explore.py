"""How scenes of active reasoning come out; prints one line of JSON for each part: draw, lists, gains, check, actions,
contents. Name parts to run these alone. Times are of the processor.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("LP_NUM_THREADS", "0")

import numpy as np
from numpy.typing import NDArray

from hpvqa.explore.agents.constant import Word, best_list
from hpvqa.explore.belief.posterior import Belief, entropy
from hpvqa.explore.check import trouble
from hpvqa.explore.draw import GROUP, draw_group, type_of
from hpvqa.explore.game import Game
from hpvqa.explore.observer import Observer
from hpvqa.explore.rays import PIXELS
from hpvqa.explore.scene import HIDING, Action, Family, Moment, Scene
from hpvqa.explore.world import SceneWorld
from hpvqa.sim import open_simulator
from hpvqa.sim.protocol import FIRST_LABEL, SteppedSimulator

GROUPS = 12
"""Of each family: one of every type, and two more of those that are kept for evaluation."""
CHECKED = 3
LISTS = 5
"""Groups of a type from which a list is learnt, and on which it is tried."""
ACTIONS = 200
CONTENTS = 2000
SAMPLES = 20_000
Figures = dict[str, object]


def first(family: Family, group: int, seed: int = 0) -> tuple[Scene, ...]:
    return next(draw_group(family, group, seed))


def some(groups: int) -> list[tuple[Scene, ...]]:
    return [first(family, number) for family in HIDING for number in range(groups)]


def draw() -> Figures:
    """How long drawing takes without a simulator, how long plans are, and how much is hidden."""
    begin = time.process_time()
    groups = some(GROUPS)
    seconds = time.process_time() - begin
    plans = np.array([len(scene.plan) - 1 for group in groups for scene in group[:2]])
    hidden = np.array([[len(scene.places) - len(Game(scene).start().known) for scene in group] for group in groups])
    # Whoever counts what is hidden, and calls little of it enough.
    guess = max(float(np.mean([hidden[:, :2] >= n, hidden[:, 2:] < n])) for n in range(7))
    return {
        "scenes": len(groups) * GROUP,
        "s_a_scene": round(seconds / len(groups) / GROUP, 3),
        "scenes_a_minute": round(60 * GROUP * len(groups) / seconds),
        "mean_plan": round(float(plans.mean()), 2),
        "plans_of_4_and_more": round(float((plans >= 4).mean()), 3),
        "decisions": round(float(np.mean([group[0].steps for group in groups])), 2),
        "hidden_places_of_twins_and_others": [round(float(hidden[:, a : a + 2].mean()), 2) for a in (0, 2)],
        "sufficiency_from_counting_hidden_places": round(guess, 3),
    }


def lists() -> Figures:
    """How many of a type's scenes that need looks the best constant list of actions solves, learnt on others."""
    shares = {}
    for family in HIDING:
        for number in range(12):
            kind = type_of(family, number)
            name = f"{family} {kind.name}"
            if name in shares:
                continue
            learn, other = ([hard(family, number, seed) for seed in range(a, a + LISTS)] for a in (1, 1 + LISTS))
            found = best_list([observer for two in learn for observer in two])
            shares[name] = float(np.mean([solved(observer, found) for two in other for observer in two]))
    worst = max(shares, key=lambda name: shares[name])
    return {
        "scenes_a_type": 2 * LISTS,
        "mean": round(float(np.mean(list(shares.values()))), 3),
        "worst": [worst, shares[worst]],
        "types": shares,
    }


def hard(family: Family, group: int, seed: int) -> list[Observer]:
    return [Observer(scene) for scene in first(family, group, seed)[:2]]


def solved(observer: Observer, found: Sequence[Word]) -> bool:
    """Whether the answer is certain once a list is carried out, as far as there are decisions."""
    game, state = observer.game, observer.game.start()
    left = game.scene.steps - 1
    for word in found:
        action = word.among(game.actions(state))
        if action is not None and left:
            state, left = game.after(state, action), left - 1
    return observer.belief(state).sufficient


def gains() -> Figures:
    """Expected information of every action that is offered to twins, against scenes that are drawn and played out."""
    rng, worst, count = np.random.default_rng(0), 0.0, 0
    for group in some(CHECKED):
        game = Game(group[0])
        start = game.start()
        belief = game.belief(start)
        answers = np.unique(belief.codes)
        # The answer first, each alike, then the world by its chances before that.
        worlds = np.concatenate(
            [
                rng.choice(np.flatnonzero(belief.codes == answer), SAMPLES // len(answers), p=_given(belief, answer))
                for answer in answers
            ]
        )
        for there in {frozenset(there.known - start.known) for there in game.moves(start).values()}:
            left: dict[tuple[int, ...], float] = {}
            total = 0.0
            for number in worlds:
                key = tuple(belief.worlds[number, sorted(there)].tolist())
                if key not in left:
                    left[key] = belief.see(belief.worlds[number].tolist(), there).entropy
                total += left[key]
            played = entropy(np.full(len(answers), 1 / len(answers))) - total / len(worlds)
            worst, count = max(worst, abs(played - belief.gain(there))), count + 1
    return {"gains": count, "samples": SAMPLES, "largest_difference_bit": round(worst, 4)}


def _given(belief: Belief, answer: int) -> NDArray[np.float64]:
    chances = belief.chances[belief.codes == answer]
    given: NDArray[np.float64] = chances / chances.sum()
    return given


def check() -> Figures:
    """How long it takes to try scenes with their ideal plans; twins must look the same at first, bit for bit."""
    begin = time.process_time()
    groups = some(CHECKED)
    world = SceneWorld(open_simulator((PIXELS, PIXELS)))
    kept = [group for group in groups if trouble(group, world) is None]
    seconds = time.process_time() - begin
    return {
        "groups_kept": f"{len(kept)} of {len(groups)}",
        "s_a_scene": round(seconds / len(kept) / GROUP, 2),
        "scenes_a_minute": round(60 * GROUP * len(kept) / seconds, 1),
    }


def actions() -> Figures:
    """What comes of actions that are chosen by chance."""
    scenes = [scene for group in some(CHECKED) for scene in group]
    world, rng = SceneWorld(open_simulator((PIXELS, PIXELS))), np.random.default_rng(0)
    robot: list[float] = []
    views: list[float] = []
    mishaps = []
    while len(robot) + len(views) < ACTIONS:
        world.reset(scenes[int(rng.integers(len(scenes)))])
        for action in islice(_chosen(world, rng), 3):
            outcome = world.act(action)
            (views if "viewer" in action.kind else robot).append(outcome.cpu_seconds)
            if outcome.mishap is not None:
                mishaps.append(outcome.mishap)
                break
    return {
        "as_meant": f"{len(robot) + len(views) - len(mishaps)} of {len(robot) + len(views)}",
        "robot_actions": len(robot),
        "robot_action_s": round(float(np.mean(robot)), 2),
        "viewer_action_ms": round(1000 * float(np.mean(views)), 1),
        "mishaps": mishaps,
    }


def _chosen(world: SceneWorld, rng: np.random.Generator) -> Iterator[Action]:
    while offered := world.game.actions(world.state):
        yield offered[int(rng.integers(len(offered)))]


def contents() -> Figures:
    """Whether what is seen, whatever is hidden and wherever the viewer is, is what the tables say."""
    scenes = [scene for group in some(CHECKED) for scene in group]
    simulator, rng = open_simulator((PIXELS, PIXELS)), np.random.default_rng(0)
    agree = total = 0
    while total < CONTENTS:
        scene = scenes[int(rng.integers(len(scenes)))]
        drawn = tuple(int(rng.integers(len(place.contents))) for place in scene.places)
        done = tuple(number for number, deed in enumerate(scene.deeds) if not deed.after and rng.random() < 0.3)
        moment = Moment(view=scene.start.view, done=done)
        for seen, is_seen in _compared(simulator, scene.model_copy(update={"contents": drawn, "start": moment})):
            agree += seen == is_seen
            total += 1
    return {"as_planned": f"{agree} of {total}"}


def _compared(simulator: SteppedSimulator, scene: Scene) -> Iterator[tuple[bool, bool]]:
    world = SceneWorld(simulator)
    world.reset(scene)
    names, game = scene.world().names, Game(scene)
    gone = {scene.deeds[deed].thing for deed in scene.start.done}
    for number, view in enumerate(scene.views):
        seen = game.revealed(scene.start.model_copy(update={"view": number}))
        labels = simulator.segment(view.camera)
        for place, (where, look) in enumerate(zip(scene.places, scene.looks, strict=True)):
            if look is not None and where.name not in gone:
                yield bool((labels == FIRST_LABEL + names.index(where.name)).sum() > 0), place in seen


PARTS: tuple[Callable[[], Figures], ...] = (draw, lists, gains, check, actions, contents)


def main() -> None:
    for part in PARTS:
        if not sys.argv[1:] or part.__name__ in sys.argv[1:]:
            print(json.dumps({part.__name__: part()}), flush=True)


if __name__ == "__main__":
    main()
