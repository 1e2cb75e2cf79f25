"""Prompts: system, videos, text, and no thinking."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from hpvqa.errors import RunError, UsageError
from hpvqa.vlm.chat import chat_template, messages, render, render_template
from hpvqa.vlm.families import find_family
from hpvqa.vlm.processing import load_processor
from hpvqa.vlm.tiny.kinds import KINDS, Kind
from tests.tiny_models import TinyModel, make_query, noise

VIDEO = {
    "qwen3_5": "<|vision_start|><|video_pad|><|vision_end|>",
    "qwen3_vl": "<|vision_start|><|video_pad|><|vision_end|>",
    "internvl": "<video>\n",
    "pooled": "<|vision_start|><|video_pad|><|vision_end|>",
}


def test_videos_come_before_the_text() -> None:
    query = make_query(noise(), noise(), system="Be brief.", text="Which?")
    system, user = messages(query)
    assert system == {"role": "system", "content": [{"type": "text", "text": "Be brief."}]}
    assert [part["type"] for part in user["content"]] == ["video", "video", "text"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_prompt_is_system_videos_text_and_an_empty_thought_where_models_think(
    kind: Kind, tiny_model: TinyModel
) -> None:
    folder = str(tiny_model(kind))
    query = make_query(noise(), noise(), system="Be brief.", text="Which?")
    assert render(load_processor(folder), query, find_family(folder)) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n"
        f"<|im_start|>user\n{VIDEO[kind] * 2}Which?<|im_end|>\n"
        "<|im_start|>assistant\n" + ("" if kind == "pooled" else "<think>\n\n</think>\n\n")
    )


def test_an_empty_system_message_is_none(tiny_model: TinyModel) -> None:
    folder = str(tiny_model("qwen3_vl"))
    text = render(load_processor(folder), make_query(noise(), system=""), find_family(folder))
    assert text.startswith("<|im_start|>user\n")


@pytest.mark.parametrize(
    ("ending", "thinks"),
    [
        ("", False),
        ("<think>", True),
        ("<think>\n", True),
        ("<think></think>", False),
        ("<think></think><think>", True),
        ("{% if enable_thinking is not defined or enable_thinking %}<think>{% endif %}", False),
        ("{% if not enable_thinking %}<think>{% endif %}", True),
    ],
)
@pytest.mark.parametrize("text", ["Which?", "What does <think> mean?", "And </think>?"])
def test_a_prompt_that_makes_a_model_think_is_refused(
    ending: str, thinks: bool, text: str, tiny_model: TinyModel
) -> None:
    folder = str(tiny_model("qwen3_vl"))
    tokenizer, family = load_processor(folder).tokenizer, find_family(folder)
    template = (
        "{% for m in messages %}[{{ m['role'] }}]{% for p in m['content'] %}{{ p['text'] }}{% endfor %}{% endfor %}"
        "{% if add_generation_prompt %}[assistant]" + ending + "{% endif %}"
    )
    if thinks:
        with pytest.raises(RunError, match=r"Qwen3-VL model opens <think> although"):
            render_template(tokenizer, template, make_query(text=text), family)
    else:
        assert "[assistant]" in render_template(tokenizer, template, make_query(text=text), family)


def test_the_tiny_template_thinks_unless_it_is_told_not_to(tiny_model: TinyModel) -> None:
    folder = str(tiny_model("qwen3_5"))
    thoughtful = find_family(folder).model_copy(update={"chat_template_options": {}})
    with pytest.raises(RunError, match="<think>"):
        render(load_processor(folder), make_query(noise()), thoughtful)


def test_a_template_that_fails_is_a_clear_error(tiny_model: TinyModel) -> None:
    folder = str(tiny_model("qwen3_vl"))
    tokenizer, family = load_processor(folder).tokenizer, find_family(folder)
    with pytest.raises(RunError, match="The chat template of Qwen3-VL fails: System role not supported"):
        render_template(tokenizer, "{{ raise_exception('System role not supported') }}", make_query(), family)
    with pytest.raises(RunError, match="The chat template of Qwen3-VL fails"):
        render_template(tokenizer, "{% for %}", make_query(), family)


def processor_with(template: object, tokenizers: object = None) -> SimpleNamespace:
    return SimpleNamespace(chat_template=template, tokenizer=SimpleNamespace(chat_template=tokenizers))


def test_a_chat_template_may_be_the_tokenizers_or_one_of_several() -> None:
    assert chat_template(processor_with("a", "b")) == "a"
    assert chat_template(processor_with(None, "b")) == "b"
    assert chat_template(processor_with({"tools": "a", "default": "b"})) == "b"


@pytest.mark.parametrize("template", [None, "", {}, {"tools": "a"}])
def test_a_model_without_a_chat_template_is_a_clear_error(template: object) -> None:
    with pytest.raises(UsageError, match=r"no chat template: its folder lacks chat_template\.jinja"):
        chat_template(processor_with(template))


def test_no_warning_about_options_that_a_template_does_not_know(
    tiny_model: TinyModel, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = str(tiny_model("internvl"))
    processor = load_processor(folder)
    processor.chat_template = "{{ messages[-1]['content'][-1]['text'] }}"
    assert render(processor, make_query(noise(), text="Which?"), find_family(folder)) == "Which?"
    assert caplog.records == []
