"""Choices are read from text strictly, and scored as whole answers."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpvqa.errors import UsageError
from hpvqa.vlm.prompt import CHOICES
from hpvqa.vlm.scoring import Candidates, MassCheck, candidates, likeliest
from hpvqa.vlm.strict import parse_choice
from hpvqa.vlm.thoughts import is_thought
from hpvqa.vlm.tiny.tokenizer import build_tokenizer

PROMPT = "<|im_start|>user\nWhich cube looks heavier, left or right?<|im_end|>\n<|im_start|>assistant\n"


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("left", "left"),
        (" Right.\n", "right"),
        ("**LEFT**", "left"),
        ("'right'", "right"),
        ("The left one, the left one!", "left"),
        ("the left-hand cube", "left"),
        ("<answer>right</answer>", "right"),
        ("", None),
        ("both", None),
        ("left or right", None),
        ("Right? No, left.", None),
        ("leftover", None),
        ("upright", None),
        ("left_cube", None),
        ("brightleft", None),
    ],
)
def test_a_choice_is_read_strictly(text: str, choice: str | None) -> None:
    assert parse_choice(text, CHOICES) == choice
    assert parse_choice(text, CHOICES[::-1]) == choice


PIECES = st.sampled_from(["left", "right", "Left", "RIGHT", "a", "_", "é", "1", " ", ".", "'", '"', "-", "\n", "*"])


@given(st.lists(PIECES, max_size=8).map("".join))
def test_a_choice_is_read_if_just_one_is_among_the_words(text: str) -> None:
    words = {word.lower() for word in re.split(r"\W+", text)} & set(CHOICES)
    assert parse_choice(text, CHOICES) == (words.pop() if len(words) == 1 else None)


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("<think>The left one slid further.</think>right", "right"),
        ("The left one slid further.</think> right", "right"),
        ("<think>The left cube", None),
        ("right <think>or left", None),
        ("<think>a</think>left<think>", None),
        ("<THINK>left</THINK>\n\n**Right**", "right"),
        ("[THINK]left[/THINK]right", "right"),
        ("◁think▷left", None),
        ("<|channel|>analysis<|message|>left<|end|><|channel|>final<|message|>right", "right"),
        ("<think></think>", None),
        ("I think left", "left"),
    ],
)
def test_thoughts_are_no_answer(text: str, choice: str | None) -> None:
    assert parse_choice(text, CHOICES) == choice


@pytest.mark.parametrize(
    ("text", "thought"),
    [("<think>", True), (" <think", True), ("<think>a", True), ("[THINK]", True), ("<|channel|>", True)]
    + [(text, False) for text in ("", "<", "left", "think", "</think>", "[", "<b>left</b>")],
)
def test_the_first_token_may_begin_a_thought(text: str, thought: bool) -> None:
    assert is_thought(text) == thought


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("left", "left"),
        ("**Left**", "left"),
        (" right.\nThe cube", "right"),
        ("Right, because", "right"),
        ("The left cube moved", None),
        ("Left cube moved", None),
        ("left-hand cube", None),
        ("Right or left", None),
        ("right. The left one", None),
        ("<think>x</think>left", "left"),
        ("", None),
    ],
)
def test_of_a_text_that_is_cut_off_only_its_first_word_counts(text: str, choice: str | None) -> None:
    assert parse_choice(text, CHOICES, cut=True) == choice


@pytest.mark.models
def test_single_tokens_take_one_step() -> None:
    tokenizer = build_tokenizer("qwen3_vl", "whole")
    found = candidates(tokenizer, PROMPT, CHOICES)
    assert [tokenizer.decode(tokens) for tokens in found.tokens] == list(CHOICES)
    assert [(step.prefix, step.following) for step in found.steps] == [((), tuple(t[0] for t in found.tokens))]
    assert found.logprobs([(-0.5, -1.0)]) == {"left": -0.5, "right": -1.0}


@pytest.mark.models
@pytest.mark.parametrize("words", ["split", "collide"])
def test_words_of_several_tokens_are_scored_to_their_ends(words: str) -> None:
    tokenizer = build_tokenizer("qwen3_vl", words)  # type: ignore[arg-type]
    found = candidates(tokenizer, PROMPT, CHOICES)
    assert all(len(tokens) > 1 for tokens in found.tokens)
    assert (found.tokens[0][0] == found.tokens[1][0]) == (words == "collide")
    assert found.steps[0].prefix == ()
    for word, tokens in zip(CHOICES, found.tokens, strict=True):
        assert tokenizer(PROMPT + word)["input_ids"] == [*tokenizer(PROMPT)["input_ids"], *tokens]


class Letters:
    """One token a letter; some pairs are one."""

    def __init__(self, pairs: Sequence[str] = (), end: int | None = 99) -> None:
        self.eos_token_id = end
        self._pairs = pairs

    def __call__(self, text: str, *, add_special_tokens: bool) -> dict[str, list[int]]:
        assert not add_special_tokens
        pieces = re.findall("|".join([*map(re.escape, self._pairs), "."]), text, re.DOTALL)
        return {"input_ids": [sum(ord(letter) * 300**i for i, letter in enumerate(piece)) for piece in pieces]}


def test_an_answer_that_begins_another_ends_with_the_turn() -> None:
    found = candidates(Letters(), "?", ("l", "le"))  # type: ignore[arg-type]
    assert found.tokens == ((ord("l"), 99), (ord("l"), ord("e"), 99))
    assert found.steps[1].following == (99, ord("e"))
    assert candidates(Letters(), "?", CHOICES).tokens[0][-1] == ord("t")
    with pytest.raises(UsageError, match="scoring generate"):
        candidates(Letters(end=None), "?", ("l", "le"))  # type: ignore[arg-type]


def test_a_prompt_that_runs_into_the_answer_is_refused() -> None:
    with pytest.raises(UsageError, match="joins the end of the prompt with the answer 'left'"):
        candidates(Letters([" l"]), "Answer: ", CHOICES)


def test_answers_that_are_written_alike_are_refused() -> None:
    with pytest.raises(UsageError, match="alike"):
        candidates(Letters(), "?", ("left", "left"))


@given(st.integers(0, 2**32), st.integers(2, 4), st.booleans())
def test_scores_are_the_probabilities_of_whole_answers(seed: int, size: int, prefixes: bool) -> None:
    """A model over few tokens, in which every answer of a given length can be written down."""
    rng = np.random.default_rng(seed)
    longest = 3

    def following(prefix: tuple[int, ...]) -> np.ndarray:
        table = np.random.default_rng([seed, len(prefix), *prefix]).random(size)
        return np.log(table / table.sum())

    lengths = rng.integers(1, longest + 1, 2)
    tokens = tuple(tuple(int(t) for t in rng.integers(0, size, length)) for length in lengths)
    begins = tokens[0] == tokens[1][: lengths[0]] or tokens[1] == tokens[0][: lengths[1]]
    if begins:
        return
    found = Candidates(CHOICES, tokens)
    logprobs = found.logprobs([[following(step.prefix)[t] for t in step.following] for step in found.steps])
    for choice, answer in zip(CHOICES, tokens, strict=True):
        mass = sum(
            math.exp(sum(following(text[:end])[text[end]] for end in range(longest)))
            for text in itertools.product(range(size), repeat=longest)
            if text[: len(answer)] == answer
        )
        assert math.exp(logprobs[choice]) == pytest.approx(mass)
    assert sum(map(math.exp, logprobs.values())) <= 1 + 1e-9


def test_the_first_choice_wins_a_tie() -> None:
    assert likeliest({"left": -1.0, "right": -1.0}, CHOICES) == "left"
    assert likeliest({"left": -1.0, "right": -1.0}, CHOICES[::-1]) == "right"
    assert likeliest({"left": -1.0, "right": -0.9}, CHOICES) == "right"


def test_a_model_that_would_rather_say_something_else_is_told_of_once() -> None:
    told: list[str] = []
    mass = MassCheck(told.append)
    mass.check({"left": math.log(0.3), "right": math.log(0.21)}, "left")
    assert told == []
    mass.check({"left": 900.0, "right": -1.0}, "left")
    assert told == []
    mass.check({"left": math.log(0.3), "right": math.log(0.1)}, "Hm")
    mass.check({"left": math.log(0.1), "right": math.log(0.1)}, "")
    assert len(told) == 1
    assert "0.4" in told[0]
    assert "'Hm'" in told[0]
