"""Second stage: which option is best at a step, and beside it what each option tells; the vision tower stays."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hpvqa.explore.agents.query import as_video, make_query
from hpvqa.explore.agents.words import SYSTEM
from hpvqa.explore.words import COLORS
from hpvqa.vlm.chat import render
from hpvqa.vlm.families import Family
from hpvqa.vlm.pooled.modeling import max_pool
from research.choose.model import normalised
from research.choose.settings import ChooseSettings
from research.choose.store import CLASSES, MARKS, MOST, Lesson
from research.choose.words import swapped

_ANSWERS = CLASSES.index("excluded")
"""Classes from here on are those of answers."""
_AHEAD = 10
"""Batches that are drawn at once, so that lessons of one length come together; checkpoints are written between."""
_MIRRORED = 0.5
_COLORS_CHANGED = 0.8
_TEXT = "TEXT"


class Asked(nn.Module):  # type: ignore[misc] # torch is not typed
    """What is asked of the language model's states beside the choice; thrown away later.

    It is asked of states between layers, in the order in which one follows from the other: what is asked of the last
    ones alone comes too late for the choice to depend on it.

    Args:
        width: Their width.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.options = nn.Linear(width, len(CLASSES))
        """Of the state at the end of an option: what it tells."""
        self.marks = nn.Linear(width, len(MARKS))
        """Of the state at the end of what is told of a thing or a place."""
        self.sums = nn.Linear(width, 3 * (MOST + 1))
        """Of the state before the options."""


@dataclass(frozen=True)
class Row:
    """A lesson as tokens.

    Attributes:
        tokens: All of them.
        bodies: Of each option, in the order of the lesson's letters, the first token after the letter and the last one.
        letters: Tokens of the letters.
        marks: The last token of what is told of each thing and place.
        left: The last token before the options.
    """

    tokens: NDArray[np.int64]
    bodies: tuple[tuple[int, int], ...]
    letters: tuple[int, ...]
    marks: tuple[int, ...]
    left: int

    def shuffled(self, order: Sequence[int]) -> Row:
        """The same with the options in another order.

        Args:
            order: Numbers of the options.

        Returns:
            Bodies and letters stand where they did: those of an option are found by its number.
        """
        parts, bodies, letters, end, size = [], list(self.bodies), list(self.letters), 0, 0
        for (first, last), letter, number in zip(self.bodies, self.letters, order, strict=True):
            own = slice(self.bodies[number][0], self.bodies[number][1] + 1)
            parts += [self.tokens[end:first], self.tokens[own]]
            size += first - end
            bodies[number], letters[number] = (size, size + own.stop - own.start - 1), letter
            end, size = last + 1, size + own.stop - own.start
        return Row(np.concatenate([*parts, self.tokens[end:]]), tuple(bodies), tuple(letters), self.marks, self.left)


def row_of(lesson: Lesson, tokenizer: Any, text: str) -> Row:
    """A lesson as tokens.

    Args:
        lesson: The lesson.
        tokenizer: Makes the tokens.
        text: All that the model is told, with a token for each part of a picture.
    """
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    starts = [low for low, _ in encoded["offset_mapping"]]

    def at(place: int) -> int:
        """The token that a letter of the text belongs to."""
        return int(np.searchsorted(starts, place, side="right")) - 1

    begin = text.rindex("\nDecisions left") + 1
    bodies = []
    for letter in lesson.letters:
        start = text.index(f"\n{letter}: ", begin) + 2
        bodies.append((at(start), at(text.index("\n", start) - 1)))
    marks = tuple(at(place) for place in _told(text))
    letters = tuple(tokenizer.convert_tokens_to_ids(letter) for letter in lesson.letters)
    return Row(np.array(encoded["input_ids"]), tuple(bodies), letters, marks, at(text.index("\n", begin) - 1))


def _told(text: str) -> Iterator[int]:
    """Where it ends what is told of each thing and place."""
    for line in re.finditer(r"^On the table are: (.*)\. Places: (.*)\.$", text, re.MULTILINE):
        for number, between in ((1, r", (?=an? )"), (2, "; ")):
            for mark in re.finditer(between, line[number]):
                yield line.start(number) + mark.start() - 1
            yield line.end(number) - 1


@dataclass(frozen=True)
class Said:
    """What is said of lessons.

    Attributes:
        letters: Logits of all tokens, shape (lessons, vocabulary).
        rows: The lessons as they were asked.
        options: Logits of :data:`CLASSES`, of all options in turn.
        own: Logits of all tokens, of all options in turn: each has its own letter to tell.
        marks: Logits of :data:`MARKS`, of all that is told of, in turn.
        sums: Logits of three numbers, shape (lessons, 3, MOST + 1).
    """

    letters: Any
    rows: list[Row]
    options: Any
    own: Any
    marks: Any
    sums: Any


