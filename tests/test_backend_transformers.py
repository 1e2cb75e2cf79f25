"""Models run by transformers: what is scored, in what company, and what happens when something does not fit."""

from __future__ import annotations

import dataclasses
import itertools
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from hpvqa.errors import MissingDependencyError, RunError, UsageError
from hpvqa.install import pip_install
from hpvqa.scene.spec import SIDES
from hpvqa.vlm.backends import engine
from hpvqa.vlm.backends.transformers import TransformersAnswerer
from hpvqa.vlm.chat import render
from hpvqa.vlm.options import TransformersOptions
from hpvqa.vlm.processing import encode, load_processor
from hpvqa.vlm.protocol import Query
from hpvqa.vlm.tiny.kinds import KINDS, Kind, Words
from tests.adapters import make_adapter
from tests.engine_checks import clips, halved, mixed_queries, reversed_in_time, swapped, table
from tests.needs import long_but
from tests.tiny_models import TinyModel, frames_of, load_model, logprobs_of, make_query, noise

Told = list[str]
TOLERANCE = 1e-5


def opened(model: Path, told: Told | None = None, **options: Any) -> TransformersAnswerer:
    answerer = TransformersAnswerer(TransformersOptions(model=str(model), device="cpu", **options))
    answerer.load((told if told is not None else []).append)
    return answerer


def by_hand(model: Path, query: Query) -> np.ndarray:
    """Log-probabilities of whole answers, from one pass over the prompt with each answer behind it."""
    answerer = TransformersAnswerer(TransformersOptions(model=str(model), device="cpu"))
    processor, net = load_processor(str(model)), load_model(model).eval()
    text = render(processor, query, answerer.family)
    found = []
    for word in SIDES:
        batch = encode(processor, answerer.family, [text + word], [query.videos])
        count = len(processor.tokenizer(text + word)["input_ids"]) - len(processor.tokenizer(text)["input_ids"])
        with torch.inference_mode():
            logprobs = net(**batch).logits[0].double().log_softmax(-1)
        tokens = batch["input_ids"][0, -count:]
        found.append(float(logprobs[-count - 1 : -1].gather(1, tokens[:, None]).sum()))
    return np.array(found)


WORDS = [
    (kind, words)
    for kind, words in itertools.product(KINDS, ("whole", "split", "collide"))
    # These have the tokenizer of Qwen3-VL.
    if words == "whole" or kind not in ("qwen2_5_vl", "llava_onevision")
    if (kind, words) != ("qwen3_5", "collide")
]


@pytest.mark.parametrize("pair", long_but(WORDS, ("qwen3_vl", "whole"), ("internvl", "collide")))
def test_whole_answers_are_scored_alone_and_in_company(pair: tuple[Kind, Words], tiny_model: TinyModel) -> None:
    kind, words = pair
    model = tiny_model(kind, words)
    answerer = opened(model, batch_size=5)
    queries = mixed_queries(kind)
    together = answerer.answer(queries)
    assert table(together) == pytest.approx(np.array([by_hand(model, query) for query in queries]), abs=TOLERANCE)
    alone = [answerer.answer([query])[0] for query in queries]
    assert table(together) == pytest.approx(table(alone), abs=TOLERANCE)
    for query, answer, single in zip(queries, together, alone, strict=True):
        assert answer.logprobs is not None
        assert answer.choice == max(query.choices, key=lambda choice: (answer.logprobs or {})[choice])
        assert answer.prompt_tokens == single.prompt_tokens
        assert answer.seconds > 0
    text = render(load_processor(str(model)), queries[0], answerer.family)
    batch = encode(load_processor(str(model)), answerer.family, [text], [queries[0].videos])
    assert together[0].prompt_tokens == batch["input_ids"].shape[1]


