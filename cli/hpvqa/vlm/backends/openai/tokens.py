"""Which of the tokens that a server lists is which word."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from hpvqa.scene.spec import Side

_BLANKS = str.maketrans({"Ġ": " ", "▁": " ", "Ċ": "\n"})
"""How some tokenizers write a space or the end of a line, which servers may not translate back."""
_SHORTEST = 2
"""Letters of a token that tells which word it begins; with a single one, any word may begin."""


def word_of(token: str) -> str:
    """A token as a word: without the spaces around it, in lower case."""
    return token.translate(_BLANKS).strip().lower()


def by_text(tokens: Mapping[str, float], choices: Sequence[Side]) -> dict[Side, float]:
    """The log-probability of each word that is listed, in whatever way it is written.

    A word may be several tokens, such as ``left``, `` left`` and ``Left``: it has all their probability. If none of the
    words is listed, the model may split them; then what counts are the longest tokens with which only one word begins.

    Args:
        tokens: Tokens that could come first, and their log-probabilities.
        choices: The words.
    """
    listed: dict[str, list[float]] = {}
    for token, logprob in tokens.items():
        listed.setdefault(word_of(token), []).append(logprob)
    whole = {word: _sum(listed[word]) for word in choices if word in listed}
    if whole:
        return whole
    found: dict[Side, float] = {}
    for word in choices:
        others = [other for other in choices if other != word]
        begun = [
            text
            for text in listed
            if len(text) >= _SHORTEST and word.startswith(text) and not any(other.startswith(text) for other in others)
        ]
        if begun:
            found[word] = _sum(listed[max(begun, key=len)])
    return found


def _sum(logprobs: Sequence[float]) -> float:
    """The logarithm of the sum of probabilities."""
    most = max(logprobs)
    return most + math.log(math.fsum(math.exp(value - most) for value in logprobs))
