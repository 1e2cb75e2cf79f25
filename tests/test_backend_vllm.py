"""The real vLLM engine on the CPU sees what transformers sees, and says what it says.

In float32 log-probabilities agree within 1e-4. Qwen3.5's linear attention runs on the CPU in bfloat16 only, whose
numbers have 8 bits: there, both backends use it and agree within 0.03.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hpvqa.errors import MissingDependencyError, RunError, UsageError
from hpvqa.vlm.backends import engine
from hpvqa.vlm.backends.transformers import TransformersAnswerer
from hpvqa.vlm.backends.vllm import VllmAnswerer
from hpvqa.vlm.backends.vllm_settings import ON_CPU, engine_arguments, hosting, set_environment
from hpvqa.vlm.chat import render
from hpvqa.vlm.options import TransformersOptions, VllmOptions
from hpvqa.vlm.processing import encode, load_processor
from hpvqa.vlm.tiny import build_tiny
from hpvqa.vlm.tiny.kinds import Kind
from tests.adapters import make_adapter
from tests.engine_checks import FIXED, clips, halved, mixed_queries, reversed_in_time, swapped, table
from tests.needs import long_but
from tests.tiny_models import SIDE, TinyModel, frames_of, make_query, noise, train_briefly

TOLERANCE: dict[Kind, float] = {
    "qwen3_vl": 1e-4,
    "internvl": 1e-4,
    "qwen3_5": 0.03,
    # transformers 5.19 lets the words after a video follow its height and width, vLLM its last moment, too.
    "qwen2_5_vl": 0.1,
    "pooled": 1e-4,
}
EFFECT: dict[Kind, float] = {"qwen3_vl": 100, "internvl": 100, "qwen3_5": 10, "qwen2_5_vl": 0, "pooled": 100}
"""How many times the tolerance wrong frames move the result at least."""


@dataclass
class Pair:
    """A model behind both backends, and what the engine gave out last."""

    kind: Kind
    vllm: VllmAnswerer
    transformers: TransformersAnswerer
    told: list[str]
    outputs: list[Any] = field(default_factory=list)

    @property
    def tolerance(self) -> float:
        return TOLERANCE[self.kind]


@contextmanager
def opened(kind: Kind, model: Path, **options: Any) -> Iterator[Pair]:
    """A model behind both backends; afterwards, the engine has left this process as it was."""
    # What is imported first has variables of its own, such as OpenCV's.
    load_processor(str(model))
    with hosting(os.environ, gpu=False):
        pass
    environ, threads = dict(os.environ), torch.set_num_threads
    told: list[str] = []
    ours = VllmAnswerer(VllmOptions(model=str(model), max_videos=2, **options))
    ours.load(told.append)
    ours.load(told.append)
    assert torch.set_num_threads is not threads
    theirs = TransformersAnswerer(TransformersOptions(model=str(model), dtype=ours.dtype, device="cpu", **options))
    theirs.load([].append)
    pair = Pair(kind, ours, theirs, told)
    generate = ours._llm.generate

    def recording(*args: Any, **kwargs: Any) -> list[Any]:
        pair.outputs = generate(*args, **kwargs)
        return pair.outputs

    ours._llm.generate = recording
    try:
        yield pair
    finally:
        ours.close()
        ours.close()
    assert dict(os.environ) == environ
    assert torch.set_num_threads is threads


Trained = Callable[[Kind], Path]


@pytest.fixture(scope="module")
def trained(tiny_model: TinyModel, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Models that do see their videos."""

    @cache
    def make(kind: Kind) -> Path:
        if kind in ("qwen3_vl", "internvl", "pooled"):
            return tiny_model(kind, trained=True)
        folder = tmp_path_factory.mktemp("vllm")
        build_tiny(kind, folder / "fresh", trainable=True, side=SIDE)
        train_briefly(folder / "fresh", folder / "trained", steps=20, batch=8)
        return folder / "trained"

    return make


