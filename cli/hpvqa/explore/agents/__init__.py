"""Agents by name: rules that are baselines, and ideal observers."""

from __future__ import annotations

from collections.abc import Sequence

from hpvqa.errors import UsageError, nearest
from hpvqa.explore.agents.bag import BagOfWords
from hpvqa.explore.agents.base import Rule, Training
from hpvqa.explore.agents.chance import ActOnce, AlwaysAct, AlwaysAnswer, Random, SufficiencyKnown
from hpvqa.explore.agents.constant import Constant
from hpvqa.explore.agents.ideal import Ideal, IdealGreedy, UnhideOracle
from hpvqa.explore.observer import Observer
from hpvqa.explore.scene import Scene

AGENTS: dict[str, type[Rule]] = {
    rule.name: rule
    for rule in (
        Random,
        AlwaysAnswer,
        AlwaysAct,
        ActOnce,
        BagOfWords,
        SufficiencyKnown,
        Constant,
        UnhideOracle,
        IdealGreedy,
        Ideal,
    )
}
"""All rules, from those that know least to those that know most."""


def open_rule(name: str, *, seed: int, training: Sequence[Scene] = ()) -> Rule:
    """An agent that is a rule.

    Args:
        name: Its name.
        seed: Of what it draws.
        training: Scenes to learn from, for those that learn.

    Raises:
        UsageError: There is none of this name, or it would learn and has nothing to learn from.
    """
    if name not in AGENTS:
        raise UsageError(f"There is no agent {name!r}; {nearest(name, AGENTS)} (for a model, give --model)")
    if AGENTS[name].learns and not training:
        raise UsageError(f"{name} learns from other scenes; draw some with another seed and name them with --train")
    learnt = Training(tuple(map(Observer, training))) if AGENTS[name].learns else Training()
    return AGENTS[name](seed, learnt)
