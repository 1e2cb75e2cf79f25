"""Thoughts about steps: what is written is read as the same facts, agrees with the scene, and errors are caught."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpvqa.explore.agents import open_rule
from hpvqa.explore.protocol import Decision
from hpvqa.explore.runs.conditions import CONDITIONS
from hpvqa.explore.runs.course import Course
from hpvqa.explore.runs.facts import facts
from hpvqa.explore.runs.stage import Tables
from hpvqa.explore.samples.check import Check
from hpvqa.explore.samples.claims import TABLES, Claim, claim, read, read_reasons, reasons, write
from hpvqa.explore.samples.courses import WAYS, actions
from hpvqa.explore.samples.exact import Exact
from hpvqa.explore.samples.fields import FIELDS, NOTHING, Box
from hpvqa.explore.samples.hiding import EDGE
from hpvqa.explore.samples.situation import Situation, Tracks
from hpvqa.explore.samples.thought import HEADINGS, Thought, compose, parse, think
from hpvqa.explore.scene import Scene
from hpvqa.explore.words import COLORS, SHAPES, SURFACES, Look
from tests.explore_scenes import GROUPS, group

LOOKS = [
    Look.model_validate({"shape": shape, "color": color, "surface": surface}).words
    for shape in SHAPES
    for color in COLORS
    for surface in SURFACES
]
HIDERS = ["orange board", "white cover", "large red cube", "black panel"]
PLACES = [
    "under the orange cover",
    "beneath the white board",
    "behind the large red cube",
    "at the far left end of the table, seen by the robot",
]
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "look": st.sampled_from(LOOKS + HIDERS),
    "spot": st.sampled_from(["on the robot's left", "on the robot's right", "put aside", "moved sideways"]),
    "at": st.none() | st.tuples(*[st.integers(0, 1000).map(lambda edge: edge / 1000)] * 4),
    "picture": st.sampled_from(["picture 1", "picture 9", "view 2"]),
    "place": st.sampled_from(PLACES),
    "places": st.lists(st.sampled_from(PLACES), min_size=1, unique=True).map(tuple),
    "kinds": st.frozensets(st.sampled_from([*LOOKS, NOTHING]), min_size=1),
    "hider": st.sampled_from([*(f"the {hider}" for hider in HIDERS), EDGE]),
    "answer": st.sampled_from(["yes", "2", "equally many", "more red cubes on the robot's left"]),
    "answers": st.lists(st.sampled_from(["yes", "no", "more red cubes"]), min_size=1, unique=True).map(tuple),
    "letter": st.sampled_from("AKZ"),
    "text": st.sampled_from(["Answer: no", "Lift the white cover and put it aside", "Raise the viewer by one step"]),
    "gain": st.sampled_from(["none", "some", "most"]),
    "number": st.integers(0, 20),
    "group": st.sampled_from(["red cubes on the table", "small chequered things on the robot's left"]),
}


@st.composite
def claims(draw: st.DrawFn, table: str) -> Claim:
    kind = draw(st.sampled_from(sorted(TABLES[table])))
    phrase = TABLES[table][kind][0]
    fields = [name for name in FIELDS if f"{{{name}}}" in phrase]
    given = {name: draw(VALUES[name]) for name in fields if name != "why"}
    return claim(kind, **given, **({"why": "it follows from what was seen"} if "why" in fields else {}))


@given(st.data(), st.sampled_from(sorted(TABLES)), st.integers(0, 2**32 - 1))
@pytest.mark.slow
def test_every_way_to_say_a_fact_is_read_as_that_fact(data: st.DataObject, table: str, seed: int) -> None:
    said = data.draw(claims(table))
    assert read(write(said, np.random.default_rng(seed)), table) == said


@given(st.lists(claims("reasons"), min_size=1, max_size=3), st.integers(0, 2**32 - 1))
def test_reasons_are_read_one_by_one(said: list[Claim], seed: int) -> None:
    assert read_reasons(reasons(tuple(said), np.random.default_rng(seed))) == tuple(said)


@pytest.mark.parametrize("kind", [kind for table in TABLES.values() for kind in table])
def test_all_ways_to_say_a_fact_name_the_same(kind: str) -> None:
    phrases = next(table[kind] for table in TABLES.values() if kind in table)
    named = [{name for name in FIELDS if f"{{{name}}}" in phrase} for phrase in phrases]
    assert named.count(named[0]) == len(phrases) > 1


Moments = list[tuple[Situation, Thought, Check]]


def played(scene: Scene) -> Iterator[tuple[Situation, Thought, Check]]:
    """Every step of a scene on every way."""
    tracks, exact, stage = Tracks.of(scene), Exact(scene), Tables(lambda game, state: facts(game, state.moment))
    for way in WAYS:
        course = Course(scene, CONDITIONS["facts"], lambda name, data: None)
        course.arrived(stage.begin(scene.key, scene).result())
        for action in (*actions(tracks.observer, way), None):
            situation = Situation(tracks, course.turn, None)
            yield situation, think(situation), Check(exact, course.turn, None)
            if action is not None:
                course.decided(Decision(next(o.letter for o in course.turn.options if o.action == action)))
                course.arrived(stage.act(scene.key, action).result())


@cache
def moments() -> Moments:
    """All steps of a scene of each family."""
    return [found for which in GROUPS for found in played(group(*which)[0])]


@pytest.mark.slow
def test_thoughts_are_read_as_they_were_meant_and_agree_with_the_scene() -> None:
    for number, (situation, thought, check) in enumerate(moments()):
        text = compose(thought, np.random.default_rng(number))
        back = parse(text)
        assert back == thought
        assert check.contradictions(back, situation.decision.letter) == []


@pytest.mark.slow
def test_where_exactly_one_is_asked_about_a_place_matters_though_it_cannot_differ_alone() -> None:
    # "There is exactly one purple thing and exactly one blue thing on the robot's left. Do they have the same shape?"
    for situation, thought, check in played(group("composite", 25, 601)[0]):
        assert check.contradictions(thought, situation.decision.letter) == []


@pytest.mark.slow
def test_decisions_are_those_of_the_ideal_observer() -> None:
    ideal = open_rule("ideal", seed=0)
    for situation, thought, _ in moments():
        ideal.begin([situation.turn.brief])
        (decision,) = ideal.decide([situation.turn])
        assert decision.letter == situation.decision.letter == thought["plans"][0].values["letter"]


@pytest.mark.slow
def test_some_steps_are_recoveries() -> None:
    """A course that told nothing is followed by the best decision, with more to be seen."""
    found = [thought for _, thought, _ in moments() if any(said.kind == "nothing new" for said in thought["seen"])]
    assert any(thought["plans"][0].kind == "act" for thought in found)


def wrong_values(situation: Situation, said: Claim) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """A fact with one thing in it that is not so."""
    values, options = said.values, situation.scene.question.options
    changes: dict[str, Any] = {
        "gain": {"none": "most", "some": "none", "most": "some"}.get(values.get("gain", "")),
        "number": values.get("number", 0) + 1,
        "spot": "moved sideways" if values.get("spot") != "moved sideways" else "put aside",
        "look": "large pink cube",
        "kinds": frozenset(values.get("kinds", ())) ^ {"large pink cube"},
        "text": "Wave to the viewer",
        "answer": next(word for word in options if word != values.get("answer")),
        "answers": tuple(word for word in options if word not in values.get("answers", ())) or ("maybe", "never"),
        "at": (0.1, 0.1, 0.2, 0.2),
        "place": "under the pink sphere",
        "places": ("under the pink sphere",),
        "hider": "the purple panel",
        "picture": "picture 9",
    }
    for name in values:
        if name in changes:
            yield name, {**values, name: changes[name]}
    for number, reason in enumerate(values.get("why", ())):
        other = "seen" if reason.kind != "seen" else "shows"
        swapped = claim(other, places=reason.values.get("places", ("under the pink sphere",)))
        yield reason.kind, {**values, "why": (*values["why"][:number], swapped, *values["why"][number + 1 :])}
        for name, inner in wrong_values(situation, reason):
            changed = claim(reason.kind, **inner)
            yield f"{reason.kind}/{name}", {**values, "why": (*values["why"][:number], changed)}


@pytest.mark.slow
def test_every_wrong_fact_is_caught() -> None:
    caught: set[str] = set()
    for situation, thought, check in moments()[::3]:
        for part, sentences in thought.items():
            for number, said in enumerate(sentences):
                for name, values in wrong_values(situation, said):
                    changed = (*sentences[:number], claim(said.kind, **values), *sentences[number + 1 :])
                    wrong = check.contradictions({**thought, part: changed}, situation.decision.letter)
                    assert wrong, f"{said} with another {name}: {values}"
                    caught.add(f"{said.kind}/{name}")
    assert {"thing/spot", "found/look", "count/number", "open/kinds", "option/gain", "option/hidden/hider"} <= caught
    assert {"option/shows", "option/early/answers", "act/places", "certain/answer"} <= caught


@pytest.mark.parametrize(
    ("kind", "other"),
    [
        ("possible", "certain"),
        ("certain", "possible"),
        ("open", "idle"),
        ("new", "nothing new"),
        ("nothing new", "new"),
        ("open", "all seen"),
        ("act", "guess"),
        ("answer", "guess"),
    ],
)
def test_another_kind_of_fact_is_caught(kind: str, other: str) -> None:
    found = [one for one in moments() if any(said.kind == kind for part in one[1].values() for said in part)]
    assert found
    for situation, thought, check in found:
        option, words = situation.decision, situation.scene.places[0].words
        others = {
            "certain": claim("certain", answer=situation.scene.question.options[0]),
            "possible": claim("possible", answers=situation.scene.question.options),
            "nothing new": claim("nothing new"),
            "new": claim("new", places=(words,)),
            "all seen": claim("all seen"),
            "guess": claim("guess", letter=option.letter, answer=option.action.target),
        }
        changed = {
            part: tuple(
                (claim("idle", places=said.values["places"]) if other == "idle" else others[other])
                if said.kind == kind
                else said
                for said in sentences
            )
            for part, sentences in thought.items()
        }
        assert check.contradictions(changed, option.letter)


def test_options_must_all_be_weighed_and_the_plan_followed() -> None:
    situation, thought, check = moments()[0]
    letter = situation.decision.letter
    assert check.contradictions({**thought, "gains": thought["gains"][1:]}, letter) == [
        "not every option is weighed once"
    ]
    other = next(option.letter for option in situation.turn.options if option.letter != letter)
    assert check.contradictions(thought, other) == ["the plan is not what is decided"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (HEADINGS["gains"], "## Gains", "is missing"),
        ("The answer", "The reply", "says no known fact"),
        ("* A: ", "* A ", "says no known fact"),
    ],
)
def test_what_cannot_be_read_is_told(old: str, new: str, message: str) -> None:
    thought = next(thought for _, thought, _ in moments() if any(s.kind == "possible" for s in thought["uncertain"]))
    texts = (compose(thought, np.random.default_rng(seed)) for seed in range(50))
    text = next(text for text in texts if old in text)
    with pytest.raises(ValueError, match=message):
        parse(text.replace(old, new))


def test_boxes_are_compared() -> None:
    situation, _, check = moments()[0]
    boxes: dict[str, Box] = {item.thing.name: (0.1, 0.2, 0.3, 0.4) for item in situation.scene.items}
    boxes |= {place.name: (0.5, 0.5, 0.6, 0.6) for place in situation.scene.places}
    seen = Situation(Tracks.of(situation.scene), situation.turn, (boxes,))
    check = Check(Exact(situation.scene), situation.turn, (boxes,))
    thought, letter = think(seen), seen.decision.letter
    assert check.contradictions(parse(compose(thought, np.random.default_rng(0))), letter) == []
    moved = Check(Exact(situation.scene), situation.turn, (dict.fromkeys(boxes, (0.1, 0.2, 0.3, 0.41)),))
    wrong = moved.contradictions(thought, letter)
    assert len([line for line in wrong if line.startswith("thing")]) == len(situation.scene.items)
