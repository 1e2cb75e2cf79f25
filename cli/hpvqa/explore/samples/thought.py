"""A thought about a step: four parts, each of sentences that say facts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from hpvqa.explore.game import State
from hpvqa.explore.protocol import Option
from hpvqa.explore.samples.claims import Claim, claim, read, read_reasons, reasons, write
from hpvqa.explore.samples.situation import Situation

HEADINGS: dict[str, str] = {
    "seen": "## Visual Reasoning",
    "uncertain": "## Uncertainty Hypothesis",
    "gains": "## Information Gain Prediction",
    "plans": "## Planning",
}
"""Of each part; those of the paper."""
Thought = Mapping[str, tuple[Claim, ...]]
"""What each part says; see :data:`HEADINGS`."""


def think(situation: Situation) -> Thought:
    """The thought that is correct at a step.

    Raises:
        ValueError: It cannot be had: what is known is in no picture.
    """
    return {
        "seen": tuple(_seen(situation)),
        "uncertain": tuple(_uncertain(situation)),
        "gains": tuple(_gain(situation, option) for option in situation.turn.options),
        "plans": (_plan(situation),),
    }


def compose(thought: Thought, rng: np.random.Generator) -> str:
    """A thought in words: sentences follow each other, options stand in lines of their own."""
    parts = []
    for part, heading in HEADINGS.items():
        between = "\n" if part == "gains" else " "
        parts.append(f"{heading}\n{between.join(_say(found, rng) for found in thought[part])}")
    return "\n".join(parts)


def _say(found: Claim, rng: np.random.Generator) -> str:
    if "why" not in found.values:
        return write(found, rng)
    return write(claim(found.kind, **{**found.values, "why": reasons(found.values["why"], rng)}), rng)


def parse(text: str) -> Thought:
    """Read a thought.

    Raises:
        ValueError: A heading is missing, or a sentence cannot be read.
    """
    pieces = re.split(f"(?:^|\n)({'|'.join(map(re.escape, HEADINGS.values()))})\n", text)
    if pieces[1::2] != list(HEADINGS.values()) or pieces[0]:
        missing = next((heading for heading in HEADINGS.values() if heading not in pieces), None)
        raise ValueError(f"the heading {missing!r} is missing" if missing else "the headings are out of order")
    return {
        part: tuple(_read(sentence, part) for sentence in _sentences(body, part))
        for part, body in zip(HEADINGS, pieces[2::2], strict=True)
    }


def _sentences(body: str, part: str) -> list[str]:
    if part == "gains":
        return body.splitlines()
    return re.split(r"(?<=\.) ", body)


def _read(sentence: str, part: str) -> Claim:
    found = read(sentence, part)
    if "why" not in found.values:
        return found
    return claim(found.kind, **{**found.values, "why": read_reasons(found.values["why"])})


def _seen(situation: Situation) -> Iterator[Claim]:
    scene, turn = situation.scene, situation.turn
    newest = None if situation.boxes is None else situation.boxes[-1]
    moved = {scene.deeds[number].thing: scene.deeds[number].kind for number in situation.state.moment.done}
    for item in scene.items:
        name = item.thing.name
        if newest is not None and name not in newest:
            continue
        spot = f"on the robot's {'left' if item.left else 'right'}"
        if name in moved:
            spot = "moved sideways" if moved[name] == "move" else "put aside"
        yield claim("thing", look=item.look.words, spot=spot, at=newest and newest[name])
    for place in sorted(situation.state.known):
        yield _found(situation, place)
    for group in dict.fromkeys(group for term in scene.question.program.terms for group in (term.group, term.without)):
        if group is None:
            continue
        things = [(item.look, item.left) for item in scene.items]
        things += [
            (look, scene.places[n].left) for n, look in enumerate(scene.looks) if look and n in situation.state.known
        ]
        number = sum(group.holds(look, left) for look, left in things)
        yield claim("count", group=f"{group.words(many=True)} {group.where}", number=number)
    if turn.history and turn.history[-1].chosen:
        new = situation.state.known - situation.states[-2].known
        yield claim("new", places=_words(situation, sorted(new))) if new else claim("nothing new")


def _found(situation: Situation, place: int) -> Claim:
    number, where, look = situation.seen_in(place), situation.scene.places[place], situation.scene.looks[place]
    if number is None:
        raise ValueError(f"what is {where.words} is known and in no picture")
    picture = f"{'view' if situation.boxes is None else 'picture'} {number + 1}"
    if look is None:
        return claim("empty", place=where.words, picture=picture)
    at = None if situation.boxes is None else situation.boxes[number][where.name]
    return claim("found", place=where.words, look=look.words, picture=picture, at=at)


def _words(situation: Situation, places: Sequence[int]) -> tuple[str, ...]:
    return tuple(situation.scene.places[place].words for place in places)


def _uncertain(situation: Situation) -> Iterator[Claim]:
    alike: dict[frozenset[str], list[int]] = {}
    for place in situation.open:
        alike.setdefault(situation.possible(place), []).append(place)
    for kinds, places in alike.items():
        yield claim("open", places=_words(situation, places), kinds=kinds)
    if situation.idle:
        yield claim("idle", places=_words(situation, situation.idle))
    if not alike and not situation.idle:
        yield claim("all seen")
    answers = tuple(situation.belief.answers())
    yield claim("certain", answer=answers[0]) if len(answers) == 1 else claim("possible", answers=answers)


def _gain(situation: Situation, option: Option) -> Claim:
    why = tuple(_about_answer(situation, option) if option.answers else _about_action(situation, option))
    gain = situation.gain_class(option.action)
    return claim("option", letter=option.letter, text=option.text, gain=gain, why=why)


def _about_answer(situation: Situation, option: Option) -> Iterator[Claim]:
    possible = tuple(situation.belief.answers())
    if option.action.target not in possible:
        yield claim("excluded")
    elif len(possible) == 1:
        yield claim("follows")
    else:
        yield claim("early", answers=tuple(word for word in possible if word != option.action.target))


def _about_action(situation: Situation, option: Option) -> Iterator[Claim]:
    if situation.belief.sufficient:
        yield claim("needless")
        return
    if situation.turn.steps_left == 1:
        yield claim("late")
    after = situation.after(option.action)
    new = sorted(after.known - situation.state.known)
    matter = [place for place in new if place in situation.open]
    if matter:
        yield claim("shows", places=_words(situation, matter))
        return
    if new:
        yield claim("beside", places=_words(situation, new))
    nearer = situation.nearer(after)
    if nearer:
        yield claim("nearer", places=_words(situation, nearer))
    elif not new:
        yield from _in_vain(situation, option, after)


def _in_vain(situation: Situation, option: Option, after: State) -> Iterator[Claim]:
    """Why an action shows nothing new and leads nowhere."""
    scene = situation.scene
    done = {scene.deeds[number].thing for number in situation.state.moment.done}
    if option.action.target in done and option.action.kind not in ("move viewer", "turn viewer"):
        yield claim("back" if option.action.kind == "move" else "again")
    else:
        seen = sorted(situation.revealed(after) - {*situation.open, *situation.idle})
        yield claim("seen", places=_words(situation, seen)) if seen else claim("nothing")
    by: dict[str, list[int]] = {}
    for place in situation.open:
        by.setdefault(situation.hiders.hider(after.moment, place), []).append(place)
    for hider, places in by.items():
        yield claim("hidden", places=_words(situation, places), hider=hider)


def _plan(situation: Situation) -> Claim:
    option = situation.decision
    if option.answers:
        kind = "answer" if situation.belief.sufficient else "guess"
        return claim(kind, letter=option.letter, answer=option.action.target)
    after = situation.after(option.action)
    places = [place for place in situation.open if place in after.known] or situation.nearer(after)
    if not places:
        raise ValueError("the best action leads to no place")
    return claim("act", letter=option.letter, places=_words(situation, places))
