"""From what a model says, or from how likely it is to say it, to one of the choices."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from hpvqa.errors import UsageError
from hpvqa.scene.spec import Side

LEAST_MASS = 0.5
"""A model that gives the choices together less than this would rather say something else."""

Tokens = tuple[int, ...]
S = TypeVar("S", bound=str)
"""The words of answers: left and right, or any."""


@dataclass(frozen=True)
class Step:
    """One look at a model's next token.

    Attributes:
        prefix: Tokens of the answer that are there already.
        following: Tokens that may come next, each in another answer.
    """

    prefix: Tokens
    following: Tokens


@dataclass(frozen=True)
class Candidates(Generic[S]):
    """The answers that can be given, as tokens.

    Where they are single tokens, one step gives the probability of each. Where a word is split, or both begin alike,
    the probability of each whole sequence is the product over its tokens, and every step looks at one of them.

    Attributes:
        choices: The words.
        tokens: The tokens of each.
    """

    choices: tuple[S, ...]
    tokens: tuple[Tokens, ...]

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Everything that must be looked at; the first step is the one with no prefix."""
        following: dict[Tokens, dict[int, None]] = {}
        for answer in self.tokens:
            for end, token in enumerate(answer):
                following.setdefault(answer[:end], {})[token] = None
        ordered = sorted(following.items(), key=lambda item: len(item[0]))
        return tuple(Step(prefix, tuple(tokens)) for prefix, tokens in ordered)

    def logprobs(self, found: Sequence[Sequence[float]]) -> dict[S, float]:
        """Natural logarithm of the probability of each choice.

        Args:
            found: For each step, that of each token that may follow.
        """
        of_token = {
            (step.prefix, token): value
            for step, values in zip(self.steps, found, strict=True)
            for token, value in zip(step.following, values, strict=True)
        }
        return {
            choice: math.fsum(of_token[answer[:end], token] for end, token in enumerate(answer))
            for choice, answer in zip(self.choices, self.tokens, strict=True)
        }


def candidates(tokenizer: Any, prompt: str, choices: Sequence[S]) -> Candidates[S]:
    """The choices as tokens that continue a prompt.

    Where one answer is the beginning of another, what ends a turn belongs to both of them: without it, the shorter one
    would be counted whenever the longer one is said.

    Args:
        tokenizer: Tokenizer of the model.
        prompt: What the answer follows.
        choices: The words.

    Raises:
        UsageError: The tokenizer joins the end of the prompt with the answer, or cannot tell the answers apart.
    """
    before = _encode(tokenizer, prompt)
    answers = []
    for word in choices:
        both = _encode(tokenizer, prompt + word)
        if both[: len(before)] != before or len(both) == len(before):
            raise UsageError(
                f"The tokenizer joins the end of the prompt with the answer {word!r}, so it cannot be scored; "
                "use --scoring generate"
            )
        answers.append(both[len(before) :])
    if len(set(answers)) < len(answers):
        raise UsageError(f"The tokenizer writes {' and '.join(choices)} alike, so they cannot be told apart")
    if any(a != b and b[: len(a)] == a for a in answers for b in answers):
        if tokenizer.eos_token_id is None:
            raise UsageError(
                "The tokenizer has no token that ends an answer, and one answer begins another; use --scoring generate"
            )
        answers = [(*answer, int(tokenizer.eos_token_id)) for answer in answers]
    return Candidates(tuple(choices), tuple(answers))


def _encode(tokenizer: Any, text: str) -> Tokens:
    return tuple(tokenizer(text, add_special_tokens=False)["input_ids"])


def likeliest(logprobs: Mapping[Side, float], choices: Sequence[Side]) -> Side:
    """The choice that is likeliest to be said; the first one where several are."""
    return max(choices, key=lambda choice: logprobs[choice])


class MassCheck:
    """Warns once of a model that would rather say something else.

    Args:
        tell: Takes the warning.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._told = False

    def check(self, logprobs: Mapping[Side, float], text: str) -> None:
        """Look at one answer.

        Args:
            logprobs: Of each choice.
            text: What the model would have said.
        """
        mass = math.fsum(math.exp(min(value, 0.0)) for value in logprobs.values())
        if mass >= LEAST_MASS or self._told:
            return
        self._told = True
        words = " and ".join(logprobs)
        rather = f" (such as {text!r})" if text.strip() else ""
        self._tell(
            f"The model gives {words} together a probability of only {mass:.2g}: it would rather say something "
            f"else{rather}, so its preference between them means little; look at p_choices in the predictions"
        )
