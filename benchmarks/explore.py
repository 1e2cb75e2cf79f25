"""How long scenes take to draw and to act in, and how long ideal plans are; prints one line of JSON, last.

The first groups of every family are drawn, first without a simulator, then checked in it. Times are of the processor.
"""

from __future__ import annotations

import json
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("LP_NUM_THREADS", "0")

import numpy as np

from hpvqa.explore.check import trouble
from hpvqa.explore.draw import draw_group
from hpvqa.explore.game import Game
from hpvqa.explore.rays import PIXELS
from hpvqa.explore.scene import FAMILIES, Moment
from hpvqa.explore.world import SceneWorld
from hpvqa.sim import open_simulator
from hpvqa.sim.protocol import FIRST_LABEL

GROUPS = 6
ACTIONS = 200
CONTENTS = 2000


def main() -> None:
    begin = time.process_time()
    groups = [next(draw_group(family, number, 0)) for family in FAMILIES for number in range(GROUPS)]
    drawing = time.process_time() - begin
    simulator = open_simulator((PIXELS, PIXELS))
    world, rng = SceneWorld(simulator), np.random.default_rng(0)
    begin = time.process_time()
    kept = [group for group in groups if trouble(group, world) is None]
    checking = time.process_time() - begin
    plans = [len(scene.plan) - 1 for group in kept for scene in group[:2]]
    scenes = [scene for group in kept for scene in group]

    robot: list[float] = []
    views: list[float] = []
    mishaps = 0
    while len(robot) + len(views) < ACTIONS:
        world.reset(scenes[int(rng.integers(len(scenes)))])
        for _ in range(3):
            actions = world.game.actions(world.state)
            if not actions:
                break
            action = actions[int(rng.integers(len(actions)))]
            outcome = world.act(action)
            (views if "viewer" in action.kind else robot).append(outcome.cpu_seconds)
            mishaps += outcome.mishap is not None
            if outcome.mishap is not None:
                break

    agree = total = 0
    while total < CONTENTS:
        scene = scenes[int(rng.integers(len(scenes)))]
        contents = tuple(int(rng.integers(len(place.contents))) for place in scene.places)
        done = tuple(number for number, deed in enumerate(scene.deeds) if not deed.after and rng.random() < 0.3)
        moment = Moment(view=scene.start.view, done=done)
        scene = scene.model_copy(update={"contents": contents, "start": moment})
        world.reset(scene)
        names = scene.world().names
        for number, view in enumerate(scene.views):
            seen = Game(scene).revealed(moment.model_copy(update={"view": number}))
            labels = simulator.segment(view.camera)
            for place, (where, look) in enumerate(zip(scene.places, scene.looks, strict=True)):
                if look is not None and where.name not in {scene.deeds[deed].thing for deed in done}:
                    pixels = int((labels == FIRST_LABEL + names.index(where.name)).sum())
                    agree += (pixels > 0) == (place in seen)
                    total += 1
    print(
        json.dumps(
            {
                "scenes": len(groups) * 4,
                "draw_s_a_scene": round(drawing / len(groups) / 4, 2),
                "check_s_a_scene": round(checking / len(groups) / 4, 2),
                "groups_kept": f"{len(kept)} of {len(groups)}",
                "mean_plan": round(float(np.mean(plans)), 2),
                "plans_of_4_and_more": round(float(np.mean(np.array(plans) >= 4)), 3),
                "robot_action_s": round(float(np.mean(robot)), 2),
                "viewer_action_ms": round(1000 * float(np.mean(views)), 1),
                "actions_as_meant": f"{len(robot) + len(views) - mishaps} of {len(robot) + len(views)}",
                "reveals_as_planned": f"{agree} of {total}",
            }
        )
    )


if __name__ == "__main__":
    main()
