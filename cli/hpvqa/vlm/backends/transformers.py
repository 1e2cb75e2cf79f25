"""Models run by transformers, with a PEFT adapter or without, on a GPU or the CPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from hpvqa.errors import RunError, UsageError
from hpvqa.install import pip_install
from hpvqa.vlm.backends.engine import Dtype, Engine, EngineReply, EngineRequest, first_line
from hpvqa.vlm.device import Device, choose_device
from hpvqa.vlm.lora import with_adapter
from hpvqa.vlm.options import TransformersOptions
from hpvqa.vlm.pooled import register
from hpvqa.vlm.processing import encode, load_processor, placed
from hpvqa.vlm.quiet import quiet

OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")
"""What torch says, in any case, when a GPU or this machine has too little of it."""


class TransformersAnswerer(Engine[TransformersOptions]):
    """Runs a model in batches, padded on the left, so that all of them end at the same place.

    Attributes:
        fits: Queries at once that fit into memory, as far as is known.
    """

    packages = tuple((module, pip_install("vlm")) for module in ("torch", "transformers", "torchvision", "peft"))

    _model: Any = None

    def _device(self) -> Device:
        return choose_device(self.options.device)

    def _dtype(self) -> Dtype:
        import torch

        if self.options.dtype != "auto":
            return self.options.dtype
        return self.family.dtype if self.device == "cuda" and torch.cuda.is_bf16_supported() else "float32"

    def _load(self, tell: Callable[[str], None]) -> Any:
        self._tell = tell
        self.fits = self.batch_size
        with quiet():
            processor = load_processor(str(self.folder))
            model = self._base()
            if self.adapter is not None:
                model = with_adapter(model, self.adapter)
        self._model = model.eval()
        return processor

    def _base(self) -> Any:
        import torch
        from transformers import AutoModelForImageTextToText

        register()
        try:
            model, info = AutoModelForImageTextToText.from_pretrained(
                self.folder,
                dtype=getattr(torch, self.dtype),
                # Straight to the GPU: this machine may have less memory than the model takes.
                device_map=self._place(),
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                output_loading_info=True,
            )
        except Exception as error:
            if _no_memory(error):
                raise RunError(f"{self.name} does not fit into the memory of the {_called(self.device)}") from None
            raise UsageError(f"{self.name} cannot be loaded: {first_line(error)}") from error
        missing = sorted(info["missing_keys"])
        if missing:
            # transformers fills them with random numbers, and only warns.
            raise UsageError(f"{self.name} lacks {len(missing)} weights, such as {missing[0]}; download it again")
        return model

    def _place(self) -> Any:
        """Where its layers go, as accelerate is told."""
        if self.options.device == "spread":
            return "auto"
        return {"": self.device} if self.device == "cuda" else None

    def _run(self, requests: Sequence[EngineRequest]) -> list[EngineReply]:
        order = sorted(range(len(requests)), key=lambda number: self._alike(requests[number]))
        replies: dict[int, EngineReply] = {}
        for _, group in groupby(order, key=lambda number: self._alike(requests[number])):
            numbers = list(group)
            replies.update(zip(numbers, self._in_batches([requests[number] for number in numbers]), strict=True))
        return [replies[number] for number in range(len(requests))]

    def _alike(self, request: EngineRequest) -> tuple[int, ...]:
        """What is the same in a batch: the length of what is behind a prompt, and of some models' videos; who draws."""
        lengths = (len(frames.indices) for frames in request.videos) if self.family.equal_lengths else ()
        return (len(request.prefix), request.seed is not None, *lengths)

    def _in_batches(self, requests: Sequence[EngineRequest]) -> list[EngineReply]:
        memory = f"the memory of the {_called(self.device)}"
        replies: list[EngineReply] = []
        too_many = None
        while len(replies) < len(requests):
            batch = requests[len(replies) : len(replies) + self.fits]
            done = self._try(batch)
            if done is None and len(batch) > 1:
                too_many = too_many or len(batch)
                self.fits = len(batch) // 2
                continue
            if too_many:
                # Told once it is known how many do fit, and not at every halving.
                self._tell(f"{too_many} queries at once do not fit into {memory}; going on with {self.fits}")
                too_many = None
            reason = f"The query does not fit into {memory}; show fewer or smaller frames, or take a smaller model"
            replies += [EngineReply(error=reason)] if done is None else done
        return replies

    def _try(self, batch: Sequence[EngineRequest]) -> list[EngineReply] | None:
        """Run a batch; None if it does not fit into memory, of which nothing is held any more then."""
        import torch

        try:
            return self._speak(batch) if not batch[0].following else self._look(batch)
        except (RuntimeError, MemoryError) as error:
            if not _no_memory(error):
                raise RunError(f"{self.name} failed: {first_line(error)}") from error
        if self.device == "cuda":
            torch.cuda.empty_cache()
        return None

    def _look(self, batch: Sequence[EngineRequest]) -> list[EngineReply]:
        import torch

        tensors = self._tensors(batch)
        with torch.inference_mode():
            logits = self._model(**tensors, logits_to_keep=1, use_cache=False).logits[:, -1]
            logprobs = torch.log_softmax(logits.float(), dim=-1).cpu()
        lengths = tensors["attention_mask"].sum(dim=1).tolist()
        said = self._processor.tokenizer.batch_decode(logprobs.argmax(dim=-1, keepdim=True), skip_special_tokens=True)
        return [
            EngineReply(text, length, logprobs=tuple(row[list(request.following)].tolist()))
            for request, row, length, text in zip(batch, logprobs, lengths, said, strict=True)
        ]

    def _speak(self, batch: Sequence[EngineRequest]) -> list[EngineReply]:
        import torch

        tensors = self._tensors(batch)
        tokenizer = self._processor.tokenizer
        seeds = [request.seed for request in batch if request.seed is not None]
        with torch.inference_mode():
            output = self._model.generate(
                **tensors,
                max_new_tokens=self.options.longest,
                # The likeliest token each time, whatever the model's own settings say.
                do_sample=False,
                temperature=None,
                top_p=None,
                top_k=None,
                repetition_penalty=1.0,
                logits_processor=[drawing(seeds)] if seeds else None,
                pad_token_id=tokenizer.pad_token_id,
            )
        spoken = output[:, tensors["input_ids"].shape[1] :].cpu()
        lengths = tensors["attention_mask"].sum(dim=1).tolist()
        ends = _ends(self._model.generation_config.eos_token_id)
        return [
            EngineReply(
                tokenizer.decode(row, skip_special_tokens=True),
                length,
                _until(row.tolist(), ends),
                cut=ends.isdisjoint(row.tolist()),
            )
            for row, length in zip(spoken, lengths, strict=True)
        ]

    def _tensors(self, batch: Sequence[EngineRequest]) -> dict[str, Any]:
        import torch

        texts, videos = [request.text for request in batch], [request.videos for request in batch]
        tensors = encode(self._processor, self.family, texts, videos, padding_side="left")
        if batch[0].prefix:
            prefixes = torch.tensor([request.prefix for request in batch])
            behind = {
                "input_ids": prefixes,
                "attention_mask": torch.ones_like(prefixes),
                "mm_token_type_ids": torch.zeros_like(prefixes),
            }
            for name in behind.keys() & tensors.keys():
                tensors[name] = torch.cat([tensors[name], behind[name].to(tensors[name].dtype)], dim=1)
        return placed(tensors, self.device, getattr(torch, self.dtype))

    def close(self) -> None:
        """Let go of the model; loading gets it again."""
        if self._model is None:
            return
        self._model = self._processor = None
        if self.device == "cuda":
            import torch

            torch.cuda.empty_cache()


