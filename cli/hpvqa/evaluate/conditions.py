"""Conditions: the same rows asked in another way, each with one thing changed, to see what an answer rests on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hpvqa.errors import UsageError, nearest
from hpvqa.scene.spec import Side, other_side
from hpvqa.vlm.frames.clip import Frames
from hpvqa.vlm.prompt import swap_sides
from hpvqa.vlm.protocol import Query

GREY = 128
"""Value of every channel of a blank frame."""
MULTIVIEW = "multiview"
"""The condition, and what stands for the camera in its predictions."""


@dataclass(frozen=True)
class Condition:
    """One way of asking.

    Attributes:
        name: Its name.
        description: What it changes and what that shows, in a line.
        change: The query as it is asked under this condition, from the plain one (with its frames if the answerer is
            given them) and the random seed of the condition.
        needs_frames: Whether it changes what is seen, so that only an answerer that is given frames can be asked so.
        joins_views: Whether all clips of an episode go into one query; see :func:`join_views`.
        flips_answer: Whether the other answer becomes the right one.
        exchanges_sides: Whether left and right are exchanged in the words or in the frames, so that a question about
            one thing would be about another.
    """

    name: str
    description: str
    change: Callable[[Query, int], Query] = lambda query, seed: query
    needs_frames: bool = False
    joins_views: bool = False
    flips_answer: bool = False
    exchanges_sides: bool = False

    def __reduce__(self) -> tuple[Callable[[str], Condition], tuple[str]]:
        """Sent to other processes, it is known by its name."""
        return get_condition, (self.name,)

    def answer(self, answer: Side) -> Side:
        """The correct answer under this condition, from that to the plain query."""
        return other_side(answer) if self.flips_answer else answer


def join_views(queries: Sequence[Query], key: str) -> Query:
    """One query about all clips of an episode.

    Its videos are those of all the queries in their order, and everything about a single clip is that of the first.

    Args:
        queries: The plain queries of one question about an episode, at least one, in the order of the data set.
        key: What the question is known by.
    """
    videos = tuple(video for query in queries for video in query.videos)
    return replace(queries[0], key=key, camera=None, videos=videos)


def mirrored(query: Query) -> Query:
    """The same question about frames that are flipped from left to right; the other answer is the true one."""
    # No camera recorded what is seen now.
    return replace(_with_images(query, lambda images: images[:, :, ::-1]), camera=None)


def _swap(query: Query, seed: int) -> Query:
    # The system prompt and the frames stay: both orders of a clip have the same beginning, which a model may keep.
    return replace(query, text=swap_sides(query.text), choices=query.choices[::-1])


def _mirror(query: Query, seed: int) -> Query:
    return mirrored(query)


def _blank(query: Query, seed: int) -> Query:
    return _with_images(query, lambda images: np.full_like(images, GREY))


def _shuffle(query: Query, seed: int) -> Query:
    digest = hashlib.sha256(query.key.encode()).digest()
    sequence = np.random.SeedSequence(seed, spawn_key=(int.from_bytes(digest, "big"),))
    generator = np.random.default_rng(sequence)
    return _with_images(query, lambda images: _shuffled(images, generator))


def _shuffled(images: NDArray[np.uint8], generator: np.random.Generator) -> NDArray[np.uint8]:
    if (images == images[:1]).all():
        return images
    while True:
        shuffled = generator.permutation(images)
        if (shuffled != images).any():
            return shuffled


def _single(query: Query, seed: int) -> Query:
    return replace(
        query,
        videos=tuple(replace(video, images=video.images[-1:], indices=video.indices[-1:]) for video in query.videos),
    )


def _with_images(query: Query, change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> Query:
    def changed(video: Frames) -> Frames:
        return replace(video, images=np.ascontiguousarray(change(video.images)))

    return replace(query, videos=tuple(changed(video) for video in query.videos))


PLAIN = Condition("plain", "As the data set has it.")

CONDITIONS: Mapping[str, Condition] = {
    condition.name: condition
    for condition in (
        PLAIN,
        Condition(
            "swap",
            "The choices in the other order: shows a preference for a place in the question.",
            _swap,
            exchanges_sides=True,
        ),
        Condition(
            "mirror",
            "Frames flipped horizontally, which makes the other answer right: shows a preference for a side.",
            _mirror,
            needs_frames=True,
            flips_answer=True,
            exchanges_sides=True,
        ),
        Condition("blank", "Grey frames: what is answered from the text alone.", _blank, needs_frames=True),
        Condition(
            "shuffle", "Frames out of order at the same times: whether order matters.", _shuffle, needs_frames=True
        ),
        Condition("single", "Only the last of the frames: whether motion matters.", _single, needs_frames=True),
        Condition(MULTIVIEW, "All clips of an episode in one query.", needs_frames=True, joins_views=True),
    )
}


def get_condition(name: str) -> Condition:
    """A condition by name.

    Raises:
        UsageError: There is none; the message names the nearest one.
    """
    if name not in CONDITIONS:
        raise UsageError(f"There is no condition {name!r}; {nearest(name, CONDITIONS)}")
    return CONDITIONS[name]


def parse_conditions(text: str) -> tuple[Condition, ...]:
    """Conditions from names between commas, each once, in the order of their first mention.

    Raises:
        UsageError: There is no such condition, or no name at all.
    """
    names = dict.fromkeys(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise UsageError(f"No condition is named; {nearest('', CONDITIONS)}")
    return tuple(get_condition(name) for name in names)
