"""Facts in sentences: every kind can be said in several ways, and each of them is read as that fact and no other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from hpvqa.explore.samples.fields import FIELDS


@dataclass(frozen=True)
class Claim:
    """A fact.

    Attributes:
        kind: What it is about; see :data:`PHRASES`.
        values: What it says.
    """

    kind: str
    values: Mapping[str, Any]


def claim(kind: str, **values: Any) -> Claim:
    """A fact; see :data:`PHRASES`."""
    return Claim(kind, values)


SEEN: dict[str, tuple[str, ...]] = {
    "thing": ("Here is {look}, {spot}{at}.", "There is {look} {spot}{at}.", "I see {look} {spot}{at}."),
    "found": (
        "Found {place}: {look}, in {picture}{at}.",
        "Hidden {place} was {look}, as {picture} shows{at}.",
        "In {picture} it shows what was {place}: {look}{at}.",
    ),
    "empty": (
        "Found {place}: nothing, in {picture}.",
        "Nothing is {place}, as {picture} shows.",
        "In {picture} it shows that nothing is {place}.",
    ),
    "count": (
        "Of {group}, {number} were seen.",
        "Seen so far of {group}: {number}.",
        "I count {number} seen of {group}.",
    ),
    "new": (
        "The last action brought into view what is {places}.",
        "New since the last action: what is {places}.",
    ),
    "nothing new": ("The last action showed nothing new.", "The last action told nothing."),
}
"""What was seen."""
UNCERTAIN: dict[str, tuple[str, ...]] = {
    "open": (
        "It is not known what is {places}; it may be {kinds}.",
        "Not seen yet is what is {places}; possible there: {kinds}.",
        "What is {places} was not seen; it may be {kinds}.",
    ),
    "idle": (
        "What is {places} was not seen, but cannot change the answer.",
        "Not seen, and of no matter for the answer, is what is {places}.",
    ),
    "all seen": ("All places where something may be hidden were seen.", "Nothing is hidden any more."),
    "possible": ("The answer may be {answers}.", "Possible answers are still {answers}."),
    "certain": (
        "The answer follows from what was seen: {answer}.",
        "From what was seen, only {answer} is possible.",
    ),
}
"""What is not known."""
GAINS: dict[str, tuple[str, ...]] = {
    "option": ("* {letter}: {text} – {gain}: {why}.", "* {letter}: {text} – gain {gain}, for {why}."),
}
"""What an option tells."""
REASONS: dict[str, tuple[str, ...]] = {
    "shows": ("it shows what is {places}", "what is {places} comes into view"),
    "beside": (
        "it shows what is {places}, which cannot change the answer",
        "what is {places} comes into view and is empty for the question",
    ),
    "nearer": (
        "it shows nothing new itself, but is a step towards what is {places}",
        "it only leads on to what is {places}",
    ),
    "hidden": (
        "what is {places} would still be hidden by {hider}",
        "{hider} would still hide what is {places}",
    ),
    "seen": ("what is {places} was seen already", "it shows again what is {places}"),
    "nothing": ("no place where something may be hidden comes into view", "none of the places is in view from there"),
    "again": ("it is put aside already, and would be put there again", "it would only be put aside a second time"),
    "back": ("it would only go back to where it was", "it would return to its first position"),
    "late": ("no decision would be left to answer", "it would be the last decision, without an answer"),
    "needless": ("the answer is certain already", "nothing more need be known"),
    "follows": ("it follows from what was seen", "nothing else is possible"),
    "early": ("it is possible, but so is {answers}", "it is not certain while it may be {answers}"),
    "excluded": ("what was seen rules it out", "it is not possible any more"),
}
"""Why an option tells so much."""
PLANS: dict[str, tuple[str, ...]] = {
    "act": (
        "What was seen does not suffice; {letter} is best, for the sake of what is {places}.",
        "More must be seen: I choose {letter}, to find out what is {places}.",
        "Too little is known to answer: {letter} is the best way to what is {places}.",
    ),
    "answer": (
        "What was seen suffices: I choose {letter}, the answer {answer}.",
        "Nothing more is needed; the answer is {letter}: {answer}.",
    ),
    "guess": (
        "No decision is left after this one: I choose {letter}, the likeliest answer, {answer}.",
        "This is the last decision, and nothing is certain; likeliest is {letter}: {answer}.",
    ),
}
"""What to do."""
CAPTIONS: dict[str, tuple[str, ...]] = {
    "shown": ("Here is {look}{at}.", "There is {look}{at}.", "I see {look}{at}."),
    "bare": ("No thing is to be seen.", "Nothing stands there."),
}
"""What is in one picture."""
TABLES = {
    "captions": CAPTIONS,
    "seen": SEEN,
    "uncertain": UNCERTAIN,
    "gains": GAINS,
    "reasons": REASONS,
    "plans": PLANS,
}
"""By the part of a thought that they stand in; reasons stand inside of gains."""
_BETWEEN = "; "
"""Between reasons."""


@cache
def _patterns(table: str) -> list[tuple[str, re.Pattern[str]]]:
    return [(kind, re.compile(_pattern(phrase))) for kind, ways in TABLES[table].items() for phrase in ways]


def _pattern(phrase: str) -> str:
    parts = re.split(r"\{(\w+)\}", phrase)
    return "".join(
        f"(?P<{part}>{FIELDS[part].pattern})" if odd % 2 else re.escape(part) for odd, part in enumerate(parts)
    )


def write(found: Claim, rng: np.random.Generator) -> str:
    """Say a fact, in one of its ways."""
    ways = next(table[found.kind] for table in TABLES.values() if found.kind in table)
    phrase = ways[int(rng.integers(len(ways)))]
    return phrase.format(**{name: FIELDS[name].write(value) for name, value in found.values.items()})


def reasons(found: tuple[Claim, ...], rng: np.random.Generator) -> str:
    """Say several reasons."""
    return _BETWEEN.join(write(reason, rng) for reason in found)


def read(sentence: str, table: str) -> Claim:
    """Read a sentence.

    Args:
        sentence: The sentence.
        table: Which kinds it may be of, a key of :data:`TABLES`.

    Raises:
        ValueError: It says none of these facts, or more than one.
    """
    found: list[Claim] = []
    for kind, pattern in _patterns(table):
        match = pattern.fullmatch(sentence)
        if match is not None:
            values = {name: FIELDS[name].read(text) for name, text in match.groupdict().items()}
            if Claim(kind, values) not in found:
                found.append(Claim(kind, values))
    if len(found) != 1:
        raise ValueError(
            f"{sentence!r} can be read in {len(found)} ways" if found else f"{sentence!r} says no known fact"
        )
    return found[0]


def read_reasons(text: str) -> tuple[Claim, ...]:
    """Read several reasons.

    Raises:
        ValueError: One of them is none.
    """
    return tuple(read(part, "reasons") for part in text.split(_BETWEEN))