@pytest.fixture(scope="module")
def installed() -> None:
    if find_spec("vllm") is None:
        pytest.skip("needs vLLM")


@pytest.fixture(scope="module", params=long_but(TOLERANCE))
def pair(request: pytest.FixtureRequest, installed: None, trained: Trained) -> Iterator[Pair]:
    with opened(request.param, trained(request.param)) as found:
        yield found


def test_prompts_are_the_same_tokens(pair: Pair) -> None:
    queries = mixed_queries(pair.kind)
    if pair.kind not in FIXED:
        # More pixels than the processor would leave as they are.
        queries.append(make_query(noise(6, side=1024)))
    pair.vllm.answer(queries)
    processor, family = pair.transformers._processor, pair.transformers.family
    # vLLM keeps InternVL's own sign for a video where the processor writes that for a picture; either is only a place
    # for what the vision tower saw.
    place = {name: processor.tokenizer.convert_tokens_to_ids(name) for name in ("<video>", "<IMG_CONTEXT>")}
    for query, output in zip(queries, pair.outputs, strict=True):
        tokens = encode(processor, family, [render(processor, query, family)], [query.videos])["input_ids"][0].tolist()
        seen = list(output.prompt_token_ids)
        if pair.kind == "internvl":
            seen = [place["<IMG_CONTEXT>"] if token == place["<video>"] else token for token in seen]
        assert seen == tokens


def test_probabilities_are_the_same(pair: Pair) -> None:
    queries = mixed_queries(pair.kind) + [make_query(frames) for frames in clips(4)]
    ours, theirs = pair.vllm.answer(queries), pair.transformers.answer(queries)
    assert table(ours) == pytest.approx(table(theirs), abs=pair.tolerance)
    assert [answer.prompt_tokens for answer in ours] == [answer.prompt_tokens for answer in theirs]
    for answer, other in zip(ours, theirs, strict=True):
        assert answer.logprobs is not None
        if abs(answer.logprobs["left"] - answer.logprobs["right"]) > 2 * pair.tolerance:
            assert answer.choice == other.choice
    # Among all tokens, not among the two: what is left belongs to the others.
    mass = np.exp(table(ours)).sum(axis=1)
    assert (mass < 1).all()
    assert mass.max() > 0.1


def test_a_batch_equals_one_by_one(pair: Pair) -> None:
    queries = mixed_queries(pair.kind)
    together = table(pair.vllm.answer(queries))
    alone = table([pair.vllm.answer([query])[0] for query in queries])
    assert together == pytest.approx(alone, abs=pair.tolerance)


@pytest.mark.parametrize("change", [reversed_in_time, halved])
def test_other_frames_would_be_noticed(pair: Pair, change: Any) -> None:
    shown = clips(6)
    wrong = pair.vllm.answer([make_query(change(frames)) for frames in shown])
    right = pair.transformers.answer([make_query(frames) for frames in shown])
    difference = np.abs(table(wrong) - table(right)).max(axis=1)
    assert difference.min() > EFFECT[pair.kind] * pair.tolerance


def test_both_orders_of_a_clip_share_their_beginning(pair: Pair) -> None:
    shown = [make_query(noise(8, seed=100 + number)) for number in range(3)]
    queries = [query for plain in shown for query in (plain, swapped(plain))]
    answers = pair.vllm.answer(queries)
    cached = [output.num_cached_tokens for output in pair.outputs]
    if pair.kind == "qwen3_5":  # linear attention has no keys and values to keep
        assert cached == [0] * len(queries)
        return
    for number, answer in enumerate(answers):
        assert answer.prompt_tokens is not None
        # The first of them has at most the system message in common with those before it.
        assert (cached[number] > answer.prompt_tokens / 2) == (number % 2 == 1)


def test_a_prompt_that_is_too_long_fails_alone(pair: Pair) -> None:
    if pair.kind in FIXED:
        long = make_query(noise(3500))
    else:
        picture = np.zeros((30, 640, 640, 3), np.uint8)
        long = make_query(frames_of(picture))
    plain = make_query(noise(4, seed=1))
    answers = pair.vllm.answer([plain, long, plain])
    assert [answer.error is None for answer in answers] == [True, False, True]
    assert answers[1].error is not None
    assert answers[1].error.startswith("vLLM does not take the query: ")


