"""What a model is trained on is what it is evaluated on, and only the answer carries loss."""

from __future__ import annotations

from typing import get_args

import pytest

from hpvqa.finetune.examples import IGNORED, Collator, Example
from hpvqa.scene.spec import Side
from hpvqa.vlm.chat import render
from hpvqa.vlm.families import find_family
from hpvqa.vlm.processing import encode, load_processor
from hpvqa.vlm.tiny.kinds import Kind, Words
from tests.tiny_models import TinyModel, make_query, noise

KINDS = get_args(Kind)
ANSWERS: tuple[Side, ...] = ("left", "right", "left")


def examples(kind: Kind) -> list[Example]:
    # Questions, and where that may be clips, of different lengths, so that there is padding.
    longer = 4 if kind == "llava_onevision" else 6
    texts = ("Which cube is heavier, left or right?", "Left or right?", "Which one, the left or the right?")
    return [
        Example(make_query(noise(count, seed), text=text), answer)
        for seed, (count, text, answer) in enumerate(zip((4, longer, 4), texts, ANSWERS, strict=True))
    ]


# Qwen3.5's tokenizer class cannot be made to begin both words alike.
TOKENIZERS = [(kind, words) for kind in KINDS for words in get_args(Words) if (kind, words) != ("qwen3_5", "collide")]


@pytest.mark.parametrize(("kind", "words"), TOKENIZERS)
def test_only_the_answer_carries_loss(kind: Kind, words: Words, tiny_model: TinyModel) -> None:
    folder = str(tiny_model(kind, words))
    processor = load_processor(folder)
    batch = Collator(processor, find_family(folder))(examples(kind))
    end = processor.tokenizer.eos_token
    for labels, ids, mask, answer in zip(
        batch["labels"], batch["input_ids"], batch["attention_mask"], ANSWERS, strict=True
    ):
        kept = labels != IGNORED
        assert processor.tokenizer.decode(labels[kept]) == f"{answer}{end}"
        assert (ids[kept] == labels[kept]).all()
        assert mask[kept].all()
        # Nothing but padding follows.
        last = int(kept.nonzero().max())
        assert not mask[last + 1 :].any()


@pytest.mark.parametrize("kind", KINDS)
def test_the_prefix_is_that_of_evaluation_id_by_id(kind: Kind, tiny_model: TinyModel) -> None:
    folder = str(tiny_model(kind))
    processor, family = load_processor(folder), find_family(folder)
    batch = Collator(processor, family)(examples(kind))
    for row, example in enumerate(examples(kind)):
        alone = encode(processor, family, [render(processor, example.query, family)], [example.query.videos])
        prefix = alone["input_ids"][0]
        assert (batch["input_ids"][row, : len(prefix)] == prefix).all()
        assert int(batch["labels"][row].ne(IGNORED).nonzero().min()) == len(prefix)
        text = processor.tokenizer.decode(prefix)
        assert text.rfind("<think>") <= text.rfind("</think>")


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_gives_the_loss_of_its_rows(kind: Kind, tiny_model: TinyModel) -> None:
    import torch

    from tests.tiny_models import load_model

    folder = tiny_model(kind)
    collate = Collator(load_processor(str(folder)), find_family(str(folder)))
    model = load_model(folder).eval()
    with torch.inference_mode():
        together = model(**collate(examples(kind))).loss
        alone = [model(**collate([example])).loss for example in examples(kind)]
    # Every answer has two tokens, a word and the end, so that the mean over tokens is the mean over rows.
    assert float(together) == pytest.approx(float(torch.stack(alone).mean()), abs=1e-4)
