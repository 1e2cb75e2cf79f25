"""Drawn scenes: what must hold of each, and files that are sealed."""

from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path

import pytest

from hpvqa.commands.param_types import NamesType
from hpvqa.errors import UsageError
from hpvqa.explore.belief.lists import Lists
from hpvqa.explore.belief.plan import gains, greedy, lengths, look_ahead, play, rates
from hpvqa.explore.draw import BLIND, planned, type_of
from hpvqa.explore.evaluation import EVALUATION
from hpvqa.explore.game import Game
from hpvqa.explore.layouts.types import TYPES
from hpvqa.explore.runs.facts import facts
from hpvqa.explore.scene import FAMILIES, HIDING, Action, Family, Scene, read_scene, scene_file, write_scene
from tests.explore_scenes import group, scenes


def test_each_family_has_ten_types_of_which_two_are_kept() -> None:
    for family in HIDING:
        assert len({kind.name for kind in TYPES[family]}) == 10
        assert sum(kind.held_out for kind in TYPES[family]) == 2
        assert sum(type_of(family, number).held_out for number in range(12)) == 4


@scenes
@pytest.mark.slow
def test_twins_differ_in_what_is_hidden_alone(which: tuple[Family, int]) -> None:
    one, other, *_ = group(*which)
    assert one.question.answer != other.question.answer
    differ = {"index", "twin", "contents", "question", "plan"}
    assert one.model_dump(exclude=differ) == other.model_dump(exclude=differ)
    assert one.question.model_dump(exclude={"answer"}) == other.question.model_dump(exclude={"answer"})
    seen = Game(one).start().known
    assert all(one.contents[place] == other.contents[place] for place in seen)
    assert (one.twin, other.twin) == (other.index, one.index)


@scenes
@pytest.mark.slow
def test_the_first_view_tells_nothing_or_all(which: tuple[Family, int]) -> None:
    for scene in group(*which):
        game = Game(scene)
        belief = game.belief(game.start())
        options = scene.question.options
        assert belief.sufficient == scene.sufficient
        assert belief.entropy == pytest.approx(0.0 if scene.sufficient else math.log2(len(options)))
        assert 5 <= len(game.actions(game.start())) <= 8


@scenes
def test_an_ideal_observer_is_always_correct(which: tuple[Family, int]) -> None:
    for scene in group(*which):
        for policy in (look_ahead, greedy):
            course = play(Game(scene), policy, scene.steps)
            assert course[-1][2] == Action(kind="answer", target=scene.question.answer)
            assert course[-1][1].sufficient
            assert not any(belief.sufficient for _, belief, _ in course[:-1])
        assert tuple(action for _, _, action in play(Game(scene), look_ahead, scene.steps)) == scene.plan


@scenes
def test_options_name_everything_once_and_tell_nothing_of_what_is_hidden(which: tuple[Family, int]) -> None:
    one, other, *_ = group(*which)
    first, second = (Game(scene) for scene in (one, other))
    assert first.actions(first.start()) == second.actions(second.start())
    for step in range(3):
        options = first.options(first.start(), step)
        assert options == first.options(first.start(), step)
        assert len({option.text for option in options}) == len(options)
        assert [option.letter for option in options] == list("ABCDEFGHIJKLM"[: len(options)])
        assert {option.action.target for option in options if option.answers} == set(one.question.options)


@scenes
def test_nothing_that_is_said_at_first_tells_whether_the_first_view_suffices(which: tuple[Family, int]) -> None:
    """All four scenes of a group are told the same, and offered the same: only what is seen can tell."""
    games = [Game(scene) for scene in group(*which)]
    assert [game.scene.sufficient for game in games] == [False, False, True, True]
    offered = [tuple(map(game.sentence, game.actions(game.start()))) for game in games]
    briefs = [(game.brief.question, game.brief.answers, game.brief.rules, game.brief.steps) for game in games]
    assert len(set(offered)) == 1
    assert len(set(briefs)) == 1