def drawing(seeds: Sequence[int]) -> Callable[[Any, Any], Any]:
    """What turns the likeliest token into one that is drawn at temperature 1: noise with Gumbel's distribution.

    Each row has a generator of its own, so that what it says does not depend on the others of its batch.

    Args:
        seeds: One for each row.

    Returns:
        Takes the tokens so far and the logits of the next one, shape (rows, vocabulary); returns the noisy logits.
    """
    import torch

    generators = [torch.Generator().manual_seed(seed) for seed in seeds]

    def noisy(_: Any, logits: Any) -> Any:
        noise = [torch.empty(logits.shape[1]).exponential_(generator=generator) for generator in generators]
        return logits.float() - torch.stack(noise).log().to(logits.device)

    return noisy


def _no_memory(error: BaseException) -> bool:
    return isinstance(error, MemoryError) or any(words in str(error).lower() for words in OUT_OF_MEMORY)


def _called(device: Device) -> str:
    return "GPU" if device == "cuda" else "machine"


def _ends(token: int | list[int] | None) -> set[int]:
    return set() if token is None else {token} if isinstance(token, int) else set(token)


def _until(tokens: list[int], ends: set[int]) -> int:
    """How many tokens were generated, the one that ends an answer included; what follows it is padding."""
    return next((number for number, token in enumerate(tokens, start=1) if token in ends), len(tokens))
