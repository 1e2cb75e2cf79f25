"""A scene on one sheet: what an ideal observer sees, what can be chosen, what is believed, and what is done."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from hpvqa.explore.belief.plan import gains, look_ahead, play
from hpvqa.explore.belief.posterior import Belief
from hpvqa.explore.game import State
from hpvqa.explore.protocol import Option, Shot
from hpvqa.explore.scene import Action, Scene
from hpvqa.explore.world import SceneWorld

_CELL = 384
_GAP = 14
_HEADER = 64
_LINE = 20
_OPTIONS = 14
_BAR = 110
_PAPER, _INK, _FAINT = (252, 252, 250), (25, 25, 28), (110, 110, 116)
_BLUE, _GREEN = (70, 120, 200), (46, 140, 80)


@dataclass(frozen=True)
class _Column:
    """One step of the sheet."""

    picture: Image.Image
    title: str
    belief: Belief
    options: tuple[Option, ...]
    gains: dict[Action, float]
    chosen: Action


def sheet(scene: Scene, world: SceneWorld) -> Image.Image:
    """Play a scene as an ideal observer does, and draw each step: picture, beliefs as bars, options with their gains.

    Args:
        scene: The scene.
        world: Where it is played.
    """
    outcome = world.reset(scene)
    columns = []
    course: list[tuple[State, Belief, Action]] = play(world.game, look_ahead, scene.steps)
    for step, (state, belief, action) in enumerate(course):
        title = outcome.shot.after or "First view"
        columns.append(
            _Column(
                _picture(outcome.shot),
                f"{title}{f' ({outcome.mishap})' if outcome.mishap else ''}",
                belief,
                world.game.options(state, step),
                gains(world.game, state, belief),
                action,
            )
        )
        if action.kind != "answer":
            outcome = world.act(action)
    return _drawn(scene, columns)


def _picture(shot: Shot) -> Image.Image:
    """The picture; of a clip four of its pictures."""
    images = [Image.fromarray(image) for image in shot.few(4)]
    across = 1 if len(images) == 1 else 2
    cell, paper = _CELL // across, Image.new("RGB", (_CELL, _CELL), _PAPER)
    for number, image in enumerate(images):
        paper.paste(image.resize((cell, cell)), (number % across * cell, number // across * cell))
    return paper


def _drawn(scene: Scene, columns: Sequence[_Column]) -> Image.Image:
    rows = max(len(column.options) for column in columns) + len(scene.question.options) + 3
    size = (_GAP + len(columns) * (_CELL + _GAP), _HEADER + _CELL + (rows + 3) * _LINE)
    paper = Image.new("RGB", (max(size[0], 2 * _CELL), size[1]), _PAPER)
    draw, font = ImageDraw.Draw(paper), ImageFont.load_default(18)
    kind = f"{scene.family}, {scene.type}, scene {scene.index}"
    draw.text((_GAP, 8), f"{scene.question.text}  ({scene.question.answer})", fill=_INK, font=font)
    enough = "the first view suffices" if scene.sufficient else f"its twin is scene {scene.twin}"
    draw.text((_GAP, 34), f"{kind} of seed {scene.seed}; {enough}", fill=_FAINT, font=ImageFont.load_default(14))
    for number, column in enumerate(columns):
        _draw_column(paper, draw, _GAP + number * (_CELL + _GAP), scene, column)
    return paper


def _draw_column(paper: Image.Image, draw: ImageDraw.ImageDraw, x: int, scene: Scene, column: _Column) -> None:
    font, y = ImageFont.load_default(_OPTIONS), _HEADER
    paper.paste(column.picture, (x, y))
    y += _CELL + 4
    for line in textwrap.wrap(column.title, 52)[:2]:
        draw.text((x, y), line, fill=_FAINT, font=font)
        y += _LINE
    likely = column.belief.answers()
    for word in scene.question.options:
        chance = likely.get(word, 0.0)
        draw.rectangle((x, y + 3, x + round(_BAR * chance), y + _LINE - 5), fill=_BLUE)
        draw.text((x + _BAR + 8, y), f"{chance:.2f}  {word}", fill=_INK, font=font)
        y += _LINE
    y += _LINE // 2
    most = max([*column.gains.values(), 1e-9])
    for option in sorted(column.options, key=lambda option: option.letter):
        gain = column.gains.get(option.action)
        mark = f"  +{gain:.2f} bit" if gain else ""
        if gain:
            draw.rectangle((x, y + _LINE - 4, x + round(_BAR * gain / most), y + _LINE - 2), fill=_GREEN)
        ink = _GREEN if option.action == column.chosen else _INK
        draw.text((x, y), f"{option.letter}  {option.text}{mark}", fill=ink, font=font)
        y += _LINE
