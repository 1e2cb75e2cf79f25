"""Where an agent fails: in choosing what to do, in seeing, or in putting together what it saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field

from hpvqa.explore.runs.folder import RunSettings
from hpvqa.explore.runs.record import Played
from hpvqa.explore.scores.figure import Figure, share
from hpvqa.plain import Model


class Split(Model):
    """Correct answers of one agent to the same scenes under three conditions."""

    agent: str
    scenes: int = Field(description="Scenes that were played under all of these conditions.")
    active: Figure
    yoked: Figure | None = Field(description="Where an ideal observer had done all that is needed.")
    facts: Figure | None = Field(description="Where words stood in place of pictures.")

    @property
    def choosing(self) -> float | None:
        """What is gained when another chooses."""
        return None if self.yoked is None else self.yoked.value - self.active.value

    @property
    def seeing(self) -> float | None:
        """What is gained when words stand in place of pictures."""
        return None if self.facts is None else self.facts.value - self.active.value

    def sentences(self) -> tuple[str, ...]:
        """The same in words."""
        found = [f"{self.agent} answers {self.active.value:.0%} of {self.scenes} scenes correctly by itself."]
        if self.choosing is not None and self.yoked is not None:
            found.append(
                f"With what an ideal observer did it answers {self.yoked.value:.0%}: "
                + _costs("choosing what to do, and when to stop,", self.choosing)
            )
        if self.seeing is not None and self.facts is not None:
            found.append(
                f"With words in place of pictures it answers {self.facts.value:.0%}: " + _costs("seeing", self.seeing)
            )
        if self.choosing is not None and self.seeing is not None:
            rest = 1 - self.active.value - max(self.choosing, 0.0) - max(self.seeing, 0.0)
            found.append(
                f"The remaining {rest:.0%} is lost in putting together what is known."
                if rest > 0
                else "Nothing remains that putting together what is known would have to explain."
            )
        return tuple(found)


def _costs(what: str, points: float) -> str:
    if points <= 0:
        return f"{what} costs nothing that can be seen."
    return f"{what} costs {100 * points:.0f} points."


def splits(runs: Sequence[tuple[RunSettings, Sequence[Played]]]) -> tuple[Split, ...]:
    """For each agent that played actively and under another condition, where it fails.

    Args:
        runs: The runs.
    """
    agents: dict[str, dict[str, Mapping[str, Played]]] = {}
    for settings, played in runs:
        named = {one.ending.key: one for one in played}
        agents.setdefault(f"{settings.agent} ({settings.backend})", {})[settings.condition] = named
    return tuple(
        _split(agent, conditions)
        for agent, conditions in agents.items()
        if "active" in conditions and {"yoked", "facts"} & conditions.keys() and _common(conditions)
    )


def _common(conditions: Mapping[str, Mapping[str, Played]]) -> list[str]:
    """The scenes that were played under all of these conditions."""
    others = [conditions[name].keys() for name in ("yoked", "facts") if name in conditions]
    return [key for key in conditions["active"] if all(key in other for other in others)]


def _split(agent: str, conditions: Mapping[str, Mapping[str, Played]]) -> Split:
    keys = _common(conditions)

    def correct(name: str) -> Figure | None:
        if name not in conditions:
            return None
        played = [conditions[name][key] for key in keys]
        return share([one.correct for one in played], [one.cluster for one in played])

    active = correct("active")
    assert active is not None  # noqa: S101 - there are scenes
    return Split(agent=agent, scenes=len(keys), active=active, yoked=correct("yoked"), facts=correct("facts"))
