"""Whether a model that thinks first decides correctly: thoughts are written out, as an agent writes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hpvqa.explore.agents.words import read_letter
from hpvqa.finetune.examples import Example, Lessons
from hpvqa.finetune.prepared import Prepared
from hpvqa.finetune.settings import FinetuneRecipe, SampleSettings
from hpvqa.vlm.chat import render
from hpvqa.vlm.families import Family
from hpvqa.vlm.processing import encode, placed


@dataclass(frozen=True)
class Decisions:
    """Steps at which a model is asked to decide.

    Attributes:
        lessons: The steps.
        numbers: Which of them.
        processor: Processor of the model.
        family: Its family.
        batch_size: How many at once.
        max_new_tokens: Most tokens of a reply.
    """

    lessons: Lessons
    numbers: Sequence[int]
    processor: Any
    family: Family
    batch_size: int
    max_new_tokens: int

    @classmethod
    def of(cls, prepared: Prepared, recipe: FinetuneRecipe, processor: Any) -> Decisions:
        """Some of the steps that checkpoints are chosen by, evenly spread."""
        wanted, count = recipe.samples or SampleSettings(), len(prepared.validation)
        some = min(wanted.spoken, count)
        numbers = [number * count // some for number in range(some)]
        size = recipe.training.batch_size
        return cls(prepared.validation, numbers, processor, prepared.family, size, wanted.max_new_tokens)

    def correct(self, model: Any) -> float:
        """The share at which a model decides for what is best.

        Raises:
            HpvqaError: A step cannot be shown to it.
        """
        found = list[bool]()
        for first in range(0, len(self.numbers), self.batch_size):
            examples = [self.lessons[number] for number in self.numbers[first : first + self.batch_size]]
            for example, reply in zip(examples, self._replies(model, examples), strict=True):
                letters = example.query.choices
                found.append(read_letter(reply, letters) == read_letter(example.answer, letters))
        return sum(found) / len(found)

    def _replies(self, model: Any, examples: Sequence[Example]) -> list[str]:
        import torch

        prompts = [render(self.processor, example.query, self.family) for example in examples]
        videos = [example.query.videos for example in examples]
        tensors = placed(encode(self.processor, self.family, prompts, videos), model.device, model.dtype)
        with torch.inference_mode():
            output = model.generate(
                **tensors,
                max_new_tokens=self.max_new_tokens,
                do_sample=False,
                temperature=None,
                top_p=None,
                top_k=None,
                repetition_penalty=1.0,
                pad_token_id=self.processor.tokenizer.pad_token_id,
                # Training turns it off for good.
                use_cache=True,
            )
        spoken = output[:, tensors["input_ids"].shape[1] :].cpu()
        return list(self.processor.tokenizer.batch_decode(spoken, skip_special_tokens=True))
