"""Two score cards, paired by episode wherever both are about the same pictures and questions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pydantic import Field

from hpvqa.errors import UsageError
from hpvqa.evaluate.compare import interval_and_p
from hpvqa.evaluate.statistics.permutation import holm
from hpvqa.plain import Model
from hpvqa.suite.card import NOT_ANSWERED, Card, FormName, Section

_Pair = tuple[str, int, int]
"""Episode, and whether each of both answers is correct."""


class Difference(Model):
    """How much better the second of two models is."""

    part: str
    form: FormName
    task: str | None = Field(description="Null: all tasks of the part, all rows alike.")
    a: float = Field(description="Share of the first model.")
    b: float = Field(description="Share of the second model.")
    difference: float = Field(description="b - a.")
    low: float = Field(description="Where its interval of 95 % begins; it holds 0 where the p is 0.05 or more.")
    high: float = Field(description="Where it ends.")
    p: float = Field(description="Two-sided p of equal accuracy, by episode; by task: corrected by Holm's method.")
    rows: int = Field(description="Rows that both answered.")
    episodes: int


class Comparison(Model):
    """Two cards side by side."""

    a: str = Field(description="The first model.")
    b: str = Field(description="The second model.")
    differences: tuple[Difference, ...]
    refused: tuple[str, ...] = Field(description="What could not be compared, and why, in sentences.")
    notes: tuple[str, ...] = Field(description="What a reader of either card should know, with the name of its model.")


def compare(a: Card, b: Card) -> Comparison:
    """Compare two cards.

    Raises:
        UsageError: They are of different suites, or nothing in them can be paired.
    """
    if (a.suite, a.digest) != (b.suite, b.digest):
        raise UsageError(
            f"{a.model} was scored on the suite {a.suite} and {b.model} on {b.suite}; compare cards of one"
        )
    first, second = ({section.key: section for section in card.sections} for card in (a, b))
    found: list[Difference] = []
    refused: list[str] = []
    for key in dict.fromkeys((*first, *second)):
        one, other = first.get(key), second.get(key)
        words = ", ".join(key)
        lacking = [card.model for card, section in ((a, one), (b, other)) if section is None or not _asked(section)]
        if lacking or one is None or other is None:
            refused.append(f"{words}: not answered by {' and '.join(lacking)}.")
        elif one.fingerprint != other.fingerprint:
            refused.append(f"{words}: the pictures differ{_versions(a, b)}.")
        else:
            tasks = {task: _pairs(task, one, other) for task in dict.fromkeys((*one.tasks, *other.tasks))}
            found += _differences(one, {task: pairs for task, pairs in tasks.items() if pairs})
            refused += [f"{words}, {task}: no row was answered by both." for task, pairs in tasks.items() if not pairs]
    if not found:
        raise UsageError(f"Nothing on both cards can be compared: {' '.join(refused)}")
    notes = tuple(f"{name}, {card.model}: {note}" for name, card in (("A", a), ("B", b)) for note in card.notes)
    return Comparison(a=a.model, b=b.model, differences=tuple(found), refused=tuple(refused), notes=notes)


def _versions(a: Card, b: Card) -> str:
    names = [name for name in {**a.versions, **b.versions} if a.versions.get(name) != b.versions.get(name)]
    told = "; ".join(f"{name} {a.versions.get(name)} and {b.versions.get(name)}" for name in sorted(names))
    return f" ({told})" if told else ", though all versions agree; perhaps the machines are of different types"


def _asked(section: Section) -> bool:
    return any(entry.answers for entry in section.tasks.values())


def _differences(one: Section, tasks: Mapping[str, Sequence[_Pair]]) -> Iterator[Difference]:
    if not tasks:
        return
    yield _difference(one, None, [pair for pairs in tasks.values() for pair in pairs])
    if len(tasks) > 1:
        each = [_difference(one, task, pairs) for task, pairs in tasks.items()]
        for found, p in zip(each, holm([found.p for found in each]), strict=True):
            yield found.model_copy(update={"p": p})


def _pairs(task: str, one: Section, other: Section) -> list[_Pair]:
    """The rows of a task that both answered.

    Raises:
        UsageError: They are not of the same rows, though the fingerprint is the same.
    """
    a, b = (section.tasks[task].answers if task in section.tasks else {} for section in (one, other))
    if not a or not b:
        return []
    if {name: len(line) for name, line in a.items()} != {name: len(line) for name, line in b.items()}:
        raise UsageError(
            f"{one.part}, {one.form}, {task}: the cards have other numbers of rows, though the pictures are the same; "
            "one of them is damaged, make it again"
        )
    return [
        (f"{task}/{episode}", int(x), int(y))
        for episode, line in a.items()
        for x, y in zip(line, b[episode], strict=True)
        if NOT_ANSWERED not in (x, y)
    ]


def _difference(section: Section, task: str | None, pairs: Sequence[_Pair]) -> Difference:
    clusters, changes = [pair[0] for pair in pairs], [pair[2] - pair[1] for pair in pairs]
    interval, p = interval_and_p(changes, clusters)
    first, second = (sum(said) / len(pairs) for said in ([pair[1] for pair in pairs], [pair[2] for pair in pairs]))
    return Difference(
        part=section.part,
        form=section.form,
        task=task,
        a=first,
        b=second,
        difference=second - first,
        low=interval.low,
        high=interval.high,
        p=p,
        rows=len(pairs),
        episodes=len(set(clusters)),
    )
