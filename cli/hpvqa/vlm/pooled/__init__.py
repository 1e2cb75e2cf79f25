"""A model class of our own: SigLIP, max pooling of visual tokens by three, a two-layer MLP, Qwen2.5."""

ARCHITECTURE = "PooledForConditionalGeneration"


def register() -> None:
    """Make the class known to transformers, so that ``AutoModelForImageTextToText`` and the like find it.

    No code from a model's folder is run for it. Registering again changes nothing.
    """
    from transformers import AutoConfig, AutoModel, AutoModelForImageTextToText, AutoProcessor

    from hpvqa.vlm.pooled.configuration import PooledConfig
    from hpvqa.vlm.pooled.modeling import PooledForConditionalGeneration, PooledModel
    from hpvqa.vlm.pooled.processing import PooledProcessor

    AutoConfig.register(PooledConfig.model_type, PooledConfig, exist_ok=True)
    AutoModel.register(PooledConfig, PooledModel, exist_ok=True)
    AutoModelForImageTextToText.register(PooledConfig, PooledForConditionalGeneration, exist_ok=True)
    AutoProcessor.register(PooledConfig, PooledProcessor, exist_ok=True)


def vllm_plugin() -> None:
    """Make the class known to vLLM: the entry point ``vllm.general_plugins`` that it calls in each of its processes."""
    from vllm import ModelRegistry

    register()
    if ARCHITECTURE not in ModelRegistry.get_supported_archs():
        ModelRegistry.register_model(ARCHITECTURE, f"hpvqa.vlm.pooled.serving:{ARCHITECTURE}")
