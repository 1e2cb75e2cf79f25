"""Models behind a server with an OpenAI-compatible interface: vLLM, SGLang, or a hosted one."""

from hpvqa.vlm.backends.openai.answerer import OpenAIAnswerer

__all__ = ["OpenAIAnswerer"]
