"""A classifier of words that sees the options alone: whatever it finds is a leak."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
from pydantic import JsonValue

from hpvqa.explore.agents.base import NOTHING, Rule, Training, actions, answers
from hpvqa.explore.belief.plan import look_ahead
from hpvqa.explore.observer import Observer
from hpvqa.explore.protocol import Decision, Option, Turn
from hpvqa.explore.scene import Action


class Odds:
    """Naive Bayes: how much more often each word stands in one kind of text than in the other, with one added."""

    def __init__(self) -> None:
        self._words: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
        self._texts = [0, 0]

    def learn(self, bag: Iterable[str], *, yes: bool) -> None:
        """See a text."""
        self._words[yes].update(set(bag))
        self._texts[yes] += 1

    def log_odds(self, bag: Iterable[str]) -> float:
        """Of a text being of the kind that was ``yes``: natural logarithm."""
        no, yes = self._texts
        total = math.log((yes + 1) / (no + 1))
        for word in sorted(set(bag)):
            total += math.log((self._words[1][word] + 1) / (yes + 2)) - math.log((self._words[0][word] + 1) / (no + 2))
        return total


class BagOfWords(Rule):
    """Learns from the words of the options whether to answer, which answer, and which action; it sees nothing else."""

    name = "bag-of-words"
    learns = True

    def __init__(self, seed: int, training: Training = NOTHING) -> None:
        super().__init__(seed, training)
        self._enough, self._answer, self._action = Odds(), Odds(), Odds()
        for observer in training.observers:
            self._learn(observer)
        self._scenes = len(training.observers)

    @property
    def details(self) -> Mapping[str, JsonValue]:
        """How much it has learnt from."""
        return {"scenes": self._scenes}

    def choose(self, turn: Turn, rng: np.random.Generator) -> Decision:
        """The likeliest option; ties are broken by chance."""
        offered = actions(turn)
        enough = not offered or turn.steps_left == 1 or self._enough.log_odds(_all(turn.options)) > 0
        among, odds = (answers(turn), self._answer) if enough else (offered, self._action)
        order = [among[number] for number in rng.permutation(len(among))]
        return Decision(max(order, key=lambda option: odds.log_odds(_bag(option.text))).letter)

    def _learn(self, observer: Observer) -> None:
        game = observer.game
        state = game.start()
        belief = observer.belief(state)
        options = game.options(state, 0)
        self._enough.learn(_all(options), yes=belief.sufficient)
        ideal = look_ahead(game, state, belief)
        for option in options:
            if not option.answers and not belief.sufficient:
                self._action.learn(_bag(option.text), yes=option.action == ideal)
            elif option.answers:
                right = option.action == Action(kind="answer", target=game.scene.question.answer)
                self._answer.learn(_bag(option.text), yes=right)


def _bag(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _all(options: Iterable[Option]) -> list[str]:
    """The words of all options, and how many answers and actions there are."""
    found = list(options)
    counts = Counter(option.answers for option in found)
    words = [word for option in found for word in _bag(option.text)]
    return [*words, f"{counts[True]} answers", f"{counts[False]} actions"]