@pytest.mark.parametrize("kind", long_but(KINDS))
def test_an_adapter_changes_what_is_answered(kind: Kind, tiny_model: TinyModel, tmp_path: Path) -> None:
    from peft import PeftModel

    model = tiny_model(kind)
    adapter = make_adapter(model, tmp_path / "lora")
    query = make_query(noise())
    plain, adapted = (opened(model, adapter=path).answer([query]) for path in (None, adapter))
    assert np.abs(table(plain) - table(adapted)).max() > 0.01
    merged = PeftModel.from_pretrained(load_model(model), str(adapter)).merge_and_unload()
    folder = Path(shutil.copytree(model, tmp_path / model.name))
    merged.save_pretrained(folder)
    assert table(adapted) == pytest.approx(table(opened(folder).answer([query])), abs=1e-4)


def test_what_the_answers_depend_on_is_known_before_loading(tiny_model: TinyModel, tmp_path: Path) -> None:
    model = tiny_model("qwen3_vl")
    adapter = make_adapter(model, tmp_path / "lora")
    plain = TransformersAnswerer(TransformersOptions(model=str(model), device="cpu"))
    assert plain.details | {"fingerprint": ""} == {
        "family": "qwen3-vl",
        "fingerprint": "",
        "adapter": None,
        "adapter_sha256": None,
        "dtype": "float32",
        "device": "cpu",
        "scoring": "logprobs",
        "max_new_tokens": None,
    }
    # Neither speed nor memory changes an answer.
    options = TransformersOptions(model=str(model), device="cpu", batch_size=3, max_videos=2)
    assert TransformersAnswerer(options).details == plain.details
    for change in ({"adapter": adapter}, {"dtype": "bfloat16"}, {"scoring": "generate"}):
        options = TransformersOptions.model_validate({"model": str(model), "device": "cpu", **change})
        assert TransformersAnswerer(options).details != plain.details
    assert (plain.name, plain.given_frames, plain.privileged, plain.resampling) == (str(model), True, False, "none")


@pytest.mark.parametrize("kind", long_but(["qwen3_vl", "internvl"]))
def test_answers_rest_on_all_frames_in_their_order(kind: Kind, tiny_model: TinyModel) -> None:
    """The same as in the test of vLLM, so that equal answers there mean equal frames."""
    model = tiny_model(kind, trained=True)
    shown = clips(8)
    answerer = opened(model)
    found = table(answerer.answer([make_query(frames) for frames in shown]))
    assert found == pytest.approx(logprobs_of(model, shown), abs=TOLERANCE)
    for change in (reversed_in_time, halved):
        other = table(answerer.answer([make_query(change(frames)) for frames in shown]))
        assert np.abs(found - other).max(axis=1).min() > 1e-4 * 100


def test_a_model_may_speak(tiny_model: TinyModel) -> None:
    answerer = opened(tiny_model("qwen3_vl"), scoring="generate", max_new_tokens=3)
    queries = mixed_queries("qwen3_vl")
    answers = answerer.answer(queries)
    for query, answer in zip(queries, answers, strict=True):
        assert answer.logprobs is None
        assert answer.answer_tokens == 3
        assert answer.prompt_tokens is not None
        assert answer.text == answerer.answer([query])[0].text


def test_what_is_said_is_read_strictly(tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch) -> None:
    answerer = opened(tiny_model("qwen3_vl"), scoring="generate", max_new_tokens=3)
    said = iter(["Left.", "left or right", "neither"])
    tokenizer = answerer._processor.tokenizer
    ids = tokenizer.convert_tokens_to_ids(["left", "<|im_end|>", "<|endoftext|>"])
    monkeypatch.setattr(tokenizer, "decode", lambda *_, **__: next(said))
    monkeypatch.setattr(
        answerer._model,
        "generate",
        lambda input_ids, **_: torch.cat([input_ids, torch.tensor([ids] * len(input_ids))], dim=1),
    )
    answers = answerer.answer([make_query(noise())] * 3)
    assert [answer.choice for answer in answers] == ["left", None, None]
    assert [answer.text for answer in answers] == ["Left.", "left or right", "neither"]
    assert {answer.answer_tokens for answer in answers} == {2}


