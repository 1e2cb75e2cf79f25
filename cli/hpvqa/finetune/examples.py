"""From a query and its answer to what a model is trained on: the prompt as it is evaluated, then the answer alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from hpvqa.errors import UsageError
from hpvqa.vlm.chat import render
from hpvqa.vlm.families import Family
from hpvqa.vlm.processing import encode
from hpvqa.vlm.protocol import Query
from hpvqa.vlm.scoring import candidates

IGNORED = -100
"""Label of a token that carries no loss, as torch's cross entropy has it."""


@dataclass(frozen=True)
class Example:
    """A query with its frames, and the words that should follow."""

    query: Query
    answer: str


class Lessons(Protocol):
    """Examples that are made when they are asked for: a map-style data set."""

    def __len__(self) -> int:
        """How many there are."""

    def __getitem__(self, number: int) -> Example:
        """One of them.

        Raises:
            HpvqaError: It cannot be made, as when its clip does not decode.
        """


class Collator:
    """Makes batches of examples.

    The tokens of the prompt come from the very call that evaluation makes, and the answer's are put behind them: a
    model is trained on the prefix that it is evaluated on, id by id, whatever the chat template.

    Args:
        processor: Processor of the model.
        family: Its family.
    """

    def __init__(self, processor: Any, family: Family) -> None:
        self._processor = processor
        self._family = family
        if processor.tokenizer.eos_token_id is None:
            raise UsageError("The model's tokenizer has no end token, so that it cannot learn where an answer ends")

    def __call__(self, examples: Sequence[Example]) -> dict[str, Any]:
        """The tensors of a batch, ``labels`` among them: the answer and the end token, all else :data:`IGNORED`."""
        prompts = [render(self._processor, example.query, self._family) for example in examples]
        batch = encode(
            self._processor, self._family, prompts, [example.query.videos for example in examples], padding_side="right"
        )
        answers = [self._answer(prompt, example) for prompt, example in zip(prompts, examples, strict=True)]
        return _with_answers(batch, answers, self._pad_id)

    def _answer(self, prompt: str, example: Example) -> tuple[int, ...]:
        tokenizer = self._processor.tokenizer
        (tokens,) = candidates(tokenizer, prompt, [example.answer]).tokens
        return (*tokens, int(tokenizer.eos_token_id))

    @property
    def _pad_id(self) -> int:
        tokenizer = self._processor.tokenizer
        return int(tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id)


def _with_answers(batch: Mapping[str, Any], answers: Sequence[tuple[int, ...]], pad_id: int) -> dict[str, Any]:
    """Put an answer behind each prompt of a batch that is padded on the right."""
    import torch

    lengths = batch["attention_mask"].sum(1).tolist()
    total = max(length + len(answer) for length, answer in zip(lengths, answers, strict=True))
    fill = {"input_ids": pad_id, "attention_mask": 0}
    shape = batch["input_ids"].shape
    longer = dict(batch)
    labels = torch.full((shape[0], total), IGNORED)
    for name, tensor in batch.items():
        if getattr(tensor, "shape", None) == shape:
            longer[name] = torch.full((shape[0], total), fill.get(name, 0), dtype=tensor.dtype)
    for row, (length, answer) in enumerate(zip(lengths, answers, strict=True)):
        end = length + len(answer)
        for name, tensor in longer.items():
            if getattr(batch[name], "shape", None) == shape:
                tensor[row, :length] = batch[name][row, :length]
        longer["input_ids"][row, length:end] = torch.tensor(answer)
        longer["attention_mask"][row, length:end] = 1
        labels[row, length:end] = torch.tensor(answer)
    return {**longer, "labels": labels}