def test_a_model_may_speak(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    for answerer in (pair.vllm, pair.transformers):
        options = answerer.options.model_copy(update={"scoring": "generate", "max_new_tokens": 3})
        monkeypatch.setattr(answerer, "options", options)
    queries = [make_query(frames) for frames in clips(4)]
    ours, theirs = pair.vllm.answer(queries), pair.transformers.answer(queries)
    assert [answer.logprobs for answer in ours] == [None] * 4
    assert {answer.answer_tokens for answer in ours} <= {1, 2, 3}
    if pair.tolerance < 0.01:  # else two tokens may be too near each other to say which is likelier
        assert [(answer.text, answer.choice, answer.answer_tokens) for answer in ours] == [
            (answer.text, answer.choice, answer.answer_tokens) for answer in theirs
        ]


def test_settings_are_written_down(pair: Pair) -> None:
    assert pair.vllm.details == pair.transformers.details
    assert pair.vllm.details["dtype"] == ("bfloat16" if pair.kind == "qwen3_5" else "float32")
    assert pair.vllm.resampling == "none"


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("kind", TOLERANCE)
@pytest.mark.long
def test_an_adapter_has_the_same_effect(kind: Kind, trained: Trained, tmp_path: Path) -> None:
    adapter = make_adapter(trained(kind), tmp_path / "lora")
    queries = [make_query(frames) for frames in clips(4)]
    with opened(kind, trained(kind), adapter=adapter) as pair:
        adapted = table(pair.vllm.answer(queries))
        assert adapted == pytest.approx(table(pair.transformers.answer(queries)), abs=pair.tolerance)
        plain = TransformersAnswerer(TransformersOptions(model=str(trained(kind)), dtype=pair.vllm.dtype, device="cpu"))
        plain.load([].append)
        difference = np.abs(adapted - table(plain.answer(queries))).max(axis=1)
        assert difference.min() > EFFECT[kind] * pair.tolerance
        assert pair.vllm.details["adapter"] == str(adapter)


@pytest.mark.usefixtures("installed")
@pytest.mark.long
def test_words_of_several_tokens_with_the_same_beginning(tiny_model: TinyModel) -> None:
    with opened("qwen3_vl", tiny_model("qwen3_vl", "collide")) as pair:
        queries = mixed_queries("qwen3_vl")
        ours = table(pair.vllm.answer(queries))
        assert len(pair.outputs) > len(queries)
        assert ours == pytest.approx(table(pair.transformers.answer(queries)), abs=pair.tolerance)
        assert len(pair.told) == 1
        assert "probability of only" in pair.told[0]


@pytest.mark.usefixtures("installed")
def test_an_engine_that_does_not_start_says_so(tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: Any) -> None:
        raise ValueError("No available memory for the cache blocks.\nMore about it")

    environ = dict(os.environ)
    answerer = VllmAnswerer(VllmOptions(model=str(tiny_model("internvl"))))
    monkeypatch.setattr("vllm.LLM", fail)
    with pytest.raises(RunError, match=r"vLLM cannot run .*: No available memory for the cache blocks$"):
        answerer.load([].append)
    assert dict(os.environ) == environ
    answerer.close()


@pytest.mark.usefixtures("installed")
def test_an_engine_that_dies_ends_the_run(tiny_model: TinyModel) -> None:
    class Dead:
        def generate(self, *_: Any, **__: Any) -> None:
            raise RuntimeError("Engine core died")

    answerer = VllmAnswerer(VllmOptions(model=str(tiny_model("internvl"))))
    answerer._processor = TransformersAnswerer(TransformersOptions(model=str(tiny_model("internvl"))))._load([].append)
    answerer._llm = Dead()
    with pytest.raises(RunError, match="vLLM failed: Engine core died"):
        answerer._run([engine.EngineRequest("<video>\n", (noise(),), (), (1,))])


@pytest.mark.usefixtures("installed")
def test_an_adapter_that_would_be_put_on_in_part_is_refused(tiny_model: TinyModel, tmp_path: Path) -> None:
    model = tiny_model("internvl")
    adapter = make_adapter(model, tmp_path / "lora", targets=["q_proj", "v_proj"])
    with pytest.raises(UsageError, match=r"silently leave out .*hpvqa merge .* or use --backend transformers"):
        VllmAnswerer(VllmOptions(model=str(model), adapter=adapter))


@pytest.mark.usefixtures("installed")
def test_bad_input_is_refused_before_an_engine_starts(
    tiny_model: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match=r"linear attention .* in bfloat16 only"):
        VllmAnswerer(VllmOptions(model=str(tiny_model("qwen3_5")), dtype="float32"))
    folder = Path(shutil.copytree(tiny_model("qwen3_vl"), tmp_path / "model"))
    processor = folder / "processor_config.json"
    processor.write_text(processor.read_text().replace("0.5,", "0.25,", 1))
    with pytest.raises(UsageError, match="would normalise videos with the image_mean of pictures"):
        VllmAnswerer(VllmOptions(model=str(folder))).load([].append)
    monkeypatch.setattr(engine.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match="needs vllm; run: pip install vllm"):
        VllmAnswerer(VllmOptions(model=str(tiny_model("qwen3_vl"))))


def test_what_a_user_has_set_stays() -> None:
    environ = {"VLLM_CPU_KVCACHE_SPACE": "40"}
    set_environment(environ, gpu=False)
    assert environ["VLLM_CPU_KVCACHE_SPACE"] == "40"
    assert environ["VLLM_NO_USAGE_STATS"] == "1"
    on_gpu: dict[str, str] = {}
    set_environment(on_gpu, gpu=True)
    assert not on_gpu.keys() & ON_CPU.keys()


def test_surroundings_come_back_after_an_error() -> None:
    environ = {"KEPT": "1", "CHANGED": "1", "GONE": "1"}

    def engine_fails() -> None:
        with hosting(environ, gpu=False):
            environ.update(CHANGED="2", NEW="1")
            del environ["GONE"]
            raise ValueError("oops")

    with pytest.raises(ValueError, match="oops"):
        engine_fails()
    assert environ == {"KEPT": "1", "CHANGED": "1", "GONE": "1"}


def test_arguments_of_the_engine() -> None:
    def arguments(**given: Any) -> dict[str, Any]:
        plain = {"model": "m", "dtype": "float32", "gpu": False, "batch_size": 4, "max_videos": 7, "gpu_memory": 0.5}
        return engine_arguments(**{**plain, "rank": None, **given})

    assert arguments()["limit_mm_per_prompt"] == {"video": 7, "image": 0}
    assert arguments()["mm_processor_kwargs"] == {"do_sample_frames": False, "do_resize": False}
    assert "gpu_memory_utilization" not in arguments()
    assert arguments(gpu=True)["gpu_memory_utilization"] == 0.5
    assert "block_size" not in arguments(gpu=True)
    assert [arguments(rank=rank)["max_lora_rank"] for rank in (1, 4, 16, 17, 512)] == [1, 8, 16, 32, 512]
    assert "enable_lora" not in arguments()


@pytest.mark.usefixtures("installed")
def test_the_number_format_follows_the_device(tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch) -> None:
    def dtype(kind: Kind, **options: Any) -> str:
        return VllmAnswerer(VllmOptions(model=str(tiny_model(kind)), **options)).dtype

    assert (dtype("qwen3_vl"), dtype("qwen3_5")) == ("float32", "bfloat16")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert (dtype("qwen3_vl"), dtype("qwen3_5"), dtype("qwen3_5", dtype="float32")) == (
        "bfloat16",
        "bfloat16",
        "float32",
    )