def test_a_sentence_that_is_cut_off_is_no_answer(tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch) -> None:
    answerer = opened(tiny_model("qwen3_vl"), scoring="generate", max_new_tokens=3)
    said = iter(["The left one looks", "Left.", "The left one"])
    tokenizer = answerer._processor.tokenizer
    word, end = tokenizer.convert_tokens_to_ids(["left", "<|im_end|>"])
    ids = iter([[word, word, word]] * 2 + [[word, word, end]])
    monkeypatch.setattr(tokenizer, "decode", lambda *_, **__: next(said))
    monkeypatch.setattr(
        answerer._model,
        "generate",
        lambda input_ids, **_: torch.cat([input_ids, torch.tensor([next(ids) for _ in input_ids])], dim=1),
    )
    answers = answerer.answer([make_query(noise())] * 3)
    assert [answer.choice for answer in answers] == [None, "left", "left"]


def test_the_first_choice_wins_a_tie(tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch) -> None:
    answerer = opened(tiny_model("qwen3_vl"))
    monkeypatch.setattr(torch, "log_softmax", lambda logits, dim: torch.full_like(logits, -3.0))
    query = make_query(noise())
    assert [answer.choice for answer in answerer.answer([query, swapped(query)])] == ["left", "right"]


def test_a_model_without_numbers_fails_the_row(tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch) -> None:
    answerer = opened(tiny_model("qwen3_vl"))
    monkeypatch.setattr(torch, "log_softmax", lambda logits, dim: torch.full_like(logits, float("nan")))
    answer = answerer.answer([make_query(noise())])[0]
    assert answer.choice is None
    assert answer.error is not None
    assert "not numbers" in answer.error


def test_little_mass_on_the_choices_is_told_once(tiny_model: TinyModel) -> None:
    told: Told = []
    answerer = opened(tiny_model("qwen3_vl"), told)
    for _ in range(2):
        answerer.answer([make_query(noise())] * 2)
    assert len(told) == 1
    assert "probability of only" in told[0]
    told.clear()
    opened(tiny_model("qwen3_vl", trained=True), told).answer([make_query(clips(1)[0])])
    assert told == []


Run = Callable[[Sequence[engine.EngineRequest]], list[engine.EngineReply]]


def little_memory(run: Run, fits: Callable[[Sequence[engine.EngineRequest]], bool], error: Exception) -> Run:
    def limited(batch: Sequence[engine.EngineRequest]) -> list[engine.EngineReply]:
        if not fits(batch):
            raise error
        return run(batch)

    return limited


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB."),
        RuntimeError("HIP out of memory"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes"),
        MemoryError(),
    ],
)
def test_a_batch_that_does_not_fit_is_halved(
    tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    told: Told = []
    queries = [make_query(noise(seed=number)) for number in range(12)]
    answerer = opened(tiny_model("qwen3_vl"), told, batch_size=12)
    expected = table(answerer.answer(queries))
    told.clear()
    calls: list[int] = []

    def fits(batch: Sequence[engine.EngineRequest]) -> bool:
        calls.append(len(batch))
        return len(batch) <= 3

    monkeypatch.setattr(answerer, "_look", little_memory(answerer._look, fits, error))
    assert table(answerer.answer(queries)) == pytest.approx(expected, abs=TOLERANCE)
    assert calls == [12, 6, 3, 3, 3, 3]
    assert table(answerer.answer(queries)) == pytest.approx(expected, abs=TOLERANCE)
    assert calls[6:] == [3, 3, 3, 3]
    assert told == ["12 queries at once do not fit into the memory of the machine; going on with 3"]


def test_a_query_that_does_not_fit_alone_fails_alone(tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch) -> None:
    answerer = opened(tiny_model("qwen3_vl"), batch_size=4)
    queries = [make_query(noise(9 if number == 2 else 4, seed=number)) for number in range(4)]

    def fits(batch: Sequence[engine.EngineRequest]) -> bool:
        return all(len(request.videos[0].indices) < 9 for request in batch)

    limited = little_memory(answerer._look, fits, torch.OutOfMemoryError("out of memory"))
    monkeypatch.setattr(answerer, "_look", limited)
    answers = answerer.answer(queries)
    assert [answer.choice is None for answer in answers] == [False, False, True, False]
    assert answers[2].error is not None
    assert answers[2].error.startswith("The query does not fit into the memory of the machine; show fewer")


def test_another_failure_ends_the_run_in_a_sentence(tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch) -> None:
    answerer = opened(tiny_model("qwen3_vl"))
    monkeypatch.setattr(
        answerer, "_look", little_memory(answerer._look, lambda _: False, RuntimeError("device-side assert\nmore"))
    )
    with pytest.raises(RunError, match=r"failed: device-side assert$"):
        answerer.answer([make_query(noise())])


def test_frames_that_a_family_cannot_place_are_refused(tiny_model: TinyModel) -> None:
    answerer = opened(tiny_model("internvl"))
    with pytest.raises(UsageError, match="unevenly spaced"):
        answerer.answer([make_query(frames_of(noise(4).images, (0, 1, 20, 21)))])


def test_a_model_can_be_closed_and_loaded_again(tiny_model: TinyModel) -> None:
    answerer = opened(tiny_model("qwen3_vl"))
    query = make_query(noise())
    before = table(answerer.answer([query]))
    answerer.load([].append)
    answerer.close()
    answerer.close()
    assert answerer._model is None
    answerer.load([].append)
    assert table(answerer.answer([query])) == pytest.approx(before)


def test_a_model_that_lacks_weights_is_not_filled_up_with_random_ones(tiny_model: TinyModel, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_model("qwen3_vl"), tmp_path / "model"))
    weights = load_file(folder / "model.safetensors")
    weights.pop("lm_head.weight")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UsageError, match=r"lacks 1 weights, such as lm_head\.weight"):
        opened(folder)


