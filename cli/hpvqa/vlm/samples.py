"""One answer from several that were drawn."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from statistics import median_low

from hpvqa.scene.spec import Side
from hpvqa.vlm.protocol import Answer


def seeds_of(key: str, seed: int, count: int) -> list[int]:
    """Seeds of the answers to one query, so that none depends on which queries came before.

    Args:
        key: The query's key.
        seed: Seed of all draws.
        count: How many answers are drawn.
    """
    digests = (hashlib.sha256(f"{seed}\0{key}\0{number}".encode()).digest() for number in range(count))
    return [int.from_bytes(digest[:8], "big") >> 1 for digest in digests]


def counted(drawn: Sequence[Answer], choices: Sequence[Side]) -> Answer:
    """What most of several answers say; of words that equally many say, the one that was said first.

    A number is the (lower) median of the numbers that were said. Answers that failed are not counted; those that were
    no valid answer are, so that shares need not add up to 1.

    Args:
        drawn: The answers, at least one.
        choices: What could be chosen; empty where a number was asked for.
    """
    whole = [answer for answer in drawn if answer.error is None]
    if not whole:
        return drawn[0]
    said = Counter[Side](answer.choice for answer in whole if answer.choice is not None)
    choice = said.most_common(1)[0][0] if said else None
    values = [answer.value for answer in whole if answer.value is not None]
    value = median_low(values) if values else None
    one = next((answer for answer in whole if (answer.choice, answer.value) == (choice, value)), whole[0])
    tokens = [answer.answer_tokens for answer in drawn if answer.answer_tokens is not None]
    shares = {word: said[word] / len(whole) for word in choices} if choices else None
    return replace(one, choice=choice, value=value, answer_tokens=sum(tokens) if tokens else None, shares=shares)
