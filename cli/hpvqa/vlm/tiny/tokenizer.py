"""A byte-level tokenizer that knows the words of the questions, and any text besides."""

from __future__ import annotations

from typing import Any

from hpvqa.vlm.tiny.kinds import SPECIALS, Kind, Words

ANSWERS = ("left", "right")
VOCABULARY = (
    *(
        "which",
        "cube",
        "sphere",
        "looks",
        "heavier",
        "more",
        "elastic",
        "the",
        "one",
        "or",
        "From",
        "perspective",
        "of",
    ),
    *("robot", "arm", "facing", "forward", "You", "are", "a", "helpful", "assistant", "Answer", "with", "only"),
    *("single", "word", "system", "user", "seconds", "Frame"),
)
SPACE = "Ġ"
"""What byte-level tokenizers write for a space."""
MARK = "▁"
"""What precedes a word in tokenizers that mark the beginning of words."""

Merge = tuple[str, str]

_QWEN = {
    "image_token": "<|image_pad|>",
    "video_token": "<|video_pad|>",
    "vision_bos_token": "<|vision_start|>",
    "vision_eos_token": "<|vision_end|>",
}
_NAMED: dict[Kind, dict[str, str]] = {
    "internvl": {
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    },
    "llava_onevision": {"image_token": "<image>", "video_token": "<video>"},
}
"""What processors know special tokens by; those of Qwen for all other kinds."""


def build_tokenizer(kind: Kind, words: Words = "whole") -> Any:
    """A tokenizer of the class that the real model has.

    Args:
        kind: The checkpoint that it is for.
        words: How it treats left and right.
    """
    from tokenizers import decoders, normalizers
    from transformers import AddedToken, PreTrainedTokenizerFast, Qwen2Tokenizer
    from transformers.models.qwen3_5.tokenization_qwen3_5 import Qwen3_5Tokenizer

    specials = SPECIALS[kind]
    vocab, merges = _pieces(words)
    options: dict[str, Any] = {
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "unk_token": "<|endoftext|>",
        "extra_special_tokens": _NAMED.get(kind, _QWEN),
    }
    cls = Qwen3_5Tokenizer if kind == "qwen3_5" else Qwen2Tokenizer
    tokenizer = cls(vocab=vocab, merges=merges, **options)
    if words == "collide":
        backend = tokenizer.backend_tokenizer
        backend.normalizer = normalizers.Sequence([normalizers.Replace(word, MARK + word) for word in ANSWERS])
        mark = "".join(_bytes(MARK))
        backend.decoder = decoders.Sequence([decoders.Replace(mark, ""), decoders.ByteLevel()])
        # The real class would make its own normalizer again when it is loaded.
        tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, **options)
    tokenizer.add_tokens([AddedToken(token, special=True, normalized=False) for token in specials])
    tokenizer.add_tokens([AddedToken(token, special=False, normalized=False) for token in ("<think>", "</think>")])
    return tokenizer


def _pieces(words: Words) -> tuple[dict[str, int], list[Merge]]:
    """Vocabulary and merges: every word is put together letter by letter, and then joined with a space before it."""
    whole = VOCABULARY if words == "split" else (*ANSWERS, *VOCABULARY)
    merges: dict[Merge, None] = {}
    if words == "collide":
        merges.update(dict.fromkeys(_chain(_bytes(MARK))))
    for word in whole:
        merges.update(dict.fromkeys(_chain(list(word))))
    for word in whole:
        if words != "collide" or word not in ANSWERS:
            merges[SPACE, word] = None
    pieces = dict.fromkeys((*_alphabet(), *("".join(merge) for merge in merges)))
    return {piece: number for number, piece in enumerate(pieces)}, list(merges)


def _chain(letters: list[str]) -> list[Merge]:
    return [("".join(letters[:end]), letters[end]) for end in range(1, len(letters))]


def _alphabet() -> list[str]:
    from tokenizers.pre_tokenizers import ByteLevel

    return sorted(ByteLevel.alphabet())


def _bytes(text: str) -> list[str]:
    """The letters that stand for the bytes of a text."""
    from tokenizers.pre_tokenizers import ByteLevel

    return list(ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(text)[0][0])
