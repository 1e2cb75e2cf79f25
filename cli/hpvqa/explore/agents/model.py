"""Vision-language models as agents, through the backends that answer questions about videos."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from pydantic import JsonValue

from hpvqa.errors import RunError, UsageError
from hpvqa.explore.agents.query import as_video, make_query, picture_size
from hpvqa.explore.agents.words import HASH, SYSTEM, ask, read_letter
from hpvqa.explore.protocol import Brief, Decision, Turn
from hpvqa.explore.scene import SCENE_VERSION
from hpvqa.vlm.backends.openai.scores import nothing_within
from hpvqa.vlm.choice import ModelChoice, with_key
from hpvqa.vlm.families import find_family, resolve_model
from hpvqa.vlm.options import BaselineOptions, EngineOptions, ServerOptions
from hpvqa.vlm.protocol import Answer, Answerer, Query
from hpvqa.vlm.registry import open_backend
from hpvqa.vlm.training_record import SampleRecord, read_sample_record

MOST_PICTURES = 9
"""Of one turn: the first, and one for each decision before it."""
_LETTERS = tuple(string.ascii_uppercase[:20])
"""More than any turn has options; vLLM tells the probabilities of so many tokens at once."""
_BUDGET = 512
"""Most tokens of a reply where a model may think and nothing was said."""


class ModelAgent:
    """A model. Each picture is to it a video of one frame, and each clip a video.

    Args:
        answerer: What runs the model.
        speaks: Whether its replies are read; else its letters' probabilities are compared.
        size: Says the width and height of the pictures that it is shown [pixels], once it is loaded.
        budget: Most tokens of a reply.
        taught: What it was trained on, if it was on samples of scenes.
        thinking: Whether its chat template is told to let it think.
    """

    looks = True
    privileged = False

    def __init__(
        self,
        answerer: Answerer,
        *,
        speaks: bool,
        size: Callable[[], tuple[int, int]],
        budget: int,
        taught: SampleRecord | None = None,
        thinking: bool = False,
    ) -> None:
        self._answerer = answerer
        self._speaks, self._size, self._budget = speaks, size, budget
        self._taught, self._thinking = taught, thinking

    @property
    def name(self) -> str:
        """The model's name."""
        return self._answerer.name

    @property
    def batch_size(self) -> int:
        """How many turns it is given at once."""
        return self._answerer.batch_size

    @property
    def distributions(self) -> Sequence[str]:
        """Packages whose versions its decisions may depend on."""
        return self._answerer.distributions

    @property
    def details(self) -> Mapping[str, JsonValue]:
        """Everything that its decisions depend on."""
        return {**self._answerer.details, "resolution": list(self._size()), "words": HASH}

    def unlike(self, shown: str) -> list[str]:
        """In what it is asked otherwise than it was taught, in sentences; none if in nothing that matters.

        Args:
            shown: What it sees: pictures, facts or nothing.
        """
        taught, found = self._taught, list[str]()
        if taught is None:
            return []
        if taught.thought not in (None, self._speaks):
            way = "think first: --scoring generate" if taught.thought else "say a letter alone: --scoring logprobs"
            found.append(f"The model was trained to {way}")
        if self._thinking:
            found.append("The model was trained with its template's thinking turned off: leave out --thinking")
        if shown not in ("nothing", taught.shown):
            way = "words in place of pictures: --condition facts" if taught.shown == "facts" else "pictures"
            found.append(f"The model was trained on {way}")
        if (taught.words, taught.world_version) != (HASH, SCENE_VERSION):
            found.append("The model was trained on samples of another version of hpvqa, in other words or scenes")
        return found

    def load(self, tell: Callable[[str], None]) -> None:
        """Load the model, or connect to its server.

        Raises:
            HpvqaError: It cannot be had.
        """
        self._answerer.load(tell)

    def begin(self, briefs: Sequence[Brief]) -> None:
        """Whatever it must know is said at each turn."""

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        """One decision for each turn.

        Raises:
            RunError: A query could not be answered, as when a server has gone.
        """
        answers = self._answerer.answer([self._query(turn) for turn in turns])
        return [self._decision(turn, answer) for turn, answer in zip(turns, answers, strict=True)]

    def close(self) -> None:
        """Let go of the model."""
        self._answerer.close()

    def _query(self, turn: Turn) -> Query:
        shown = [as_video(shot.frames, self._size(), shot.fps) for shot in turn.shots if shot.image.size]
        letters = [option.letter for option in turn.options]
        key = f"{turn.brief.key}/{turn.step}"
        return make_query(key, SYSTEM, ask(turn, thinks=self._speaks), letters, shown, turn.brief.question)

    def _decision(self, turn: Turn, answer: Answer) -> Decision:
        silent = answer.error == nothing_within(self._budget)
        if answer.error is not None and not silent:
            raise RunError(f"{answer.error}; scenes that were played to their end stay, the same command goes on")
        letters = [option.letter for option in turn.options]
        letter = read_letter(answer.text, letters) if self._speaks else cast("str | None", answer.choice)
        return Decision(
            letter,
            logprobs=cast("Mapping[str, float] | None", answer.logprobs),
            thought=answer.text if self._speaks else "",
            tokens=answer.answer_tokens,
            seconds=answer.seconds,
            error=None if letter else answer.error or "The reply names no option, or several",
        )


def open_model(choice: ModelChoice, environ: Mapping[str, str]) -> ModelAgent:
    """A model as an agent; nothing heavy is loaded yet.

    Args:
        choice: What the user says about it.
        environ: The environment, for a server's key.

    Raises:
        HpvqaError: There is no such model, options contradict each other, or something is missing.
    """
    said = choice.said
    if isinstance(choice.options, BaselineOptions):
        raise UsageError(f"{choice.name} answers data sets and is no agent; give --agent, or another --model")
    taught = _taught(choice.options) if isinstance(choice.options, EngineOptions) else None
    # Few servers tell how likely a letter is.
    thinks = isinstance(choice.options, ServerOptions) or (taught is not None and taught.thought)
    usual = "generate" if thinks else "logprobs"
    speaks = said.get("thinking") is not None or said.get("scoring", usual) == "generate"
    if choice.options.scoring == "sample":
        raise UsageError("An agent decides once at each turn; --scoring sample is for hpvqa eval and ask")
    changes: dict[str, Any] = {"scoring": "generate" if speaks else "logprobs"}
    if speaks and "max_new_tokens" not in said:
        changes["max_new_tokens"] = taught.max_new_tokens if taught is not None and taught.thought else _BUDGET
    options = choice.options.model_copy(update=changes)
    options = with_key(options, environ)
    if isinstance(options, ServerOptions):
        from hpvqa.vlm.backends.openai import OpenAIAnswerer

        server = OpenAIAnswerer(options, cast(Any, _LETTERS))
        return ModelAgent(server, speaks=speaks, size=lambda: picture_size(server.family), budget=options.longest)
    options = options.model_copy(update={"max_videos": MOST_PICTURES})
    size = picture_size(find_family(options.model))
    answerer = open_backend(options, cast(Any, None), 0)
    thinking = options.thinking is not None
    return ModelAgent(
        answerer, speaks=speaks, size=lambda: size, budget=options.longest, taught=taught, thinking=thinking
    )


def _taught(options: EngineOptions) -> SampleRecord | None:
    """What an adapter, or a model that one was merged into, was trained on, if on samples of scenes."""
    places = (options.adapter, Path(resolve_model(options.model)))
    return next((record for place in places if place and (record := read_sample_record(place))), None)
