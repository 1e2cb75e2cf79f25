"""What a scene makes true, worked out anew from its raw tables: to compare thoughts with, not to write them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from hpvqa.explore.questions import NOTHING as NO_ANSWER
from hpvqa.explore.scene import Action, Moment, Scene
from hpvqa.explore.words import Look
from hpvqa.scene.camera import focal_pixels, rotation
from hpvqa.scene.spec import CameraSpec, Vec3

Known = frozenset[int]
_LEAST = 1e-9
"""Information that is no more is none [bit]."""


class Exact:
    """The facts of one scene.

    Args:
        scene: The scene.
    """

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        first = self.in_view(scene.start)
        choices = [
            [scene.contents[number]] if number in first else list(range(len(place.contents)))
            for number, place in enumerate(scene.places)
        ]
        grid = np.indices([len(numbers) for numbers in choices]).reshape(len(choices), -1).T
        worlds = np.array([[choices[p][n] for p, n in enumerate(row)] for row in grid.tolist()])
        items = [(item.look, item.left) for item in scene.items]
        codes = scene.question.program.codes(items, scene.places, worlds)
        real = codes != NO_ANSWER
        self._worlds, self._codes = worlds[real], codes[real]
        chances = np.ones(len(self._codes))
        for number, place in enumerate(scene.places):
            if number not in first:
                chances *= np.array([place.chances[content] for content in self._worlds[:, number]])
        for code in set(self._codes.tolist()):
            chances[self._codes == code] /= chances[self._codes == code].sum()
        self._chances = chances / chances.sum()
        self._gains: dict[tuple[Known, Known], float] = {}
        self._before: dict[tuple[Moment, int, str | None], bool] = {}

    def in_view(self, moment: Moment) -> Known:
        """Numbers of the places that are seen at a moment."""
        mask = sum(1 << number for number in moment.done)
        return frozenset(n for n, bits in enumerate(self.scene.reveals[moment.view]) if int(bits, 16) & (1 << mask))

    def follow(self, moment: Moment, action: Action) -> Moment:
        """Where an action leads."""
        for kind, way, view in self.scene.views[moment.view].exits:
            if (kind, way) == (action.kind, action.target):
                return Moment(view=view, done=moment.done)
        (number,) = (n for n, deed in enumerate(self.scene.deeds) if deed.thing == action.target)
        done = set(moment.done)
        done = done ^ {number} if action.kind == "move" else done | {number}
        return Moment(view=moment.view, done=tuple(sorted(done)))

    def offered(self, moment: Moment) -> Iterator[Action]:
        """What can be done."""
        scene, mask = self.scene, sum(1 << number for number in moment.done)
        for kind, way, _ in scene.views[moment.view].exits:
            yield Action(kind=kind, target=way)
        for number, deed in enumerate(scene.deeds):
            shown = int(scene.shows[moment.view][number], 16) >> mask & 1
            if shown and set(deed.after) <= set(moment.done):
                yield Action(kind=deed.kind, target=deed.thing)

    def away(self, moment: Moment, place: int, most: int) -> int:
        """How many actions away a place is; more than the most if it is farther."""
        frontier, known = {moment}, {moment}
        for length in range(most + 1):
            if any(place in self.in_view(there) for there in frontier):
                return length
            frontier = {self.follow(there, action) for there in frontier for action in self.offered(there)} - known
            known |= frontier
        return most + 1

    def left(self, known: Known) -> NDArray[np.bool_]:
        """Which worlds agree with what is at known places."""
        contents = self.scene.contents
        fits = np.ones(len(self._codes), bool)
        for number in known:
            fits &= self._worlds[:, number] == contents[number]
        return fits

    def answers(self, known: Known) -> dict[str, float]:
        """How likely each answer is that is possible."""
        fits, word = self.left(known), self.scene.question.program.word
        total = self._chances[fits].sum()
        codes = sorted(set(self._codes[fits].tolist()))
        return {word(code): float(self._chances[fits & (self._codes == code)].sum() / total) for code in codes}

    def looks(self, known: Known, place: int) -> set[Look | None]:
        """What may be at a place."""
        return {self.scene.places[place].contents[n] for n in self._worlds[self.left(known), place].tolist()}

    def matters(self, known: Known, place: int) -> bool:
        """Whether a place tells something of the answer by itself, or differs alone in two worlds of two answers."""
        # Where a question says that there is exactly one, no two worlds may differ in one place alone.
        if self.gain(known, frozenset({place})) > _LEAST:
            return True
        fits = self.left(known)
        others = np.delete(self._worlds[fits], place, axis=1)
        seen: dict[tuple[int, ...], int] = {}
        for row, code in zip(map(tuple, others.tolist()), self._codes[fits].tolist(), strict=True):
            if seen.setdefault(row, code) != code:
                return True
        return False

    def gain(self, known: Known, new: Known) -> float:
        """Expected information about the answer in seeing some places [bit]: its mutual information with them."""
        key = (known, frozenset(new - known))
        if key not in self._gains:
            self._gains[key] = self._information(*key)
        return self._gains[key]

    def _information(self, known: Known, new: Known) -> float:
        if not new:
            return 0.0
        fits = self.left(known)
        chances = self._chances[fits] / self._chances[fits].sum()
        joint: dict[tuple[tuple[int, ...], int], float] = defaultdict(float)
        shown: dict[tuple[int, ...], float] = defaultdict(float)
        answers: dict[int, float] = defaultdict(float)
        rows = map(tuple, self._worlds[fits][:, sorted(new)].tolist())
        for row, code, chance in zip(rows, self._codes[fits].tolist(), chances.tolist(), strict=True):
            joint[row, code] += chance
            shown[row] += chance
            answers[code] += chance
        return sum(p * math.log2(p / (shown[row] * answers[code])) for (row, code), p in joint.items())

    def stands_before(self, moment: Moment, place: int, hider: str | None) -> bool:
        """Whether a thing, or the edge of the picture, hides a point of what may be at a place, along lines of sight.

        Args:
            moment: When.
            place: Number of the place.
            hider: What a person calls the thing, without its article; None: the edge.
        """
        key = (moment, place, hider)
        if key not in self._before:
            self._before[key] = self._stands_before(*key)
        return self._before[key]

    def _stands_before(self, moment: Moment, place: int, hider: str | None) -> bool:
        scene, where = self.scene, self.scene.places[place]
        camera = scene.views[moment.view].camera
        eye = np.array(camera.position)
        moved = {scene.deeds[number].thing: scene.deeds[number].to for number in moment.done}
        boxes = [
            (np.array(moved.get(item.thing.name, item.thing.position)), np.array(item.thing.size) / 2)
            for item in scene.items
            if item.look.words == hider
        ]
        for look in filter(None, where.contents):
            thing = where.thing(look)
            for point in _points(thing.position, thing.size):
                if hider is None and not _inside(camera, point):
                    return True
                line = eye + np.linspace(0, 0.999, 400)[:, None] * (point - eye)
                if any((np.abs(line - center) <= half).all(axis=1).any() for center, half in boxes):
                    return True
        return False


def _points(center: Vec3, size: Vec3) -> NDArray[np.float64]:
    corners = np.indices((3, 3, 3)).reshape(3, -1).T - 1
    return np.asarray(np.array(center) + corners * np.array(size) * 0.45)


def _inside(camera: CameraSpec, point: NDArray[np.float64]) -> bool:
    local = (point - np.array(camera.position)) @ rotation(camera.quat_wxyz)
    middle: Sequence[float] = (local[:2] / -local[2] * focal_pixels(camera.focal_length, 2)).tolist()
    return max(map(abs, middle)) < 1