class Language:
    """Batches of lessons, and their loss.

    Args:
        model: The model.
        asked: What is asked beside the choice.
        processor: Its processor.
        family: Its family.
        lessons: The lessons.
        seen: What the tower makes of the pictures that they are about, and of the same mirrored; see :func:`look`.
        settings: How.
    """

    def __init__(
        self,
        model: Any,
        asked: Asked,
        processor: Any,
        family: Family,
        lessons: Sequence[Lesson],
        seen: tuple[Any, Any],
        settings: ChooseSettings,
    ) -> None:
        self._model, self._asked, self._settings = model, asked, settings
        self._processor, self._family = processor, family
        self.lessons = lessons
        self._seen = seen
        self._pictured = np.array([number for number, lesson in enumerate(lessons) if lesson.pictures], np.int64)
        self._rows: dict[tuple[int, bool], Row] = {}
        self._around: dict[int, tuple[str, str]] = {}
        self._planned: list[tuple[list[int], bool]] = []
        self._known = processor.tokenizer.get_added_vocab()
        size = model.config.text_config.vocab_size
        self._mirror = swapped(self._known, size, {"left": "right", "right": "left"})

    def loss(self, rng: np.random.Generator, step: int, facts: float, batch: int) -> Any:
        """The loss of a batch, of pictures or of facts; colours of facts and the order of options are shuffled.

        Args:
            rng: Draws it.
            step: Number of the step, from 1.
            facts: Share of batches in which words stand in the place of pictures.
            batch: Lessons of a batch.
        """
        if (step - 1) % _AHEAD == 0:
            self._planned = self._plan(rng, facts, batch)
        numbers, words = self._planned[(step - 1) % _AHEAD]
        said = self.ask(numbers, words, rng)
        lessons = [self.lessons[number] for number in numbers]
        good = torch.full_like(said.letters, -torch.inf)
        for place, (lesson, row) in enumerate(zip(lessons, said.rows, strict=True)):
            best = [token for token, letter in zip(row.letters, lesson.letters, strict=True) if letter in lesson.best]
            good[place, best] = 0.0
        wrong = -torch.logsumexp(torch.log_softmax(said.letters, -1) + good, -1).mean()
        entropy = nn.functional.cross_entropy
        kinds = torch.tensor([kind for lesson in lessons for kind in lesson.classes])
        sums = torch.tensor([lesson.sums for lesson in lessons])
        own = torch.tensor([letter for row in said.rows for letter in row.letters])
        dense = entropy(said.options, kinds) + 0.3 * entropy(said.sums.flatten(0, 1), sums.flatten())
        dense = dense + 0.3 * entropy(said.own, own)
        if words:
            dense = dense + entropy(said.marks, torch.tensor([mark for lesson in lessons for mark in lesson.marks]))
        return wrong + self._settings.dense * dense

    def _plan(self, rng: np.random.Generator, facts: float, batch: int) -> list[tuple[list[int], bool]]:
        told = rng.random(_AHEAD) < facts
        planned = []
        for words in (False, True):
            batches = int((told == words).sum())
            if words:
                drawn = rng.integers(len(self.lessons), size=batches * batch)
            else:
                drawn = self._pictured[rng.integers(len(self._pictured), size=batches * batch)]
            ordered = sorted(drawn.tolist(), key=lambda number: len(self._row(number, words).tokens))
            planned += [(ordered[one * batch : (one + 1) * batch], words) for one in range(batches)]
        return [planned[number] for number in rng.permutation(_AHEAD)]

    def check(self, words: bool, most: int = 300) -> dict[str, float]:
        """How often lessons are decided well.

        Args:
            words: Whether words stand in the place of pictures.
            most: About so many lessons are looked at.

        Returns:
            best: share of best choices; judged: mean of how often it is answered where one should and acted where one
            should; taken: what chosen actions are worth, against the best one, where one should act; answers: share of
            correct answers where the answer is certain; told: share of best choices if the option were taken of which
            the state between the layers says so most clearly; options, marks, sums: of what else is asked.
        """
        chosen = list(range(len(self.lessons))) if words else self._pictured.tolist()
        chosen = chosen[:: max(len(chosen) // most, 1)]
        found: dict[str, list[float]] = {
            name: [] for name in ("best", "answered", "acted", "taken", "answers", "told", "options", "marks", "sums")
        }
        with torch.no_grad():
            for begin in range(0, len(chosen), 32):
                numbers = chosen[begin : begin + 32]
                lessons = [self.lessons[number] for number in numbers]
                said = self.ask(numbers, words)
                for lesson, row, logits in zip(lessons, said.rows, said.letters, strict=True):
                    number = int(logits[list(row.letters)].argmax())
                    answers = lesson.classes[number] >= _ANSWERS
                    good = lesson.letters[number] in lesson.best
                    found["best"].append(good)
                    if lesson.classes[lesson.letters.index(lesson.best[0])] >= _ANSWERS:
                        found["answered"].append(answers)
                    else:
                        found["acted"].append(not answers)
                        found["taken"].append(lesson.values[number])
                    if CLASSES.index("follows") in lesson.classes:
                        found["answers"].append(good)
                clear = torch.softmax(said.options, -1)[:, [CLASSES.index("best"), CLASSES.index("follows")]].sum(-1)
                for lesson, weights in zip(lessons, clear.split([len(one.letters) for one in lessons]), strict=True):
                    found["told"].append(lesson.letters[int(weights.argmax())] in lesson.best)
                for name in ("options", "marks", "sums") if words else ("options", "sums"):
                    truth = [getattr(lesson, {"options": "classes"}.get(name, name)) for lesson in lessons]
                    guesses = getattr(said, name).argmax(-1).flatten().numpy()
                    found[name] += (guesses == np.array([one for row in truth for one in row])).tolist()
        means = {name: round(float(np.mean(values)), 3) for name, values in found.items() if values}
        return means | {"judged": (means.pop("answered", 0.0) + means.pop("acted", 0.0)) / 2}

    def ask(self, numbers: Sequence[int], words: bool, rng: np.random.Generator | None = None) -> Said:
        """What is said of lessons.

        Args:
            numbers: Numbers of the lessons.
            words: Whether words stand in the place of pictures.
            rng: Shuffles options and colours, and mirrors; None: lessons are asked as they are.
        """
        rows = [self._row(number, words) for number in numbers]
        mirrored = rng is not None and bool(rng.random() < _MIRRORED)
        change = self._mirror if mirrored else np.arange(len(self._mirror))
        if rng is not None:
            rows = [row.shuffled(rng.permutation(len(row.bodies)).tolist()) for row in rows]
            if words and rng.random() < _COLORS_CHANGED:
                colors = list(COLORS)
                other = dict(zip(colors, rng.permutation(colors).tolist(), strict=True))
                change = swapped(self._known, len(change), other)[change]
        ids = torch.zeros(len(rows), max(len(row.tokens) for row in rows), dtype=torch.long)
        for place, row in enumerate(rows):
            ids[place, : len(row.tokens)] = torch.from_numpy(change[row.tokens])
        embeds = self._model.get_input_embeddings()(ids)
        if not words:
            shown = [picture for number in numbers for picture in self.lessons[number].pictures]
            features = self._model.model.multi_modal_projector(self._seen[mirrored][shown].float())
            there = (ids == self._model.config.video_token_id).unsqueeze(-1)
            embeds = embeds.masked_scatter(there, features)
        # What fills up a row comes after all else, where nothing looks at it.
        language = self._model.model.language_model
        *between, states = language(inputs_embeds=embeds, output_hidden_states=True, use_cache=False).hidden_states
        middle, later, late = (
            nn.functional.rms_norm(between[max(depth, 1)], embeds.shape[-1:])
            for depth in (len(between) // 2, len(between) - 2, len(between) - 1)
        )
        every, ends = torch.arange(len(rows)), [[last for _, last in row.bodies] for row in rows]
        options = _states(late, ends)
        return Said(
            self._model.lm_head(states[every, [len(row.tokens) - 1 for row in rows]]),
            rows,
            self._asked.options(options),
            self._model.lm_head(options),
            self._asked.marks(_states(middle, [row.marks for row in rows])),
            self._asked.sums(later[every, [row.left for row in rows]]).unflatten(-1, (3, MOST + 1)),
        )

    def _row(self, number: int, words: bool) -> Row:
        if (number, words) not in self._rows:
            lesson = self.lessons[number]
            before, after = self._frame(0 if words else len(lesson.pictures))
            text = f"{before}{lesson.told if words else lesson.text}{after}"
            self._rows[number, words] = row_of(lesson, self._processor.tokenizer, text)
        return self._rows[number, words]

    def _frame(self, pictures: int) -> tuple[str, str]:
        """What stands before and after the text where so many pictures are shown."""
        if pictures not in self._around:
            side = self._settings.model.side
            blank = as_video(np.zeros((1, side, side, 3), np.uint8), (side, side))
            query = make_query("", SYSTEM, _TEXT, "A", [blank] * pictures)
            pad = self._processor.video_token
            text = render(self._processor, query, self._family).replace(pad, pad * self._model.config.tokens_per_image)
            before, _, after = text.rpartition(_TEXT)
            self._around[pictures] = before, after
        return self._around[pictures]


def _states(states: Any, where: Sequence[Sequence[int]]) -> Any:
    """Those at some tokens of each row, one after the other, shape (tokens, width)."""
    rows = [place for place, tokens in enumerate(where) for _ in tokens]
    return states[rows, [token for tokens in where for token in tokens]]


def look(model: Any, images: NDArray[np.uint8]) -> tuple[Any, Any]:
    """What the vision tower makes of each picture, and of it mirrored.

    Args:
        model: The model.
        images: Shape (n, side, side, 3).

    Returns:
        Both pooled, shape (n, tokens, width), half precision.
    """
    found = []
    with torch.no_grad():
        for shown in (images, images[:, :, ::-1]):
            parts = [np.ascontiguousarray(shown[begin : begin + 64]) for begin in range(0, len(shown), 64)]
            seen = [model.model.vision_tower(normalised(part)).last_hidden_state for part in parts]
            found.append(torch.cat([max_pool(one, model.config.pool).half() for one in seen]))
    return found[0], found[1]
