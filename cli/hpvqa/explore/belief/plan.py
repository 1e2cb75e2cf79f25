"""What an ideal observer does: greedily, or looking ahead."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping

from hpvqa.explore.belief.posterior import Belief
from hpvqa.explore.game import Game, State
from hpvqa.explore.scene import Action

AHEAD = 5
"""So many actions ahead is looked."""
_LEAST = 1e-9
"""Values that differ by less are equal."""
Policy = Callable[[Game, State, Belief], Action]


def gains(game: Game, state: State, belief: Belief) -> dict[Action, float]:
    """Expected information about the answer in each action that can be done [bit]."""
    return {action: belief.gain(there.known - state.known) for action, there in game.moves(state).items()}


def rates(game: Game, state: State, belief: Belief, ahead: int = AHEAD) -> dict[Action, float]:
    """For each action the most information an action [bit] that any way which begins with it promises.

    A way that shows nothing new at first may be the best: around a corner, or under what stands on top.

    Args:
        game: The scene.
        state: How far it has come.
        belief: What is believed now.
        ahead: The longest way that is looked at.
    """
    return {
        first: max(
            belief.gain((there.known | seen) - state.known) / (length + 1)
            for seen, length in game.graph.reach(there.moment, AHEAD - 1).items()
            if length < ahead
        )
        for first, there in game.moves(state).items()
    }


def answer(belief: Belief) -> Action:
    """The likelier answer; the first of several."""
    likely = belief.answers()
    return Action(kind="answer", target=max(likely, key=lambda word: likely[word]))


def look_ahead(game: Game, state: State, belief: Belief) -> Action:
    """Answer once that is certain; until then, the action of the highest rate."""
    return answer(belief) if belief.sufficient else best(rates(game, state, belief))[0]


def greedy(game: Game, state: State, belief: Belief) -> Action:
    """Answer once that is certain; until then, the action that tells most at once, or leads to one that does."""
    if belief.sufficient:
        return answer(belief)
    now = gains(game, state, belief)
    for ahead in range(2, AHEAD + 1):
        if max(now.values()) > _LEAST:
            break
        now = rates(game, state, belief, ahead)
    return best(now)[0]


def best(values: Mapping[Action, float]) -> tuple[Action, ...]:
    """The actions of the highest value, in their order; equal but for the last digits counts as equal."""
    most = max(values.values())
    return tuple(action for action, value in values.items() if value > most - _LEAST)


def lengths(game: Game, most: int) -> dict[int, float]:
    """How likely the policy that looks ahead needs each number of actions, by what may be hidden behind the first view.

    Args:
        game: The scene; what is really hidden does not matter.
        most: What needs more actions counts as one more than these.
    """
    scene, start = game.scene, game.start()
    program = scene.question.program
    marks = [[program.marks(look, place.left) for look in place.contents] for place in scene.places]

    def needed(state: State, belief: Belief, left: int) -> dict[int, float]:
        if belief.sufficient or left < 0:
            return {most - left: 1.0}
        after = game.after(state, look_ahead(game, state, belief))
        new = sorted(after.known - state.known)
        # Of contents that count the same, one stands for all.
        kinds: dict[tuple[tuple[int, ...], ...], tuple[list[int], float]] = {}
        for world, chance in zip(belief.worlds.tolist(), belief.chances.tolist(), strict=True):
            key = tuple(marks[place][world[place]] for place in new)
            kinds[key] = (world, kinds.get(key, (world, 0.0))[1] + chance)
        found: dict[int, float] = defaultdict(float)
        for world, chance in kinds.values():
            for number, share in needed(after, belief.see(world, new), left - 1).items():
                found[number] += chance * share
        return found

    return needed(start, game.belief(start), most)


def play(game: Game, policy: Policy, steps: int) -> list[tuple[State, Belief, Action]]:
    """What a policy does from the start on: each state, what is believed there, and what is done, the answer last.

    Without an answer it ends after so many steps.
    """
    state, done = game.start(), []
    belief = game.belief(state)
    for _ in range(steps):
        action = policy(game, state, belief)
        done.append((state, belief, action))
        if action.kind == "answer":
            break
        after = game.after(state, action)
        belief = belief.see(game.contents, after.known - state.known)
        state = after
    return done
