"""A model whose own weights are held in 4 bits while an adapter of it is trained (QLoRA, arXiv:2305.14314)."""

from __future__ import annotations

import importlib.util
import math
import re
from typing import Any

from hpvqa.errors import MissingDependencyError, UsageError
from hpvqa.finetune.ranks import local_rank, processes
from hpvqa.finetune.settings import LoraSettings
from hpvqa.install import pip_install

_WHOLE = r"(?!.*\.language_model\.layers\.)"
"""What stays as it is, by the beginnings of full names: all but the language model's layers."""
_BYTES = 0.5 + 1 / 64 + 4 / 64 / 256
"""Of a weight: its half byte, and its share of the scales, which are quantized, too."""


def check_quantized(settings: LoraSettings, *, cpu: bool) -> None:
    """Raise if the model is to be held in 4 bits, and that is not possible here.

    Args:
        settings: Shape of the adapter.
        cpu: Whether it is trained on the CPU, whatever GPUs there are.

    Raises:
        MissingDependencyError: bitsandbytes is not installed.
        UsageError: One process is to train on several GPUs.
    """
    if settings.quantize == "none":
        return
    if importlib.util.find_spec("bitsandbytes") is None:
        raise MissingDependencyError(f"--quantize nf4 needs bitsandbytes; run: {pip_install('quantize')}")
    import torch

    if not cpu and processes() == 1 and torch.cuda.device_count() > 1:
        raise UsageError(
            "One process cannot share out a model in 4 bits among GPUs; set CUDA_VISIBLE_DEVICES to one of them, "
            "or start a process for each with torchrun"
        )


def loading(settings: LoraSettings, *, bf16: bool, cpu: bool) -> dict[str, Any]:
    """What ``from_pretrained`` is told besides; nothing where the weights stay as they are.

    Args:
        settings: Shape of the adapter.
        bf16: Whether is computed in bfloat16, else in float32.
        cpu: Whether it is trained on the CPU, whatever GPUs there are.
    """
    if settings.quantize == "none":
        return {}
    import torch
    from transformers import BitsAndBytesConfig

    config = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16 if bf16 else torch.float32,
        llm_int8_skip_modules=[_WHOLE],
    )
    place = local_rank() if torch.cuda.is_available() and not cpu else "cpu"
    return {"quantization_config": config, "device_map": {"": place}}


def count_of(parameter: Any) -> int:
    """How many weights a parameter holds; one in 4 bits has two in each of its numbers."""
    return int(parameter.numel()) * (2 if type(parameter).__name__ == "Params4bit" else 1)


def weight_bytes(model: Any, settings: LoraSettings) -> float:
    """Memory of the weights that are not trained, of which a model without its weights is enough [bytes].

    Args:
        model: The model with its adapter.
        settings: Shape of the adapter.
    """
    import torch

    small = {
        id(module.weight)
        for name, module in model.named_modules()
        if settings.quantize != "none" and isinstance(module, torch.nn.Linear) and not re.match(_WHOLE, name)
    }
    kept = [parameter for parameter in model.parameters() if not parameter.requires_grad]
    return math.fsum(parameter.numel() * (_BYTES if id(parameter) in small else 2) for parameter in kept)
