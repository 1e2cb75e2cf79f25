"""Several copies of a model that share the queries, and what vLLM is told of GPUs that share one."""

from __future__ import annotations

import os
import pickle
import signal
from dataclasses import replace
from typing import Any

import pytest

from hpvqa.errors import RunError, UsageError
from hpvqa.evaluate.ray import ClusterChoice
from hpvqa.evaluate.select import Rows
from hpvqa.evaluate.session import run_model
from hpvqa.processes import Workers
from hpvqa.vlm.backends.copies import Copies
from hpvqa.vlm.backends.transformers import TransformersAnswerer
from hpvqa.vlm.backends.vllm_settings import engine_arguments
from hpvqa.vlm.choice import ModelChoice
from hpvqa.vlm.device import check_gpus, choose_device, gpus_of
from hpvqa.vlm.options import TransformersOptions
from hpvqa.vlm.protocol import Answer
from hpvqa.vlm.registry import open_backend
from tests.factories import quiet
from tests.tiny_models import TinyModel, make_query, noise


def plain(answers: list[Answer]) -> list[Answer]:
    return [replace(answer, seconds=0, logprobs={k: round(v, 4) for k, v in (answer.logprobs or {}).items()})
            for answer in answers]  # fmt: skip


@pytest.mark.long
def test_copies_answer_as_one_and_end_with_their_parent(tiny_model: TinyModel) -> None:
    options: dict[str, Any] = {"model": str(tiny_model("internvl")), "device": "cpu", "batch_size": 2}
    one = TransformersAnswerer(TransformersOptions(**options))
    one.load([].append)
    told: list[str] = []
    dataset: Any = None
    copies = open_backend(TransformersOptions(**options, data_parallel_size=2), dataset, 0)
    assert isinstance(copies, Copies)
    try:
        copies.load(told.append)
        copies.load(told.append)
        queries = [make_query(noise(3, seed=number), key=str(number)) for number in range(3)]
        assert copies.batch_size == 4
        assert copies.details == one.details
        assert plain(copies.answer(queries)) == plain(one.answer(queries))
        assert copies.answer([]) == []
        # Each copy says it once, of what it was shown.
        assert 1 <= len(told) <= 2
        assert all("would rather say something else" in sentence for sentence in told)
        (pid,) = _pids(copies._open[0])
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(RunError, match=r"A copy of the model died, .* smaller --data-parallel-size"):
            copies.answer(queries)
    finally:
        copies.close()
    assert copies._open == []


def _pids(workers: Workers) -> list[int]:
    return list(workers._executor._processes)


def test_what_is_not_loaded_can_be_sent_to_another_machine(tiny_model: TinyModel) -> None:
    options = TransformersOptions(model=str(tiny_model("internvl")), device="cpu")
    for made in (TransformersAnswerer(options), Copies(TransformersAnswerer, options, 0)):
        sent = pickle.loads(pickle.dumps(made))  # noqa: S301 - our own
        assert (sent.name, sent.details) == (made.name, made.details)


def test_a_cluster_takes_no_copies() -> None:
    dataset: Any = None
    choice = ModelChoice(model="qwen3-vl", data_parallel_size=2)
    with pytest.raises(UsageError, match="leave out --data-parallel-size"):
        run_model(dataset, choice, None, quiet(), rows=Rows(split="eval"), seed=0, cluster=ClusterChoice("auto"))


def test_copies_that_are_spread_share_all_gpus(tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 5)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    for device, seen in (("spread", ["0,1", "2,3"]), ("cuda", ["0", "1"])):
        options: Any = {"model": str(tiny_model("internvl")), "device": device, "dtype": "float32"}
        copies = Copies(TransformersAnswerer, TransformersOptions(**options, data_parallel_size=2), 0)
        assert [copies._environment(number)["CUDA_VISIBLE_DEVICES"] for number in range(2)] == seen


def test_each_copy_has_gpus_of_its_own() -> None:
    assert [gpus_of(None, 4, 2, number) for number in range(2)] == ["0,1", "2,3"]
    assert [gpus_of("GPU-a,5,6", 3, 1, number) for number in range(3)] == ["GPU-a", "5", "6"]


def test_gpus_that_are_not_there_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    check_gpus(4, 1)
    with pytest.raises(UsageError, match="sees no GPU, so no layer can be shared; leave out --tensor-parallel-size"):
        check_gpus(1, 2)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    check_gpus(2, 2)
    with pytest.raises(UsageError, match=r"8 GPUs are wanted \(4 x 2\), and torch sees 4; lower"):
        check_gpus(4, 2)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="sees no GPU; leave out --device spread"):
        choose_device("spread")


def test_vllm_is_told_how_many_gpus_share_a_layer() -> None:
    given: dict[str, Any] = {
        "model": "m", "dtype": "bfloat16", "batch_size": 2, "max_videos": 1, "gpu_memory": 0.5, "rank": None,
    }  # fmt: skip
    assert engine_arguments(gpu=True, **given, shared=4)["tensor_parallel_size"] == 4
    assert engine_arguments(gpu=True, **given)["tensor_parallel_size"] == 1
    assert "tensor_parallel_size" not in engine_arguments(gpu=False, **given)
