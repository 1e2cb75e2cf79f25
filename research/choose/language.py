"""Second stage: which option is best at a step, and beside it what each option tells; the vision tower stays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hpvqa.explore.agents.query import as_video, make_query
from hpvqa.explore.agents.words import SYSTEM
from hpvqa.vlm.chat import render
from hpvqa.vlm.families import Family
from hpvqa.vlm.pooled.modeling import max_pool
from research.choose.model import normalised
from research.choose.settings import ChooseSettings
from research.choose.store import CLASSES, Lesson

_ANSWERS = CLASSES.index("excluded")
"""Classes from here on are those of answers."""


class Options(nn.Module):  # type: ignore[misc] # torch is not typed
    """What is asked of the language model's state at the end of each option; thrown away later.

    Args:
        width: Its width.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.told = nn.Linear(width, len(CLASSES))

    def forward(self, states: Any) -> Any:
        """Logits of :data:`CLASSES`, shape (options, 6), of states, shape (options, width)."""
        return self.told(states)


class Row:
    """A lesson as tokens: all of them, where the options end, the letters' tokens.

    Args:
        lesson: The lesson.
        tokenizer: Makes the tokens.
        text: All that the model is told, with a token for each part of a picture.
    """

    def __init__(self, lesson: Lesson, tokenizer: Any, text: str) -> None:
        encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        self.tokens: list[int] = encoded["input_ids"]
        begin = text.rindex("Decisions left")
        ends = []
        for letter in lesson.letters:
            start = text.index(f"\n{letter}: ", begin)
            ends.append(text.index("\n", start + 1) - 1)
        starts = [low for low, _ in encoded["offset_mapping"]]
        self.ends = [int(np.searchsorted(starts, end, side="right")) - 1 for end in ends]
        self.letters = [tokenizer.convert_tokens_to_ids(letter) for letter in lesson.letters]


class Language:
    """Batches of lessons, and their loss.

    Args:
        model: The model.
        options: What is asked beside the choice.
        processor: Its processor.
        family: Its family.
        lessons: The lessons.
        seen: What the tower makes of the pictures that they are about; see :func:`look`.
        settings: How.
    """

    def __init__(
        self,
        model: Any,
        options: Options,
        processor: Any,
        family: Family,
        lessons: Sequence[Lesson],
        seen: Any,
        settings: ChooseSettings,
    ) -> None:
        self._model, self._options, self._settings = model, options, settings
        self._processor, self._family = processor, family
        self.lessons = lessons
        self._seen = seen
        self._rows: dict[tuple[int, bool], Row] = {}

    def loss(self, rng: np.random.Generator) -> Any:
        """The loss of a batch, of pictures or of facts."""
        words = bool(rng.random() < self._settings.facts)
        numbers = rng.integers(len(self.lessons), size=self._settings.language.batch_size).tolist()
        choice, classes = self.ask(numbers, words)
        truth = torch.tensor([kind for number in numbers for kind in self.lessons[number].classes])
        wrong = torch.zeros(())
        for number, logits, letters in zip(numbers, *choice, strict=True):
            lesson = self.lessons[number]
            good = [token for token, letter in zip(letters, lesson.letters, strict=True) if letter in lesson.best]
            wrong = wrong - torch.logsumexp(torch.log_softmax(logits, -1)[good], 0)
        return wrong / len(numbers) + self._settings.dense * nn.functional.cross_entropy(classes, truth)

    def check(self, words: bool, most: int = 300) -> dict[str, float]:
        """Shares of best choices and of correct classes among lessons, and of correct stops.

        Args:
            words: Whether words stand in the place of pictures.
            most: About so many lessons are looked at.
        """
        good, kinds, stops = list[bool](), list[bool](), list[bool]()
        step = max(len(self.lessons) // most, 1)
        chosen = range(0, len(self.lessons), step)
        with torch.no_grad():
            for begin in range(0, len(chosen), 32):
                numbers = list(chosen[begin : begin + 32])
                choice, classes = self.ask(numbers, words)
                truth = [kind for number in numbers for kind in self.lessons[number].classes]
                kinds += (classes.argmax(-1).numpy() == np.array(truth)).tolist()
                for number, logits, letters in zip(numbers, *choice, strict=True):
                    lesson = self.lessons[number]
                    letter = lesson.letters[int(logits[letters].argmax())]
                    good.append(letter in lesson.best)
                    answers = {
                        one for one, kind in zip(lesson.letters, lesson.classes, strict=True) if kind >= _ANSWERS
                    }
                    stops.append((letter in answers) == (lesson.best[0] in answers))
        return {"best": float(np.mean(good)), "stop": float(np.mean(stops)), "options": float(np.mean(kinds))}

    def ask(self, numbers: Sequence[int], words: bool) -> tuple[tuple[list[Any], list[list[int]]], Any]:
        """What is said of lessons.

        Args:
            numbers: Numbers of the lessons.
            words: Whether words stand in the place of pictures.

        Returns:
            For each lesson, logits of all tokens, and which tokens are its letters; and logits of :data:`CLASSES`, of
            all options in turn.
        """
        rows = [self._row(number, words) for number in numbers]
        longest = max(len(row.tokens) for row in rows)
        ids = torch.zeros(len(rows), longest, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for place, row in enumerate(rows):
            ids[place, : len(row.tokens)] = torch.tensor(row.tokens)
            mask[place, : len(row.tokens)] = 1
        embeds = self._model.get_input_embeddings()(ids)
        if not words:
            shown = [picture for number in numbers for picture in self.lessons[number].pictures]
            features = self._model.model.multi_modal_projector(self._seen[shown].float())
            there = (ids == self._model.config.video_token_id).unsqueeze(-1)
            embeds = embeds.masked_scatter(there, features)
        states = self._model.model.language_model(inputs_embeds=embeds, attention_mask=mask).last_hidden_state
        last = torch.tensor([len(row.tokens) - 1 for row in rows])
        logits = list(self._model.lm_head(states[torch.arange(len(rows)), last]))
        where = [(place, end) for place, row in enumerate(rows) for end in row.ends]
        asked = states[[place for place, _ in where], [end for _, end in where]]
        return (logits, [row.letters for row in rows]), self._options(asked)

    def _row(self, number: int, words: bool) -> Row:
        if (number, words) not in self._rows:
            lesson = self.lessons[number]
            side = self._settings.model.side
            blank = as_video(np.zeros((1, side, side, 3), np.uint8), (side, side))
            shown = [] if words else [blank] * len(lesson.pictures)
            query = make_query("", SYSTEM, lesson.told if words else lesson.text, lesson.letters, shown)
            text = render(self._processor, query, self._family)
            pad = self._processor.video_token
            text = text.replace(pad, pad * self._model.config.tokens_per_image)
            self._rows[number, words] = Row(lesson, self._processor.tokenizer, text)
        return self._rows[number, words]


def look(model: Any, images: NDArray[np.uint8]) -> Any:
    """What the vision tower makes of each picture, pooled, shape (n, tokens, width), half precision."""
    found = []
    with torch.no_grad():
        for begin in range(0, len(images), 64):
            seen = model.model.vision_tower(normalised(images[begin : begin + 64])).last_hidden_state
            found.append(max_pool(seen, model.config.pool).half())
    return torch.cat(found)
