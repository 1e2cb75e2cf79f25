"""From a query to the text of a prompt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hpvqa.errors import RunError, UsageError
from hpvqa.vlm.families import Family
from hpvqa.vlm.protocol import Query


def messages(query: Query) -> list[dict[str, Any]]:
    """The conversation: system message if there is one, then the videos and after them the text."""
    videos = [{"type": "video"} for _ in query.videos]
    user = {"role": "user", "content": [*videos, {"type": "text", "text": query.text}]}
    return [{"role": "system", "content": [{"type": "text", "text": query.system}]}, user] if query.system else [user]


def render(processor: Any, query: Query, family: Family, *, thinking: bool = False) -> str:
    """The text of a prompt, up to where the answer begins; each video is still the family's placeholder.

    Args:
        processor: Processor of the model.
        query: The query.
        family: Its family.
        thinking: Whether the model shall think first.

    Raises:
        UsageError: The model has no chat template.
        RunError: The prompt would make the model think before it answers, and it shall not.
    """
    return render_template(processor.tokenizer, chat_template(processor), query, family, thinking=thinking)


def chat_template(processor: Any) -> str:
    """The chat template of a model.

    Raises:
        UsageError: It has none.
    """
    template = processor.chat_template or processor.tokenizer.chat_template
    if isinstance(template, Mapping):
        template = template.get("default")
    if not template:
        raise UsageError("The model has no chat template: its folder lacks chat_template.jinja; download it again")
    return str(template)


def render_template(tokenizer: Any, template: str, query: Query, family: Family, *, thinking: bool = False) -> str:
    """Like :func:`render`, where only a tokenizer and a template are at hand.

    The tokenizer renders, and not the processor, because a processor takes options that a template does not know for
    its own and warns about each of them.

    Raises:
        RunError: The prompt would make the model think before it answers, and it shall not, or the template fails.
    """
    from jinja2 import TemplateError

    def apply(generation: bool) -> str:
        return str(
            tokenizer.apply_chat_template(
                messages(query),
                chat_template=template,
                tokenize=False,
                add_generation_prompt=generation,
                **family.template_options(thinking=thinking),
            )
        )

    try:
        text, asked = apply(True), apply(False)
    except TemplateError as error:
        raise RunError(f"The chat template of {family.title} fails: {error}") from None
    # What follows the question is the model's own turn; a question may well speak of <think>.
    turn = text.removeprefix(asked)
    if not thinking and turn.rfind("<think>") > turn.rfind("</think>"):
        raise RunError(
            f"The chat template of this {family.title} model opens <think> although thinking is turned off "
            f"({family.chat_template_options}), so what follows is no answer; let it think, as eval, ask and "
            "explore run can (--thinking 4096), or take a model that does not"
        )
    return text