@scenes
def test_there_are_as_many_decisions_as_an_ideal_observer_needs_at_most(which: tuple[Family, int]) -> None:
    twins = [Game(scene) for scene in group(*which)[:2]]
    needed = lengths(twins[0], 99)
    most = max(needed)
    assert needed == lengths(twins[1], 99)
    assert sum(needed.values()) == pytest.approx(1.0)
    assert most >= max(len(game.scene.plan) - 1 for game in twins)
    worlds = twins[0].belief(twins[0].start()).worlds.tolist()
    courses = [play(Game(game_of(twins[0], world)), look_ahead, 99) for world in worlds[:: max(len(worlds) // 20, 1)]]
    assert {len(course) - 1 for course in courses} <= needed.keys()
    assert twins[0].scene.steps - 1 - most in BLIND
    # What needs more than is counted.
    short = lengths(twins[0], most - 1)
    assert short[most] == pytest.approx(needed[most])


def game_of(game: Game, world: list[int]) -> Scene:
    return game.scene.model_copy(update={"contents": tuple(world)})


@scenes
def test_whether_scenes_are_kept_does_not_depend_on_what_is_hidden(which: tuple[Family, int]) -> None:
    """Else some answers would be rarer than others, and words would tell."""
    scenes = group(*which)
    game = Game(scenes[0])
    belief, looks = game.belief(game.start()), lengths(game, 99)
    least = math.floor(2 * sum(number * share for number, share in looks.items()))
    for answer in set(belief.codes.tolist()):
        hidden = belief.worlds[belief.codes == answer].tolist()
        alike = [game_of(game, hidden[number]) for number in (0, -1)]
        kept = planned([*alike, *scenes[2:]], game.graph, least)
        assert kept is not None
        assert {scene.steps for scene in kept} == {scenes[0].steps}


@scenes
def test_lists_that_are_fixed_before_do_not_go_far(which: tuple[Family, int]) -> None:
    game = Game(group(*which)[0])
    lists, most = Lists(game), game.scene.steps - 1
    shares = [lists.best(number) for number in range(most + 1)]
    assert shares[0] == 0
    assert shares == sorted(shares)
    assert shares[most] <= BLIND[most - max(lengths(game, most))] + 1e-9


@scenes
def test_a_list_is_worth_what_it_is_in_the_scenes_that_it_stands_for(which: tuple[Family, int]) -> None:
    """One deed of a kind, whichever: the mean over all of that kind that are offered."""
    game = Game(group(*which)[0])
    start, belief = game.start(), game.belief(game.start())
    found: dict[str, list[float]] = defaultdict(list)
    for action, there in game.moves(start).items():
        found[action.kind].append(belief.certainty(there.known))
    shares = [sum(values) / len(values) for kind, values in found.items() if "viewer" not in kind]
    # The mirror image of a step may tell nothing.
    steps = [value / 2 for kind, values in found.items() if "viewer" in kind for value in values]
    assert Lists(game).best(1) >= max([*shares, *steps]) - 1e-9


@scenes
def test_what_was_put_aside_is_offered_still_and_changes_nothing(which: tuple[Family, int]) -> None:
    game = Game(group(*which)[0])
    tried = 0
    for action in game.actions(game.start()):
        if action.kind in ("pick", "uncover"):
            once = game.after(game.start(), action)
            if action in game.actions(once):
                assert game.after(once, action) == once
                assert game.destination(once, action) == game.destination(game.start(), action)
                tried += 1
    assert tried


@pytest.mark.slow
def test_what_was_moved_sideways_comes_back() -> None:
    game = Game(group("occlusion", 8)[0])
    action = next(action for action in game.actions(game.start()) if action.kind == "move")
    there = game.after(game.start(), action)
    back = game.after(there, action)
    assert back.moment == game.start().moment != there.moment
    assert facts(game, there.moment).count(", moved sideways") == facts(game, back.moment).count(", moved sideways") + 1
    assert game.destination(there, action) != game.destination(back, action) == game.destination(game.start(), action)


@scenes
def test_facts_have_the_articles_of_their_words(which: tuple[Family, int]) -> None:
    game = Game(group(*which)[0])
    looks = {item.look.words for item in game.scene.items}
    told = facts(game, game.start().moment)
    assert all(f"{'an' if words.startswith('orange') else 'a'} {words}" in told for words in looks)


@scenes
def test_what_can_be_seen_from_here_on_is_what_a_search_finds(which: tuple[Family, int]) -> None:
    game = Game(group(*which)[0])
    found = {game.start().known: 0}
    frontier = {game.start()}
    for length in (1, 2, 3):
        frontier = {there for state in frontier for there in game.moves(state).values()}
        for there in frontier:
            found.setdefault(there.known, length)
    assert game.graph.reach(game.start().moment, 3) == found


@scenes
def test_a_way_promises_at_least_what_its_first_step_tells(which: tuple[Family, int]) -> None:
    game = Game(group(*which)[0])
    state = game.start()
    belief = game.belief(state)
    now, ahead = gains(game, state, belief), rates(game, state, belief)
    assert now.keys() == ahead.keys()
    assert all(ahead[action] >= now[action] for action in now)
    assert max(ahead.values()) > 0


def test_what_is_not_offered_cannot_be_done() -> None:
    game = Game(group("cover", 4)[0])
    with pytest.raises(ValueError, match="cannot be done now"):
        game.after(game.start(), Action(kind="pick", target="nothing"))


@pytest.mark.parametrize(
    ("family", "digest"),
    [
        ("occlusion", "cc6988fd1e5b8be3ad401dd92c984398aedb6575635d8819894627588e1f0379"),
        pytest.param(
            "stack", "2238e8558fe35d24d4ec5eb59d764ccb2b2cc5965eab8893dd56c268bdf61c19", marks=pytest.mark.long
        ),
        pytest.param(
            "cover", "a595ad4e13188e667b7316883661b37aea11891cfee888f18075644b5759d038", marks=pytest.mark.long
        ),
        pytest.param(
            "composite", "6bb509c9fcbf8db4d5df41f3377bf96fbc6dbf6780e5da290f596d90df01744e", marks=pytest.mark.long
        ),
    ],
)
@pytest.mark.slow
def test_the_evaluation_set_begins_with_the_same_scenes_as_ever(family: Family, digest: str) -> None:
    assert group(family, 0, EVALUATION.seed)[0].digest() == digest


def test_a_file_is_sealed(tmp_path: Path) -> None:
    scene = group("cover", 4)[0]
    path = scene_file(tmp_path, scene.family, scene.index)
    write_scene(path, scene)
    assert read_scene(path) == scene.sealed()
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 1'))
    with pytest.raises(UsageError, match="was altered"):
        read_scene(path)
    path.write_text("{}")
    with pytest.raises(UsageError, match="is damaged"):
        read_scene(path)
    with pytest.raises(UsageError, match="There is no scene"):
        read_scene(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"contents": (99, 0, 0, 0)}, "there is no content 99"),
        ({"contents": ()}, "one number for each place"),
        ({"reveals": ()}, "one row for each view"),
        ({"start": {"view": 99}}, "there is no view"),
        ({"start": {"view": 0, "done": [99]}}, "there is no deed"),
    ],
)
def test_what_does_not_fit_together_is_refused(changes: dict[str, object], message: str) -> None:
    data = group("cover", 4)[0].model_dump()
    with pytest.raises(ValueError, match=message):
        Scene.model_validate({**data, **changes})


def test_families_by_name() -> None:
    families = NamesType("family", FAMILIES)
    assert families.convert("all", None, None) == FAMILIES
    assert families.convert("cover, stack", None, None) == ("stack", "cover")
    with pytest.raises(UsageError, match="There is no family 'covers'"):
        families.convert("covers", None, None)
