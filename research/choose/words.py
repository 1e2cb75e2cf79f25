"""The words that agents are asked in, as tokens: what is always said alike is one, and so is what a thing is called."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from hpvqa.explore.agents.words import LETTER_ALONE, SYSTEM
from hpvqa.explore.words import COLORS, HIDER_COLORS, SIZES, SURFACES, Look, Shape

_HIDERS: tuple[Shape, ...] = ("board", "cover", "panel")
_SHAPES: tuple[Shape, ...] = ("cube", "sphere", "cylinder")
_SIDES = ("left", "right")
_WORD = re.compile(r" ?[A-Za-z]+")
_OFTEN = 3
_NOISE = 0.15
"""Of what a token has besides its words, against them."""


def phrases() -> list[str]:
    """What is always said so."""
    rules = (
        "Things may be hidden",
        " behind each large cube, large cylinder or panel",
        " beneath each board",
        " under each cover",
        " beyond the left and the right edge of the first picture",
        ", one at most at each such place, and nowhere else; ",
        "there is exactly one thing beneath each board; ",
        "things are cubes, spheres and cylinders, plain or chequered; boards, covers and panels do not count. "
        "Left and right are the robot's, which faces the viewer at the start, and mean where a thing is at first.",
    )
    asked = (
        *("\nQuestion: ", "There is exactly one", " and exactly one", " on the table", "Is there a", "How many"),
        *(
            ". Do they have the same",
            ". Is it plain or chequered?",
            "If",
            "If all",
            " were taken away",
            ", or equally many?",
        ),
        *(", would there be more", ", how many", " would there be", "Are there more", " or more", " equally many"),
    )
    shown = [
        *("\nView 1, the first view; the viewer stands at ", "\nPicture 1, the first view; the viewer stands at "),
        *("; the viewer stands at ", "° up.\n", "° up, turned ", "View", "Picture", " after"),
        *(f"° to the {side}{end}" for side in _SIDES for end in (", ", ".\n")),
    ]
    told = [". Places:", ": nothing", ": not to be seen", ", put aside", ", moved sideways"]
    # An article belongs to what stands before it, so that a thing is one token with any article.
    before = ["On the table are:", ", put aside,", ", moved sideways,"]
    for side in _SIDES:
        where = f" on the robot's {side}"
        told += [where, f",{where}: nothing", f",{where}: not to be seen"]
        told += [f"{mark} at the far {side} end of the table, seen by the robot" for mark in (". Places:", ";")]
        before += [f"{where},", f",{where}:"]
    told += [f"{words} {article}" for words in before for article in ("a", "an")]
    told += [f"{mark} {word} the" for mark in (". Places:", ";") for word in ("behind", "beneath", "under")]
    directions = [f"Move the viewer one step to its {side}" for side in _SIDES]
    directions += [f"Turn the viewer to its {side}" for side in _SIDES]
    directions += ["Raise the viewer by one step", "Lower the viewer by one step"]
    deeds = ["Pick up the", "Lift the", "Move the", *directions]
    offered = [
        "Decisions left, the answer included: ",
        ": Answer:",
        " and put it aside",
        *(f": {deed}" for deed in deeds),
    ]
    return [SYSTEM, f"\n{LETTER_ALONE}", *rules, *asked, *shown, *told, *offered, *map(" {}".format, range(10))]


def names() -> list[str]:
    """What things are called."""
    looks = [
        Look(shape=shape, size=size, color=color, surface=surface)
        for shape in _SHAPES
        for size in SIZES
        for color in COLORS
        for surface in SURFACES
    ]
    looks += [Look(shape=shape, color=color) for shape in _HIDERS for color in (*COLORS, *HIDER_COLORS)]
    return [f" {look.words}" for look in looks]


def tokens(texts: Iterable[str]) -> list[str]:
    """All tokens that a tokenizer should know, for texts such as these."""
    counts = Counter(word for text in texts for word in _WORD.findall(text))
    # Letters of options stay as they are.
    words = sorted(word for word, count in counts.items() if count >= _OFTEN and len(word.strip()) > 1)
    return list(dict.fromkeys([*phrases(), *names(), *(f" {color}" for color in COLORS), *words]))


def vectors(known: Iterable[str], width: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """An embedding of each token that is made of those of its words, so that what a thing is called tells what it is.

    Args:
        known: The tokens.
        width: Of an embedding.
        rng: Draws those of words.

    Returns:
        Shape (tokens, width); values have a standard deviation of about one half.
    """
    own: dict[str, NDArray[np.float64]] = {}
    found = []
    for token in known:
        # Several cubes are much like one.
        words = [word.removesuffix("s") for word in re.findall(r"[a-z]+|\d", token.lower())] or [token]
        for word in words:
            if word not in own:
                own[word] = rng.normal(0, 0.5, width)
        found.append(sum(own[word] for word in words) / len(words) ** 0.5 + _NOISE * rng.normal(0, 0.5, width))
    return np.array(found, np.float32)


def swapped(known: dict[str, int], size: int, change: dict[str, str]) -> NDArray[np.int64]:
    """What each token becomes if some words become others; what is no token then stays as it is.

    Args:
        known: Numbers of the tokens that are changed.
        size: Of the vocabulary.
        change: The words.

    Returns:
        Numbers of tokens, shape (size,).
    """
    found = np.arange(size)
    pattern = re.compile(rf"\b({'|'.join(change)})\b")
    for token, number in known.items():
        found[number] = known.get(pattern.sub(lambda match: change[match[1]], token), number)
    return found
