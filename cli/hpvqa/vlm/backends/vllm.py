"""Models run by vLLM's engine in this process, with a LoRA adapter or without, on a GPU or the CPU."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from hpvqa.errors import HpvqaError, RunError, UsageError
from hpvqa.vlm.adapter import check_served
from hpvqa.vlm.backends.engine import Dtype, Engine, EngineReply, EngineRequest, first_line
from hpvqa.vlm.backends.vllm_settings import RANKS, engine_arguments, hosting
from hpvqa.vlm.device import Device
from hpvqa.vlm.frames.clip import Frames
from hpvqa.vlm.options import VllmOptions
from hpvqa.vlm.pooled import vllm_plugin
from hpvqa.vlm.processing import check_frames, filled_up, load_processor, video_metadata


class VllmAnswerer(Engine[VllmOptions]):
    """Gives all queries of a batch to the engine at once, in their order, so that it finds what they have in common."""

    packages = tuple((module, "pip install vllm") for module in ("vllm", "torch", "transformers"))

    _llm: Any = None

    def __init__(self, options: VllmOptions) -> None:
        super().__init__(options)
        if self.adapter is not None:
            check_served(self.adapter, self.family)
            if self.adapter.rank > RANKS[-1]:
                raise UsageError(
                    f"vLLM takes adapters of rank {RANKS[-1]} at most, not {self.adapter.rank}; use --backend "
                    "transformers"
                )

    def _device(self) -> Device:
        import torch

        return "cuda" if torch.cuda.is_available() else "cpu"

    def _dtype(self) -> Dtype:
        linear = self.device == "cpu" and "linear_attention" in (self.folder / "config.json").read_text(
            encoding="utf-8"
        )
        if linear and self.options.dtype == "float32":
            raise UsageError(
                f"Without a GPU, vLLM runs the linear attention of {self.family.title} in bfloat16 only; use --dtype "
                "bfloat16, or --backend transformers"
            )
        if self.options.dtype != "auto":
            return self.options.dtype
        return "bfloat16" if linear else "float32" if self.device == "cpu" else self.family.dtype

    def _load(self, tell: Callable[[str], None]) -> Any:
        processor = load_processor(str(self.folder))
        check_normalisation(self.name, processor)
        with ExitStack() as stack:
            stack.enter_context(hosting(os.environ, gpu=self.device == "cuda"))
            self._llm = self._engine()
            self._hosting = stack.pop_all()
        return processor

    def _engine(self) -> Any:
        arguments = engine_arguments(
            model=str(self.folder),
            dtype=self.dtype,
            gpu=self.device == "cuda",
            batch_size=self.batch_size,
            max_videos=self.options.max_videos,
            gpu_memory=self.options.gpu_memory,
            rank=None if self.adapter is None else self.adapter.rank,
        )
        try:
            from vllm import LLM

            # vLLM calls this itself, but not where its variable VLLM_PLUGINS names others.
            vllm_plugin()
            return LLM(use_tqdm_on_load=False, **arguments)
        except Exception as error:
            # Whatever it raises, the traceback goes through its processes and tells a user nothing.
            raise RunError(f"vLLM cannot run {self.name}: {first_line(error)}") from error

    def _run(self, requests: Sequence[EngineRequest]) -> list[EngineReply]:
        from vllm.exceptions import VLLMClientError

        try:
            return self._generate(requests)
        except (VLLMClientError, ValueError) as error:
            # One that vLLM does not take, such as a prompt that is too long, keeps the others from being answered.
            if len(requests) == 1:
                return [EngineReply(error=f"vLLM does not take the query: {first_line(error)}")]
        except HpvqaError:
            raise
        except Exception as error:
            raise RunError(f"vLLM failed: {first_line(error)}") from error
        return [reply for request in requests for reply in self._run([request])]

    def _generate(self, requests: Sequence[EngineRequest]) -> list[EngineReply]:
        from vllm import SamplingParams
        from vllm.lora.request import LoRARequest

        adapter = None if self.adapter is None else LoRARequest("adapter", 1, str(self.adapter.folder.resolve()))
        prompts = [self._prompt(request) for request in requests]
        params = [
            # Probabilities are among all tokens, whatever may be sampled; so nothing is forbidden here.
            SamplingParams(temperature=0, max_tokens=1, logprob_token_ids=list(request.following))
            if request.following
            else SamplingParams(temperature=0, max_tokens=self.options.max_new_tokens)
            for request in requests
        ]
        outputs = self._llm.generate(prompts, params, use_tqdm=False, lora_request=adapter)
        return [_reply(request, output) for request, output in zip(requests, outputs, strict=True)]

    def _prompt(self, request: EngineRequest) -> dict[str, Any]:
        tokens = self._processor.tokenizer(request.text)["input_ids"]
        videos = [self._video(frames) for frames in request.videos]
        return {"prompt_token_ids": [*tokens, *request.prefix], "multi_modal_data": {"video": videos}}

    def _video(self, frames: Frames) -> Any:
        check_frames(self._processor, self.family, frames)
        filled = filled_up(self.family, frames)
        return (filled.images, video_metadata(filled)) if self.family.timestamps else filled.images

    def close(self) -> None:
        """Stop the engine and let go of its memory; loading starts another."""
        if self._llm is None:
            return
        from vllm.distributed.parallel_state import cleanup_dist_env_and_memory

        self._llm.llm_engine.engine_core.shutdown()
        self._llm = self._processor = None
        cleanup_dist_env_and_memory()
        self._hosting.close()


def _reply(request: EngineRequest, output: Any) -> EngineReply:
    said = output.outputs[0]
    length = len(output.prompt_token_ids)
    if not request.following:
        return EngineReply(said.text, length, len(said.token_ids), cut=said.finish_reason == "length")
    return EngineReply(
        said.text, length, logprobs=tuple(said.logprobs[0][token].logprob for token in request.following)
    )


def check_normalisation(model: str, processor: Any) -> None:
    """Raise if pictures and videos are normalised differently: vLLM takes the pictures' mean and deviation for both.

    Raises:
        UsageError: They are.
    """
    images, videos = getattr(processor, "image_processor", None), processor.video_processor
    for name in ("image_mean", "image_std"):
        if list(getattr(images, name, None) or ()) != list(getattr(videos, name, None) or ()):
            raise UsageError(
                f"vLLM would normalise videos with the {name} of pictures, which differs in {model}; use --backend "
                "transformers, or correct its preprocessor_config.json"
            )
