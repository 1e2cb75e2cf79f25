"""How much a last picture would hold if things started further from their usual place."""

from __future__ import annotations

import numpy as np

from hpvqa.tasks.base import Task


def last_alone(task: Task, jitter: float, *, draws: int = 4000, seed: int = 0) -> float:
    """How often where two things came to rest tells the answer to someone who does not know where they started.

    Args:
        task: A task of two things that are moved along x.
        jitter: They start within ± this of their place [m].
        draws: How many pairs of hidden values and starts are drawn.
        seed: Seed of the draws.
    """
    rng = np.random.default_rng(seed)
    values = np.linspace(*task.hidden_range, 200)
    expected = task.probe.expected(task.examples()[0], task.hidden, values)
    less, more = np.array([np.interp(task.ranges().draw_hidden(rng), values, expected) for _ in range(draws)]).T
    apart = rng.uniform(-jitter, jitter, (draws, 2)) @ [1.0, -1.0]
    # By symmetry, the thing that lies further on is most probably the one that went further.
    return float(np.mean((less - more) * np.sign(less - more) + apart > 0))
