"""An adapter put on its model by PEFT, whole, and merged into it."""

from __future__ import annotations

from typing import Any

from hpvqa.errors import UsageError
from hpvqa.vlm.adapter import WEIGHTS, Adapter, names_in


def with_adapter(model: Any, adapter: Adapter) -> Any:
    """The model with an adapter on it, none of whose tensors is left out.

    Args:
        model: The model, as transformers loads it.
        adapter: The adapter.

    Raises:
        UsageError: The adapter does not fit the model.
    """
    from peft import PeftConfig, get_peft_model, set_peft_model_state_dict
    from peft.utils import get_peft_model_state_dict
    from safetensors.torch import load_file

    names = names_in(adapter, [name for name, _ in model.named_modules()])
    try:
        config = PeftConfig.from_pretrained(str(adapter.folder), local_files_only=True)
        config.inference_mode = True
        adapted = get_peft_model(model, config)
        tensors = load_file(adapter.folder / WEIGHTS)
        set_peft_model_state_dict(adapted, {names[name]: tensor for name, tensor in tensors.items()})
    except Exception as error:
        # PEFT fails at each odd setting in another way.
        reason = (str(error).strip() or type(error).__name__).partition("\n")[0].rstrip(".")
        raise UsageError(f"The adapter {adapter.folder} cannot be loaded: {reason}") from error
    left_out = sorted(set(names.values()) ^ get_peft_model_state_dict(adapted).keys())
    if left_out:
        raise UsageError(
            f"The adapter {adapter.folder} does not fit: {left_out[0]} is only in one of adapter and model"
        )
    return adapted


def merged(adapted: Any) -> tuple[Any, int, int]:
    """Add an adapter's updates to the weights of its model.

    Args:
        adapted: The model with the adapter on it; it is used up.

    Returns:
        The model, how many of its weights are others now, and how many the adapter has an update of.

    Raises:
        UsageError: No weight has changed, or one is no number any more.
    """
    import torch
    from peft.tuners.tuners_utils import BaseTunerLayer

    changed = count = 0
    try:
        for layer in adapted.modules():
            if isinstance(layer, BaseTunerLayer):
                before = layer.get_base_layer().weight.detach().clone()
                layer.merge(safe_merge=True)
                changed += not torch.equal(before, layer.get_base_layer().weight)
                count += 1
        # What is merged already stays so; this takes the adapter away.
        whole = adapted.merge_and_unload(safe_merge=True)
    except ValueError as error:
        raise UsageError(f"The adapter cannot be merged: {error}") from None
    if not changed:
        raise UsageError("The adapter changes nothing: all of its updates are zero, or too small for the model's dtype")
    return whole, changed, count
