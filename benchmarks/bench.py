"""How an ideal observer does on benches, drawn without a simulator; prints one line of JSON. A number says how many
groups.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from itertools import pairwise

import numpy as np

from hpvqa.explore.belief.plan import best, gains, greedy, look_ahead, play, rates
from hpvqa.explore.bench.draw import draw_bench
from hpvqa.explore.bench.game import BenchGame

GROUPS = 50
SEED = 4096
BINS = (0.0, 0.5, 0.7, 0.9, 0.99, 1.0)


def main(groups: int) -> dict[str, object]:
    """Draw groups and play them."""
    rejected, begin = Counter[str](), time.process_time()
    drawn = [next(draw_bench(number, SEED, rejected)) for number in range(groups)]
    seconds = time.process_time() - begin
    scenes = [scene for group in drawn for scene in group]
    correct, lengths, said, true, brier = [], [], [], [], []
    longer = look = differ = 0
    for scene in scenes:
        game, answer = BenchGame(scene), scene.question.answer
        course = play(game, look_ahead, scene.steps)
        correct.append(course[-1][2].target == answer)
        for _, belief, _ in course:
            chances = belief.answers()
            said += [chances.get(word, 0.0) for word in scene.question.options]
            true += [word == answer for word in scene.question.options]
            brier.append(sum((chances.get(word, 0.0) - (word == answer)) ** 2 for word in scene.question.options))
        if scene.sufficient:
            continue
        lengths.append(len(course) - 1)
        longer += len(play(game, greedy, scene.steps)) > len(course)
        state, belief, _ = course[0]
        wanted = {action.target for action in best(gains(game, state, belief))}
        look += not wanted & {action.target for action in best(rates(game, state, belief))}
        # Where the viewer stands: is another experiment best from another view?
        elsewhere = [{one.target for one in best(experiments(game, view, belief))} for view in range(len(scene.views))]
        differ += not set.intersection(*elsewhere)
    shares = np.array(said)
    held = np.array(true)
    return {
        "groups": groups,
        "scenes_a_minute": round(60 * len(scenes) / seconds),
        "rejected": dict(rejected),
        "correct": [int(sum(correct)), len(correct)],
        "answers_said_to_be_so_likely": [
            [low, high, int(within.sum()), round(float(shares[within].mean()), 3), round(float(held[within].mean()), 3)]
            for low, high in pairwise(BINS)
            if (within := (shares >= low) & ((shares < high) | (high == 1.0))).any()
        ],
        "brier": round(float(np.mean(brier)), 4),
        "actions_of_twins": round(float(np.mean(lengths)), 2),
        "of_four_and_more": round(float(np.mean(np.array(lengths) >= 4)), 2),
        "greedy_takes_longer": longer,
        "looking_ahead_begins_otherwise": look,
        "best_experiment_depends_on_the_view": differ,
        "twins": len(lengths),
    }


def experiments(game: BenchGame, view: int, belief: object) -> dict:  # type: ignore[type-arg]
    """What each experiment tells from a view."""
    start = game.start()
    state = type(start)(start.moment.model_copy(update={"view": view}), start.known)
    found = gains(game, state, belief)  # type: ignore[arg-type]
    return {action: gain for action, gain in found.items() if action.kind == "experiment"}


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]) if len(sys.argv) > 1 else GROUPS)))
