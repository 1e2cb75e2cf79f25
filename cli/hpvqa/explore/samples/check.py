"""A thought, read from its words, compared with what is exact, fact by fact."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hpvqa.explore.belief.plan import AHEAD
from hpvqa.explore.protocol import Option, Turn
from hpvqa.explore.samples.claims import Claim
from hpvqa.explore.samples.exact import Exact, Known
from hpvqa.explore.samples.fields import NOTHING
from hpvqa.explore.samples.hiding import EDGE
from hpvqa.explore.samples.situation import LEAST, Boxes
from hpvqa.explore.samples.thought import Thought
from hpvqa.explore.scene import Moment

_FINE = 0.0006
"""Boxes are written to the thousandth."""


class Check:
    """Compares thoughts about one step with the scene's own tables.

    Args:
        exact: The scene.
        turn: What the agent sees.
        boxes: What is seen in each picture of the turn; None where there are no pictures.
    """

    def __init__(self, exact: Exact, turn: Turn, boxes: Sequence[Boxes] | None) -> None:
        self._exact, self._turn, self._boxes = exact, turn, boxes
        self._scene = exact.scene
        self._moments = [exact.scene.start]
        for step in turn.history:
            if step.chosen is not None:
                self._moments.append(exact.follow(self._moments[-1], step.chosen.action))
        self._known: Known = frozenset().union(*map(exact.in_view, self._moments))
        self._answers = exact.answers(self._known)
        self._places = {place.words: number for number, place in enumerate(self._scene.places)}

    def contradictions(self, thought: Thought, letter: str) -> list[str]:
        """What a thought says that is not so, or leaves out, in words.

        Args:
            thought: The thought.
            letter: What is decided after it.
        """
        wrong = [
            f"{found.kind}: {dict(found.values)}"
            for part in thought.values()
            for found in part
            if not self._true(found)
        ]
        told = [found.values["letter"] for found in thought["gains"]]
        if told != [option.letter for option in self._turn.options]:
            wrong.append("not every option is weighed once")
        if [found.values["letter"] for found in thought["plans"]] != [letter]:
            wrong.append("the plan is not what is decided")
        return wrong

    def _true(self, found: Claim) -> bool:
        try:
            return bool(getattr(self, f"_{found.kind.replace(' ', '_')}")(**found.values))
        except (KeyError, StopIteration):
            # It names what is not there.
            return False

    @property
    def _moment(self) -> Moment:
        return self._moments[-1]

    def _numbers(self, places: Sequence[str]) -> frozenset[int]:
        return frozenset(self._places[place] for place in places)

    def _called(self, letter: str) -> Option:
        return next(option for option in self._turn.options if option.letter == letter)

    def _box_is(self, picture: int, name: str, at: Any) -> bool:
        if self._boxes is None:
            return at is None
        box = self._boxes[picture].get(name)
        return box is not None and at is not None and all(abs(a - b) < _FINE for a, b in zip(box, at, strict=True))

    def _thing(self, look: str, spot: str, at: Any) -> bool:
        done = {self._scene.deeds[number].thing: self._scene.deeds[number].kind for number in self._moment.done}
        for item in self._scene.items:
            name, side = item.thing.name, "left" if item.thing.position[1] > 0 else "right"
            is_at = f"on the robot's {side}" if name not in done else "put aside"
            is_at = "moved sideways" if done.get(name) == "move" else is_at
            if (item.look.words, is_at) == (look, spot) and self._box_is(-1, name, at):
                return True
        return False

    def _picture(self, picture: str) -> int:
        return int(picture.split()[1]) - 1

    def _found(self, place: str, look: str, picture: str, at: Any) -> bool:
        number, shown = self._places[place], self._picture(picture)
        there = self._scene.looks[number]
        visible = shown < len(self._moments) and number in self._exact.in_view(self._moments[shown])
        return (
            visible
            and there is not None
            and there.words == look
            and self._box_is(shown, self._scene.places[number].name, at)
        )

    def _empty(self, place: str, picture: str) -> bool:
        number, shown = self._places[place], self._picture(picture)
        visible = shown < len(self._moments) and number in self._exact.in_view(self._moments[shown])
        return visible and self._scene.looks[number] is None

    def _count(self, group: str, number: int) -> bool:
        terms = self._scene.question.program.terms
        meant = next(
            g for term in terms for g in (term.group, term.without) if g and f"{g.words(many=True)} {g.where}" == group
        )
        looks = [(item.look, item.thing.position[1] > 0) for item in self._scene.items]
        looks += [(look, self._scene.places[n].position[1] > 0) for n in self._known if (look := self._scene.looks[n])]
        return sum(meant.holds(look, left) for look, left in looks) == number

    def _since(self) -> frozenset[int]:
        before = frozenset[int]().union(*map(self._exact.in_view, self._moments[:-1]))
        return self._known - before

    def _new(self, places: Sequence[str]) -> bool:
        return self._numbers(places) == self._since()

    def _nothing_new(self) -> bool:
        return len(self._moments) > 1 and not self._since()

    def _open(self, places: Sequence[str], kinds: frozenset[str]) -> bool:
        return all(self._unseen(n) and self._may_be(n) == kinds for n in self._numbers(places))

    def _unseen(self, place: int) -> bool:
        return place not in self._known

    def _may_be(self, place: int) -> frozenset[str]:
        looks = self._exact.looks(self._known, place)
        return frozenset(NOTHING if look is None else look.words for look in looks)

    def _idle(self, places: Sequence[str]) -> bool:
        return all(self._unseen(n) and not self._exact.matters(self._known, n) for n in self._numbers(places))

    def _all_seen(self) -> bool:
        return len(self._known) == len(self._scene.places)

    def _possible(self, answers: Sequence[str]) -> bool:
        return len(answers) > 1 and set(answers) == set(self._answers)

    def _certain(self, answer: str) -> bool:
        return [answer] == list(self._answers)

    def _option(self, letter: str, text: str, gain: str, why: Sequence[Claim]) -> bool:
        option = self._called(letter)
        exact = 0.0 if option.answers else self._gain_of(option)
        most = max((self._gain_of(other) for other in self._turn.options if not other.answers), default=0.0)
        is_class = "none" if exact <= LEAST else "most" if exact > most - LEAST else "some"
        return (
            (text, gain) == (option.text, is_class)
            and bool(why)
            and all(self._reason(option, reason) for reason in why)
        )

    def _gain_of(self, option: Option) -> float:
        return self._exact.gain(self._known, self._exact.in_view(self._exact.follow(self._moment, option.action)))

    def _reason(self, option: Option, reason: Claim) -> bool:
        if reason.kind in ("follows", "early", "excluded"):
            return option.answers and self._of_answer(option.action.target, reason)
        if reason.kind == "needless":
            return not option.answers and len(self._answers) == 1
        if reason.kind == "late":
            return not option.answers and self._turn.steps_left == 1
        return not option.answers and self._of_action(option, reason)

    def _of_answer(self, answer: str, reason: Claim) -> bool:
        others = set(self._answers) - {answer}
        if reason.kind == "excluded":
            return answer not in self._answers
        if reason.kind == "follows":
            return answer in self._answers and not others
        return answer in self._answers and set(reason.values["answers"]) == others and bool(others)

    def _of_action(self, option: Option, reason: Claim) -> bool:
        exact, kind = self._exact, reason.kind
        after = exact.follow(self._moment, option.action)
        view, places = exact.in_view(after), self._numbers(reason.values.get("places", ()))
        done = {self._scene.deeds[number].thing for number in self._moment.done}
        moves_back = option.action.kind == "move" and option.action.target in done
        puts_again = option.action.kind in ("pick", "uncover") and option.action.target in done
        matters = all(self._unseen(n) and exact.matters(self._known, n) for n in places)
        truths: dict[str, Callable[[], bool]] = {
            "shows": lambda: places <= view and matters,
            "beside": lambda: places <= view - self._known and not any(exact.matters(self._known, n) for n in places),
            "nearer": lambda: matters and not view & places and all(self._is_nearer(n, after) for n in places),
            "hidden": lambda: matters and not view & places and self._hides(reason.values["hider"], after, places),
            "seen": lambda: places <= view & self._known and view <= self._known,
            "nothing": lambda: not view,
            "again": lambda: puts_again,
            "back": lambda: moves_back,
        }
        return truths[kind]()

    def _is_nearer(self, place: int, after: Moment) -> bool:
        return self._exact.away(after, place, AHEAD) < self._exact.away(self._moment, place, AHEAD)

    def _hides(self, hider: str, after: Moment, places: frozenset[int]) -> bool:
        name = None if hider == EDGE else hider.removeprefix("the ")
        return all(self._exact.stands_before(after, place, name) for place in places)

    def _act(self, letter: str, places: Sequence[str]) -> bool:
        option = self._called(letter)
        after = self._exact.follow(self._moment, option.action)
        wanted = self._numbers(places)
        leads = wanted <= self._exact.in_view(after) or all(self._is_nearer(n, after) for n in wanted)
        return len(self._answers) > 1 and self._turn.steps_left > 1 and all(map(self._unseen, wanted)) and leads

    def _answer(self, letter: str, answer: str) -> bool:
        return self._called(letter).action.target == answer and [answer] == list(self._answers)

    def _guess(self, letter: str, answer: str) -> bool:
        likely = max(self._answers.values())
        fits = self._called(letter).action.target == answer and self._turn.steps_left == 1
        return fits and len(self._answers) > 1 and self._answers[answer] > likely - LEAST
