"""What a model that thinks aloud says once it has thought."""

from __future__ import annotations

import re

MARKS = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),
)
"""What begins and what ends the thoughts of models: Qwen, GLM and DeepSeek, ..., Seed, Mistral, Kimi, gpt-oss."""

_SHORTEST = 3
"""Characters of a mark that tell it from what else begins with a bracket."""

_BEGIN = re.compile("|".join(re.escape(begin) for begin, _ in MARKS), re.IGNORECASE)
_END = re.compile("|".join(re.escape(end) for _, end in MARKS), re.IGNORECASE)


def spoken(text: str) -> str | None:
    """What is said after all thoughts, or the text itself where there are none; None if it ends within a thought.

    Chat templates may begin a thought in the prompt, so an end counts without its beginning, too.
    """
    ends = [match.end() for match in _END.finditer(text)]
    said = text[ends[-1] :] if ends else text
    return None if _BEGIN.search(said) else said


def begun(prompt: str) -> str:
    """The mark that a prompt ends with, so that a model goes on with a thought; empty if it ends with none."""
    end = prompt.rstrip().lower()
    return next((begin for begin, _ in MARKS if end.endswith(begin.lower())), "")


def cut_off(tokens: int) -> str:
    """What to say of thoughts that did not end within so many tokens, where a model was to think."""
    return f"Thoughts were cut off after {tokens} tokens, which is no valid answer; raise --thinking"


def is_thought(text: str) -> bool:
    """Whether a text begins with a thought, or is the first token of one, such as ``<think``."""
    begun = text.strip().lower()
    marks = [begin.lower() for begin, _ in MARKS]
    return any(begun.startswith(mark) or (len(begun) >= _SHORTEST and mark.startswith(begun)) for mark in marks)
