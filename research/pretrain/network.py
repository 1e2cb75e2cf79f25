"""The model's own parts, put together so that training is quick: several questions share one look at a clip.

What comes out is what the ordinary way (processor, chat template, ``forward``) computes: tokens and their positions are
taken from it, questions do not see each other, and a test compares the results.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hpvqa.errors import UsageError
from hpvqa.scene.spec import SIDES
from hpvqa.vlm.chat import render
from hpvqa.vlm.families import Family
from hpvqa.vlm.frames.clip import Frames
from hpvqa.vlm.processing import encode
from hpvqa.vlm.prompt import CHOICES, Prompt
from hpvqa.vlm.protocol import Query
from hpvqa.vlm.scoring import candidates


@dataclass(frozen=True)
class Layout:
    """One clip and several questions about it, as one row of tokens.

    Attributes:
        tokens: The clip's part, then the rest of each question with a place for its answer, shape (length,).
        positions: In time, height and width, shape (3, length).
        visible: Which token sees which, shape (length, length).
        video: Which tokens stand for the video, shape (length,).
        asked: Where each answer is expected, shape (questions,); it stands at the next place.
    """

    tokens: Any
    positions: Any
    visible: Any
    video: Any
    asked: Any


class Network:
    """A model and its processor.

    Args:
        model: The model.
        processor: Its processor.
        family: Its family.
        prompt: The words around the questions.
    """

    def __init__(self, model: Any, processor: Any, family: Family, prompt: Prompt) -> None:
        self.model = model
        self._processor = processor
        self._family = family
        self._prompt = prompt
        self._layouts: dict[tuple[Any, ...], Layout] = {}
        self._choices: tuple[int, int] | None = None

    def look(self, pairs: NDArray[np.uint8]) -> Any:
        """What the vision tower makes of pairs of frames.

        Args:
            pairs: RGB, shape (pairs, 2, side, side, 3).

        Returns:
            Tokens, and below them those for the first layers of the language model, shape (pairs, 1 + deep, tokens,
            width).
        """
        batch = self._processor.video_processor(
            videos=list(pairs), do_sample_frames=False, do_resize=False, return_tensors="pt"
        )
        found = self.model.model.visual(batch["pixel_values_videos"], batch["video_grid_thw"])
        layers = [found.pooler_output, *found.deepstack_features]
        return torch.stack([layer.view(len(pairs), -1, layer.shape[-1]) for layer in layers], dim=1)

    def ask(self, seen: Any, layouts: Sequence[Layout], labels: Any) -> tuple[Any, Any]:
        """What the language model says.

        Args:
            seen: From :meth:`look`, shape (rows, pairs, 1 + deep, tokens, width).
            layouts: One a row.
            labels: What is answered, 0 for left and 1 for right, shape (rows, questions).

        Returns:
            Logits where the answers are expected, and behind them, each of shape (rows, questions, vocabulary).
        """
        head = self.model.lm_head
        expecting, behind = self.states(seen, layouts, labels)
        return head(expecting), head(behind)

    def states(self, seen: Any, layouts: Sequence[Layout], labels: Any) -> tuple[Any, Any]:
        """What the language model has in mind where answers are expected, and behind them.

        Args:
            seen: As for :meth:`ask`.
            layouts: The same.
            labels: The same.

        Returns:
            Each of shape (rows, questions, width).
        """
        language = self.model.model.language_model
        rows = _padded(layouts)
        place = torch.arange(len(layouts))[:, None]
        tokens = rows.tokens.clone()
        tokens[place, rows.asked + 1] = torch.tensor(self.choices)[labels]
        flat = seen.permute(2, 0, 1, 3, 4).flatten(1, 3)
        inputs = language.embed_tokens(tokens)
        inputs = inputs.masked_scatter(rows.video[..., None].expand_as(inputs), flat[0])
        hidden = language(
            inputs_embeds=inputs,
            position_ids=rows.positions.transpose(0, 1),
            attention_mask=rows.visible[:, None],
            visual_pos_masks=rows.video,
            deepstack_visual_embeds=list(flat[1:]),
            use_cache=False,
        ).last_hidden_state
        return hidden[place, rows.asked], hidden[place, rows.asked + 1]

    @property
    def choices(self) -> tuple[int, int]:
        """The tokens of left and right."""
        if self._choices is None:
            found = candidates(self._processor.tokenizer, "\n", SIDES).tokens
            self._choices = (found[0][0], found[1][0])
        return self._choices

    @property
    def end(self) -> int:
        """The token that ends an answer."""
        return int(self._processor.tokenizer.eos_token_id)

    def layout(self, numbers: tuple[int, ...], fps: float, total: int, side: int, texts: tuple[str, ...]) -> Layout:
        """The tokens of questions about a clip, as evaluation makes them.

        Args:
            numbers: Numbers of its frames, an even number of them.
            fps: Frame rate of the clip [1/s].
            total: Frames of the clip.
            side: Width and height of its frames [pixels].
            texts: The questions.
        """
        key = (numbers, fps, total, side, texts)
        if key not in self._layouts:
            blank = Frames(np.zeros((len(numbers), side, side, 3), np.uint8), numbers, fps, total)
            self._layouts[key] = _joined([self._ordinary(blank, text) for text in texts], self._video_token)
        return self._layouts[key]

    @property
    def _video_token(self) -> int:
        return int(self.model.config.video_token_id)

    def _ordinary(self, frames: Frames, question: str) -> tuple[Any, Any]:
        """Tokens, shape (length,), and positions, shape (3, length), of one question, in the ordinary way."""
        query = Query(
            key="",
            task="",
            clip=Path(),
            fps=frames.fps,
            frames=frames.total,
            camera=None,
            question=question,
            system=self._prompt.system,
            text=self._prompt.ask(question),
            choices=CHOICES,
            episode=Path(),
            videos=(frames,),
        )
        text = render(self._processor, query, self._family)
        if any(len(tokens) != 1 for tokens in candidates(self._processor.tokenizer, text, CHOICES).tokens):
            raise UsageError("Pre-training takes a tokenizer in which left and right are one token each")
        batch = encode(self._processor, self._family, [text], [[frames]])
        positions, _ = self.model.model.get_rope_index(
            batch["input_ids"], batch["mm_token_type_ids"], video_grid_thw=batch["video_grid_thw"]
        )
        return batch["input_ids"][0], positions[:, 0]


def _joined(rows: Sequence[tuple[Any, Any]], video_token: int) -> Layout:
    """Questions about one clip as one row: what they begin with is there once, and no question sees another one."""
    shortest = min(len(tokens) for tokens, _ in rows)
    alike = [all(int(tokens[place]) == int(rows[0][0][place]) for tokens, _ in rows) for place in range(shortest - 1)]
    shared = alike.index(False) if False in alike else shortest - 1
    parts, positions, asked, spans = [rows[0][0][:shared]], [rows[0][1][:, :shared]], [], []
    length = shared
    for tokens, places in rows:
        # The answer's token is put in later; any other one keeps its place.
        parts += [tokens[shared:], tokens[-1:]]
        positions += [places[:, shared:], places[:, -1:] + 1]
        spans.append((length, length + len(tokens) - shared + 1))
        length = spans[-1][1]
        asked.append(length - 2)
    visible = torch.ones(length, length, dtype=torch.bool).tril()
    for begin, end in spans:
        visible[begin:end, shared:begin] = False
    together = torch.cat(parts)
    return Layout(together, torch.cat(positions, dim=1), visible, together == video_token, torch.tensor(asked))


def _padded(layouts: Sequence[Layout]) -> Layout:
    """Layouts as a batch, filled up on the right with tokens that see nothing but themselves."""
    longest = max(len(layout.tokens) for layout in layouts)
    filled = []
    for layout in layouts:
        missing = longest - len(layout.tokens)
        pad = torch.nn.functional.pad
        visible = pad(layout.visible, (0, missing, 0, missing)) | torch.eye(longest, dtype=torch.bool)
        filled.append(
            replace(
                layout,
                tokens=pad(layout.tokens, (0, missing)),
                positions=pad(layout.positions, (0, missing)),
                visible=visible,
                video=pad(layout.video, (0, missing)),
            )
        )
    names = ("tokens", "positions", "visible", "video", "asked")
    return Layout(*(torch.stack([getattr(layout, name) for layout in filled]) for name in names))
