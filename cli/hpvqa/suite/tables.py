"""A card, and two side by side, as tables of plain words: the terminal and the page draw the same ones."""

from __future__ import annotations

from collections.abc import Mapping

from hpvqa.report.grid import Grid, Group, Line
from hpvqa.report.tables.words import share
from hpvqa.suite.card import MEASURES, WHO, Card, FormName, Score, Section, Who
from hpvqa.suite.compare import Comparison, Difference

NONE = "–"
_TITLES: Mapping[FormName, str] = {
    "compare": "Which of two has more",
    "value": "How much of it",
    "scene": "Active scenes",
}
_BESIDES: tuple[Who, ...] = ("majority", "random", "pixels", "ceiling")
_COLUMNS = ("", "score", "95 %", *_BESIDES, "episodes")


def title(section: Section) -> str:
    """What a section is about."""
    return _TITLES[section.form] if section.form == "scene" else f"{_TITLES[section.form]}, {section.part}"


def overview(card: Card) -> Grid:
    """All sections, each as the mean over its tasks."""
    groups = []
    for form in _TITLES:
        some = [section for section in card.sections if section.form == form]
        lines = tuple(_line("scenes" if form == "scene" else one.part, one.scores, _episodes(one)) for one in some)
        if lines:
            groups.append(Group(f"{_TITLES[form]}: {MEASURES[form]}", lines))
    besides = " ".join(f"{who}: {WHO[who]}" for who in _BESIDES)
    caption = f"Means over tasks; intervals are over episodes, of scenes over groups of four. {besides}"
    return Grid("Scores by part", _COLUMNS, tuple(groups), caption)


def by_task(card: Card) -> list[Grid]:
    """Each section, task by task."""
    return [
        Grid(
            title(section),
            _COLUMNS,
            (Group("", tuple(_line(name, one.scores, _most(one.scores)) for name, one in section.tasks.items())),),
            f"Scores: {MEASURES[section.form]}.",
        )
        for section in card.sections
    ]


def _line(name: str, scores: Mapping[Who, Score], episodes: int) -> Line:
    model = scores.get("model")
    besides = (NONE if who not in scores else share(scores[who].share) for who in _BESIDES)
    return Line((name, NONE if model is None else share(model.share), ends(model), *besides, str(episodes)))


def _most(scores: Mapping[Who, Score]) -> int:
    return max((one.episodes for one in scores.values()), default=0)


def _episodes(section: Section) -> int:
    return sum(_most(entry.scores) for entry in section.tasks.values())


def ends(score: Score | None) -> str:
    """An interval in words."""
    if score is None or score.low is None or score.high is None:
        return NONE
    return f"{score.low:.2f}–{score.high:.2f}"


def differences(found: Comparison) -> Grid:
    """Two cards, by section and task."""
    groups = []
    for form in _TITLES:
        some = [one for one in found.differences if one.form == form]
        if some:
            groups.append(Group(f"{_TITLES[form]}: {MEASURES[form]}", tuple(map(_difference, some))))
    columns = ("", "A", "B", "B − A", "95 %", "p", "episodes")
    caption = (
        "The same rows, paired by episode; in a whole part all rows count alike, and not all tasks. p: of equal "
        "accuracy; of tasks, corrected by Holm's method over the tasks of their part."
    )
    return Grid(f"A: {found.a}; B: {found.b}", columns, tuple(groups), caption, (*found.notes, *found.refused))


def _difference(one: Difference) -> Line:
    name = one.part if one.task is None else f"{one.part}, {one.task}"
    ends = f"{one.low:+.2f} to {one.high:+.2f}"
    cells = (share(one.a), share(one.b), f"{one.difference:+.3f}", ends, f"{one.p:.3f}", str(one.episodes))
    return Line((name, *cells))