def test_an_adapter_is_put_on_whole(tiny_model: TinyModel, tmp_path: Path) -> None:
    model = tiny_model("qwen3_vl")
    adapter = make_adapter(model, tmp_path / "lora")
    weights = load_file(adapter / "adapter_model.safetensors")
    left_out = sorted(weights)[0]
    weights.pop(left_out)
    save_file(weights, adapter / "adapter_model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UsageError, match="does not fit"):
        opened(model, adapter=adapter)


def test_bad_input_is_refused_before_anything_is_loaded(
    tiny_model: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(model: Path, **options: Any) -> None:
        TransformersAnswerer(TransformersOptions(model=str(model), **options))

    model = tiny_model("qwen3_vl")
    with pytest.raises(UsageError, match="no model folder"):
        make(tmp_path / "none")
    other = tmp_path / "lora"
    make_adapter(tiny_model("internvl"), other)
    with pytest.raises(UsageError, match="was trained on"):
        make(model, adapter=other)
    folder = Path(shutil.copytree(model, tmp_path / "model"))
    (folder / "processor_config.json").unlink()
    with pytest.raises(UsageError, match="no processor"):
        make(folder)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="sees no GPU"):
        make(model, device="cuda")
    monkeypatch.setattr(engine.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=re.escape(pip_install("vlm"))):
        make(model)


def test_the_number_format_follows_the_device(tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch) -> None:
    def dtype(**options: Any) -> str:
        return TransformersAnswerer(TransformersOptions(model=str(tiny_model("qwen3_vl")), **options)).dtype

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert (dtype(), dtype(device="cpu"), dtype(dtype="float32")) == ("bfloat16", "float32", "float32")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    assert dtype() == "float32"


def test_bfloat16_is_near(tiny_model: TinyModel) -> None:
    model = tiny_model("qwen3_vl")
    query = make_query(noise())
    exact, near = (table(opened(model, dtype=dtype).answer([query])) for dtype in ("float32", "bfloat16"))
    assert near == pytest.approx(exact, abs=0.05)
    assert not np.array_equal(near, exact)


def test_queries_are_left_as_they_are(tiny_model: TinyModel) -> None:
    query = make_query(noise())
    before = query.videos[0].images.copy()
    opened(tiny_model("qwen3_vl")).answer([query, dataclasses.replace(query)])
    assert np.array_equal(query.videos[0].images, before)
