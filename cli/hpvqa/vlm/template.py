"""The chat template of Qwen's kind, of models that we put together ourselves."""

from __future__ import annotations

_TEMPLATE = """\
{%- for message in messages -%}
{{- '<|im_start|>' + message['role'] + '\\n' -}}
{%- if message['content'] is string -%}
{{- message['content'] -}}
{%- else -%}
{%- for part in message['content'] -%}
{%- if part['type'] == 'video' -%}{{- 'VIDEO' -}}
{%- elif part['type'] == 'image' -%}{{- 'IMAGE' -}}
{%- else -%}{{- part['text'] -}}
{%- endif -%}
{%- endfor -%}
{%- endif -%}
{{- '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|im_start|>assistant\\n' -}}
THOUGHT
{%- endif -%}
"""
_THOUGHT = """\
{%- if enable_thinking is defined and enable_thinking is false -%}
{{- '<think>\\n\\n</think>\\n\\n' -}}
{%- else -%}
{{- '<think>\\n' -}}
{%- endif -%}
"""
_VISION = "<|vision_start|><|{}_pad|><|vision_end|>"


def chat_template(video: str = _VISION.format("video"), image: str = _VISION.format("image"), *, thinks: bool) -> str:
    """A chat template.

    Args:
        video: What stands for a video.
        image: What stands for a picture.
        thinks: Whether it opens ``<think>`` unless it is told not to.
    """
    thought = _THOUGHT if thinks else ""
    return _TEMPLATE.replace("VIDEO", video).replace("IMAGE", image).replace("THOUGHT\n", thought)
