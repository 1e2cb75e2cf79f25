"""Boxes in thoughts, and what they say hides a place, beside the segmentation of the picture."""

from __future__ import annotations

import numpy as np
import pytest

from hpvqa.explore.protocol import Turn
from hpvqa.explore.rays import PIXELS, Sight, bodies
from hpvqa.explore.samples.hiding import EDGE
from hpvqa.explore.samples.situation import Situation, Tracks
from hpvqa.explore.scene import HIDING, Family
from hpvqa.explore.world import SceneWorld
from hpvqa.scene.camera import focal_pixels, rotation
from hpvqa.sim import open_simulator
from hpvqa.sim.protocol import FIRST_LABEL
from tests.explore_scenes import group
from tests.needs import long_but


@pytest.mark.parametrize("family", long_but(HIDING, "stack"))
def test_boxes_and_what_hides_agree_with_the_picture(family: Family) -> None:
    pytest.importorskip("mujoco", exc_type=ImportError)
    simulator = open_simulator((PIXELS, PIXELS))
    scene, world = group(family, 0)[0], SceneWorld(simulator)
    outcome = world.reset(scene)
    labels, names = simulator.segment(scene.views[scene.start.view].camera), scene.world().names
    boxes = world.boxes()
    for name, (left, top, right, bottom) in boxes.items():
        rows, columns = np.nonzero(labels == FIRST_LABEL + names.index(name))
        assert (columns.min(), rows.min()) == (round(left * PIXELS), round(top * PIXELS))
        assert (columns.max() + 1, rows.max() + 1) == (round(right * PIXELS), round(bottom * PIXELS))
    saved = world.save()
    (way, *_) = [action for action in world.game.actions(world.state) if action.kind == "move viewer"]
    world.act(way)
    world.restore(saved)
    assert world.boxes() == boxes
    turn = Turn(world.game.brief, 0, (outcome.shot,), world.game.options(world.state, 0))
    situation = Situation(Tracks.of(scene), turn, (boxes,))
    assert situation.open
    camera = scene.views[scene.start.view].camera
    for number in situation.open:
        place, hider = scene.places[number], situation.hiders.hider(scene.start, number)
        look = max(filter(None, place.contents), key=lambda look: (look.full_size, look.words))
        sight = Sight.of(camera, bodies(place.thing(look)))
        if hider == EDGE:
            assert sight.inside.mean() < 0.5
            continue
        # Which things are to be seen in the pixels where it would be.
        across, up, away = (sight.rays[sight.inside] @ rotation(camera.quat_wxyz)).T
        columns, rows = (
            np.array([across, -up]) / -away * focal_pixels(camera.focal_length, PIXELS) + PIXELS // 2
        ).astype(int)
        label = np.bincount(labels[rows, columns]).argmax()
        called = {item.thing.name: f"the {item.look.words}" for item in scene.items}
        assert called[names[label - FIRST_LABEL]] == hider
