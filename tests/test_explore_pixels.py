"""Every word for what a thing looks like can be told from its pixels."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from functools import cache
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from hpvqa.explore.layouts.types import TYPES
from hpvqa.explore.layouts.views import draw_views
from hpvqa.explore.protocol import Shot
from hpvqa.explore.rays import PIXELS, Sight, bodies
from hpvqa.explore.robot import at_home
from hpvqa.explore.samples.pictures import jpeg
from hpvqa.explore.words import ATTRIBUTES, COLORS, HIDER_COLORS, SHAPES, SIZES, SURFACES, Look
from hpvqa.scene.camera import focal_pixels, rotation
from hpvqa.scene.materials import material_room
from hpvqa.scene.spec import CameraSpec, LightSpec, Thing, WorldSpec
from hpvqa.sim import open_simulator
from hpvqa.sim.protocol import FIRST_LABEL, SteppedSimulator
from tests.needs import long_but

LOOKS = [Look(shape=s, size=z, color=c, surface=f) for s, z, c, f in product(SHAPES, SIZES, COLORS, SURFACES)]
LOOKS += [Look(shape=shape, color=color) for shape in ("board", "cover", "panel") for color in HIDER_COLORS]
CELLS = [(x, y) for x in (0.36, 0.52, 0.68) for y in (-0.24, -0.08, 0.08, 0.24)]
KINDS = (TYPES["occlusion"][0], TYPES["stack"][0], TYPES["cover"][2])
"""Seen from low, from steep and from in between."""
TOGETHER = 7
Mask = NDArray[np.bool_]


@dataclass
class Seen:
    """A thing in a picture.

    Attributes:
        look: What it looks like.
        at: Its middle, on the table [m].
        camera: From where it is seen.
        image: The picture.
        mask: Its pixels.
    """

    look: Look
    at: tuple[float, float]
    camera: CameraSpec
    image: NDArray[np.uint8]
    mask: Mask

    def color(self) -> NDArray[np.float64]:
        """Its usual colour, and how light that is."""
        inside = self.image[self.mask].astype(float)
        light = inside.sum(axis=1, keepdims=True)
        return np.append(np.median(inside / light, axis=0), np.median(light) / 4500)

    def surface(self) -> NDArray[np.float64]:
        """How often its shade jumps from one pixel to the next, off its outline."""
        inner = self.mask
        for _ in range(2):
            inner = inner & np.all([np.roll(inner, by, axis) for by in (-1, 1) for axis in (0, 1)], axis=0)
        gray = self.image.astype(float).mean(axis=-1) / self.image[self.mask].mean()
        jumps = np.maximum(abs(gray - np.roll(gray, 1, 0)), abs(gray - np.roll(gray, 1, 1)))[inner]
        return np.array([np.mean(jumps > 0.05), np.mean(jumps > 0.1)])

    def outline(self) -> Look:
        """What of all that could stand there has the most similar outline."""
        rows, columns = (slice(max(at.min() - 8, 0), at.max() + 9) for at in np.nonzero(self.mask))
        overlap = {}
        for look in {(look.shape, look.size): look for look in LOOKS}.values():
            would = outline(self.camera, standing(look, "thing", self.at), rows, columns)
            mask = self.mask[rows, columns]
            overlap[look] = (mask & would).sum() / (mask | would).sum()
        return max(overlap, key=lambda look: overlap[look])


def standing(look: Look, name: str, at: tuple[float, float]) -> Thing:
    return look.thing(name, (*at, look.full_size[2] / 2))


def outline(camera: CameraSpec, thing: Thing, rows: slice, columns: slice) -> Mask:
    """In which pixels a thing is seen that stands alone, by rays."""
    down, across = np.mgrid[rows, columns].astype(float)[:, : PIXELS - rows.start, : PIXELS - columns.start]
    focal = focal_pixels(camera.focal_length, PIXELS)
    local = np.stack([across + 0.5 - PIXELS / 2, PIXELS / 2 - down - 0.5, np.full_like(down, -focal)], axis=-1)
    rays = local.reshape(-1, 3) @ rotation(camera.quat_wxyz).T
    met = [np.isfinite(body.distances(np.array(camera.position), rays)) for body in bodies(thing)]
    return np.any(met, axis=0).reshape(down.shape)


@cache
def simulator() -> SteppedSimulator:
    pytest.importorskip("mujoco", exc_type=ImportError)
    return open_simulator((PIXELS, PIXELS))


def pictured(looks: list[Look], rng: np.random.Generator) -> list[Seen]:
    """Some things on a table, seen from somewhere; without those that others hide in part."""
    kind = KINDS[int(rng.integers(len(KINDS)))]
    views = draw_views(kind, float(rng.uniform(*kind.menu.stride)), rng)
    assert views is not None
    camera = views[int(rng.integers(len(views)))].camera
    cells = [CELLS[number] for number in rng.permutation(len(CELLS))[: len(looks)]]
    things = [standing(look, f"thing{n + 1}", cell) for n, (look, cell) in enumerate(zip(looks, cells, strict=True))]
    light = LightSpec(position=(1.1, -0.5, 1.8), shadows=False)
    world = WorldSpec(things=tuple(things), room=material_room(rng), light=light, cameras=(camera,))
    simulator().reset(world, at_home().command(0.0))
    image, labels = simulator().render(camera).copy(), simulator().segment(camera)
    found = []
    for number, (look, cell) in enumerate(zip(looks, cells, strict=True)):
        mask = labels == FIRST_LABEL + number
        if mask.sum() > 0.92 * len(Sight.of(camera, bodies(things[number])).rays):
            found.append(Seen(look, cell, camera, image, mask))
    return found


def compressed(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture as training data hold it."""
    _, data = jpeg(Shot(image, "here")) or ("", b"")
    return np.asarray(Image.open(io.BytesIO(data)))


def album(looks: list[Look], seed: int) -> list[Seen]:
    """Every one of these looks once or more, wherever it is seen whole."""
    rng = np.random.default_rng(seed)
    found: list[Seen] = []
    while missing := [look for look in looks if look not in {seen.look for seen in found}]:
        found += pictured([missing[number] for number in rng.permutation(len(missing))[:TOGETHER]], rng)
    return found


@pytest.mark.simulation
@pytest.mark.parametrize("looks", long_but([LOOKS[::7], LOOKS]), ids=["some", "all"])
def test_every_word_of_every_look_is_told_from_pixels(looks: list[Look]) -> None:
    known, asked = album(looks, 0), album(looks, 1)
    # Who learnt from training pictures, which are compressed, tells every word in the pictures of a run, too.
    for learnt in (known, [replace(seen, image=compressed(seen.image)) for seen in known]):
        assert not mistaken(learnt, asked)
    assert {seen.look for seen in asked} == set(looks)


def mistaken(known: list[Seen], asked: list[Seen]) -> list[tuple[str, str, str]]:
    """Which words are told wrongly, and what is told."""
    nearest = {
        "color": np.stack([seen.color() for seen in known]),
        "surface": np.stack([seen.surface() for seen in known]),
    }
    wrong = []
    for seen in asked:
        told = {name: getattr(seen.outline(), name) for name in ("shape", "size")}
        for name, table in nearest.items():
            at = int(((table - getattr(seen, name)()) ** 2).sum(axis=1).argmin())
            told[name] = getattr(known[at].look, name)
        wrong += [(seen.look.words, name, told[name]) for name in ATTRIBUTES if told[name] != getattr(seen.look, name)]
    return wrong
