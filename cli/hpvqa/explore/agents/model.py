"""Vision-language models as agents, through the backends that answer questions about videos."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import JsonValue

from hpvqa.errors import RunError, UsageError
from hpvqa.explore.agents.words import HASH, SYSTEM, ask, read_letter
from hpvqa.explore.protocol import Brief, Decision, Shot, Turn
from hpvqa.explore.rays import PIXELS
from hpvqa.vlm.backends.openai.scores import nothing_within
from hpvqa.vlm.choice import ModelChoice, with_key
from hpvqa.vlm.families import Family, find_family
from hpvqa.vlm.frames.clip import Frames
from hpvqa.vlm.options import BaselineOptions, ServerOptions
from hpvqa.vlm.protocol import Answer, Answerer, Query
from hpvqa.vlm.registry import open_backend

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
    """

    looks = True
    privileged = False

    def __init__(self, answerer: Answerer, *, speaks: bool, size: Callable[[], tuple[int, int]], budget: int) -> None:
        self._answerer = answerer
        self._speaks, self._size, self._budget = speaks, size, budget

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
        shown = [self._frames(shot) for shot in turn.shots if shot.image.size]
        return Query(
            key=f"{turn.brief.key}/{turn.step}",
            task="explore",
            clip=Path(turn.brief.key),
            fps=1.0,
            frames=1,
            camera=None,
            question=turn.brief.question,
            system=SYSTEM,
            text=ask(turn, thinks=self._speaks),
            choices=cast(Any, tuple(option.letter for option in turn.options)),
            episode=Path(turn.brief.key),
            videos=tuple(shown),
        )

    def _frames(self, shot: Shot) -> Frames:
        images = np.stack([self._picture(image) for image in shot.frames])
        return Frames(images, tuple(range(len(images))), shot.fps, len(images))

    def _picture(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        size = self._size()
        if image.shape[1::-1] == size:
            return image
        return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX))

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
    # Few servers tell how likely a letter is.
    usual = "generate" if isinstance(choice.options, ServerOptions) else "logprobs"
    speaks = said.get("thinking") is not None or said.get("scoring", usual) == "generate"
    if choice.options.scoring == "sample":
        raise UsageError("An agent decides once at each turn; --scoring sample is for hpvqa eval and ask")
    changes: dict[str, Any] = {"scoring": "generate" if speaks else "logprobs"}
    if speaks and "max_new_tokens" not in said:
        changes["max_new_tokens"] = _BUDGET
    options = choice.options.model_copy(update=changes)
    options = with_key(options, environ)
    if isinstance(options, ServerOptions):
        from hpvqa.vlm.backends.openai import OpenAIAnswerer

        server = OpenAIAnswerer(options, cast(Any, _LETTERS))
        return ModelAgent(server, speaks=speaks, size=lambda: picture_size(server.family), budget=options.longest)
    options = options.model_copy(update={"max_videos": MOST_PICTURES})
    size = picture_size(find_family(options.model))
    answerer = open_backend(options, cast(Any, None), 0)
    return ModelAgent(answerer, speaks=speaks, size=lambda: size, budget=options.longest)


def picture_size(family: Family | None) -> tuple[int, int]:
    """Width and height of the pictures that a model is shown: as large as they are taken, or as it must have them.

    Args:
        family: Its family; None: it is not known.
    """
    if family is None:
        return PIXELS, PIXELS
    if family.pixel_multiple is None:
        return family.resolution
    side = PIXELS // family.pixel_multiple * family.pixel_multiple
    return side, side
